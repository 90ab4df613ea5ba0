/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/regex_parse.h"

#include "rule/match/regex.h"

struct parser {
    struct skep_arena *pool;
    const char *s, *at, *end;
    const char *reason;
    unsigned depth;
};

static bool more(const struct parser *p)
{
    return p->at < p->end;
}

static bool take(struct parser *p, char c)
{
    bool is = more(p) && *p->at == c;
    p->at += is;
    return is;
}

static void *fail(struct parser *p, const char *reason)
{
    if (!p->reason)
        p->reason = reason;
    return NULL;
}

static struct skep_regex_node *node(struct parser *p, enum skep_regex_kind kind, size_t room)
{
    struct skep_regex_node *n = skep_arena_alloc(p->pool, sizeof(*n));
    if (!n)
        return NULL;
    n->kind = kind;
    n->kids = skep_arena_array(p->pool, room, sizeof(*n->kids));
    return n->kids ? n : NULL;
}

static void set_add(struct skep_regex_set *s, unsigned lo, unsigned hi)
{
    for (unsigned c = lo; c <= hi; c++)
        s->bits[c / 64] |= (uint64_t)1 << (c % 64);
}

static void set_join(struct skep_regex_set *s, const struct skep_regex_set *with)
{
    for (unsigned i = 0; i < 4; i++)
        s->bits[i] |= with->bits[i];
}

/* The ASCII characters that are not in it. */
static void set_turn(struct skep_regex_set *s)
{
    s->bits[0] = ~s->bits[0];
    s->bits[1] = ~s->bits[1];
    s->bits[2] = s->bits[3] = 0;
}

/* ---- classes ---- */

static const struct {
    const char *name; /* of [:name:] */
    char letter;      /* of \d, 0: none */
    const char *ranges;
} classes[] = {
    {"alnum", 0, "09AZaz"},   {"alpha", 0, "AZaz"},
    {"blank", 0, "  \t\t"},   {"cntrl", 0, "\001\037\177\177"},
    {"digit", 'd', "09"},     {"graph", 0, "!~"},
    {"lower", 0, "az"},       {"print", 0, " ~"},
    {"punct", 0, "!/:@[`{~"}, {"space", 's', "\t\r  "},
    {"upper", 0, "AZ"},       {"word", 'w', "09AZaz__"},
    {"xdigit", 0, "09AFaf"},
};

static void add_class(size_t i, struct skep_regex_set *s)
{
    for (const char *r = classes[i].ranges; *r; r += 2)
        set_add(s, (uint8_t)r[0], (uint8_t)r[1]);
}

/* \d, \W and so on. */
static bool letter_class(char c, struct skep_regex_set *ret, bool *ret_not)
{
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (!classes[i].letter || (c | 32) != classes[i].letter)
            continue;
        *ret = (struct skep_regex_set){0};
        add_class(i, ret);
        *ret_not = c < 'a';
        return true;
    }
    return false;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What stands behind a backslash, when it is one character. */
static bool escape(struct parser *p, uint8_t *ret)
{
    static const char letters[] = "nrtfva", values[] = "\n\r\t\f\v\a";
    if (!more(p)) {
        fail(p, "a backslash at the end");
        return false;
    }
    char c = *p->at++;
    const char *known = c ? strchr(letters, c) : NULL;
    if (known) {
        *ret = (uint8_t)values[known - letters];
    } else if (c == 'x') {
        int hi = p->end - p->at >= 2 ? hex(p->at[0]) : -1, lo = hi >= 0 ? hex(p->at[1]) : -1;
        if (lo < 0) {
            fail(p, "\\x wants two hexadecimal digits");
            return false;
        }
        p->at += 2;
        *ret = (uint8_t)(hi * 16 + lo);
    } else if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
        fail(p, c >= '1' && c <= '9'
                    ? "references back to groups are not supported: they cannot be matched in "
                      "bounded time"
                    : "unknown escape");
        return false;
    } else {
        *ret = (uint8_t)c;
    }
    return true;
}

/* One element of a bracket: a class (true in ret_class) or one end of a range. */
static bool bracket_element(struct parser *p, struct skep_regex_node *n, uint8_t *ret, bool *ret_class)
{
    *ret_class = true;
    if (p->end - p->at > 3 && p->at[0] == '[' && p->at[1] == ':') {
        const char *close = memmem(p->at + 2, (size_t)(p->end - p->at - 2), ":]", 2);
        size_t len = close ? (size_t)(close - p->at - 2) : 0;
        for (size_t i = 0; close && i < ARRAY_SIZE(classes); i++) {
            if (strlen(classes[i].name) == len && memcmp(classes[i].name, p->at + 2, len) == 0) {
                add_class(i, &n->set);
                p->at = close + 2;
                return true;
            }
        }
        fail(p, "unknown class of characters");
        return false;
    }
    if (p->end - p->at > 1 && p->at[0] == '\\') {
        struct skep_regex_set set;
        bool not ;
        if (letter_class(p->at[1], &set, &not )) {
            if (not )
                set_turn(&set);
            n->wide |= not ;
            set_join(&n->set, &set);
            p->at += 2;
            return true;
        }
    }
    *ret_class = false;
    *ret = (uint8_t)*p->at++;
    if (*ret == '\\' && !escape(p, ret))
        return false;
    if (*ret >= 0x80) {
        fail(p, "only ASCII characters can stand in brackets: write (a|b) for others");
        return false;
    }
    return true;
}

static struct skep_regex_node *bracket(struct parser *p)
{
    struct skep_regex_node *n = node(p, SKEP_REGEX_SET, 0);
    if (!n)
        return NULL;
    bool not = take(p, '^');
    for (bool first = true; more(p) && (first || *p->at != ']'); first = false) {
        uint8_t lo, hi;
        bool is_class;
        if (!bracket_element(p, n, &lo, &is_class))
            return NULL;
        if (is_class)
            continue;
        hi = lo;
        if (p->end - p->at > 1 && p->at[0] == '-' && p->at[1] != ']') {
            p->at++;
            if (!bracket_element(p, n, &hi, &is_class))
                return NULL;
            if (is_class || hi < lo)
                return fail(p, "a range whose end is before its beginning");
        }
        set_add(&n->set, lo, hi);
    }
    if (!take(p, ']'))
        return fail(p, "a [ that is not closed");
    if (not ) {
        set_turn(&n->set);
        n->wide = !n->wide;
    }
    return n;
}

/* ---- the rest ---- */

static struct skep_regex_node *alternate(struct parser *p);

static struct skep_regex_node *group(struct parser *p)
{
    if (take(p, '?') && !take(p, ':'))
        return fail(p, "groups that look around, have names or flags are not supported");
    if (++p->depth > SKEP_REGEX_DEPTH_MAX)
        return fail(p, "groups are nested too deeply");
    struct skep_regex_node *n = alternate(p);
    p->depth--;
    if (n && !take(p, ')'))
        return fail(p, "a ( that is not closed");
    return n;
}

static struct skep_regex_node *one_byte(struct parser *p, uint8_t c)
{
    struct skep_regex_node *n = node(p, SKEP_REGEX_SET, 0);
    if (n)
        set_add(&n->set, c, c);
    return n;
}

/* A character of several bytes is repeated as a whole. */
static struct skep_regex_node *wide_char(struct parser *p, uint8_t first)
{
    struct skep_regex_node *all = node(p, SKEP_REGEX_CONCAT, 4);
    if (!all || !(all->kids[all->n_kids++] = one_byte(p, first)))
        return NULL;
    while (all->n_kids < 4 && more(p) && ((uint8_t)*p->at & 0xc0) == 0x80)
        if (!(all->kids[all->n_kids++] = one_byte(p, (uint8_t)*p->at++)))
            return NULL;
    return all;
}

static struct skep_regex_node *atom(struct parser *p)
{
    char c = *p->at++;
    if (c == '(')
        return group(p);
    if (c == '[')
        return bracket(p);
    if (c == '^')
        return node(p, SKEP_REGEX_BEGIN, 0);
    if (c == '$')
        return node(p, SKEP_REGEX_END, 0);
    if ((uint8_t)c >= 0xc2)
        return wide_char(p, (uint8_t)c);
    if (c == '*' || c == '+' || c == '?')
        return fail(p, "nothing stands before the repetition");
    struct skep_regex_node *n = node(p, SKEP_REGEX_SET, 0);
    if (!n)
        return NULL;
    bool not = false;
    if (c == '.') {
        set_add(&n->set, '\n', '\n');
        set_turn(&n->set);
        n->wide = true;
    } else if (c == '\\' && more(p) && letter_class(*p->at, &n->set, &not )) {
        p->at++;
        if (not )
            set_turn(&n->set);
        n->wide = not ;
    } else {
        uint8_t byte = (uint8_t)c;
        if (c == '\\' && !escape(p, &byte))
            return NULL;
        set_add(&n->set, byte, byte);
    }
    return n;
}

/* At most SKEP_REGEX_REPEAT_MAX, -1: no number. */
static int number(struct parser *p)
{
    int v = -1;
    while (more(p) && *p->at >= '0' && *p->at <= '9' && v <= SKEP_REGEX_REPEAT_MAX)
        v = MAX(v, 0) * 10 + (*p->at++ - '0');
    return v;
}

/* {2}, {2,}, {2,5}; false: it is none, and the brace an ordinary character. */
static bool braces(struct parser *p, int *ret_min, int *ret_max)
{
    const char *before = p->at;
    int min = take(p, '{') ? number(p) : -1, max = min;
    if (min >= 0 && take(p, ','))
        max = number(p);
    if (min < 0 || !take(p, '}')) {
        p->at = before;
        return false;
    }
    *ret_min = min;
    *ret_max = max;
    return true;
}

static struct skep_regex_node *repeat(struct parser *p)
{
    struct skep_regex_node *n = atom(p);
    while (n && more(p)) {
        int min = 0, max = -1;
        if (take(p, '?'))
            max = 1;
        else if (take(p, '+'))
            min = 1;
        else if (!take(p, '*') && !braces(p, &min, &max))
            break;
        if (min > SKEP_REGEX_REPEAT_MAX || max > SKEP_REGEX_REPEAT_MAX)
            return fail(p, "a repetition of more than 1000");
        if (max >= 0 && max < min)
            return fail(p, "a repetition whose most is less than its least");
        take(p, '?'); /* how much a part takes does not matter when the whole text has to fit */
        if (++p->depth > SKEP_REGEX_DEPTH_MAX)
            return fail(p, "repetitions are nested too deeply");
        struct skep_regex_node *outer = node(p, SKEP_REGEX_REPEAT, 1);
        if (!outer)
            return NULL;
        outer->min = min;
        outer->max = max;
        outer->kids[outer->n_kids++] = n;
        n = outer;
    }
    return n;
}

/* Kids are counted before they are made. */
static struct skep_regex_node *sequence(struct parser *p, enum skep_regex_kind kind, char until)
{
    size_t cap = 8, n = 0;
    const struct skep_regex_node **kids = skep_arena_array(p->pool, cap, sizeof(*kids));
    unsigned depth = p->depth;
    do {
        if (!kids)
            return NULL;
        if (n == cap) {
            const struct skep_regex_node **wider = skep_arena_array(p->pool, cap * 2, sizeof(*kids));
            if (!wider)
                return NULL;
            memcpy(wider, kids, n * sizeof(*kids));
            kids = wider;
            cap *= 2;
        }
        if (kind == SKEP_REGEX_CONCAT && (!more(p) || *p->at == '|' || *p->at == ')'))
            break;
        const struct skep_regex_node *kid =
            kind == SKEP_REGEX_CONCAT ? repeat(p) : sequence(p, SKEP_REGEX_CONCAT, 0);
        if (!kid)
            return NULL;
        p->depth = depth;
        kids[n++] = kid;
    } while (kind == SKEP_REGEX_CONCAT || take(p, until));
    struct skep_regex_node *all = node(p, n ? kind : SKEP_REGEX_EMPTY, 0);
    if (all) {
        all->kids = kids;
        all->n_kids = n;
    }
    return all;
}

static struct skep_regex_node *alternate(struct parser *p)
{
    return sequence(p, SKEP_REGEX_ALTERNATE, '|');
}

int skep_regex_parse(struct skep_arena *pool, const char *pattern, size_t n,
                     const struct skep_regex_node **ret, const char **ret_reason, size_t *ret_at)
{
    struct parser p = {.pool = pool, .s = pattern, .at = pattern, .end = pattern + n};
    *ret_at = 0;
    if (n > SKEP_REGEX_MAX) {
        *ret_reason = "the regular expression is longer than 4096 bytes";
        return -EINVAL;
    }
    const struct skep_regex_node *root = alternate(&p);
    if (root && more(&p))
        root = fail(&p, "a ) without a (");
    *ret_reason = p.reason;
    *ret_at = (size_t)(p.at - pattern);
    if (!root)
        return p.reason ? -EINVAL : -ENOMEM;
    *ret = root;
    return 0;
}
