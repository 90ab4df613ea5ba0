/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many texts looked for at once must be found where one after another finds them. Of the input the first byte says what
 * is done, the second how long texts are; the others are the patterns and, as their last part, the text. The same patterns
 * as globs and regular expressions: what fits has the parts that were said to be in it.
 */
#include "rule/match/automaton.h"
#include "rule/match/glob.h"
#include "rule/match/parts.h"
#include "rule/match/regex.h"
#include "rule/match/text.h"

#define PATTERNS_MAX 64

struct input {
    struct skep_automaton_pattern patterns[PATTERNS_MAX];
    size_t n;
    const char *s;
    size_t len;
};

static void check(bool ok)
{
    if (!ok)
        abort();
}

static enum skep_automaton_go found(void *arg, uint32_t pattern)
{
    uint8_t *seen = arg;
    if (seen[pattern])
        return SKEP_AUTOMATON_KNOWN;
    seen[pattern] = 1;
    return SKEP_AUTOMATON_ON;
}

static bool equal(const struct skep_automaton_pattern *a, const struct skep_automaton_pattern *b, bool fold)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (fold ? skep_byte_lower((uint8_t)a->s[i]) != skep_byte_lower((uint8_t)b->s[i])
                 : a->s[i] != b->s[i])
            return false;
    return true;
}

/* fold: only of ends, and of what is inside by trying every place. */
static bool naive(const struct skep_automaton_pattern *p, enum skep_automaton_place place, bool fold,
                  const char *s, size_t n)
{
    for (size_t at = 0; n >= p->n && at <= n - p->n; at++) {
        struct skep_automaton_pattern here = {s + at, p->n};
        bool right = place == SKEP_AUTOMATON_INSIDE || at == (place == SKEP_AUTOMATON_BEGIN ? 0 : n - p->n);
        if (right && equal(p, &here, fold))
            return true;
    }
    return false;
}

static void check_automaton(const struct input *in, enum skep_automaton_place place, bool fold,
                            struct skep_arena *pool)
{
    struct skep_automaton *a;
    uint8_t seen[PATTERNS_MAX] = {0};
    bool any = false;
    check(skep_automaton_new(pool, in->patterns, in->n, place, fold, &a) == 0);
    skep_automaton_search(a, in->s, in->len, found, seen);
    for (size_t i = 0; i < in->n; i++) {
        bool there = naive(&in->patterns[i], place, fold, in->s, in->len), first = true;
        for (size_t k = 0; k < i; k++)
            first &= !equal(&in->patterns[k], &in->patterns[i], fold);
        check(seen[i] == (there && first));
        any |= there;
    }
    check(skep_automaton_any(a, in->s, in->len) == any);
}

static void check_parts(const struct skep_parts *parts, const char *s, size_t n)
{
    for (size_t i = 0; i < parts->n; i++) {
        bool any = false;
        for (size_t k = 0; k < parts->choices[i].n; k++) {
            const struct skep_part *p = &parts->choices[i].parts[k];
            any |= skep_text_contains(s, n, p->s, p->n, false) &&
                   (!p->begin || skep_text_begins(s, n, p->s, p->n)) &&
                   (!p->end || skep_text_ends(s, n, p->s, p->n));
        }
        check(any);
    }
}

static void check_pattern(const struct skep_automaton_pattern *p, const struct input *in,
                          struct skep_arena *pool)
{
    struct skep_parts parts;
    struct skep_regex *re;
    const char *reason;
    size_t at;
    check(skep_parts_of_glob(pool, p->s, p->n, &parts) == 0);
    if (skep_rule_glob_match(p->s, p->n, in->s, in->len, false))
        check_parts(&parts, in->s, in->len);
    check(skep_parts_of_regex(pool, p->s, p->n, &parts) == 0);
    if (skep_regex_compile(pool, p->s, p->n, &re, &reason, &at) == 0 && skep_regex_match(re, in->s, in->len))
        check_parts(&parts, in->s, in->len);
    check(skep_parts_of_path(pool, p->s, p->n, &parts) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct input in = {0};
    struct skep_arena *pool;
    if (n < 2 || n > 4096)
        return 0;
    size_t most = 1 + data[1] % 16, at = 2;
    while (at < n && in.n < PATTERNS_MAX - 1) {
        size_t len = MIN(data[at] % (most + 1), n - at - 1);
        in.patterns[in.n++] = (struct skep_automaton_pattern){(const char *)data + at + 1, len};
        at += 1 + len;
        if (n - at <= n / 3)
            break;
    }
    in.s = (const char *)data + at;
    in.len = n - at;
    check(skep_arena_new((size_t)1 << 30, &pool) == 0);
    check_automaton(&in, (enum skep_automaton_place)(data[0] % 3), data[0] & 4, pool);
    if (data[0] & 8 && in.n)
        check_pattern(&in.patterns[0], &in, pool);
    skep_arena_free(pool);
    return 0;
}
