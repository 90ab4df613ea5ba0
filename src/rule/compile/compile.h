/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_COMPILE_H
#define SKEP_RULE_COMPILE_COMPILE_H
/*
 * From a policy to programs. For each kind of event that some rule can match there are two:
 *
 *   exact (U)   judges an event in user space: r1 = struct skep_rule_ctx, r2 = its size. Writes the numbers of the
 *               rules that match into the context; r0 = how many. Runs in the engine in any mode.
 *   filter (K)  runs in the kernel on a record that was just put together. r0 = 0 proves that no rule can match: the
 *               record is dropped and counted as filtered. It over-approximates: what cannot be decided there counts as
 *               true where it stands positively and as false where it stands negated.
 *
 * Both come from one graph: conditions become atoms (a fact, an operation, constants), the same atom of fifty rules is
 * one node, and shared subexpressions are one node, too. In U an atom is evaluated at most once for an event (ctx
 * atoms). Rules are not tried one after another but found by what they demand (rule/compile/index.h), whatever the comparison, so
 * that a thousand rules cost little more than a hundred.
 *
 * Constants: a few are compared inline; large sets of values are hash maps, sets of prefixes and networks are tries.
 * Maps are described here (struct skep_rule_map) and made by whoever loads the programs, in the engine and in the kernel
 * alike: an LDDW of the program with source register 5 names map number imm.
 *
 * Comparisons that are not worth code (patterns, regular expressions, substrings in U) are calls of a helper,
 * skep_rule_match(), with the number of a matcher.
 *
 * The result is immutable and may be shared by threads; contexts may not. To run U:
 *
 *     skep_compiled_ctx_new(c, &x);
 *     skep_rule_ctx_begin(x, ev);
 *     run c->exact[ev->h->kind] with r1 = x, r2 = x->size
 */
#include "base/diag.h"
#include "isa/insn.h"
#include "rule/evttype.h"
#include "rule/fact.h"
#include "rule/policy.h"

/* Helper numbers of U; whoever runs it registers them with the engine. */
#define SKEP_RULE_HELPER_FETCH 0x10000 /* (ctx, fact) -> its state */
#define SKEP_RULE_HELPER_MATCH 0x10001 /* (ctx, matcher) -> 0 or 1 */
#define SKEP_RULE_HELPER_FIND 0x10002  /* (ctx, kind) -> how many rules the index of the kind finds */
#define SKEP_RULE_HELPER_NEXT 0x10003  /* (ctx) -> one of them, counted from 1; 0: no more */

struct skep_rule_map {
    char name[16];
    uint32_t type; /* BPF_MAP_TYPE_HASH, LPM_TRIE, ARRAY */
    uint32_t key_size, value_size, max_entries, flags;
    const uint8_t *keys, *values; /* n_entries of each, one behind the other */
    size_t n_entries;
};

struct skep_rule_program {
    const struct skep_insn *insns; /* NULL: none for this kind */
    size_t n_insns;
    const uint32_t *maps; /* numbers in skep_compiled.maps; LDDW's imm is an index of this array */
    size_t n_maps;
};

/* How much of a rule the kernel decides, for `skep rules explain`. */
enum skep_atom_where { SKEP_ATOM_KERNEL, SKEP_ATOM_USER };
struct skep_atom_note {
    uint32_t rule;
    uint16_t kind;
    enum skep_atom_where where;
    const char *text;   /* the atom: proc.name = sh */
    const char *reason; /* why in user space; NULL in the kernel */
};

struct skep_compiled {
    const struct skep_policy *policy; /* borrowed; must live as long */
    bool all;                         /* every rule that matches, not only the first */
    const struct skep_fact_request *requests;
    uint32_t n_requests, n_atoms;
    const struct skep_rule_map *maps;
    size_t n_maps;
    const void *matchers;
    struct skep_rule_program exact[SKEP_KIND_MAX];
    struct skep_rule_program filter[SKEP_KIND_MAX]; /* none: every record passes */
    bool wanted[SKEP_EVTTYPE_MAX];                  /* types of event that some enabled rule can match */
    uint64_t uring_ops[SKEP_URING_OPS / 64];        /* operations that some rule can match: of uring */
    uint64_t uring_done_ops[SKEP_URING_OPS / 64];   /* and of uring_done */
    const struct skep_atom_note *notes;
    size_t n_notes;
    const bool (*rule_types)[SKEP_EVTTYPE_MAX]; /* by rule: its types of event */
    const char *const *profiled; /* with the option profile: the atoms that are told of, by number */
    size_t n_profiled;
    const bool (*profiled_kinds)[SKEP_KIND_MAX]; /* by atom: kinds whose program tells of it */
    struct skep_compiled_arena *arena;
};

/* How often an atom was true when it was looked at, from 0 to 1: what was measured goes before what is guessed. */
struct skep_atom_weight {
    const char *atom; /* as in skep_atom_note: proc.name = sh */
    double truth;
};

struct skep_compile_options {
    bool all;           /* rule_matching: all */
    bool no_pushdown;   /* no filter programs */
    uint32_t max_insns; /* of one program, 0: 1,000,000 for U; K is bounded by SKEP_RULE_FILTER_INSNS */
    bool notes;         /* fill in skep_compiled.notes */
    bool profile;       /* atoms in place of rules, all of them, no filters: see rule/compile/profile.h */
    uint32_t index_min; /* rules that are worth a search of their own, 0: depends on the comparison */
    const struct skep_atom_weight *weights; /* n_weights of them */
    size_t n_weights;
};
#define SKEP_RULE_FILTER_INSNS 65536

/* What is wrong is added to diags (types, unknown operators for a field, regular expressions, sizes). -EINVAL: errors
 * were added; -ENOMEM. */
int skep_rules_compile(const struct skep_policy *p, const struct skep_compile_options *o,
                       struct skep_diags *diags, struct skep_compiled **ret);
/* Only what is wrong, of rules that are on or off. */
int skep_rules_check(const struct skep_policy *p, struct skep_diags *diags);
struct skep_compiled *skep_compiled_free(struct skep_compiled *c);

/* A context for its programs. */
int skep_compiled_ctx_new(const struct skep_compiled *c, struct skep_rule_ctx **ret);

/* The helpers behind SKEP_RULE_HELPER_MATCH, FIND and NEXT. */
uint32_t skep_rule_match(struct skep_rule_ctx *x, uint32_t matcher);
uint32_t skep_index_find(struct skep_rule_ctx *x, uint32_t kind);
uint32_t skep_index_next(struct skep_rule_ctx *x);
/* How many candidates were found since the context was made. */
uint64_t skep_index_candidates(const struct skep_rule_ctx *x);

/* A filter program of kind around the body that is the same in engine and kernel; see rule/compile/frame.h. Its maps are those
 * of c->filter[kind]. -ENOENT: there is none for this kind; -E2BIG: longer than SKEP_RULE_FILTER_INSNS. */
struct skep_frame;
int skep_rule_filter_build(const struct skep_compiled *c, uint16_t kind, const struct skep_frame *frame,
                           struct skep_insn **ret_insns, size_t *ret_n);
#endif
