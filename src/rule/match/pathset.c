/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/pathset.h"

#include "rule/match/glob.h"

/* A component under a node: children are numbers of nodes. Names come first, sorted; then patterns. */
struct edge {
    const char *name;
    size_t len;
    uint32_t node;
};

struct node {
    struct edge *edges;
    uint32_t n_names, n_edges;
    bool end; /* a path of the set */
};

struct skep_pathset {
    struct node *nodes;
    uint32_t n_nodes;
};

/* The next component; false: there is none. */
static bool component(const char **s, const char *end, const char **ret, size_t *ret_len)
{
    const char *p = *s;
    while (p < end && *p == '/')
        p++;
    if (p == end)
        return false;
    const char *slash = memchr(p, '/', (size_t)(end - p));
    *ret = p;
    *ret_len = (size_t)((slash ? slash : end) - p);
    *s = p + *ret_len;
    return true;
}

size_t skep_pathset_normal(const char *s, size_t n, char *out)
{
    const char *end = s + n, *name;
    size_t len, at = 0;
    while (component(&s, end, &name, &len)) {
        out[at++] = '/';
        memcpy(out + at, name, len);
        at += len;
    }
    return at;
}

/* ---- making: paths sorted component by component, so that what begins alike stands together ---- */

struct path {
    const char *s;
    size_t n;
};

static int compare_names(const char *a, size_t n_a, const char *b, size_t n_b)
{
    bool glob_a = skep_rule_glob_is_pattern(a, n_a), glob_b = skep_rule_glob_is_pattern(b, n_b);
    if (glob_a != glob_b)
        return glob_a ? 1 : -1;
    int d = memcmp(a, b, MIN(n_a, n_b));
    return d ? d : (n_a > n_b) - (n_a < n_b);
}

static int compare_paths(const void *x, const void *y)
{
    const struct path *a = x, *b = y;
    const char *s = a->s, *t = b->s, *name_s, *name_t;
    size_t len_s, len_t;
    for (;;) {
        bool more_s = component(&s, a->s + a->n, &name_s, &len_s);
        bool more_t = component(&t, b->s + b->n, &name_t, &len_t);
        if (!more_s || !more_t)
            return more_s - more_t;
        int d = compare_names(name_s, len_s, name_t, len_t);
        if (d)
            return d;
    }
}

/* Adds one path behind those that sort before it: an equal component is the last edge, or among the patterns. */
static int add(struct skep_arena *pool, struct skep_pathset *set, uint32_t max_nodes, const struct path *p)
{
    const char *s = p->s, *name;
    size_t len;
    uint32_t at = 0;
    for (unsigned depth = 0; component(&s, p->s + p->n, &name, &len); depth++) {
        struct node *n = &set->nodes[at];
        struct edge *last = n->n_edges ? &n->edges[n->n_edges - 1] : NULL;
        bool glob = skep_rule_glob_is_pattern(name, len);
        if (depth >= SKEP_PATHSET_DEPTH_MAX || (glob && len > SKEP_GLOB_MAX))
            return -E2BIG;
        if (n->end)
            return 0; /* all that is below is there */
        if (last && compare_names(last->name, last->len, name, len) == 0) {
            at = last->node;
            continue;
        }
        if ((n->n_edges & (n->n_edges + 1)) == 0) { /* 0, 1, 3, 7, ...: grow to twice and one */
            struct edge *wider = skep_arena_array(pool, (size_t)n->n_edges * 2 + 1, sizeof(*wider));
            if (!wider)
                return -ENOMEM;
            if (n->n_edges)
                memcpy(wider, n->edges, n->n_edges * sizeof(*wider));
            n->edges = wider;
        }
        if (set->n_nodes >= max_nodes)
            return -E2BIG;
        n->edges[n->n_edges++] = (struct edge){name, len, set->n_nodes};
        n->n_names += !glob;
        at = set->n_nodes++;
    }
    set->nodes[at].end = true;
    return 0;
}

int skep_pathset_new(struct skep_arena *pool, const char *const *paths, const size_t *lens, size_t n,
                     struct skep_pathset **ret)
{
    _cleanup_free_ struct path *sorted = calloc(MAX(n, (size_t)1), sizeof(*sorted));
    struct skep_pathset *set = skep_arena_alloc(pool, sizeof(*set));
    if (!sorted || !set)
        return -ENOMEM;
    size_t max_nodes = 1;
    for (size_t i = 0; i < n; i++) {
        sorted[i] = (struct path){paths[i], lens[i]};
        const char *s = paths[i], *name;
        size_t len;
        while (component(&s, paths[i] + lens[i], &name, &len))
            max_nodes++;
    }
    qsort(sorted, n, sizeof(*sorted), compare_paths);
    set->nodes = max_nodes < UINT32_MAX ? skep_arena_array(pool, max_nodes, sizeof(*set->nodes)) : NULL;
    if (!set->nodes)
        return -ENOMEM;
    set->n_nodes = 1;
    for (size_t i = 0; i < n; i++) {
        int r = add(pool, set, (uint32_t)max_nodes, &sorted[i]);
        if (r < 0)
            return r;
    }
    *ret = set;
    return 0;
}

/* ---- matching ---- */

static const struct edge *find_name(const struct node *n, const char *name, size_t len)
{
    size_t lo = 0, hi = n->n_names;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct edge *e = &n->edges[mid];
        int d = memcmp(name, e->name, MIN(len, e->len));
        d = d ? d : (len > e->len) - (len < e->len);
        if (d == 0)
            return e;
        if (d < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

/* Patterns make several branches possible: those that were put off wait here. A text cannot make more than its
 * components times the patterns of one node; what does not fit is given up as a match, which alarms rather than
 * hides. */
#define WAITING_MAX 1024

struct waiting {
    uint32_t node;
    const char *s;
};

bool skep_pathset_match(const struct skep_pathset *set, const char *s, size_t n)
{
    struct waiting stack[WAITING_MAX];
    size_t waiting = 0;
    const char *end = s + n;
    stack[waiting++] = (struct waiting){0, s};
    for (size_t steps = 0; waiting; steps++) {
        struct waiting at = stack[--waiting];
        const struct node *node = &set->nodes[at.node];
        const char *name;
        size_t len;
        if (node->end || steps > (size_t)SKEP_PATHSET_DEPTH_MAX * WAITING_MAX)
            return true;
        if (!component(&at.s, end, &name, &len))
            continue;
        for (uint32_t i = node->n_names; i < node->n_edges; i++) {
            const struct edge *e = &node->edges[i];
            if (!skep_rule_glob_match(e->name, e->len, name, len, false))
                continue;
            if (waiting == WAITING_MAX - 1)
                return true;
            stack[waiting++] = (struct waiting){e->node, at.s};
        }
        const struct edge *e = find_name(node, name, len);
        if (e)
            stack[waiting++] = (struct waiting){e->node, at.s};
    }
    return false;
}
