/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/objects.h"

#include "vm/program.h"

/*
 * Arrays whose elements are programs or maps. An element is a pointer, read without a lock: what it points to is
 * retired, not freed, when it is replaced. Changes are made under a lock, since the host reads ids of what may go.
 */

struct objects {
    struct skep_spin lock;
    struct skep_vm_map *inner_meta;          /* of maps */
    bool known;                              /* of programs: what the first one was */
    bool native;                             /* machine code, in the mode: */
    enum skep_vm_mode mode;                  /* */
    const struct skep_context_type *context; /* */
    void *elements[];                        /* atomic */
};

static int objects_init(struct skep_vm_map *m, const struct skep_vm_map_options *o)
{
    if (!o->max_entries || o->key_size != 4 || o->value_size != 4 ||
        !skep_map_flags_ok(o->flags, BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_NUMA_NODE))
        return -EINVAL;
    struct objects *a = skep_map_calloc(m, 1, sizeof(*a) + (uint64_t)m->max_entries * sizeof(a->elements[0]));
    if (!a)
        return -ENOMEM;
    m->state = a;
    return m->type == BPF_MAP_TYPE_ARRAY_OF_MAPS ? skep_inner_meta_new(m, o->inner, &a->inner_meta) : 0;
}

static void drop(const struct skep_vm_map *m, void *object)
{
    if (!object)
        return;
    if (m->type == BPF_MAP_TYPE_PROG_ARRAY)
        skep_vm_program_unref(object);
    else
        skep_vm_map_unref(object);
}

static void objects_clear(struct skep_vm_map *m)
{
    struct objects *a = m->state;
    m->state = NULL;
    if (!a)
        return;
    for (uint32_t i = 0; i < m->max_entries; i++)
        drop(m, a->elements[i]);
    skep_map_release(m, a->inner_meta);
    skep_map_release(m, a);
}

static int objects_read(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags)
{
    (void)flags;
    struct objects *a = m->state;
    uint32_t index = skep_map_index(key), id = 0;
    if (index >= m->max_entries)
        return -ENOENT;
    skep_spin_lock(&a->lock);
    const void *object = a->elements[index];
    if (object)
        id = m->type == BPF_MAP_TYPE_PROG_ARRAY ? skep_vm_program_id(object) : skep_vm_map_id(object);
    skep_spin_unlock(&a->lock);
    if (!object)
        return -ENOENT;
    memcpy(ret_value, &id, sizeof(id));
    return 0;
}

static void *exchange(struct skep_vm_map *m, uint32_t index, void *object)
{
    struct objects *a = m->state;
    skep_spin_lock(&a->lock);
    void *old = a->elements[index];
    __atomic_store_n(&a->elements[index], object, __ATOMIC_RELEASE);
    skep_spin_unlock(&a->lock);
    return old;
}

/* Whether p may be called from where the others may. */
static bool fits(struct objects *a, const struct skep_vm_program *p)
{
    bool native = p->jit != NULL;
    skep_spin_lock(&a->lock);
    if (!a->known) {
        a->known = true;
        a->native = native;
        a->mode = p->mode;
        a->context = p->context;
    }
    bool fit = a->native == native && a->mode == p->mode && a->context == p->context;
    skep_spin_unlock(&a->lock);
    return fit;
}

static int find_object(struct skep_vm_map *m, uint32_t id, void **ret_object)
{
    struct objects *a = m->state;
    if (m->type == BPF_MAP_TYPE_ARRAY_OF_MAPS) {
        struct skep_vm_map *inner;
        int r = skep_inner_find(m, a->inner_meta, id, &inner);
        if (r == 0)
            *ret_object = inner;
        return r;
    }
    struct skep_vm_program *p = skep_vm_find_program(m->vm, id);
    if (!p)
        return -EBADF;
    if (!fits(a, p)) {
        skep_vm_program_unref(p);
        return -EINVAL;
    }
    *ret_object = p;
    return 0;
}

static int objects_write(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags)
{
    uint32_t index = skep_map_index(key), id;
    memcpy(&id, value, sizeof(id));
    if (flags != BPF_ANY)
        return -EINVAL;
    if (index >= m->max_entries)
        return -E2BIG;
    void *object;
    int r = find_object(m, id, &object);
    if (r == 0)
        drop(m, exchange(m, index, object));
    return r;
}

static int objects_delete(struct skep_vm_map *m, const void *key)
{
    uint32_t index = skep_map_index(key);
    if (index >= m->max_entries)
        return -E2BIG;
    void *old = exchange(m, index, NULL);
    drop(m, old);
    return old ? 0 : -ENOENT;
}

static uint64_t maps_lookup(struct skep_vm_map *m, const void *key, uint32_t cpu)
{
    (void)cpu;
    struct objects *a = m->state;
    uint32_t index = skep_map_index(key);
    if (index >= m->max_entries)
        return 0;
    const struct skep_vm_map *inner = __atomic_load_n(&a->elements[index], __ATOMIC_ACQUIRE);
    return inner ? skep_map_handle(inner) : 0;
}

const struct skep_vm_program *skep_prog_array_get(const struct skep_vm_map *m, uint32_t index)
{
    const struct objects *a = m->state;
    return index < m->max_entries ? __atomic_load_n(&a->elements[index], __ATOMIC_ACQUIRE) : NULL;
}

const void *skep_prog_array_elements(const struct skep_vm_map *m)
{
    const struct objects *a = m->state;
    return a->elements;
}

/* ---- inner maps ---- */

int skep_inner_meta_new(struct skep_vm_map *m, struct skep_vm_map *inner, struct skep_vm_map **ret_meta)
{
    if (!inner || inner->vm != m->vm)
        return -EBADF;
    if (inner->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || inner->type == BPF_MAP_TYPE_HASH_OF_MAPS)
        return -EINVAL;
    if (!inner->ops->same_meta)
        return -SKEP_ENOTSUPP;
    struct skep_vm_map *meta = skep_map_calloc(m, 1, sizeof(*meta));
    if (!meta)
        return -ENOMEM;
    meta->ops = inner->ops;
    meta->type = inner->type;
    meta->key_size = inner->key_size;
    meta->value_size = inner->value_size;
    meta->max_entries = inner->max_entries;
    meta->flags = inner->flags;
    *ret_meta = meta;
    return 0;
}

int skep_inner_find(struct skep_vm_map *m, const struct skep_vm_map *meta, uint32_t id,
                    struct skep_vm_map **ret_inner)
{
    struct skep_vm_map *inner = skep_vm_find_map(m->vm, id);
    if (!inner)
        return -EBADF;
    if (!meta->ops->same_meta(meta, inner)) {
        skep_vm_map_unref(inner);
        return -EINVAL;
    }
    *ret_inner = inner;
    return 0;
}

bool skep_map_same_meta(const struct skep_vm_map *a, const struct skep_vm_map *b)
{
    return a->type == b->type && a->key_size == b->key_size && a->value_size == b->value_size &&
           a->flags == b->flags;
}

const struct skep_map_ops skep_map_prog_array_ops = {
    .name = "prog_array",
    .ids = true,
    .init = objects_init,
    .clear = objects_clear,
    .delete = objects_delete,
    .read = objects_read,
    .write = objects_write,
    .next_key = skep_map_next_index,
};

const struct skep_map_ops skep_map_array_of_maps_ops = {
    .name = "array_of_maps",
    .ids = true,
    .init = objects_init,
    .clear = objects_clear,
    .lookup = maps_lookup,
    .delete = objects_delete,
    .read = objects_read,
    .write = objects_write,
    .next_key = skep_map_next_index,
    .batch = SKEP_BATCH_LOOKUP | SKEP_BATCH_UPDATE,
};
