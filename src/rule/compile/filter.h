/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_FILTER_H
#define SKEP_RULE_COMPILE_FILTER_H
/*
 * The filter K of one kind of event: what can be said of a record before anybody looked further. A plan of it is made
 * from what is left of the rules for the kind; each literal in it (an atom, or a negated one) is exact where the record
 * holds the value, or is left out, which makes it true. So the plan is true whenever a rule is; not the other way.
 *
 *     open and fd.name startswith /etc and not proc.pname = sshd       ->  fd.name startswith /etc
 *
 * An atom that is not known for one record only (a text that was cut, a path that is not that of an object, one that is
 * too long to be searched) leads to where its literal is true, whichever way it stands.
 *
 * What is asked first, and what is asked once for all rules, is rule/compile/filter_plan.h's business.
 *
 * Code: r6 is the record, r9 the flags of its header. r7 is the text that is being looked at and r8 its length; the
 * rest is scratch, and so are the 264 bytes below r10, in which keys are put together. Offsets from the record are
 * masked to SKEP_RECORD_MAX before they are used, so that what is read lies within SKEP_RECORD_MAX + SKEP_PATH_MAX.
 */
#include "rule/compile/frame.h"
#include "rule/compile/radix.h"
#include "rule/compile/unit.h"

/* What does not fit into a filter is left out of it step by step. */
enum skep_filter_precision {
    SKEP_FILTER_FULL,
    SKEP_FILTER_PLAIN, /* all of them, tried one after another */
    SKEP_FILTER_SHORT, /* of each rule, the few conditions that decide most cheaply */
    SKEP_FILTER_ONE,   /* of each rule, one */
    SKEP_FILTER_NONE,
};

enum skep_filter_kind {
    SKEP_FILTER_CONSTANT,
    SKEP_FILTER_ATOM,
    SKEP_FILTER_AND,
    SKEP_FILTER_OR,
    SKEP_FILTER_IF,     /* the atom decides which of the kids counts: enum skep_filter_if */
    SKEP_FILTER_SWITCH, /* the class of a text does: enum skep_filter_switch, then those of classes */
};

enum skep_filter_if { SKEP_FILTER_IF_YES, SKEP_FILTER_IF_NO, SKEP_FILTER_IF_UNKNOWN, SKEP_FILTER_IF_KIDS };
enum skep_filter_switch {
    SKEP_FILTER_CASE_NONE, /* none of the texts fits */
    SKEP_FILTER_CASE_UNKNOWN,
    SKEP_FILTER_CASE_MISSING,
    SKEP_FILTER_CASES,
};

struct skep_filter_node {
    enum skep_filter_kind kind;
    bool value;   /* CONSTANT */
    bool negated; /* ATOM */
    bool rooted;  /* radix: a text that does not begin with a slash is not known */
    struct skep_atom
        atom;        /* ATOM, IF: what is asked of the record, which may be less than what the rule says */
    uint32_t number; /* ATOM, IF: of the atom that it is all of; UINT32_MAX */
    uint32_t trie;   /* ATOM: the trie of its prefixes, or of its networks of 4 bytes; UINT32_MAX */
    uint32_t trie6;  /* ATOM: of its networks of 16 bytes; UINT32_MAX */
    struct skep_map_set *set;          /* ATOM: the maps of its texts; NULL */
    struct skep_radix *radix;          /* ATOM: of its texts; SWITCH; NULL */
    const struct skep_rule_spot *spot; /* SWITCH: where the text is */
    uint32_t *cases;                   /* SWITCH: the kid of each class */
    bool *chained;                     /* SWITCH, by kid: what CASE_NONE says counts as well */
    float cost, truth;
    struct skep_filter_node **kids;
    size_t n_kids;
    /* for the planner */
    uint32_t stamp;
    struct skep_filter_node *result;
    uint32_t group, tag;
};

struct skep_filter {
    uint16_t kind;
    const struct skep_filter_node *root; /* NULL: every record passes */
    enum skep_filter_precision precision;
    struct skep_map_refs refs;
};

/* Makes the plans and maps of all kinds that a filter can be for; filters: by kind. */
int skep_filter_plan(struct skep_unit *u, uint16_t kind, enum skep_filter_precision precision,
                     struct skep_filter *ret);
/* The program of a plan. -E2BIG. */
int skep_filter_build(const struct skep_unit *u, const struct skep_filter *f, const struct skep_frame *frame,
                      struct skep_insn **ret_insns, size_t *ret_n);
/* Whether there are filters for the kind: only for what system calls make, outside of the life cycle ring. */
bool skep_filter_has_kind(unsigned kind);
/* Why the kernel cannot decide an atom for a kind; NULL: it can, for most records at least. */
const char *skep_filter_why_not(const struct skep_unit *u, const struct skep_atom *a, uint16_t kind);

/* For the file that emits atoms. */
struct skep_filter_emit {
    struct skep_build *b;
    const struct skep_unit *unit;
    const struct skep_filter *filter;
    const struct skep_frame *frame;
    unsigned pass;           /* its label */
    unsigned loops;          /* so far: the verifier walks each of their rounds */
    struct skep_intern done; /* nodes and where they lead, whose code is written ... */
    unsigned *labels;        /* ... here, by number */
    uint16_t loaded; /* the slice of this offset is there, and its text is known; 0: of none that is said */
};
/* An atom's three ways. */
struct skep_filter_ways {
    unsigned yes, no, unknown, fall;
};
void skep_filter_emit_atom(struct skep_filter_emit *e, const struct skep_filter_node *n,
                           const struct skep_filter_ways *to);
/* The text at r7, of r8 bytes, has one of the values inside (filter_search.c). */
void skep_filter_emit_searches(struct skep_filter_emit *e, const struct skep_atom *a,
                               const struct skep_filter_ways *to);
/* Jumps to labels[class] of the text of a SWITCH, or to unknown, or missing. */
void skep_filter_emit_switch(struct skep_filter_emit *e, const struct skep_filter_node *n,
                             const unsigned *labels, unsigned unknown, unsigned missing);
const struct skep_rule_spot *skep_filter_spot(const struct skep_unit *u, const struct skep_atom *a,
                                              uint16_t kind);
/* What is there has to be asked for first, which is dear: skep_frame_ask_late(). */
bool skep_filter_is_late(const struct skep_rule_spot *s, uint16_t kind);

#define SKEP_FILTER_CODE_TEXTS 64 /* more are a hash map */
#define SKEP_FILTER_CODE_PREFIXES 8
#define SKEP_FILTER_RADIX_VALUES 256 /* of one atom */
#define SKEP_FILTER_NEEDLES_MAX 8    /* of one atom */
#define SKEP_FILTER_INTERVALS_MAX 512
#define SKEP_FILTER_CODE_NETWORKS4 64 /* more are a trie */
#define SKEP_FILTER_CODE_NETWORKS6 8
#define SKEP_FILTER_PREFIX_MAX 256
#define SKEP_FILTER_SEARCH_MAX 128 /* bytes of a text that is searched: the verifier walks each round */
#define SKEP_FILTER_NEEDLE_MAX 64
#define SKEP_FILTER_LOOPS_MAX 48
#endif
