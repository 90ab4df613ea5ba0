/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_COMPAT_H
#define SKEP_BPF_COMPAT_H
/*
 * Every difference between kernels that the sensors care about, one function each, decided by CO-RE on the
 * running kernel's types and never by its version. Each names the commit that made it needed.
 *
 * The barrier in one of two branches keeps the compiler from turning them into one load at a chosen offset:
 * the offset that does not exist would then be computed, and refused, in every case.
 */
#include "bpf/kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernel_cap_struct___array {
    __u32 cap[2];
};

typedef struct {
    __u64 val;
} kernel_cap_t___u64;

struct cred___caps_array {
    struct kernel_cap_struct___array cap_inheritable, cap_permitted, cap_effective;
};

struct cred___caps_u64 {
    kernel_cap_t___u64 cap_inheritable, cap_permitted, cap_effective;
};

struct kernfs_node___rcu_parent {
    struct kernfs_node *__parent;
};

struct kernfs_node___parent {
    struct kernfs_node *parent;
};

#pragma clang attribute pop

/*
 * Reads a member of a kernel object at an address that the verifier holds for a mere number. A typed load
 * costs a nanosecond, a helper call five to ten; the kernel that can turn the number into a typed pointer
 * says so by having bpf_rdonly_cast: a35b9af4ec2c ("bpf: Add a kfunc for generic type cast", 6.2). User space
 * sets the flag before the object is loaded, and the verifier removes the branch that is not taken.
 */
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;
const volatile bool skep_has_rdonly_cast = false;

#define SKEP_READ(type, ptr, member)                                                                         \
    ({                                                                                                       \
        __typeof__(((type *)0)->member) read_value;                                                          \
        type *read_from = (type *)(ptr);                                                                     \
        if (skep_has_rdonly_cast)                                                                            \
            read_value = ((type *)bpf_rdonly_cast(read_from, bpf_core_type_id_kernel(type)))->member;        \
        else                                                                                                 \
            read_value = BPF_CORE_READ(read_from, member);                                                   \
        read_value;                                                                                          \
    })

/*
 * The same pointer without the verifier's trust in it. Loads through a trusted pointer make the verifier look
 * a name up in all of the kernel's BTF, which costs 0.1 ms of loading time for each: 6fcd486b3a0a ("bpf:
 * Refactor RCU enforcement in the verifier", 6.4). Loads do not need the trust; helpers that do take the
 * original.
 */
#define SKEP_PLAIN(type, ptr)                                                                                \
    ({                                                                                                       \
        type *plain = (ptr);                                                                                 \
        if (skep_has_rdonly_cast)                                                                            \
            plain = bpf_rdonly_cast(plain, bpf_core_type_id_kernel(type));                                   \
        plain;                                                                                               \
    })

/* An index, once more below a power of two, where the compiler cannot fold it away: verifiers of the 6.1 series
 * forget the bounds of two numbers when they are or-ed or multiplied. */
#define SKEP_BOUND(index, size)                                                                              \
    ({                                                                                                       \
        __u64 bound_index = (index);                                                                         \
        barrier_var(bound_index);                                                                            \
        bound_index & ((size) - 1);                                                                          \
    })

/*
 * Calls step(i, ctx) for i from 0 until it returns 1, at most n times. With bpf_loop the verifier looks at the
 * body once; without it, once for each turn, so that loading takes many times longer. e6f2dd0f8067 ("bpf: Add
 * bpf_loop helper", 5.17)
 */
#define SKEP_LOOP(n, step, ctx)                                                                              \
    do {                                                                                                     \
        if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {                                   \
            bpf_loop(n, step, ctx, 0);                                                                       \
        } else {                                                                                             \
            for (__u32 turn = 0; turn < (n); turn++)                                                         \
                if (step(turn, ctx))                                                                         \
                    break;                                                                                   \
        }                                                                                                    \
    } while (0)

/* f122a08b197d ("capability: just use a 'u64' instead of a 'u32[2]' array", 6.3) */
#define DEFINE_CAPS(which)                                                                                   \
    static __always_inline __u64 compat_cred_##which(const struct cred *cred)                                \
    {                                                                                                        \
        const struct cred___caps_u64 *flat = (const void *)cred;                                             \
        if (bpf_core_field_exists(flat->cap_##which.val)) {                                                  \
            __u64 caps = flat->cap_##which.val;                                                              \
            barrier_var(caps);                                                                               \
            return caps;                                                                                     \
        }                                                                                                    \
        const struct cred___caps_array *array = (const void *)cred;                                          \
        return array->cap_##which.cap[0] | (__u64)array->cap_##which.cap[1] << 32;                           \
    }
DEFINE_CAPS(inheritable)
DEFINE_CAPS(permitted)
DEFINE_CAPS(effective)
#undef DEFINE_CAPS

/* 633488947ef6 ("kernfs: Use RCU to access kernfs_node::parent", 6.15) */
static __always_inline struct kernfs_node *compat_kernfs_parent(struct kernfs_node *kn)
{
    struct kernfs_node___rcu_parent *now = (void *)kn;
    if (bpf_core_field_exists(now->__parent)) {
        struct kernfs_node *parent = now->__parent;
        barrier_var(parent);
        return parent;
    }
    struct kernfs_node___parent *before = (void *)kn;
    return before->parent;
}

/* CONFIG_AUDITSYSCALL may be off: there is no login uid then. */
static __always_inline __u32 compat_loginuid(struct task_struct *t)
{
    return bpf_core_field_exists(t->loginuid) ? t->loginuid.val : (__u32)-1;
}

static __always_inline __u32 compat_audit_session(struct task_struct *t)
{
    return bpf_core_field_exists(t->sessionid) ? t->sessionid : (__u32)-1;
}

/* CONFIG_TIME_NS may be off. 769071ac9f20 ("ns: Introduce Time Namespace", 5.6) */
static __always_inline __u32 compat_time_ns(struct nsproxy *ns)
{
    if (!bpf_core_field_exists(ns->time_ns))
        return 0;
    struct time_namespace *t = ns->time_ns;
    return t ? t->ns.inum : 0;
}
#endif
