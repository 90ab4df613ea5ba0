/* SPDX-License-Identifier: Apache-2.0 */
#include "load/filter.h"

#include "load/kernel_internal.h"

#include "skep.skel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <sys/mman.h>

#define LOG_SIZE (4UL << 20)
#define BATCH 4096U
#define MAPS_MAX 64 /* of one program; as the kernel counts them */
#define RECORD_SIZE (SKEP_RECORD_MAX + SKEP_PATH_MAX)

static const char *const kind_names[SKEP_KIND_MAX] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) [number] = #name,
#include "abi/events.def"
#undef SKEP_EVENT
};

/* ---- maps ---- */

struct map_set {
    int *fds;
    size_t n;
};

static void map_set_clear(struct map_set *s)
{
    for (size_t i = 0; i < s->n; i++)
        skep_fd_close(s->fds[i]);
    free(s->fds);
    *s = (struct map_set){0};
}

/* The kernel's own number for "this map cannot do that"; user space has no name for it. */
#define KERNEL_ENOTSUPP 524

static int map_fill(int fd, const struct skep_filter_map *m)
{
    const char *keys = m->keys, *values = m->values;
    uint32_t batch = BATCH;
    for (size_t at = 0; at < m->n_entries;) {
        uint32_t n = (uint32_t)MIN(m->n_entries - at, (size_t)batch);
        const char *key = keys + at * m->key_size, *value = values + at * m->value_size;
        if (batch > 1 && bpf_map_update_batch(fd, key, value, &n, NULL) < 0) {
            if (errno != KERNEL_ENOTSUPP && errno != EOPNOTSUPP && errno != EINVAL)
                return -errno;
            batch = n = 1;
        }
        if (batch == 1 && bpf_map_update_elem(fd, key, value, BPF_ANY) < 0)
            return -errno;
        at += n;
    }
    return 0;
}

/* Nobody writes to them any more: then the verifier may take the contents of arrays for constants. */
static int map_make(const struct skep_filter_map *m)
{
    LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = m->flags);
    _cleanup_close_ int fd =
        bpf_map_create(m->type, m->name, m->key_size, m->value_size, m->max_entries, &opts);
    if (fd < 0)
        return -errno;
    int r = map_fill(fd, m);
    if (r < 0)
        return r;
    if (bpf_map_freeze(fd) < 0)
        return -errno;
    return TAKE_FD(fd);
}

static int map_set_init(struct map_set *s, const struct skep_filter_map *maps, size_t n, char *ret_reason,
                        size_t reason_size)
{
    *s = (struct map_set){.fds = calloc(n ? n : 1, sizeof(int))};
    if (!s->fds)
        return -ENOMEM;
    for (; s->n < n; s->n++) {
        const struct skep_filter_map *m = &maps[s->n];
        int fd = map_make(m);
        if (fd < 0) {
            snprintf(ret_reason, reason_size, "map '%s' with %zu entries: %s", m->name, m->n_entries,
                     strerror(-fd));
            map_set_clear(s);
            return fd;
        }
        s->fds[s->n] = fd;
    }
    return 0;
}

/* ---- programs ---- */

struct load {
    const char *name;
    enum bpf_prog_type type;
    enum bpf_attach_type attach_type;
    uint32_t btf_id;
    const struct skep_filter_program *p;
    int fd_array[MAPS_MAX];
    size_t n_maps;
};

/* The descriptors that the program's numbers stand for; extra are those of the frame. */
static int load_maps(struct load *l, const struct map_set *set, const int *extra, size_t n_extra)
{
    const struct skep_filter_program *p = l->p;
    if (p->n_maps + n_extra > MAPS_MAX)
        return -E2BIG;
    for (size_t i = 0; i < p->n_maps; i++) {
        if (p->maps[i] >= set->n)
            return -EINVAL;
        l->fd_array[l->n_maps++] = set->fds[p->maps[i]];
    }
    for (size_t i = 0; i < n_extra; i++)
        l->fd_array[l->n_maps++] = extra[i];
    return 0;
}

static int load_with_log(const struct load *l, char *log, size_t log_size)
{
    LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = l->attach_type, .attach_btf_id = l->btf_id,
                .fd_array = l->fd_array, .log_level = log ? 1 : 0, .log_buf = log,
                .log_size = (uint32_t)log_size);
    int fd = bpf_prog_load(l->type, l->name, "Dual BSD/GPL", l->p->insns, l->p->n_insns, &opts);
    return fd < 0 ? -errno : fd;
}

/* What the verifier says costs time to write: it is asked only when there is something to explain. */
static int load_program(const struct load *l, char *ret_reason, size_t reason_size)
{
    int fd = load_with_log(l, NULL, 0);
    if (fd >= 0)
        return fd;
    _cleanup_free_ char *log = calloc(1, LOG_SIZE);
    if (!log)
        return -ENOMEM;
    int again = load_with_log(l, log, LOG_SIZE);
    if (again >= 0) /* want of memory, a signal: it went well now */
        return again;
    char complaint[192] = "";
    skep_kernel_complaint(log, complaint, sizeof(complaint));
    snprintf(ret_reason, reason_size, *complaint ? "refused by the verifier: %s" : "not loaded: %s",
             *complaint ? complaint : strerror(-fd));
    return fd;
}

/* ---- a set ---- */

struct filter {
    int fd; /* -1: none */
    bool late_raw_path;
    struct skep_filter_early early;
    char *reason;
};

struct skep_filters {
    struct skep_kernel *kernel;
    struct map_set maps;
    struct filter kinds[SKEP_KIND_MAX];
    uint32_t btf_id; /* of the tracepoint; 0: not looked up yet */
};

struct skep_filters *skep_filters_free(struct skep_filters *f)
{
    if (!f)
        return NULL;
    map_set_clear(&f->maps);
    for (size_t i = 0; i < SKEP_KIND_MAX; i++) {
        skep_fd_close(f->kinds[i].fd);
        free(f->kinds[i].reason);
    }
    free(f);
    return NULL;
}

int skep_filters_new(struct skep_kernel *k, const struct skep_filter_map *maps, size_t n_maps,
                     struct skep_filters **ret, char *ret_reason, size_t reason_size)
{
    _cleanup_filters_ struct skep_filters *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->kernel = k;
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        f->kinds[i].fd = -1;
    int r = map_set_init(&f->maps, maps, n_maps, ret_reason, reason_size);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(f);
    return 0;
}

/* The kernel says it of a program that is there; reading all of its type information for one number takes long. */
static uint32_t tracepoint_id(const struct skep_plan_row *emit)
{
    struct bpf_prog_info info = {0};
    uint32_t len = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(emit->prog), &info, &len) == 0 && info.attach_btf_id)
        return info.attach_btf_id;
    int id = libbpf_find_vmlinux_btf_id("sys_exit", BPF_TRACE_RAW_TP);
    return id > 0 ? (uint32_t)id : 0;
}

static bool made_by_calls(uint16_t kind)
{
    static const bool data[SKEP_KIND_MAX] = {
#define LIFE false
#define DATA true
#define SKEP_EVENT(number, name, ring, group, show, text, doc) [number] = ring,
#include "abi/events.def"
#undef SKEP_EVENT
#undef LIFE
#undef DATA
    };
    for (size_t i = 0; i < skep_syscalls_n(); i++)
        if (data[kind] && skep_syscalls_at(i)->kind == kind)
            return true;
    return false;
}

static int load_kind(struct skep_filters *f, uint16_t kind, const struct skep_filter_program *p,
                     char *ret_reason, size_t reason_size)
{
    struct skep_kernel *k = f->kernel;
    char name[32];
    struct load l = {.name = name, .type = BPF_PROG_TYPE_TRACING, .attach_type = BPF_TRACE_RAW_TP, .p = p};
    struct skep_plan_row *emit = skep_plan_find(&k->plan, "sys_emit");
    if (!made_by_calls(kind)) {
        snprintf(ret_reason, reason_size, "not made by system calls");
        return -EOPNOTSUPP;
    }
    if (!emit || !emit->resident) {
        snprintf(ret_reason, reason_size, "the sensors have no filter stage: %s",
                 emit && *emit->info.reason ? emit->info.reason : "no system call is observed");
        return -EOPNOTSUPP;
    }
    if (!f->btf_id)
        f->btf_id = tracepoint_id(emit);
    l.btf_id = f->btf_id;
    snprintf(name, sizeof(name), "skep_k_%s", kind_names[kind]);
    name[15] = '\0'; /* what the kernel has room for */
    const int extra[] = {bpf_map__fd(k->bpf->maps.skep_scratch), bpf_map__fd(k->bpf->maps.skep_counters),
                         bpf_map__fd(k->bpf->maps.skep_filters)};
    int r = load_maps(&l, &f->maps, extra, ARRAY_SIZE(extra));
    if (r < 0) {
        snprintf(ret_reason, reason_size, "its maps: %s", strerror(-r));
        return r;
    }
    return load_program(&l, ret_reason, reason_size);
}

int skep_filters_load(struct skep_filters *f, uint16_t kind, const struct skep_filter_program *p)
{
    char reason[320] = "";
    int fd = load_kind(f, kind, p, reason, sizeof(reason));
    struct filter *to = &f->kinds[kind];
    free(to->reason);
    to->reason = fd < 0 ? strdup(*reason ? reason : strerror(-fd)) : NULL;
    skep_fd_close(to->fd);
    to->fd = fd < 0 ? -1 : fd;
    to->late_raw_path = fd >= 0 && p->late_raw_path;
    return fd < 0 ? fd : 0;
}

int skep_filters_early(struct skep_filters *f, uint16_t kind, const struct skep_filter_early *e)
{
    bool has_ops = kind == SKEP_KIND_uring || kind == SKEP_KIND_uring_done, names_ops = false;
    for (size_t i = 0; i < ARRAY_SIZE(e->unwanted_ops); i++)
        names_ops |= e->unwanted_ops[i] != 0;
    if ((has_ops ? e->unwanted_ret : !made_by_calls(kind) || names_ops) ||
        (e->flags.n && kind != SKEP_KIND_open))
        return -EOPNOTSUPP;
    if (e->flags.n > SKEP_FLAG_TESTS)
        return -E2BIG;
    f->kinds[kind].early = *e;
    return 0;
}

bool skep_filters_has(const struct skep_filters *f, uint16_t kind)
{
    return f->kinds[kind].fd >= 0;
}

const char *skep_filters_reason(const struct skep_filters *f, uint16_t kind)
{
    return f->kinds[kind].reason;
}

uint32_t skep_filters_verified(const struct skep_filters *f, uint16_t kind)
{
    struct bpf_prog_info info = {0};
    uint32_t len = sizeof(info);
    if (f->kinds[kind].fd < 0 || bpf_obj_get_info_by_fd(f->kinds[kind].fd, &info, &len) < 0)
        return 0;
    return info.verified_insns;
}

/* A sensor may look at any moment: n is 0 while the tests change. */
static void set_flag_tests(volatile struct skep_flag_tests *to, const struct skep_flag_tests *from)
{
    to->n = 0;
    for (size_t i = 0; from && i < from->n; i++) {
        to->test[i].mask = from->test[i].mask;
        to->test[i].value = from->test[i].value;
    }
    if (from)
        to->n = from->n;
}

static void set_unwanted_ops(volatile __u64 to[SKEP_URING_OPS / 64], const struct skep_filters *f,
                             uint16_t kind)
{
    for (size_t i = 0; i < SKEP_URING_OPS / 64; i++)
        to[i] = f ? f->kinds[kind].early.unwanted_ops[i] : 0;
}

static void install_early(struct skep_kernel *k, const struct skep_filters *f)
{
    volatile struct skep_config *c = &k->bpf->bss->skep_cfg;
    const struct filter *open = f ? &f->kinds[SKEP_KIND_open] : NULL;
    for (size_t kind = 0; kind < SKEP_KIND_MAX; kind++)
        c->unwanted_ret[kind] = f ? f->kinds[kind].early.unwanted_ret : 0;
    set_unwanted_ops(c->uring_unwanted, f, SKEP_KIND_uring);
    set_unwanted_ops(c->uring_done_unwanted, f, SKEP_KIND_uring_done);
    set_flag_tests(&c->open_flags, open ? &open->early.flags : NULL);
    c->late_raw_path = open && open->late_raw_path;
}

/* The program is in its slot before the sensors are told to look there, and stays until they no longer are. */
int skep_kernel_install(struct skep_kernel *k, const struct skep_filters *f)
{
    volatile struct skep_config *c = &k->bpf->bss->skep_cfg;
    int array = bpf_map__fd(k->bpf->maps.skep_filters);
    install_early(k, f);
    for (uint32_t kind = SKEP_FILTER_EMIT + 1; kind < SKEP_KIND_MAX; kind++) {
        int fd = f ? f->kinds[kind].fd : -1;
        if (fd >= 0) {
            if (bpf_map_update_elem(array, &kind, &fd, BPF_ANY) < 0)
                return -errno;
            c->filtered[kind] = 1;
        } else if (c->filtered[kind]) {
            c->filtered[kind] = 0;
            if (bpf_map_delete_elem(array, &kind) < 0 && errno != ENOENT)
                return -errno;
        }
    }
    return 0;
}

/* ---- tests ---- */

struct skep_filter_test {
    struct map_set maps;
    int record_fd, prog_fd;
    void *record; /* mapped */
};

struct skep_filter_test *skep_filter_test_free(struct skep_filter_test *t)
{
    if (!t)
        return NULL;
    if (t->record)
        munmap(t->record, RECORD_SIZE);
    skep_fd_close(t->record_fd);
    skep_fd_close(t->prog_fd);
    map_set_clear(&t->maps);
    free(t);
    return NULL;
}

int skep_filter_test_new(const struct skep_filter_map *maps, size_t n_maps,
                         const struct skep_filter_program *p, struct skep_filter_test **ret, char *ret_reason,
                         size_t reason_size)
{
    LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
    _cleanup_filter_test_ struct skep_filter_test *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->record_fd = t->prog_fd = -1;
    int r = map_set_init(&t->maps, maps, n_maps, ret_reason, reason_size);
    if (r < 0)
        return r;
    t->record_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "skep_record", 4, RECORD_SIZE, 1, &opts);
    if (t->record_fd < 0)
        return -errno;
    void *at = mmap(NULL, RECORD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, t->record_fd, 0);
    if (at == MAP_FAILED)
        return -errno;
    t->record = at;
    struct load l = {.name = "skep_k_test", .type = BPF_PROG_TYPE_RAW_TRACEPOINT, .p = p};
    r = load_maps(&l, &t->maps, &t->record_fd, 1);
    if (r < 0)
        return r;
    t->prog_fd = load_program(&l, ret_reason, reason_size);
    if (t->prog_fd < 0)
        return t->prog_fd;
    *ret = TAKE_PTR(t);
    return 0;
}

int skep_filter_test_run(struct skep_filter_test *t, const void *record, size_t size)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts);
    if (size > RECORD_SIZE)
        return -E2BIG;
    memcpy(t->record, record, size);
    memset((char *)t->record + size, 0, RECORD_SIZE - size);
    if (bpf_prog_test_run_opts(t->prog_fd, &opts) < 0)
        return -errno;
    return opts.retval != 0;
}
