/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_MAPS_H
#define SKEP_RULE_COMPILE_MAPS_H
/*
 * Maps for sets of constants that are too large for code. A set of texts is a hash map for each size of key: texts
 * are keys as they stand in the arena of a context, padded with zeros to a multiple of 8. Since padding hides how
 * long a text is, the value says it:
 *
 *     struct { u32 len; u32 class; }
 *
 * class is 1 in plain sets, else what the caller gave. Prefixes and networks are tries
 * (LPM_TRIE), whose value is a class. U and K of all kinds share the maps.
 */
#include "rule/compile/atom.h"
#include "rule/compile/compile.h"
#include "rule/compile/emit.h"

#define SKEP_MAP_KEY_MAX 256 /* longest text that is a key */
#define SKEP_MAP_CLASSES (SKEP_MAP_KEY_MAX / 8 + 1)
#define SKEP_MAPS_MAX 1024 /* of one policy; then sets are left to matchers */

struct skep_map_value {
    uint32_t len;
    uint32_t class;
};

struct skep_maps {
    struct skep_arena *pool;
    struct skep_rule_map *list;
    size_t n, cap;
    struct skep_map_set **sets; /* of atoms, by their number; made when asked for */
    size_t n_sets;
};

/* The maps of a set of texts, by size of key / 8; UINT32_MAX: none of this size. */
struct skep_map_set {
    uint32_t map[SKEP_MAP_CLASSES];
    bool has_empty; /* the empty text is one of the set, of this class */
    uint32_t empty_class;
};

void skep_maps_init(struct skep_maps *m, struct skep_arena *pool);
void skep_maps_clear(struct skep_maps *m);
/* Whether the constants can be keys at all, and there is room for their maps. */
bool skep_maps_can_hold(const struct skep_maps *m, const struct skep_constant *texts, size_t n);
/* classes: one a text; NULL: all 1. -ENOMEM. */
int skep_maps_add_texts(struct skep_maps *m, const struct skep_constant *texts, const uint32_t *classes,
                        size_t n, struct skep_map_set **ret);
/* Of an atom, once. */
int skep_maps_of_atom(struct skep_maps *m, const struct skep_atom *a, uint32_t number,
                      struct skep_map_set **ret);
/* A trie over keys of {u32 bits; data[size]}: entry i is bits[i] bits of data + i * size. */
int skep_maps_add_trie(struct skep_maps *m, const uint8_t *data, const uint32_t *bits, size_t n,
                       uint32_t size, uint32_t *ret);

/* The numbers that a program knows its maps by. */
struct skep_map_refs {
    uint32_t *list; /* in skep_maps.list */
    size_t n, cap;
};
int skep_map_refs_add(struct skep_map_refs *r, uint32_t map, uint32_t *ret);
#endif
