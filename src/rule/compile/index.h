/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_INDEX_H
#define SKEP_RULE_COMPILE_INDEX_H
/*
 * Which of a thousand rules an event may match, without trying them one after another.
 *
 * A rule demands something when its condition cannot be true without it: an atom that stands at its top, or an `or` of
 * such. Of what it demands one thing is chosen, that which the fewest others demand, and the rule stands in an index
 * under the terms of it (rule/compile/terms.h):
 *
 *     rule 1: fd.name contains .ssh and A                    "ssh" inside of fd.name     -> rules 1, 3
 *     rule 2: proc.name = nc and B                           proc.name equal to "nc"     -> rules 2, 3
 *     rule 3: (fd.name contains .ssh or proc.name = nc) and C
 *
 * For an event each finder asks its field once: a hash table for equal texts, one automaton for all texts that a value may
 * begin or end with or have inside, a tree of intervals for numbers and addresses. What that costs depends on the text and
 * hardly on how many rules there are. Rules that are found are candidates: U tries what else they demand. Rules that
 * demand nothing that can be found are tried as ever.
 *
 *     skep_index_find(x, kind)      how many candidates there are
 *     skep_index_next(x)            the next one's place in skep_index_choice.rules + 1; 0: no more
 *
 * An index is immutable; what a search needs to know is in the scratch of the context (skep_rule_ctx.found).
 */
#include "rule/compile/terms.h"
#include "rule/compile/unit.h"

/* For all kinds: divides u->rules into u->found and u->tried, and makes u->indexes. */
int skep_indexes_make(struct skep_unit *u);

/* Scratch for contexts of these indexes; free() it. NULL in *ret: there is no index. */
int skep_index_scratch_new(const struct skep_index *const *indexes, struct skep_index_scratch **ret);

/* A rule is in an index under demands, each of which has terms: what a finder says of one term holds for all demands
 * with it, and what is true of a demand for all its rules. For whoever puts an index together. */
struct skep_index_term {
    const struct skep_term *term;
    struct skep_term_group group;
    const uint32_t *demands;
    size_t n_demands;
};
struct skep_index_demand {
    const uint32_t *rules;
    size_t n_rules;
};
/* terms of one group stand together. -E2BIG: *ret_group is too large to be searched; -ENOMEM. */
int skep_index_new(struct skep_arena *pool, const struct skep_requests *requests,
                   const struct skep_index_term *terms, size_t n_terms,
                   const struct skep_index_demand *demands, size_t n_rules, struct skep_index **ret,
                   struct skep_term_group *ret_group);
#endif
