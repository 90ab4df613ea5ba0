/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/memory.h"

/*
 * Queues and stacks: a circle of values, copied in and out under a lock.
 */

struct circle {
    struct skep_spin lock;
    uint32_t first, count; /* oldest value, how many */
};

static int circle_init(struct skep_vm_map *m, const struct skep_vm_map_options *o)
{
    if (!o->max_entries || o->key_size || !o->value_size ||
        !skep_map_flags_ok(o->flags, SKEP_MAP_ACCESS_FLAGS | BPF_F_NUMA_NODE))
        return -EINVAL;
    if (o->value_size > SKEP_MAP_ELEMENT_MAX)
        return -E2BIG;
    m->state = skep_map_calloc(m, 1, sizeof(struct circle));
    return m->state ? skep_map_area_init(m, (uint64_t)m->stride * m->max_entries) : -ENOMEM;
}

static void circle_clear(struct skep_vm_map *m)
{
    skep_map_release(m, m->state);
    m->state = NULL;
}

/* Value number n from the oldest. */
static uint8_t *value_at(const struct skep_vm_map *m, uint32_t n)
{
    const struct circle *c = m->state;
    return m->area.start + (((uint64_t)c->first + n) % m->max_entries) * m->stride;
}

static int circle_push(struct skep_vm_map *m, const void *value, uint64_t flags)
{
    struct circle *c = m->state;
    if (flags != BPF_ANY && flags != BPF_EXIST)
        return -EINVAL;
    int r = 0;
    skep_spin_lock(&c->lock);
    if (c->count < m->max_entries)
        c->count++;
    else if (flags == BPF_EXIST)
        c->first = (c->first + 1) % m->max_entries; /* the oldest goes */
    else
        r = -E2BIG;
    if (r == 0)
        skep_value_put(value_at(m, c->count - 1), value, m->value_size);
    skep_spin_unlock(&c->lock);
    return r;
}

static int get(struct skep_vm_map *m, void *value, bool take)
{
    struct circle *c = m->state;
    bool newest = m->type == BPF_MAP_TYPE_STACK;
    skep_spin_lock(&c->lock);
    bool any = c->count > 0;
    if (any) {
        skep_value_get(value, value_at(m, newest ? c->count - 1 : 0), m->value_size);
        if (take) {
            c->count--;
            if (!newest)
                c->first = (c->first + 1) % m->max_entries;
        }
    } else {
        memset(value, 0, m->value_size);
    }
    skep_spin_unlock(&c->lock);
    return any ? 0 : -ENOENT;
}

static int circle_pop(struct skep_vm_map *m, void *value)
{
    return get(m, value, true);
}

static int circle_peek(struct skep_vm_map *m, void *value)
{
    return get(m, value, false);
}

static int circle_delete(struct skep_vm_map *m, const void *key)
{
    (void)m, (void)key;
    return -EINVAL;
}

static int circle_next_key(struct skep_vm_map *m, const void *key, void *ret_next)
{
    (void)m, (void)key, (void)ret_next;
    return -EINVAL;
}

#define SHARED_OPS                                                                                           \
    .keyless = true, .init = circle_init, .clear = circle_clear, .push = circle_push, .pop = circle_pop,     \
    .peek = circle_peek, .delete = circle_delete, .next_key = circle_next_key,                               \
    .same_meta = skep_map_same_meta

const struct skep_map_ops skep_map_queue_ops = {.name = "queue", SHARED_OPS};
const struct skep_map_ops skep_map_stack_ops = {.name = "stack", SHARED_OPS};
