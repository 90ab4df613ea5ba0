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

struct ns_common___type {
    __u32 ns_type;
};

struct proc_ns_operations___type {
    int type;
};

struct inode___timespec {
    struct timespec64 i_mtime, i_ctime;
};

struct inode___ctime {
    struct timespec64 __i_ctime;
};

struct inode___mtime {
    struct timespec64 __i_mtime;
};

struct inode___split {
    __s64 i_mtime_sec, i_ctime_sec;
    __u32 i_mtime_nsec, i_ctime_nsec;
};

struct delayed_filename {
    struct filename *__incomplete_filename;
};

struct io_open___delayed {
    struct delayed_filename filename;
};

struct io_unlink___delayed {
    struct delayed_filename filename;
};

struct io_mkdir___delayed {
    struct delayed_filename filename;
};

struct io_rename___delayed {
    struct delayed_filename oldpath, newpath;
};

struct io_link___delayed {
    struct delayed_filename oldpath, newpath;
};

struct io_async_connect {
    struct sockaddr_storage address;
};

struct io_async_msghdr {
    struct msghdr msg;
    struct sockaddr_storage addr;
};

struct io_rsrc_node {
    unsigned long file_ptr;
};

struct io_rsrc_data {
    unsigned int nr;
    struct io_rsrc_node **nodes;
};

struct io_file_table___nodes {
    struct io_rsrc_data data;
};

struct io_ring_ctx___nodes {
    struct io_file_table___nodes file_table;
};

struct io_fixed_file {
    unsigned long file_ptr;
};

struct io_file_table___files {
    struct io_fixed_file *files;
};

struct io_ring_ctx___files {
    struct io_file_table___files file_table;
    unsigned int nr_user_files;
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
        bound_index &((size)-1);                                                                             \
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

/*
 * When an inode and its content were changed last, in nanoseconds since 1970. The times were renamed in two steps
 * (13bc24457850 "fs: rename i_ctime field to __i_ctime", 6.6; 12cd44023651 "fs: rename inode i_atime and i_mtime fields",
 * 6.7) and split into seconds and nanoseconds (3aa63a569c64 "fs: switch timespec64 fields in inode to discrete
 * integers", 6.11). The highest bit of the nanoseconds is a mark of its own: 4e40eff0b573 ("fs: add infrastructure for
 * multigrain timestamps", 6.13).
 */
#define COMPAT_NS(sec, nsec) ((__u64)(sec)*1000000000ULL + ((nsec)&0x7fffffff))

static __always_inline __u64 compat_inode_ctime(struct inode *inode)
{
    struct inode___split *split = (void *)inode;
    if (bpf_core_field_exists(split->i_ctime_sec)) {
        __u64 ns = COMPAT_NS(split->i_ctime_sec, split->i_ctime_nsec);
        barrier_var(ns);
        return ns;
    }
    struct inode___ctime *now = (void *)inode;
    if (bpf_core_field_exists(now->__i_ctime)) {
        __u64 ns = COMPAT_NS(now->__i_ctime.tv_sec, now->__i_ctime.tv_nsec);
        barrier_var(ns);
        return ns;
    }
    struct inode___timespec *before = (void *)inode;
    return COMPAT_NS(before->i_ctime.tv_sec, before->i_ctime.tv_nsec);
}

static __always_inline __u64 compat_inode_mtime(struct inode *inode)
{
    struct inode___split *split = (void *)inode;
    if (bpf_core_field_exists(split->i_mtime_sec)) {
        __u64 ns = COMPAT_NS(split->i_mtime_sec, split->i_mtime_nsec);
        barrier_var(ns);
        return ns;
    }
    struct inode___mtime *now = (void *)inode;
    if (bpf_core_field_exists(now->__i_mtime)) {
        __u64 ns = COMPAT_NS(now->__i_mtime.tv_sec, now->__i_mtime.tv_nsec);
        barrier_var(ns);
        return ns;
    }
    struct inode___timespec *before = (void *)inode;
    return COMPAT_NS(before->i_mtime.tv_sec, before->i_mtime.tv_nsec);
}

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

/*
 * A task by its number: of any namespace, as the calling task would name it ("bpf: Add bpf_task_from_vpid()
 * kfunc", 6.13), or of the initial one (3f0e6f2b41d3 "bpf: Add bpf_task_from_pid() kfunc", 6.2). User space
 * sets the flags, see skep_has_rdonly_cast.
 */
extern struct task_struct *bpf_task_from_vpid(__s32 vpid) __ksym __weak;
extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym __weak;
const volatile bool skep_has_task_from_vpid = false;
const volatile bool skep_has_task_from_pid = false;

/* The CLONE_NEW flag of a namespace. The type moved from the operations into the namespace in 6.18. */
static __always_inline __u32 compat_ns_type(struct ns_common *ns)
{
    struct ns_common___type *now = (void *)ns;
    if (bpf_core_field_exists(now->ns_type)) {
        __u32 type = BPF_CORE_READ(now, ns_type);
        barrier_var(type);
        return type;
    }
    struct proc_ns_operations___type *ops = (void *)BPF_CORE_READ(ns, ops);
    return bpf_core_field_exists(ops->type) ? BPF_CORE_READ(ops, type) : 0;
}

/* Names that an operation of io_uring carries are wrapped in a struct of their own since 7.0. */
#define COMPAT_URING_NAME(type, req, member)                                                                 \
    ({                                                                                                       \
        __u64 name;                                                                                          \
        if (bpf_core_type_exists(struct delayed_filename)) {                                                 \
            name = (__u64)SKEP_READ(struct type##___delayed, req, member.__incomplete_filename);             \
            barrier_var(name);                                                                               \
        } else {                                                                                             \
            name = (__u64)SKEP_READ(struct type, req, member);                                               \
        }                                                                                                    \
        name;                                                                                                \
    })

/*
 * Where the kernel keeps the address that a connect or bind of io_uring names, once it has copied it; 0: it reads
 * the caller's memory when the operation runs (before 6.10). It stood in struct io_async_msghdr until 7.2 and its
 * stable kin, and stands alone since; no type tells them apart, but what is at the start of that struct is aligned,
 * and none of these families is.
 */
static __always_inline __u64 compat_uring_address(struct io_kiocb *req)
{
    if (bpf_core_type_exists(struct io_async_connect))
        return 0;
    __u64 data = (__u64)SKEP_READ(struct io_kiocb, req, async_data);
    __u16 family = 0;
    if (!data)
        return 0;
    bpf_probe_read_kernel(&family, sizeof(family), (void *)data);
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6)
        return data;
    return data + bpf_core_field_offset(struct io_async_msghdr, addr);
}

/* Where a message of io_uring goes, if the operation names an address; 0: it does not. */
struct compat_uring_destination {
    __u64 addr;
    __u32 len;
    bool user; /* it stands in the caller's memory */
};

/* The kernel has copied the address when it takes the operation in since 6.10, as with connect; before, the caller's
 * memory is what there is. */
static __always_inline void compat_uring_destination(struct compat_uring_destination *to,
                                                     struct io_kiocb *req, bool message)
{
    *to = (struct compat_uring_destination){0};
    if (!bpf_core_type_exists(struct io_async_connect)) {
        __u64 data = (__u64)SKEP_READ(struct io_kiocb, req, async_data);
        if (!data)
            return;
        to->addr = (__u64)SKEP_READ(struct io_async_msghdr, data, msg.msg_name);
        to->len = SKEP_READ(struct io_async_msghdr, data, msg.msg_namelen);
        return;
    }
    struct user_msghdr msg = {0};
    to->user = true;
    if (message) {
        bpf_probe_read_user(&msg, sizeof(msg), SKEP_READ(struct io_sr_msg, req, umsg));
        to->addr = (__u64)msg.msg_name;
        to->len = msg.msg_namelen;
    } else {
        to->addr = (__u64)SKEP_READ(struct io_sr_msg, req, addr);
        to->len = SKEP_READ(struct io_sr_msg, req, addr_len);
    }
}

/* The file in a slot of the ring's own table, which changed its shape in 6.13. Flags stand in the lowest bits. */
static __always_inline struct file *compat_uring_fixed_file(struct io_ring_ctx *ring, __u32 slot)
{
    __u64 word = 0;
    struct io_ring_ctx___nodes *now = (void *)ring;
    if (bpf_core_field_exists(now->file_table.data)) {
        struct io_rsrc_node **nodes = BPF_CORE_READ(now, file_table.data.nodes), *node = NULL;
        if (slot >= BPF_CORE_READ(now, file_table.data.nr))
            return NULL;
        bpf_probe_read_kernel(&node, sizeof(node), nodes + slot);
        if (node)
            word = BPF_CORE_READ(node, file_ptr);
        barrier_var(word);
    } else {
        struct io_ring_ctx___files *before = (void *)ring;
        struct io_fixed_file *files = BPF_CORE_READ(before, file_table.files);
        if (slot >= BPF_CORE_READ(before, nr_user_files))
            return NULL;
        bpf_probe_read_kernel(&word, sizeof(word), files + slot);
    }
    return (struct file *)(word & ~7UL);
}
#endif
