/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/memory.h"

/*
 * Tries of prefixes (BPF_MAP_TYPE_LPM_TRIE): a binary trie whose paths are compressed. A node is a prefix; its children
 * continue it with a 0 or a 1. Nodes that only hold two branches together have no value.
 *
 * Writers take a lock and make the count of changes odd while they work; readers walk without a lock and walk again when
 * the count has changed. Nodes and values are numbers into arrays that never go, so that a reader that is too late reads
 * something stale and nothing else. An update of a prefix that is there goes to the spare value.
 */
#define DATA_MAX 256
#define VALUE_MAX (SKEP_MAP_ELEMENT_MAX - 280) /* beside the kernel's node */
#define NONE UINT32_MAX

struct node {
    uint32_t prefixlen;
    uint32_t value; /* number of its value, NONE: a branch */
    uint32_t child[2];
    uint64_t data[]; /* in the order of the key's bytes, padded with zeros */
};

struct trie {
    struct skep_spin lock;
    uint32_t changes; /* odd: one is going on */
    uint32_t root;
    uint32_t max_prefixlen, words, node_size, n_nodes, count;
    uint32_t free_node, free_value; /* lists: the next is child[0] of the node, next_value[] of the value */
    uint32_t fresh_node, fresh_value;
    uint8_t *nodes;
    uint32_t *next_value;
};

struct prefix {
    uint32_t len;
    uint64_t data[DATA_MAX / 8];
};

static struct node *node_at(const struct trie *t, uint32_t n)
{
    return (struct node *)(t->nodes + (size_t)n * t->node_size);
}

static bool read_key(const struct skep_vm_map *m, const void *key, struct prefix *p)
{
    const struct trie *t = m->state;
    memcpy(&p->len, key, sizeof(p->len));
    if (p->len > t->max_prefixlen)
        return false;
    p->data[t->words - 1] = 0;
    memcpy(p->data, (const uint8_t *)key + 4, m->key_size - 4);
    return true;
}

static void write_key(const struct skep_vm_map *m, const struct node *n, void *ret_key)
{
    memcpy(ret_key, &n->prefixlen, sizeof(n->prefixlen));
    memcpy((uint8_t *)ret_key + 4, n->data, m->key_size - 4);
}

static unsigned bit_at(const uint64_t *data, uint32_t bit)
{
    return ((const uint8_t *)data)[bit / 8] >> (7 - bit % 8) & 1;
}

/* How many bits of a node and a prefix are the same. Loads are acquiring so that the look at the count of changes comes
 * after them. */
static uint32_t common(const struct trie *t, const struct node *n, const struct prefix *p)
{
    uint32_t limit = MIN(__atomic_load_n(&n->prefixlen, __ATOMIC_ACQUIRE), p->len);
    for (uint32_t i = 0; i < t->words && i * 64 < limit; i++) {
        uint64_t different = __builtin_bswap64(__atomic_load_n(&n->data[i], __ATOMIC_ACQUIRE) ^ p->data[i]);
        if (different)
            return MIN(limit, i * 64 + (uint32_t)__builtin_clzll(different));
    }
    return limit;
}

static uint32_t child_of(const struct node *n, unsigned bit)
{
    return __atomic_load_n(&n->child[bit], __ATOMIC_ACQUIRE);
}

/* ---- looking up ---- */

/* The value of the longest prefix of p, NONE: there is none. May be wrong while a change is going on. */
static uint32_t walk(const struct trie *t, const struct prefix *p)
{
    uint32_t found = NONE, at = __atomic_load_n(&t->root, __ATOMIC_ACQUIRE);
    for (uint32_t depth = 0; at < t->n_nodes && depth <= t->max_prefixlen; depth++) {
        const struct node *n = node_at(t, at);
        uint32_t len = __atomic_load_n(&n->prefixlen, __ATOMIC_ACQUIRE);
        if (common(t, n, p) < len)
            break;
        uint32_t value = __atomic_load_n(&n->value, __ATOMIC_ACQUIRE);
        if (value != NONE)
            found = value;
        if (len >= p->len)
            break;
        at = child_of(n, bit_at(p->data, len));
    }
    return found;
}

/* How many changes there were when nobody makes one. */
static uint32_t settled(const struct trie *t)
{
    for (unsigned tries = 1;; tries++) {
        uint32_t changes = __atomic_load_n(&t->changes, __ATOMIC_ACQUIRE);
        if (!(changes & 1))
            return changes;
        if (tries % 64 == 0)
            sched_yield();
    }
}

/* Whether there was no change since, after whatever the caller has read. */
static bool is_settled(const struct trie *t, uint32_t changes)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&t->changes, __ATOMIC_RELAXED) == changes;
}

static uint8_t *value_at(const struct skep_vm_map *m, uint32_t value)
{
    return m->area.start + (uint64_t)value * m->stride;
}

static uint64_t trie_lookup(struct skep_vm_map *m, const void *key, uint32_t cpu)
{
    (void)cpu;
    const struct trie *t = m->state;
    struct prefix p;
    if (!read_key(m, key, &p))
        return 0;
    uint32_t changes, value;
    do {
        changes = settled(t);
        value = walk(t, &p);
    } while (!is_settled(t, changes));
    return value == NONE ? 0 : (uintptr_t)value_at(m, value);
}

/* A value is given back by a change and written again behind it: as long as there is none, it stays what it was. */
static int trie_read(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags)
{
    (void)flags;
    const struct trie *t = m->state;
    struct prefix p;
    if (!read_key(m, key, &p))
        return -ENOENT;
    uint32_t changes, value;
    do {
        changes = settled(t);
        value = walk(t, &p);
        if (value != NONE)
            skep_value_get(ret_value, value_at(m, value), m->value_size);
    } while (!is_settled(t, changes));
    return value == NONE ? -ENOENT : 0;
}

/* ---- changes; the lock is held ---- */

static void set(uint32_t *member, uint32_t value)
{
    __atomic_store_n(member, value, __ATOMIC_RELEASE);
}

static uint32_t take_node(struct trie *t)
{
    uint32_t n = t->free_node;
    if (n == NONE)
        return t->fresh_node++;
    t->free_node = node_at(t, n)->child[0];
    return n;
}

static void give_node(struct trie *t, uint32_t n)
{
    set(&node_at(t, n)->child[0], t->free_node);
    t->free_node = n;
}

static uint32_t take_value(struct trie *t)
{
    uint32_t v = t->free_value;
    if (v == NONE)
        return t->fresh_value++;
    t->free_value = t->next_value[v];
    return v;
}

static void give_value(struct trie *t, uint32_t v)
{
    t->next_value[v] = t->free_value;
    t->free_value = v;
}

static uint32_t new_node(struct trie *t, uint32_t len, const uint64_t *data, uint32_t value)
{
    uint32_t at = take_node(t);
    struct node *n = node_at(t, at);
    set(&n->prefixlen, len);
    set(&n->value, value);
    set(&n->child[0], NONE);
    set(&n->child[1], NONE);
    for (uint32_t i = 0; i < t->words; i++)
        __atomic_store_n(&n->data[i], data[i], __ATOMIC_RELEASE);
    return at;
}

/* Where p is, or would go: a place that holds a node or NONE. path: the places before, from the root. */
struct place {
    uint32_t *link,
        *parent_link; /* parent_link: what points to the node that link is in; NULL: link is the root */
    uint32_t same;    /* bits that p has in common with the node there */
};

static struct place find_place(struct trie *t, const struct prefix *p)
{
    struct place at = {.link = &t->root};
    while (*at.link != NONE) {
        struct node *n = node_at(t, *at.link);
        at.same = common(t, n, p);
        if (n->prefixlen != at.same || n->prefixlen == p->len)
            break;
        at.parent_link = at.link;
        at.link = &n->child[bit_at(p->data, n->prefixlen)];
    }
    return at;
}

static void insert(struct trie *t, const struct place *at, const struct prefix *p, uint32_t value)
{
    uint32_t there = *at->link;
    struct node *n = there == NONE ? NULL : node_at(t, there);
    if (n && n->prefixlen == p->len && at->same == p->len) {
        uint32_t old = n->value;
        /* bits of a key behind its prefix are kept too */
        for (uint32_t i = 0; i < t->words; i++)
            __atomic_store_n(&n->data[i], p->data[i], __ATOMIC_RELEASE);
        set(&n->value, value);
        if (old != NONE)
            give_value(t, old);
        return;
    }
    uint32_t new = new_node(t, p->len, p->data, value);
    if (n && at->same == p->len) {
        set(&node_at(t, new)->child[bit_at(n->data, at->same)], there);
    } else if (n) {
        uint32_t branch = new_node(t, at->same, n->data, NONE);
        unsigned bit = bit_at(p->data, at->same);
        set(&node_at(t, branch)->child[bit], new);
        set(&node_at(t, branch)->child[!bit], there);
        new = branch;
    }
    set(at->link, new);
}

static void remove_at(struct trie *t, const struct place *at)
{
    uint32_t there = *at->link;
    struct node *n = node_at(t, there);
    give_value(t, n->value);
    set(&n->value, NONE);
    if (n->child[0] != NONE && n->child[1] != NONE)
        return; /* a branch from now on */
    uint32_t rest = n->child[0] != NONE ? n->child[0] : n->child[1];
    struct node *parent = at->parent_link ? node_at(t, *at->parent_link) : NULL;
    if (rest == NONE && parent && parent->value == NONE) {
        /* the branch above has only the other one left */
        uint32_t branch = *at->parent_link;
        set(at->parent_link, at->link == &parent->child[0] ? parent->child[1] : parent->child[0]);
        give_node(t, branch);
    } else {
        set(at->link, rest);
    }
    give_node(t, there);
}

static bool is_at(const struct trie *t, const struct place *at, const struct prefix *p)
{
    const struct node *n = *at->link == NONE ? NULL : node_at(t, *at->link);
    return n && n->prefixlen == p->len && at->same == p->len && n->value != NONE;
}

static void begin_change(struct trie *t)
{
    __atomic_store_n(&t->changes, t->changes + 1, __ATOMIC_RELAXED);
}

static void end_change(struct trie *t)
{
    __atomic_store_n(&t->changes, t->changes + 1, __ATOMIC_RELEASE);
}

static int trie_update(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags,
                       uint32_t cpu)
{
    (void)cpu;
    struct trie *t = m->state;
    struct prefix p;
    if (flags > BPF_EXIST || !read_key(m, key, &p))
        return -EINVAL;
    skep_spin_lock(&t->lock);
    struct place at = find_place(t, &p);
    bool there = is_at(t, &at, &p);
    int r = skep_map_update_flags(flags, there);
    if (r == 0 && !there && t->count == m->max_entries)
        r = -ENOSPC;
    if (r == 0) {
        uint32_t v = take_value(t);
        __atomic_thread_fence(__ATOMIC_RELEASE); /* who reads this value sees the change that gave it back */
        skep_value_put(value_at(m, v), value, m->value_size);
        begin_change(t);
        insert(t, &at, &p, v);
        end_change(t);
        t->count += !there;
    }
    skep_spin_unlock(&t->lock);
    return r;
}

static int trie_delete(struct skep_vm_map *m, const void *key)
{
    struct trie *t = m->state;
    struct prefix p;
    if (!read_key(m, key, &p))
        return -EINVAL;
    skep_spin_lock(&t->lock);
    struct place at = find_place(t, &p);
    bool there = is_at(t, &at, &p);
    if (there) {
        begin_change(t);
        remove_at(t, &at);
        end_change(t);
        t->count--;
    }
    skep_spin_unlock(&t->lock);
    return there ? 0 : -ENOENT;
}

/* ---- going through: what continues a prefix comes before it ---- */

/* The first of a subtree. */
static const struct node *leftmost(const struct trie *t, uint32_t at)
{
    const struct node *found = NULL;
    while (at != NONE) {
        const struct node *n = node_at(t, at);
        if (n->value != NONE)
            found = n;
        at = n->child[0] != NONE ? n->child[0] : n->child[1];
    }
    return found;
}

static const struct node *next_node(const struct trie *t, const struct prefix *p)
{
    uint32_t path[DATA_MAX * 8 + 1], depth = 0, same = 0, at = t->root;
    while (at != NONE) {
        const struct node *n = node_at(t, at);
        path[depth++] = at;
        same = common(t, n, p);
        if (n->prefixlen != same || n->prefixlen == p->len)
            break;
        at = child_of(n, bit_at(p->data, n->prefixlen));
    }
    if (at == NONE || node_at(t, at)->prefixlen != same || node_at(t, at)->value == NONE)
        return leftmost(t, t->root);
    while (--depth > 0) {
        const struct node *parent = node_at(t, path[depth - 1]);
        if (parent->child[0] == path[depth] && parent->child[1] != NONE)
            return leftmost(t, parent->child[1]);
        if (parent->value != NONE)
            return parent;
    }
    return NULL;
}

static int trie_next_key(struct skep_vm_map *m, const void *key, void *ret_next)
{
    struct trie *t = m->state;
    struct prefix p;
    bool known = key && read_key(m, key, &p);
    skep_spin_lock(&t->lock);
    const struct node *n = known ? next_node(t, &p) : leftmost(t, t->root);
    if (n)
        write_key(m, n, ret_next);
    skep_spin_unlock(&t->lock);
    return n ? 0 : -ENOENT;
}

/* ---- life ---- */

static int trie_init(struct skep_vm_map *m, const struct skep_vm_map_options *o)
{
    if (!o->max_entries || !(o->flags & BPF_F_NO_PREALLOC) ||
        !skep_map_flags_ok(o->flags, SKEP_MAP_ACCESS_FLAGS | BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE) ||
        o->key_size < 5 || o->key_size > 4 + DATA_MAX || !o->value_size || o->value_size > VALUE_MAX)
        return -EINVAL;
    struct trie *t = m->state = skep_map_calloc(m, 1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    uint32_t data = o->key_size - 4;
    t->max_prefixlen = data * 8;
    t->words = (data + 7) / 8;
    t->node_size = (uint32_t)sizeof(struct node) + t->words * 8;
    t->root = t->free_node = t->free_value = NONE;
    /* each branch has two below it: one branch less than prefixes */
    uint64_t n_nodes = 2 * (uint64_t)m->max_entries;
    if (n_nodes >= NONE)
        return -ENOMEM;
    t->n_nodes = (uint32_t)n_nodes;
    t->nodes = skep_map_calloc(m, n_nodes, t->node_size);
    t->next_value = skep_map_calloc(m, (uint64_t)m->max_entries + 1, sizeof(*t->next_value));
    if (!t->nodes || !t->next_value)
        return -ENOMEM;
    return skep_map_area_init(m, ((uint64_t)m->max_entries + 1) * m->stride);
}

static void trie_clear(struct skep_vm_map *m)
{
    struct trie *t = m->state;
    if (t) {
        skep_map_release(m, t->nodes);
        skep_map_release(m, t->next_value);
    }
    skep_map_release(m, t);
    m->state = NULL;
}

const struct skep_map_ops skep_map_lpm_trie_ops = {
    .name = "lpm_trie",
    .init = trie_init,
    .clear = trie_clear,
    .lookup = trie_lookup,
    .update = trie_update,
    .delete = trie_delete,
    .read = trie_read,
    .next_key = trie_next_key,
    .same_meta = skep_map_same_meta,
    .batch = SKEP_BATCH_LOOKUP | SKEP_BATCH_UPDATE | SKEP_BATCH_DELETE,
};
