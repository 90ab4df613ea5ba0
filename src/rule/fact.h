/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FACT_H
#define SKEP_RULE_FACT_H
/*
 * Facts: what is known of the event that is being judged, as the exact program U sees it.
 *
 * The compiler numbers the distinct operands of a policy (a field with its argument, a transformed field): each number
 * is a request. For one event, fact n is the value of request n. U finds the facts in its context, asks for one that
 * it needs for the first time through a helper (skep_rule_fetch), and compares inline. So a field is computed at most
 * once for an event, however many rules ask, and not at all when none comes so far.
 *
 * Bytes of texts, addresses and lists are copied into the arena of the context, aligned to 8 and padded with zeros to
 * a multiple of 8: programs compare whole words, and checked modes of the engine see no memory but the context.
 * A text longer than SKEP_FACT_TEXT_MAX is cut there and counted (ctx->cut). Whoever starts a process chooses how long
 * its arguments are, and those of its parents: so that they cannot take the room of all else that is asked, the end of
 * the arena is kept for what is not longer than a path. What is never used of an arena costs no memory.
 *
 * A context belongs to one thread. It is as large as its policy wants: skep_rule_ctx_new() makes it, and
 * skep_rule_ctx_begin() makes it ready for an event (cost: a memset of the facts and atoms).
 */
#include "rule/condition/ast.h"

#define SKEP_FACT_TEXT_MAX 32768
#define SKEP_FACT_ARENA_SIZE (1024 * 1024)
#define SKEP_FACT_ARENA_KEPT (256 * 1024) /* of it, for texts of at most */
#define SKEP_FACT_SHORT_MAX 4096
#define SKEP_RULE_MATCHES_MAX 1024 /* rules that one event can match; more are counted */

enum skep_fact_state {
    SKEP_FACT_UNASKED = 0,
    SKEP_FACT_MISSING = 1,
    SKEP_FACT_THERE = 2,
};

struct skep_fact {
    uint64_t
        value;  /* number, 0 or 1; else the address of the bytes, or of n elements (struct skep_fact_item) */
    uint32_t n; /* bytes; elements of a multi-valued field */
    uint32_t state; /* enum skep_fact_state */
};

/* An element of a field with several values (SKEP_FIELD_LIST, SKEP_FIELD_ANY). */
struct skep_fact_item {
    uint64_t value;
    uint32_t n;
    uint32_t pad;
};

struct skep_fact_request {
    const struct skep_operand *operand;
    const struct skep_rule_field *field; /* NULL: transformed */
    const char *arg;                     /* NULL: none */
    uint32_t index;                      /* the argument of a SKEP_FIELD_ARG_INDEX field */
    enum skep_rule_type type;            /* after transformers */
    uint32_t flags;                      /* LIST, ANY, NET of the field, after transformers */
};

/* What U is run on. Programs know these offsets; facts and then atoms (one byte each: 0 not evaluated) follow. */
struct skep_rule_ctx {
    uint32_t evttype;   /* rule/evttype.h; 0 when nobody asks (untyped) */
    uint32_t n_matches; /* written by U: how many rules matched, also beyond the maximum */
    uint32_t matches[SKEP_RULE_MATCHES_MAX]; /* their numbers, in any order */
    /* From here on for the host only. */
    uint32_t n_facts, n_atoms;
    uint32_t arena_at; /* bytes of the arena in use */
    bool untyped;      /* no request is about types of event: they need not be found */
    uint64_t cut;      /* texts that were too long, since the context was made */
    size_t size;       /* of all this */
    const struct skep_event *ev;
    const struct skep_fact_request *requests;
    const void *matchers;             /* the compiler's, for skep_rule_match() */
    struct skep_rule_users *users;    /* names of users and groups */
    struct skep_rule_hosts *hosts;    /* names of addresses; NULL: they have none */
    struct skep_index_scratch *found; /* owned: what indexes find; NULL: there are none */
    char *arena;
    struct skep_fact facts[];
};

/* n_facts facts, n_atoms bytes. Everything in one block of ctx->size bytes. */
int skep_rule_ctx_new(const struct skep_fact_request *requests, uint32_t n_facts, uint32_t n_atoms,
                      struct skep_rule_ctx **ret);
struct skep_rule_ctx *skep_rule_ctx_free(struct skep_rule_ctx *x);
void skep_rule_ctx_begin(struct skep_rule_ctx *x, const struct skep_event *ev);

/* Fact n, computed if it was not asked for yet; its state. */
uint32_t skep_rule_fetch(struct skep_rule_ctx *x, uint32_t n);

/* For the get() of fields. */
bool skep_fact_number(struct skep_fact *f, int64_t value);
bool skep_fact_bool(struct skep_fact *f, bool value);
/* Copies; s NULL: missing. false: missing, or the arena is full (then ctx->cut counts it). */
bool skep_fact_text(struct skep_rule_ctx *x, struct skep_fact *f, const void *s, size_t n);
bool skep_fact_ip(struct skep_rule_ctx *x, struct skep_fact *f, const void *ip, size_t n);
/* Room for n elements of a multi-valued field, to be filled with skep_fact_text() or a number; NULL: full. */
struct skep_fact_item *skep_fact_list(struct skep_rule_ctx *x, struct skep_fact *f, size_t n);
/* Room for a text of n bytes that the caller puts together: *ret_value and *ret_n of a fact or an item are set, what is
 * beyond *ret_n was cut. NULL: the arena is full. */
char *skep_fact_room(struct skep_rule_ctx *x, size_t n, uint64_t *ret_value, uint32_t *ret_n);
bool skep_fact_item_text(struct skep_rule_ctx *x, struct skep_fact_item *item, const void *s, size_t n);
#endif
