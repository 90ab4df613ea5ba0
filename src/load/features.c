/* SPDX-License-Identifier: Apache-2.0 */
#include "load/features.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define INSN(c, d, s, o, i)                                                                                  \
    {                                                                                                        \
        .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                                  \
    }
#define MOV(reg, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

struct probe {
    struct skep_feature *f;
    struct btf *btf; /* the kernel's, NULL: none */
    int refused; /* how bpf(2) as a whole is refused to us, 0: it is not. Other refusals of the kind say nothing */
    const char *cure; /* of that */
};

static bool refuse(struct probe *p, const char *fmt, ...) SKEP_PRINTF(2, 3);

static bool refuse(struct probe *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->f->reason, sizeof(p->f->reason), fmt, ap);
    va_end(ap);
    return false;
}

static bool refuse_errno(struct probe *p, const char *what, int e)
{
    if (p->refused && e == p->refused)
        p->f->cure = p->cure;
    return refuse(p, "%s: %s", what, strerror(e));
}

static int load(enum bpf_prog_type type, const struct bpf_insn *insns, size_t n,
                const struct bpf_prog_load_opts *opts)
{
    int fd = bpf_prog_load(type, "skep_probe", "GPL", insns, n, opts);
    return fd < 0 ? -errno : fd;
}

static const struct bpf_insn nothing[] = {MOV(BPF_REG_0, 0), EXIT()};

/* The first line of a file; false: it cannot be read. */
static bool read_line(const char *path, char *buf, int size)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f || !fgets(buf, size, f))
        return false;
    buf[strcspn(buf, "\n")] = '\0';
    return true;
}

/* ---- the ground ---- */

static bool probe_bpf(struct probe *p)
{
    union bpf_attr attr = {0};
    if (syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)) == 0 || errno == ENOENT)
        return true;
    p->refused = errno;
    p->cure = p->f->cure;
    if (errno == ENOSYS)
        p->cure = "use a kernel built with CONFIG_BPF_SYSCALL; in a container: run it privileged";
    else if (geteuid() == 0)
        p->cure =
            "give CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN; in a container: run it privileged";
    if (errno == ENOSYS)
        return refuse_errno(p, "there is no bpf(2)", errno);
    return geteuid() ? refuse(p, "not root") : refuse_errno(p, "refused although we are root", errno);
}

static bool probe_btf(struct probe *p)
{
    return p->btf ? true : refuse(p, "/sys/kernel/btf/vmlinux cannot be read");
}

static bool probe_jit(struct probe *p)
{
    char line[16];
    if (!read_line("/proc/sys/net/core/bpf_jit_enable", line, sizeof(line)))
        return refuse(p, "/proc/sys/net/core/bpf_jit_enable cannot be read");
    return skep_streq(line, "0") ? refuse(p, "net.core.bpf_jit_enable is 0: programs are interpreted") : true;
}

static bool map_works(struct probe *p, enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t n,
                      uint32_t flags)
{
    struct btf *btf = NULL;
    LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
    if (flags & BPF_F_NO_PREALLOC) { /* storage maps describe their key and value */
        btf = btf__new_empty();
        opts.btf_key_type_id = (uint32_t)btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
        opts.btf_value_type_id = opts.btf_key_type_id;
        opts.btf_fd = (uint32_t)(btf__load_into_kernel(btf) < 0 ? 0 : btf__fd(btf));
    }
    _cleanup_close_ int fd = bpf_map_create(type, "skep_probe", key, value, n, &opts);
    int e = errno;
    btf__free(btf);
    return fd >= 0 ? true : refuse_errno(p, "the map cannot be made", e);
}

static bool probe_ringbuf(struct probe *p)
{
    return map_works(p, BPF_MAP_TYPE_RINGBUF, 0, 0, (uint32_t)sysconf(_SC_PAGESIZE), 0);
}

static bool probe_task_storage(struct probe *p)
{
    return map_works(p, BPF_MAP_TYPE_TASK_STORAGE, 4, 4, 0, BPF_F_NO_PREALLOC);
}

static bool probe_socket_storage(struct probe *p)
{
    return map_works(p, BPF_MAP_TYPE_SK_STORAGE, 4, 4, 0, BPF_F_NO_PREALLOC);
}

/* ---- hooks ---- */

static bool probe_raw_tracepoint(struct probe *p)
{
    _cleanup_close_ int prog = load(BPF_PROG_TYPE_RAW_TRACEPOINT, nothing, ARRAY_SIZE(nothing), NULL);
    if (prog < 0)
        return refuse_errno(p, "not loaded", -prog);
    _cleanup_close_ int link = bpf_raw_tracepoint_open("sys_exit", prog);
    return link >= 0 ? true : refuse_errno(p, "loaded, but not attached", errno);
}

static int find_type(const struct probe *p, const char *name, uint32_t kind)
{
    return p->btf ? btf__find_by_name_kind(p->btf, name, kind) : -ENOENT;
}

/* Loads a program that is tied to a type of the kernel, and attaches it. */
static bool attach_typed(struct probe *p, enum bpf_prog_type type, enum bpf_attach_type attach,
                         const char *name, uint32_t kind, const char *what)
{
    int id = find_type(p, name, kind);
    if (id < 0)
        return refuse(p, "this kernel has no %s", name);
    LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach, .attach_btf_id = (uint32_t)id);
    _cleanup_close_ int prog = load(type, nothing, ARRAY_SIZE(nothing), &opts);
    if (prog == -EPERM && p->refused)
        return refuse_errno(p, "not loaded", -prog);
    if (prog == -EPERM)
        return refuse(p, "this kernel refuses %s programs", what);
    if (prog < 0)
        return refuse_errno(p, "not loaded", -prog);
    _cleanup_close_ int link = bpf_raw_tracepoint_open(NULL, prog);
    return link >= 0 ? true : refuse_errno(p, "loaded, but not attached", errno);
}

static bool probe_tp_btf(struct probe *p)
{
    return attach_typed(p, BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "btf_trace_sys_exit", BTF_KIND_TYPEDEF,
                        "tp_btf");
}

static bool probe_fentry(struct probe *p)
{
    return attach_typed(p, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "bpf_fentry_test1", BTF_KIND_FUNC,
                        "fentry");
}

/* Why BPF LSM does not work, as far as the kernel tells. */
static void explain_lsm(struct probe *p)
{
    char list[256];
    bool listed = read_line("/sys/kernel/security/lsm", list, sizeof(list));
    if (p->refused)
        return;
    if (p->btf && find_type(p, "bpf_lsm_file_open", BTF_KIND_FUNC) < 0) {
        p->f->cure = "use a kernel built with CONFIG_BPF_LSM";
        refuse(p, "BPF LSM is not built in");
    } else if (listed && !strstr(list, "bpf")) {
        refuse(p, "BPF LSM is built in but not in lsm= (active: %s)", list);
    } else if (!listed) {
        p->f->cure =
            "boot with bpf in the list lsm=, on a kernel that allows programs of this type; mount -t securityfs "
            "none /sys/kernel/security lets the list be seen";
    } else {
        p->f->cure = "use a kernel that allows programs of this type: it is built in and active here";
    }
}

static bool probe_lsm(struct probe *p)
{
    if (attach_typed(p, BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bpf_lsm_file_open", BTF_KIND_FUNC, "lsm")) {
        char list[256];
        /* without it in the list the program loads and is never called */
        if (!read_line("/sys/kernel/security/lsm", list, sizeof(list)) || strstr(list, "bpf"))
            return true;
        explain_lsm(p);
        return false;
    }
    explain_lsm(p);
    return false;
}

static bool probe_kprobe(struct probe *p)
{
    char line[32];
    if (!read_line("/sys/bus/event_source/devices/kprobe/type", line, sizeof(line)))
        return refuse(p, "this kernel has no kprobes");
    struct perf_event_attr attr = {
        .type = (uint32_t)atoi(line),
        .size = sizeof(attr),
        .kprobe_func = (uintptr_t) "do_exit",
    };
    _cleanup_close_ int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
    return fd >= 0 ? true : refuse_errno(p, "not attached", errno);
}

static bool probe_send_signal(struct probe *p)
{
    static const struct bpf_insn insns[] = {MOV(BPF_REG_1, 0), CALL(BPF_FUNC_send_signal), MOV(BPF_REG_0, 0),
                                            EXIT()};
    _cleanup_close_ int prog = load(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, ARRAY_SIZE(insns), NULL);
    return prog >= 0 ? true : refuse_errno(p, "not loaded", -prog);
}

static bool iterator_works(struct probe *p, uint32_t flags)
{
    int id = find_type(p, "bpf_iter_task", BTF_KIND_FUNC);
    if (id < 0)
        return refuse(p, "this kernel has no iterator over tasks");
    LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER,
                .attach_btf_id = (uint32_t)id, .prog_flags = flags);
    _cleanup_close_ int prog = load(BPF_PROG_TYPE_TRACING, nothing, ARRAY_SIZE(nothing), &opts);
    return prog >= 0 ? true : refuse_errno(p, "not loaded", -prog);
}

static bool probe_iterator(struct probe *p)
{
    return iterator_works(p, 0);
}

static bool probe_sleepable_iterator(struct probe *p)
{
    return iterator_works(p, BPF_F_SLEEPABLE);
}

static bool probe_bpf_loop(struct probe *p)
{
    if (p->refused) /* libbpf would take the refusal for the helper being there */
        return refuse_errno(p, "cannot be tried", p->refused);
    return libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop, NULL) == 1
               ? true
               : refuse(p, "this kernel does not have the helper");
}

static bool probe_rdonly_cast(struct probe *p)
{
    return find_type(p, "bpf_rdonly_cast", BTF_KIND_FUNC) >= 0
               ? true
               : refuse(p, "this kernel does not have the function");
}

static bool probe_cgroup2(struct probe *p)
{
    _cleanup_fclose_ FILE *f = fopen("/proc/filesystems", "re");
    char line[128];
    while (f && fgets(line, sizeof(line), f))
        if (strstr(line, "\tcgroup2\n"))
            return true;
    return refuse(p, "this kernel has no cgroup2");
}

static bool type_works(struct probe *p, enum bpf_prog_type type)
{
    _cleanup_close_ int prog = load(type, nothing, ARRAY_SIZE(nothing), NULL);
    return prog >= 0 ? true : refuse_errno(p, "not loaded", -prog);
}

static bool probe_xdp(struct probe *p)
{
    return type_works(p, BPF_PROG_TYPE_XDP);
}

static bool probe_sched_cls(struct probe *p)
{
    return type_works(p, BPF_PROG_TYPE_SCHED_CLS);
}

static const struct {
    const char *name, *doc, *cure;
    bool (*probe)(struct probe *p);
} table[SKEP_FEATURE_MAX] = {
#define SKEP_FEATURE(name, doc, cure) [SKEP_FEATURE_##name] = {#name, doc, cure, probe_##name},
#include "load/features.def"
#undef SKEP_FEATURE
};

static int say_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
    (void)level;
    (void)fmt;
    (void)ap;
    return 0;
}

void skep_features_probe(struct skep_feature ret[SKEP_FEATURE_MAX])
{
    libbpf_print_fn_t before = libbpf_set_print(say_nothing);
    struct probe p = {.btf = btf__load_vmlinux_btf()};
    if (libbpf_get_error(p.btf))
        p.btf = NULL;
    for (size_t i = 0; i < SKEP_FEATURE_MAX; i++) {
        ret[i] = (struct skep_feature){.name = table[i].name, .doc = table[i].doc, .cure = table[i].cure};
        p.f = &ret[i];
        ret[i].works = table[i].probe(&p);
    }
    btf__free(p.btf);
    libbpf_set_print(before);
}
