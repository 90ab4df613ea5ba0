/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls that reach into the kernel itself: modules, bpf(2), performance events, userfaultfd, keys, kexec.
 */
#include "bpf/lib/lexical.h"
#include "bpf/lib/syscall.h"

/* ---- modules ---- */

/* The name stands in the module's image; the kernel tells it while the call runs. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 256);
    __type(key, __u64);
    __type(value, char[56]);
} skep_modules SEC(".maps");

SEC("tp_btf/module_load")
int BPF_PROG(note_module, struct module *mod)
{
    __u64 id = bpf_get_current_pid_tgid();
    char name[56] = {0};
    bpf_probe_read_kernel_str(name, sizeof(name), &mod->name);
    bpf_map_update_elem(&skep_modules, &id, name, BPF_ANY);
    return 0;
}

/* It must not be taken for the name of the thread's next call. */
static __always_inline void module_forget(__u64 id)
{
    bpf_map_delete_elem(&skep_modules, &id);
}

SEC("tp_btf/sys_exit")
int sys_module(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    __u64 id = bpf_get_current_pid_tgid();
    char *name = bpf_map_lookup_elem(&skep_modules, &id);
    struct skep_ev_module *ev = skep_begin_call(&b, SKEP_KIND_module, sizeof(*ev), &call);
    if (!ev) {
        module_forget(id);
        return 0;
    }
    switch (call.form) {
    case SKEP_FORM_finit_module:
        ev->path = skep_put_file_path(&b, skep_file_of(call.task, (int)skep_arg(&call, 0)), call.task->fs);
        ev->params = skep_put_user_str(&b, (void *)skep_arg(&call, 1));
        ev->flags = (__u32)skep_arg(&call, 2);
        break;
    case SKEP_FORM_delete_module:
        ev->name = skep_put_user_str(&b, (void *)skep_arg(&call, 0));
        ev->unload = 1;
        break;
    default:
        ev->size = skep_arg(&call, 1);
        ev->params = skep_put_user_str(&b, (void *)skep_arg(&call, 2));
    }
    if (name)
        ev->name = skep_put_kernel_str(&b, name);
    module_forget(id);
    return skep_hand_over(ctx, &b);
}

/* ---- bpf(2) ---- */

/*
 * Commands that read or write elements of maps are not reported: programs make them by the thousand, and a map
 * can be shared without any call.
 *
 * What is said of a program or map comes from the kernel's object behind the descriptor that the call makes or
 * names. What a failed load or creation asked for comes from the caller's struct.
 */
static __always_inline bool bpf_matters(__u32 command)
{
    switch (command) {
    case BPF_MAP_LOOKUP_ELEM:
    case BPF_MAP_UPDATE_ELEM:
    case BPF_MAP_DELETE_ELEM:
    case BPF_MAP_GET_NEXT_KEY:
    case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
    case BPF_MAP_LOOKUP_BATCH:
    case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
    case BPF_MAP_UPDATE_BATCH:
    case BPF_MAP_DELETE_BATCH:
        return false;
    }
    return true;
}

/* Members of union bpf_attr, by command; from include/uapi/linux/bpf.h, where places never change. A caller may
 * give fewer bytes; those missing count as 0. */
union bpf_args {
    struct {
        __u32 prog_type, insn_cnt;
        __u64 insns, license;
        __u32 log_level, log_size;
        __u64 log_buf;
        __u32 kern_version, prog_flags;
        char prog_name[16];
        __u32 prog_ifindex, expected_attach_type;
    } load;
    struct {
        __u32 map_type, key_size, value_size, max_entries, map_flags, inner_map_fd, numa_node;
        char map_name[16];
    } create;
    struct {
        __u64 path;
        __u32 fd;
    } object;      /* obj_pin, obj_get; raw_tracepoint_open */
    __u32 word[3]; /* descriptors and types at the start of other commands */
};

static __always_inline void bpf_read_args(union bpf_args *to, const struct skep_call *call)
{
    __u64 size = skep_arg(call, 2);
    __builtin_memset(to, 0, sizeof(*to));
    barrier_var(size);
    if (size > sizeof(*to))
        size = sizeof(*to);
    bpf_probe_read_user(to, size, (void *)skep_arg(call, 1));
    to->load.prog_name[15] = to->create.map_name[15] = '\0';
}

/* Files of bpf(2) are anonymous, and named for what they are. */
static __always_inline bool bpf_file_is(struct file *f, char third, char fourth)
{
    struct inode *inode = SKEP_READ(struct file, f, f_inode);
    struct super_block *sb = SKEP_READ(struct inode, inode, i_sb);
    struct dentry *d = SKEP_READ(struct file, f, f_path.dentry);
    char name[8] = {0};
    if (SKEP_READ(struct super_block, sb, s_magic) != SKEP_ANON_INODE_MAGIC)
        return false;
    bpf_probe_read_kernel(name, sizeof(name), SKEP_READ(struct dentry, d, d_name.name));
    return name[0] == 'b' && name[1] == 'p' && name[2] == 'f' && name[3] == '-' && name[4] == third &&
           name[5] == fourth;
}

static __always_inline void bpf_fill_object(struct skep_build *b, struct skep_ev_bpf *ev,
                                            struct task_struct *t, int fd)
{
    struct file *f = skep_file_of(t, fd);
    if (!f)
        return;
    __u64 object = (__u64)SKEP_READ(struct file, f, private_data);
    if (bpf_file_is(f, 'p', 'r')) { /* bpf-prog */
        __u64 aux = (__u64)SKEP_READ(struct bpf_prog, object, aux);
        ev->prog_type = SKEP_READ(struct bpf_prog, object, type);
        ev->id = SKEP_READ(struct bpf_prog_aux, aux, id);
        ev->name = skep_put_kernel_str(b, (void *)(aux + bpf_core_field_offset(struct bpf_prog_aux, name)));
    } else if (bpf_file_is(f, 'm', 'a')) { /* bpf-map */
        ev->map_type = SKEP_READ(struct bpf_map, object, map_type);
        ev->id = SKEP_READ(struct bpf_map, object, id);
        ev->name = skep_put_kernel_str(b, (void *)(object + bpf_core_field_offset(struct bpf_map, name)));
    }
}

/* An attach type of 0 is also what a program says that has none. */
static __always_inline __u32 bpf_attach_type_of(__u32 prog_type, __u32 attach_type)
{
    if (prog_type == BPF_PROG_TYPE_STRUCT_OPS || (attach_type == 0 && prog_type != BPF_PROG_TYPE_CGROUP_SKB))
        return SKEP_NO_VALUE;
    return attach_type;
}

/* Fills in what the caller's struct says, gives the descriptor that the command is about, or -1. */
static __always_inline int bpf_fill_args(struct skep_build *b, struct skep_ev_bpf *ev,
                                         const struct skep_call *call)
{
    union bpf_args args;
    int made = call->ret < 0 ? -1 : (int)call->ret;
    bpf_read_args(&args, call);
    switch (ev->command) {
    case BPF_PROG_LOAD:
        ev->attach_type = bpf_attach_type_of(args.load.prog_type, args.load.expected_attach_type);
        ev->insns = args.load.insn_cnt;
        if (made < 0) {
            ev->prog_type = args.load.prog_type;
            ev->name = skep_put_kernel_str(b, args.load.prog_name);
        }
        return made;
    case BPF_MAP_CREATE:
        if (made < 0) {
            ev->map_type = args.create.map_type;
            ev->name = skep_put_kernel_str(b, args.create.map_name);
        }
        return made;
    case BPF_OBJ_PIN:
        ev->path = skep_put_user_str(b, (void *)args.object.path);
        return args.object.fd;
    case BPF_OBJ_GET:
        ev->path = skep_put_user_str(b, (void *)args.object.path);
        return made;
    case BPF_PROG_GET_FD_BY_ID:
    case BPF_MAP_GET_FD_BY_ID:
        ev->id = args.word[0];
        return made;
    case BPF_PROG_ATTACH:
    case BPF_PROG_DETACH:
        ev->attach_type = args.word[2];
        return args.word[1];
    case BPF_LINK_CREATE:
        ev->attach_type = args.word[2];
        return args.word[0];
    case BPF_RAW_TRACEPOINT_OPEN:
        return args.object.fd;
    case BPF_LINK_UPDATE:
        return args.word[1];
    case BPF_PROG_TEST_RUN:
    case BPF_PROG_BIND_MAP:
    case BPF_MAP_FREEZE:
    case BPF_OBJ_GET_INFO_BY_FD:
        return args.word[0];
    }
    return -1;
}

SEC("tp_btf/sys_exit")
int sys_bpf(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    __u32 command = (__u32)skep_arg(&call, 0);
    if (!bpf_matters(command))
        return 0;
    struct skep_ev_bpf *ev = skep_begin_call(&b, SKEP_KIND_bpf, sizeof(*ev), &call);
    if (!ev)
        return 0;
    ev->command = command;
    ev->prog_type = ev->map_type = ev->attach_type = SKEP_NO_VALUE;
    bpf_fill_object(&b, ev, call.task, bpf_fill_args(&b, ev, &call));
    return skep_hand_over(ctx, &b);
}

/* ---- the others ---- */

SEC("tp_btf/sys_exit")
int sys_perf(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    struct {
        __u32 type, size;
        __u64 config;
    } attr = {0};
    skep_call_init(&call, ctx);
    struct skep_ev_perf_event_open *ev = skep_begin_call(&b, SKEP_KIND_perf_event_open, sizeof(*ev), &call);
    if (!ev)
        return 0;
    if (bpf_probe_read_user(&attr, sizeof(attr), (void *)skep_arg(&call, 0)) < 0)
        skep_mark(&b, SKEP_HDR_FAULT);
    ev->type = attr.type;
    ev->config = attr.config;
    ev->target_pid = (int)skep_arg(&call, 1);
    ev->target_cpu = (int)skep_arg(&call, 2);
    ev->flags = (__u32)skep_arg(&call, 4);
    return skep_hand_over(ctx, &b);
}

SEC("tp_btf/sys_exit")
int sys_userfaultfd(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_userfaultfd *ev = skep_begin_call(&b, SKEP_KIND_userfaultfd, sizeof(*ev), &call);
    if (!ev)
        return 0;
    ev->flags = (__u32)skep_arg(&call, 0);
    return skep_hand_over(ctx, &b);
}

/* operations of keyctl(2), from include/uapi/linux/keyctl.h */
enum {
    KEYCTL_JOIN_SESSION_KEYRING = 1,
    KEYCTL_SEARCH = 10,
    KEYCTL_SET_REQKEY_KEYRING = 14,
    KEYCTL_SESSION_TO_PARENT = 18,
    KEYCTL_GET_PERSISTENT = 22,
    KEYCTL_DH_COMPUTE = 23,
    KEYCTL_PKEY_ENCRYPT = 25,
    KEYCTL_PKEY_VERIFY = 28,
    KEYCTL_CAPABILITIES = 31,
};

static __always_inline void keyctl_fill(struct skep_build *b, struct skep_ev_keyctl *ev,
                                        const struct skep_call *call)
{
    ev->operation = (__u32)skep_arg(call, 0);
    switch (ev->operation) {
    case KEYCTL_JOIN_SESSION_KEYRING:
        ev->description = skep_put_user_str(b, (void *)skep_arg(call, 1));
        if (call->ret > 0)
            ev->key = call->ret;
        return;
    case KEYCTL_SEARCH:
        ev->type = skep_put_user_str(b, (void *)skep_arg(call, 2));
        ev->description = skep_put_user_str(b, (void *)skep_arg(call, 3));
        break;
    case KEYCTL_GET_PERSISTENT:
        if (call->ret > 0)
            ev->key = call->ret;
        return;
    case KEYCTL_SET_REQKEY_KEYRING:
    case KEYCTL_SESSION_TO_PARENT:
    case KEYCTL_DH_COMPUTE:
    case KEYCTL_PKEY_ENCRYPT ... KEYCTL_PKEY_VERIFY:
    case KEYCTL_CAPABILITIES:
        return; /* their argument is no key */
    }
    ev->key = (int)skep_arg(call, 1);
}

SEC("tp_btf/sys_exit")
int sys_keyctl(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_keyctl *ev = skep_begin_call(&b, SKEP_KIND_keyctl, sizeof(*ev), &call);
    if (!ev)
        return 0;
    if (call.form == SKEP_FORM_plain) {
        keyctl_fill(&b, ev, &call);
    } else {
        ev->operation = call.form == SKEP_FORM_add_key ? SKEP_KEYCTL_ADD_KEY : SKEP_KEYCTL_REQUEST_KEY;
        ev->key = call.ret > 0 ? call.ret : 0;
        ev->type = skep_put_user_str(&b, (void *)skep_arg(&call, 0));
        ev->description = skep_put_user_str(&b, (void *)skep_arg(&call, 1));
    }
    return skep_hand_over(ctx, &b);
}

SEC("tp_btf/sys_exit")
int sys_kexec(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_kexec *ev = skep_begin_call(&b, SKEP_KIND_kexec, sizeof(*ev), &call);
    if (!ev)
        return 0;
    if (call.form == SKEP_FORM_kexec_file) {
        ev->path = skep_put_file_path(&b, skep_file_of(call.task, (int)skep_arg(&call, 0)), call.task->fs);
        ev->cmdline = skep_put_user_str(&b, (void *)skep_arg(&call, 3));
        ev->file_flags = (__u32)skep_arg(&call, 4);
    } else {
        ev->segments = (__u32)skep_arg(&call, 1);
        ev->flags = (__u32)skep_arg(&call, 3);
    }
    return skep_hand_over(ctx, &b);
}
