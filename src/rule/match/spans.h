/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_MATCH_SPANS_H
#define SKEP_RULE_MATCH_SPANS_H
/*
 * Which of many intervals a number is in: numbers, and addresses, whose networks are intervals. The bounds of all
 * intervals cut the line into pieces, and a binary tree stands over the pieces. An interval is kept where it covers all
 * that is below, in at most two places of each level; so the way from a piece up to the root meets exactly the intervals
 * that the piece is in, each once. (Segment tree; J. L. Bentley, 1977.)
 *
 * A search is one binary search and one walk up, whatever the intervals: inside of each other, overlapping, equal.
 */
#include "rule/match/constant.h"

#include "base/arena.h"

/* 128 bits, so that an IPv6 address is one. */
struct skep_span_key {
    uint64_t hi, lo;
};

struct skep_span {
    struct skep_span_key first, last;
};

struct skep_spans;

int skep_spans_new(struct skep_arena *pool, const struct skep_span *spans, size_t n, struct skep_spans **ret);
/* Tells of each span that has the key, by its number. */
void skep_spans_search(const struct skep_spans *s, struct skep_span_key key,
                       void (*hit)(void *arg, uint32_t span), void *arg);

struct skep_span_key skep_span_key_number(int64_t v);
/* len: 4 or 16. */
struct skep_span_key skep_span_key_ip(const void *ip, size_t len);
/* Of a constant of type NUMBER, BOOL or IP. */
struct skep_span skep_span_of(enum skep_rule_type type, const struct skep_constant *c);
#endif
