/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/memory.h"

/* ---- types ---- */

/* The operations of a BPF_MAP_TYPE_*, NULL: there is none. */
static const struct skep_map_ops *ops_of(uint32_t type)
{
    static const struct skep_map_ops *const types[] = {
#define SKEP_MAP_TYPE(number, ops) [number] = &(ops),
#include "vm/map/types.def"
#undef SKEP_MAP_TYPE
    };
    return type < ARRAY_SIZE(types) ? types[type] : NULL;
}

/* ---- life ---- */

int skep_vm_map_new(struct skep_vm *vm, const struct skep_vm_map_options *given, struct skep_vm_map **ret_map)
{
    struct skep_vm_map_options o = {0};
    memcpy(&o, given, MIN(given->size, sizeof(o)));
    const struct skep_map_ops *ops = ops_of(o.type);
    const uint32_t neither = BPF_F_RDONLY | BPF_F_WRONLY;
    if (!ops || (o.flags & neither) == neither || (o.extra && o.type != BPF_MAP_TYPE_BLOOM_FILTER))
        return -EINVAL;
    struct skep_vm_map *m = skep_vm_calloc(vm, 1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    *m = (struct skep_vm_map){
        .ops = ops,
        .vm = vm,
        .type = o.type,
        .key_size = o.key_size,
        .value_size = o.value_size,
        .max_entries = o.max_entries,
        .flags = o.flags,
        .extra = o.extra,
        .stride = (uint32_t)ROUND_UP((uint64_t)o.value_size, 8),
        .refs = 1,
        .charged = sizeof(*m),
    };
    snprintf(m->name, sizeof(m->name), "%s", o.name ? o.name : "");
    int r = ops->init(m, &o);
    if (r == 0)
        r = skep_vm_add_map(vm, m);
    if (r < 0) {
        skep_map_free(vm, m);
        return r;
    }
    *ret_map = m;
    return 0;
}

void skep_map_clear(struct skep_vm_map *m)
{
    if (m->ops->clear)
        m->ops->clear(m);
    skep_area_clear(&m->area);
}

void skep_map_free(struct skep_vm *vm, void *p)
{
    skep_map_clear(p);
    skep_vm_release(vm, p);
}

struct skep_vm_map *skep_vm_map_ref(struct skep_vm_map *m)
{
    if (m)
        __atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
    return m;
}

/* No run has got the map's handle from a map of maps: the handle may mean nothing now. One that was made up may have
 * found the map until now, so that it waits once more. */
static void leave_tables(struct skep_vm *vm, void *p)
{
    skep_vm_remove_map(vm, p);
    skep_vm_retire(vm, skep_map_free, p);
}

struct skep_vm_map *skep_vm_map_unref(struct skep_vm_map *m)
{
    if (m && __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) == 0)
        skep_vm_retire(m->vm, leave_tables, m);
    return NULL;
}

uint32_t skep_vm_map_id(const struct skep_vm_map *m)
{
    return m->id;
}

void skep_vm_map_info(const struct skep_vm_map *m, struct skep_vm_map_options *o)
{
    struct skep_vm_map_options own = {
        .size = o->size,
        .name = m->name,
        .type = m->type,
        .key_size = m->key_size,
        .value_size = m->value_size,
        .max_entries = m->max_entries,
        .flags = m->flags,
        .extra = m->extra,
    };
    memcpy(o, &own, MIN(o->size, sizeof(own)));
}

size_t skep_vm_map_value_bytes(const struct skep_vm_map *m)
{
    return m->ops->percpu ? (size_t)m->stride * m->vm->cpus : m->value_size;
}

void *skep_vm_map_area(struct skep_vm_map *m, size_t *ret_size)
{
    if (m->type != BPF_MAP_TYPE_ARRAY)
        return NULL;
    *ret_size = m->area.size;
    return m->area.start;
}

/* ---- one element, as bpf(2) ---- */

static int may_read(const struct skep_vm_map *m)
{
    return m->flags & BPF_F_WRONLY ? -EPERM : 0;
}

static int may_write(const struct skep_vm_map *m)
{
    return m->flags & BPF_F_RDONLY || __atomic_load_n(&m->frozen, __ATOMIC_ACQUIRE) ? -EPERM : 0;
}

/* A key is given exactly to maps that have keys. */
static int check_key(const struct skep_vm_map *m, const void *key)
{
    return (m->key_size == 0) == (key == NULL) ? 0 : -EINVAL;
}

int skep_vm_map_lookup(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags)
{
    int r = flags & ~(uint64_t)BPF_F_LOCK ? -EINVAL : may_read(m);
    if (r == 0 && flags)
        r = -EINVAL; /* BPF_F_LOCK wants a value with a lock, and no type tells of one */
    if (r == 0)
        r = check_key(m, key);
    if (r < 0)
        return r;
    if (m->ops->read)
        return m->ops->read(m, key, ret_value, flags);
    if (m->ops->peek)
        return m->ops->peek(m, ret_value);
    if (!m->ops->lookup)
        return -SKEP_ENOTSUPP;
    uint64_t value = m->ops->lookup(m, key, 0);
    if (!value)
        return -ENOENT;
    skep_value_get(ret_value, (const void *)(uintptr_t)value, m->value_size);
    return 0;
}

int skep_vm_map_update(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags)
{
    int r = may_write(m);
    if (r == 0 && flags & BPF_F_LOCK)
        r = -EINVAL;
    if (r == 0)
        r = check_key(m, key);
    if (r < 0)
        return r;
    if (m->ops->write)
        return m->ops->write(m, key, value, flags);
    if (m->ops->push)
        return m->ops->push(m, value, flags);
    return m->ops->update ? m->ops->update(m, key, value, flags, 0) : -SKEP_ENOTSUPP;
}

int skep_vm_map_delete(struct skep_vm_map *m, const void *key)
{
    int r = may_write(m);
    if (r == 0)
        r = check_key(m, key);
    if (r < 0)
        return r;
    return m->ops->delete ? m->ops->delete (m, key) : -SKEP_ENOTSUPP;
}

int skep_vm_map_lookup_and_delete(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags)
{
    int r = flags & ~(uint64_t)BPF_F_LOCK ? -EINVAL : may_read(m);
    if (r == 0)
        r = may_write(m);
    if (r == 0 && flags)
        r = -EINVAL;
    if (r == 0)
        r = check_key(m, key);
    if (r < 0)
        return r;
    if (m->ops->pop)
        return m->ops->pop(m, ret_value);
    return m->ops->take ? m->ops->take(m, key, ret_value, flags) : -SKEP_ENOTSUPP;
}

int skep_vm_map_next_key(struct skep_vm_map *m, const void *key, void *ret_next)
{
    int r = may_read(m);
    if (r < 0)
        return r;
    return m->ops->next_key ? m->ops->next_key(m, key, ret_next) : -SKEP_ENOTSUPP;
}

int skep_vm_map_freeze(struct skep_vm_map *m)
{
    if (m->flags & BPF_F_RDONLY)
        return -EPERM;
    /* a second time too: a frozen map may not be written to */
    return __atomic_exchange_n(&m->frozen, true, __ATOMIC_ACQ_REL) ? -EPERM : 0;
}

/* ---- all elements ---- */

/* The types whose keys count from 0, or have a place in the order without being there, end by themselves. */
static int64_t each_by_key(struct skep_vm_map *m, uint32_t cpu,
                           int (*cb)(void *data, const void *key, uint64_t value), void *data)
{
    if (!m->ops->lookup || m->key_size != sizeof(uint32_t))
        return -EINVAL;
    int64_t n = 0;
    for (uint32_t index = 0; index < m->max_entries; index++) {
        uint64_t value = m->ops->lookup(m, &index, cpu);
        if (!value)
            continue;
        n++;
        int r = cb(data, &index, value);
        if (r < 0)
            return r;
        if (r > 0)
            break;
    }
    return n;
}

int64_t skep_map_for_each_elem(struct skep_vm_map *m, uint32_t cpu,
                               int (*cb)(void *data, const void *key, uint64_t value), void *data)
{
    return m->ops->each ? m->ops->each(m, cpu, cb, data) : each_by_key(m, cpu, cb, data);
}

struct host_walk {
    struct skep_vm_map *m;
    skep_vm_map_each_fn cb;
    void *data;
    void *value;
};

/* An element that went meanwhile is left out. */
static int walk_element(void *data, const void *key, uint64_t value)
{
    struct host_walk *w = data;
    (void)value;
    if (skep_vm_map_lookup(w->m, key, w->value, 0) < 0)
        return 0;
    int r = w->cb(w->data, key, w->value);
    return MIN(r, 0);
}

static int walk_by_next_key(struct host_walk *w)
{
    struct skep_vm_map *m = w->m;
    uint8_t *keys = skep_vm_calloc(m->vm, 2, m->key_size);
    if (!keys)
        return -ENOMEM;
    uint8_t *last = NULL, *next = keys;
    int r = 0;
    /* an element that is deleted by cb sends us back to the start: bounded all the same */
    uint64_t steps = 4 * (uint64_t)m->max_entries + 16;
    while (r == 0 && steps-- && skep_vm_map_next_key(m, last, next) == 0) {
        r = walk_element(w, next, 0);
        uint8_t *other = last ? last : keys + m->key_size;
        last = next;
        next = other;
    }
    skep_vm_release(m->vm, keys);
    return r;
}

int skep_vm_map_for_each(struct skep_vm_map *m, skep_vm_map_each_fn cb, void *data)
{
    int r = may_read(m);
    if (r < 0)
        return r;
    if (m->ops->keyless || !m->ops->next_key)
        return -SKEP_ENOTSUPP;
    struct host_walk w = {.m = m, .cb = cb, .data = data};
    w.value = skep_vm_calloc(m->vm, 1, skep_vm_map_value_bytes(m));
    if (!w.value)
        return -ENOMEM;
    if (m->ops->each) {
        int64_t n = m->ops->each(m, 0, walk_element, &w);
        r = (int)MIN(n, 0);
    } else {
        r = walk_by_next_key(&w);
    }
    skep_vm_release(m->vm, w.value);
    return r;
}
