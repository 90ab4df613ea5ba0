/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_PREFIXES_H
#define SKEP_RULE_PREFIXES_H
/*
 * The longest of many prefixes that a text begins with, by one binary search: of the sorted prefixes the last that is
 * not behind the text is it, or continues it.
 */
#include "rule/intern.h"

struct skep_prefix {
    const char *s;
    size_t n;
    uint32_t parent; /* the longest other one that it begins with; NONE */
    uint32_t tag;    /* whatever the owner likes */
};

#define SKEP_PREFIX_NONE UINT32_MAX

struct skep_prefixes {
    struct skep_prefix *list;
    size_t n;
};

/* Sorts list (all different) and sets the parents. */
void skep_prefixes_settle(struct skep_prefixes *p);
/* Its place in the list, NONE. */
uint32_t skep_prefixes_find(const struct skep_prefixes *p, const char *s, size_t n);
#endif
