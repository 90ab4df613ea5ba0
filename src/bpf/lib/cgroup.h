/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_CGROUP_H
#define SKEP_BPF_LIB_CGROUP_H
/*
 * Which cgroup a task is in, as one number, and the path behind that number, told once.
 *
 * A host may have the v2 tree only, v1 hierarchies only, or both. The v2 cgroup counts when it is not the
 * root; else the first v1 controller that is not at its root, of those that container runtimes use.
 */
#include "bpf/lib/emit.h"

#define SKEP_CGROUP_DEPTH 32

static __always_inline struct cgroup *skep_cgroup_v1(struct css_set *set, __u32 subsys)
{
    struct cgroup_subsys_state *css = set->subsys[subsys & 15];
    return css ? css->cgroup : NULL;
}

static __always_inline bool skep_cgroup_deep(struct cgroup *c)
{
    return c && c->level > 0;
}

#define SKEP_TRY_V1(name)                                                                                    \
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, name##_cgrp_id)) {                                 \
        struct cgroup *c_##name =                                                                            \
            skep_cgroup_v1(set, bpf_core_enum_value(enum cgroup_subsys_id, name##_cgrp_id));                 \
        if (skep_cgroup_deep(c_##name))                                                                      \
            return c_##name;                                                                                 \
    }

static __always_inline struct cgroup *skep_cgroup_get(struct task_struct *t)
{
    struct css_set *set = t->cgroups;
    if (!set)
        return NULL;
    struct cgroup *c = set->dfl_cgrp;
    if (skep_cgroup_deep(c))
        return c;
    SKEP_TRY_V1(pids)
    SKEP_TRY_V1(memory)
    SKEP_TRY_V1(devices)
    SKEP_TRY_V1(cpu)
    SKEP_TRY_V1(freezer)
    return c;
}

static __always_inline __u64 skep_cgroup_id(struct cgroup *c)
{
    if (!c)
        return 0;
    struct kernfs_node *kn = c->kn;
    struct cgroup_root *root = c->root;
    return SKEP_CGROUP_ID(root ? root->hierarchy_id : 0, kn ? kn->id : 0);
}

static __always_inline __u64 skep_cgroup_of(struct task_struct *t)
{
    return skep_cgroup_id(skep_cgroup_get(t));
}

/* Names of a cgroup and those above it, from the inside out. */
struct skep_cgroup_names {
    struct skep_build *b;
    struct kernfs_node *kn;
    __u32 depth;
};

static __noinline long skep_cgroup_up(__u32 i, void *data)
{
    struct skep_cgroup_names *x = data;
    struct kernfs_node *kn = x->kn;
    struct kernfs_node *up = compat_kernfs_parent(kn);
    if (!up)
        return 1;
    ((__u64 *)x->b->s->path)[i & (SKEP_CGROUP_DEPTH - 1)] = (__u64)kn->name;
    x->depth = i + 1;
    x->kn = up;
    return 0;
}

static __noinline long skep_cgroup_down(__u32 i, void *data)
{
    struct skep_cgroup_names *x = data;
    __u32 off;
    if (i >= x->depth)
        return 1;
    char *to = skep_tail(x->b, &off);
    if (!to)
        return 1;
    __u32 at = (x->depth - 1 - i) & (SKEP_CGROUP_DEPTH - 1);
    *to = '/';
    long n = bpf_probe_read_kernel_str(to + 1, 256, (void *)((__u64 *)x->b->s->path)[at]);
    if (n < 1)
        return 1;
    x->b->s->len = off + (n & 0x1ff); /* the slash instead of the NUL */
    return 0;
}

/* Appends the cgroup's path, from the root of its hierarchy. The names are collected on the way up and
 * written on the way down, so that the path grows forward in the record. */
static __always_inline struct skep_slice skep_put_cgroup_path(struct skep_build *b, struct cgroup *c)
{
    struct skep_cgroup_names x = {.b = b, .kn = c->kn};
    __u32 start = b->s->len;
    SKEP_LOOP(SKEP_CGROUP_DEPTH, skep_cgroup_up, &x);
    SKEP_LOOP(SKEP_CGROUP_DEPTH, skep_cgroup_down, &x);
    if (x.depth == 0)
        return skep_put_kernel(b, "/", 1);
    return (struct skep_slice){start, b->s->len - start};
}

/* Tells the path of a cgroup on the life cycle ring unless it was told before. */
static __always_inline void skep_cgroup_tell(struct cgroup *c, struct task_struct *t)
{
    __u64 id = skep_cgroup_id(c);
    __u8 one = 1;
    if (!c || bpf_map_lookup_elem(&skep_cgroups, &id))
        return;
    struct skep_build b;
    struct skep_ev_cgroup *ev = skep_begin_life(&b, SKEP_KIND_cgroup, sizeof(*ev), t);
    if (!ev)
        return;
    ev->id = id;
    ev->path = skep_put_cgroup_path(&b, c);
    if (skep_submit(&b))
        bpf_map_update_elem(&skep_cgroups, &id, &one, BPF_ANY);
}
#endif
