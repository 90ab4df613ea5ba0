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

SEC("tp_btf/sys_exit")
int sys_module(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_module *ev = skep_begin_call(&b, SKEP_KIND_module, sizeof(*ev), &call);
    if (!ev)
        return 0;
    __u64 id = bpf_get_current_pid_tgid();
    char *name = bpf_map_lookup_elem(&skep_modules, &id);
    if (name) {
        ev->name = skep_put_kernel_str(&b, name);
        bpf_map_delete_elem(&skep_modules, &id);
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
    skep_submit(&b);
    return 0;
}

/* ---- bpf(2) ---- */

/* Members of union bpf_attr, by command; from include/uapi/linux/bpf.h, where places never change. */
struct bpf_attr_prog_load {
    __u32 prog_type, insn_cnt;
    __u64 insns, license;
    __u32 log_level, log_size;
    __u64 log_buf;
    __u32 kern_version, prog_flags;
    char prog_name[16];
    __u32 prog_ifindex, expected_attach_type;
};

struct bpf_attr_map_create {
    __u32 map_type, key_size, value_size, max_entries, map_flags, inner_map_fd, numa_node;
    char map_name[16];
};

struct bpf_attr_obj {
    __u64 pathname;
    __u32 bpf_fd;
};

/* prog_attach: target_fd, attach_bpf_fd, attach_type; link_create: prog_fd, target_fd, attach_type */
struct bpf_attr_attach {
    __u32 fd0, fd1, attach_type;
};

static __always_inline void bpf_fill_prog(struct skep_build *b, struct skep_ev_bpf *ev, struct task_struct *t, int fd)
{
    struct file *f = skep_file_of(t, fd);
    if (!f)
        return;
    struct bpf_prog *prog = SKEP_READ(struct file, f, private_data);
    if (!prog)
        return;
    struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);
    ev->id = BPF_CORE_READ(aux, id);
    if (!ev->name.off)
        ev->name = skep_put_kernel_str(b, (void *)aux + bpf_core_field_offset(struct bpf_prog_aux, name));
}

static __always_inline void bpf_fill_load(struct skep_build *b, struct skep_ev_bpf *ev, const struct skep_call *call,
                                          void *attr)
{
    struct bpf_attr_prog_load load = {0};
    bpf_probe_read_user(&load, sizeof(load), attr);
    ev->prog_type = load.prog_type;
    ev->attach_type = load.expected_attach_type;
    ev->insns = load.insn_cnt;
    ev->name = skep_put_kernel_str(b, load.prog_name);
    if (call->ret >= 0)
        bpf_fill_prog(b, ev, call->task, call->ret);
}

static __always_inline void bpf_fill_map(struct skep_build *b, struct skep_ev_bpf *ev, const struct skep_call *call,
                                         void *attr)
{
    struct bpf_attr_map_create create = {0};
    bpf_probe_read_user(&create, sizeof(create), attr);
    ev->map_type = create.map_type;
    ev->name = skep_put_kernel_str(b, create.map_name);
    struct file *f = call->ret >= 0 ? skep_file_of(call->task, call->ret) : NULL;
    struct bpf_map *map = f ? SKEP_READ(struct file, f, private_data) : NULL;
    if (map)
        ev->id = BPF_CORE_READ(map, id);
}

SEC("tp_btf/sys_exit")
int sys_bpf(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_bpf *ev = skep_begin_call(&b, SKEP_KIND_bpf, sizeof(*ev), &call);
    if (!ev)
        return 0;
    void *attr = (void *)skep_arg(&call, 1);
    ev->command = (__u32)skep_arg(&call, 0);
    ev->prog_type = ev->map_type = ev->attach_type = SKEP_NO_VALUE;
    struct bpf_attr_attach attach = {0};
    struct bpf_attr_obj obj = {0};
    switch (ev->command) {
    case BPF_PROG_LOAD:
        bpf_fill_load(&b, ev, &call, attr);
        break;
    case BPF_MAP_CREATE:
        bpf_fill_map(&b, ev, &call, attr);
        break;
    case BPF_OBJ_PIN:
    case BPF_OBJ_GET:
        bpf_probe_read_user(&obj, sizeof(obj), attr);
        ev->path = skep_put_user_str(&b, (void *)obj.pathname);
        break;
    case BPF_PROG_ATTACH:
    case BPF_LINK_CREATE:
        bpf_probe_read_user(&attach, sizeof(attach), attr);
        ev->attach_type = attach.attach_type;
        bpf_fill_prog(&b, ev, call.task, ev->command == BPF_PROG_ATTACH ? attach.fd1 : attach.fd0);
        break;
    }
    skep_submit(&b);
    return 0;
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
    skep_submit(&b);
    return 0;
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
    skep_submit(&b);
    return 0;
}

#define KEYCTL_JOIN_SESSION_KEYRING 1

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
        ev->operation = (__u32)skep_arg(&call, 0);
        ev->key = (int)skep_arg(&call, 1);
        if (ev->operation == KEYCTL_JOIN_SESSION_KEYRING) {
            ev->key = 0;
            ev->description = skep_put_user_str(&b, (void *)skep_arg(&call, 1));
        }
    } else {
        ev->operation = call.form == SKEP_FORM_add_key ? SKEP_KEYCTL_ADD_KEY : SKEP_KEYCTL_REQUEST_KEY;
        ev->key = call.ret > 0 ? call.ret : 0;
        ev->type = skep_put_user_str(&b, (void *)skep_arg(&call, 0));
        ev->description = skep_put_user_str(&b, (void *)skep_arg(&call, 1));
    }
    skep_submit(&b);
    return 0;
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
        ev->flags = (__u32)skep_arg(&call, 4);
    } else {
        ev->segments = (__u32)skep_arg(&call, 1);
        ev->flags = (__u32)skep_arg(&call, 3);
    }
    skep_submit(&b);
    return 0;
}
