/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/parts.h"

#include "rule/match/glob.h"
#include "rule/match/regex.h"
#include "rule/match/regex_parse.h"

#define TREE_MAX ((size_t)256 << 20)

/* Puts literal characters together to parts. */
struct reader {
    struct skep_arena *pool;
    struct skep_parts *parts;
    char *run;
    size_t n, cap;
    bool begin; /* nothing but literals was read so far */
    bool failed;
};

static bool reader_init(struct reader *r, struct skep_arena *pool, size_t cap, struct skep_parts *parts,
                        bool begin)
{
    *r = (struct reader){.pool = pool, .parts = parts, .cap = cap, .begin = begin};
    r->run = skep_arena_alloc(pool, cap);
    return r->run != NULL;
}

static void add_choice(struct reader *r, const struct skep_part *parts, size_t n)
{
    struct skep_parts *p = r->parts;
    struct skep_part *kept = skep_arena_array(r->pool, n, sizeof(*kept));
    if (!kept) {
        r->failed = true;
        return;
    }
    if (p->n == SKEP_PART_CHOICES_MAX)
        return;
    memcpy(kept, parts, n * sizeof(*kept));
    p->choices[p->n++] = (struct skep_part_choice){kept, n};
}

/* The run is over: something else than a literal follows, or the end. */
static void end_run(struct reader *r, bool end)
{
    if (r->n) {
        struct skep_part part = {skep_arena_text(r->pool, r->run, r->n), r->n, r->begin, end};
        if (part.s)
            add_choice(r, &part, 1);
        r->failed |= !part.s;
    }
    r->n = 0;
    r->begin = false;
}

static void add_byte(struct reader *r, char c)
{
    if (r->n < r->cap)
        r->run[r->n++] = c;
}

/* ---- patterns of file names ---- */

static void read_glob(struct reader *r, const char *p, size_t n)
{
    const char *end = p + n;
    while (p < end) {
        const char *behind = skep_rule_glob_element(p, end);
        if (behind) {
            end_run(r, false);
            p = behind;
            continue;
        }
        p += *p == '\\' && p + 1 < end;
        add_byte(r, *p++);
    }
    end_run(r, true);
}

int skep_parts_of_glob(struct skep_arena *pool, const char *pattern, size_t n, struct skep_parts *ret)
{
    struct reader r;
    *ret = (struct skep_parts){0};
    if (!reader_init(&r, pool, n, ret, true))
        return -ENOMEM;
    read_glob(&r, pattern, n);
    return r.failed ? -ENOMEM : 0;
}

int skep_parts_of_path(struct skep_arena *pool, const char *path, size_t n, struct skep_parts *ret)
{
    struct reader r;
    *ret = (struct skep_parts){0};
    if (!reader_init(&r, pool, n + 1, ret, false))
        return -ENOMEM;
    bool first = true;
    for (size_t at = 0; at < n;) {
        if (path[at] == '/') {
            at++;
            continue;
        }
        const char *slash = memchr(path + at, '/', n - at);
        size_t len = slash ? (size_t)(slash - path) - at : n - at;
        if (!first) /* the first one of a text may be without */
            add_byte(&r, '/');
        if (skep_rule_glob_is_pattern(path + at, len)) {
            read_glob(&r, path + at, len);
        } else {
            for (size_t i = 0; i < len; i++)
                add_byte(&r, path[at + i]);
        }
        end_run(&r, false);
        first = false;
        at += len;
    }
    for (size_t i = 0; i < ret->n; i++) /* a component goes on below, and slashes are counted as one */
        ((struct skep_part *)ret->choices[i].parts)->begin =
            ((struct skep_part *)ret->choices[i].parts)->end = false;
    return r.failed ? -ENOMEM : 0;
}

/* ---- regular expressions ---- */

static bool single_byte(const struct skep_regex_node *n, char *ret)
{
    int found = -1;
    for (unsigned i = 0; i < 4; i++) {
        if (!n->set.bits[i])
            continue;
        if (found >= 0 || n->set.bits[i] & (n->set.bits[i] - 1))
            return false;
        found = (int)(i * 64) + __builtin_ctzll(n->set.bits[i]);
    }
    *ret = (char)found;
    return found >= 0 && !n->wide;
}

static void read_regex(struct reader *r, const struct skep_regex_node *n);

/* The choice whose shortest part is longest. */
static const struct skep_part_choice *best_choice(const struct skep_parts *p)
{
    const struct skep_part_choice *best = NULL;
    size_t best_len = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t len = SIZE_MAX;
        for (size_t k = 0; k < p->choices[i].n; k++)
            len = MIN(len, p->choices[i].parts[k].n);
        if (len > best_len) {
            best = &p->choices[i];
            best_len = len;
        }
    }
    return best;
}

/* Parts of several branches, which become one choice when each branch has some. */
struct joined {
    struct skep_part list[SKEP_PARTS_MAX];
    size_t n;
    bool all;
};

static void join_parts(struct joined *j, const struct skep_part_choice *c)
{
    j->all &= c && c->n <= SKEP_PARTS_MAX - j->n;
    for (size_t k = 0; j->all && k < c->n; k++)
        j->list[j->n++] = c->parts[k];
}

/* What is longest in each branch; and what is last, since rules often begin alike. */
static void read_alternate(struct reader *r, const struct skep_regex_node *n)
{
    struct joined longest = {.all = true}, last = {.all = true};
    bool differ = false, begin = r->begin && r->n == 0;
    end_run(r, false);
    for (size_t i = 0; i < n->n_kids && longest.all && !r->failed; i++) {
        struct skep_parts *below = skep_arena_alloc(r->pool, sizeof(*below));
        struct reader branch;
        if (!below || !reader_init(&branch, r->pool, r->cap, below, begin)) {
            r->failed = true;
            return;
        }
        read_regex(&branch, n->kids[i]);
        end_run(&branch, false);
        r->failed |= branch.failed;
        const struct skep_part_choice *best = best_choice(below),
                                      *end = below->n ? &below->choices[below->n - 1] : NULL;
        differ |= best != end;
        join_parts(&longest, best);
        join_parts(&last, end);
    }
    if (longest.all && longest.n)
        add_choice(r, longest.list, longest.n);
    if (differ && last.all && last.n)
        add_choice(r, last.list, last.n);
}

/* The tree is at most SKEP_REGEX_DEPTH_MAX deep. */
static void read_regex(struct reader *r, const struct skep_regex_node *n)
{
    char c;
    switch (n->kind) {
    case SKEP_REGEX_EMPTY:
    case SKEP_REGEX_BEGIN:
    case SKEP_REGEX_END:
        return;
    case SKEP_REGEX_SET:
        if (single_byte(n, &c))
            add_byte(r, c);
        else
            end_run(r, false);
        return;
    case SKEP_REGEX_REPEAT:
        if (n->min > 0) /* the first one goes on with what stands before */
            read_regex(r, n->kids[0]);
        end_run(r, false);
        return;
    case SKEP_REGEX_CONCAT:
        for (size_t i = 0; i < n->n_kids && !r->failed; i++)
            read_regex(r, n->kids[i]);
        return;
    case SKEP_REGEX_ALTERNATE:
        if (n->n_kids == 1)
            read_regex(r, n->kids[0]);
        else
            read_alternate(r, n);
        return;
    }
}

int skep_parts_of_regex(struct skep_arena *pool, const char *pattern, size_t n, struct skep_parts *ret)
{
    _cleanup_arena_ struct skep_arena *tree = NULL;
    const struct skep_regex_node *root;
    const char *reason;
    size_t at;
    struct reader r;
    *ret = (struct skep_parts){0};
    int e = skep_arena_new(TREE_MAX, &tree);
    if (e == 0)
        e = skep_regex_parse(tree, pattern, n, &root, &reason, &at);
    if (e < 0)
        return e == -EINVAL ? 0 : e;
    if (!reader_init(&r, pool, n, ret, true))
        return -ENOMEM;
    read_regex(&r, root);
    end_run(&r, true);
    return r.failed ? -ENOMEM : 0;
}
