/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FALCO_YAML_H
#define SKEP_RULE_FALCO_YAML_H
/*
 * A YAML file as a tree in which every value knows its place. Aliases point to the node of their anchor (nothing is
 * copied, so a bomb of aliases stays as small as its file); an alias inside of its own anchor is refused, so there are
 * no cycles. Nesting is bounded by SKEP_YAML_DEPTH_MAX. Text is UTF-8; what is not is an error of the file.
 *
 * After an error the documents up to there are there, the last one with those of its items that were complete.
 */
#include "base/arena.h"
#include "rule/source.h"

#define SKEP_YAML_DEPTH_MAX 64

enum skep_yaml_kind { SKEP_YAML_SCALAR, SKEP_YAML_SEQUENCE, SKEP_YAML_MAP };

struct skep_yaml {
    enum skep_yaml_kind kind;
    bool plain;                     /* a scalar without quotes */
    struct skep_rule_source source; /* of a scalar its value, else where it begins */
    const struct skep_yaml **items; /* of a sequence; of a map key, value, key, value, ... */
    size_t n_items;                 /* keys and values both count */
};

/* The documents of a file, in docs (in the arena). -EINVAL: there was an error, after which docs holds what was before
 * it; -ENOMEM. */
int skep_yaml_read(struct skep_arena *a, const struct skep_rule_file *file, struct skep_diags *diags,
                   const struct skep_yaml ***ret_docs, size_t *ret_n);

/* The value of a key (the first, if it stands there twice); NULL: there is none, or map is none. */
const struct skep_yaml *skep_yaml_get(const struct skep_yaml *map, const char *key);
const struct skep_yaml *skep_yaml_key(const struct skep_yaml *map, const char *key); /* the key itself */
bool skep_yaml_is_null(const struct skep_yaml *y);
bool skep_yaml_is(const struct skep_yaml *y, const char *text); /* a scalar that is this text */
/* true, yes, on, y and their opposites. false: it is neither. */
bool skep_yaml_bool(const struct skep_yaml *y, bool *ret);
struct skep_rule_place skep_yaml_place(const struct skep_yaml *y);
#endif
