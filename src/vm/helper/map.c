/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/helper/helpers.h"

#include <linux/bpf.h>

#include "vm/map/memory.h"

/* A map whose elements programs of its kind may change, and where its key lies. */
static void *key_of(struct skep_exec *e, const struct skep_vm_map *m, uint64_t address)
{
    if (!m->key_size) {
        skep_helper_refuse(e, "the map has no keys");
        return NULL;
    }
    return skep_exec_memory(e, address, m->key_size, false);
}

uint64_t skep_helper_map_lookup_elem(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_exec_map(e, r1);
    const void *key = m ? key_of(e, m, r2) : NULL;
    if (!key)
        return 0;
    if (!m->ops->lookup)
        return skep_helper_refuse(e, "maps of this type have no elements that a program can look up");
    return m->ops->lookup(m, key, e->cpu);
}

uint64_t skep_helper_map_lookup_percpu_elem(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_exec_map(e, r1);
    const void *key = m ? key_of(e, m, r2) : NULL;
    if (!key)
        return 0;
    if (!m->ops->percpu)
        return skep_helper_refuse(e, "not a per-CPU map");
    return (uint32_t)r3 < m->vm->cpus ? m->ops->lookup(m, key, (uint32_t)r3) : 0;
}

/* Whether the program may change the map by calls. */
static bool may_change(struct skep_exec *e, const struct skep_vm_map *m)
{
    if (!(m->flags & BPF_F_RDONLY_PROG) || skep_helper_trusted(e))
        return true;
    skep_helper_refuse(e, "the map is read-only for programs");
    return false;
}

uint64_t skep_helper_map_update_elem(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_exec_map(e, r1);
    const void *key = m ? key_of(e, m, r2) : NULL;
    if (!key || !may_change(e, m))
        return 0;
    if (!m->ops->update)
        return skep_helper_refuse(e, "maps of this type cannot be updated by programs");
    const void *value = skep_exec_memory(e, r3, m->value_size, false);
    if (!value)
        return 0;
    if (r4 & BPF_F_LOCK) /* wants the type of the value to be known */
        return skep_helper_result(-EINVAL);
    return skep_helper_result(m->ops->update(m, key, value, r4, e->cpu));
}

uint64_t skep_helper_map_delete_elem(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_exec_map(e, r1);
    const void *key = m ? key_of(e, m, r2) : NULL;
    if (!key || !may_change(e, m))
        return 0;
    if (m->ops->ids || !m->ops->delete)
        return skep_helper_refuse(e, "elements of this type of map cannot be deleted by programs");
    return skep_helper_result(m->ops->delete (m, key));
}

uint64_t skep_helper_map_push_elem(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_exec_map(e, r1);
    if (!m || !may_change(e, m))
        return 0;
    if (!m->ops->push)
        return skep_helper_refuse(e, "not a queue, stack or bloom filter");
    const void *value = skep_exec_memory(e, r2, m->value_size, false);
    return value ? skep_helper_result(m->ops->push(m, value, r3)) : 0;
}

uint64_t skep_helper_map_pop_elem(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_exec_map(e, r1);
    if (!m || !may_change(e, m))
        return 0;
    if (!m->ops->pop)
        return skep_helper_refuse(e, "not a queue or stack");
    void *value = skep_exec_memory(e, r2, m->value_size, true);
    return value ? skep_helper_result(m->ops->pop(m, value)) : 0;
}

uint64_t skep_helper_map_peek_elem(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_exec_map(e, r1);
    if (!m)
        return 0;
    if (!m->ops->peek)
        return skep_helper_refuse(e, "not a queue, stack or bloom filter");
    /* a bloom filter only reads it */
    void *value = skep_exec_memory(e, r2, m->value_size, m->type != BPF_MAP_TYPE_BLOOM_FILTER);
    return value ? skep_helper_result(m->ops->peek(m, value)) : 0;
}

/* ---- for_each_map_elem ---- */

#define PLACE 16 /* bytes that it costs to look whether an element is there */

struct walk {
    struct skep_exec *e;
    struct skep_vm_map *m;
    uint64_t function, context;
    unsigned region; /* of e->host: the key */
    bool faulted;
};

static int call_for(void *data, const void *key, uint64_t value)
{
    struct walk *w = data;
    struct skep_exec *e = w->e;
    struct skep_region *region = &e->host[w->region];
    if (region->start != (uintptr_t)key) {
        *region = (struct skep_region){(uintptr_t)key, w->m->key_size, true, false};
        skep_exec_forget(e);
    }
    const uint64_t args[5] = {skep_map_handle(w->m), (uintptr_t)key, value, w->context, 0};
    uint64_t result;
    if (!skep_exec_call(e, w->function, args, &result)) {
        w->faulted = true;
        return 1;
    }
    return result != 0;
}

uint64_t skep_helper_for_each_map_elem(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_exec_map(e, r1);
    if (!m)
        return 0;
    if (r4)
        return skep_helper_result(-EINVAL);
    if (m->key_size == 0 || (!m->ops->each && (!m->ops->lookup || m->type == BPF_MAP_TYPE_LPM_TRIE)))
        return skep_helper_refuse(e, "maps of this type cannot be gone through");
    if (e->n_host == SKEP_HOST_REGIONS)
        return skep_helper_result(-ENOMEM);
    if (!skep_exec_work(e, (uint64_t)m->max_entries * PLACE)) /* also when most of them are empty */
        return 0;
    /* keys are copies beside the map: the function may read the one that it is called for */
    struct walk w = {.e = e, .m = m, .function = r2, .context = r3, .region = e->n_host++};
    e->host[w.region] = (struct skep_region){0};
    int64_t n = skep_map_for_each_elem(m, e->cpu, call_for, &w);
    e->n_host--;
    skep_exec_forget(e);
    return w.faulted ? 0 : skep_helper_result(n);
}
