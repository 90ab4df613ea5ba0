/* SPDX-License-Identifier: Apache-2.0 */
#include "load/object.h"

#include "base/log.h"
#include "base/thread.h"
#include "load/types.h"

#include "skep.skel.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/stat.h>

#define PARTS_MAX 2     /* of programs that are loaded at one time: each takes some 15 MiB meanwhile */
#define PART_PROGRAMS 8 /* fewer are not worth what opening an object costs */
#define LOG_SIZE (1 << 18)

SKEP_DEFINE_CLEANUP(struct skep_bpf, skep_bpf__destroy)
#define _cleanup_object_ SKEP_CLEANUP(skep_bpf__destroyp)

struct part {
    const struct skep_kernel *kernel;
    struct skep_plan_row *rows[SKEP_PLAN_MAX]; /* what it loads; nobody else touches them meanwhile */
    size_t n_rows;
    pthread_t thread;
    bool in_thread;
    char *log;            /* the verifier's */
    struct skep_bpf *bpf; /* NULL: none of its programs was accepted */
    int result;
    char reason[256];
};

struct skep_loading {
    struct part parts[PARTS_MAX];
    size_t n;
};

/* ---- what libbpf says while it loads: which program failed, and why ---- */

/* libbpf knows one print function for the whole process, which it calls in the thread that loads. */
static _Thread_local char said_program[64];

static int listen(enum libbpf_print_level level, const char *fmt, va_list ap)
{
    char line[4096];
    if (level > LIBBPF_WARN) /* there are thousands */
        return 0;
    vsnprintf(line, sizeof(line), fmt, ap);
    skep_debug("%.*s", (int)strcspn(line, "\n"), line); /* it says whose it is */
    if (sscanf(line, "libbpf: prog '%63[^']': BPF program load failed", said_program) < 1)
        sscanf(line, "libbpf: prog '%63[^']': failed to", said_program);
    return 0;
}

libbpf_print_fn_t skep_object_listen(void)
{
    return libbpf_set_print(listen);
}

void skep_kernel_complaint(const char *log, char *ret, size_t size)
{
    const char *best = log, *line = log;
    while (*line) {
        size_t n = strcspn(line, "\n");
        if (n && !skep_startswith(line, "processed ") && !skep_startswith(line, "verification time") &&
            !skep_startswith(line, "stack depth"))
            best = line;
        line += n + (line[n] == '\n');
    }
    snprintf(ret, size, "%.*s", (int)strcspn(best, "\n"), best);
}

static void refuse_trampoline(struct skep_plan_row *row)
{
    skep_plan_fail(row, "this kernel refuses %.*s programs", (int)strcspn(row->info.section, "/"),
                   row->info.section);
}

static void explain_refusal(struct skep_plan_row *row, int error, const char *log)
{
    char complaint[160] = "";
    skep_kernel_complaint(log, complaint, sizeof(complaint));
    if (skep_plan_needs_trampoline(row) && error == -EPERM && !*log)
        refuse_trampoline(row);
    else if (error == -ESRCH || error == -ENOENT)
        skep_plan_fail(row, "this kernel has no %s", row->info.section);
    else if (*complaint)
        skep_plan_fail(row, "refused by the verifier: %s", complaint);
    else
        skep_plan_fail(row, "not loaded: %s", strerror(-error));
    skep_debug("%s: %s", row->info.name, row->info.reason);
}

/* ---- the names in the kernel's BTF, searched as text: cheaper than parsing 5 MB for a yes or no ---- */

static int btf_read(struct skep_kernel *k)
{
    _cleanup_close_ int fd = open(SKEP_BTF_PATH, O_RDONLY | O_CLOEXEC);
    struct btf_header head;
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (pread(fd, &head, sizeof(head), 0) != sizeof(head) || head.magic != BTF_MAGIC ||
        (uint64_t)head.hdr_len + head.str_off + head.str_len > (uint64_t)st.st_size)
        return -EBADMSG;
    k->btf = malloc(MAX(head.str_len, 1u));
    off_t at = (off_t)head.hdr_len + head.str_off;
    ssize_t n;
    while (k->btf && k->btf_len < head.str_len &&
           (n = pread(fd, k->btf + k->btf_len, head.str_len - k->btf_len, at + (off_t)k->btf_len)) > 0)
        k->btf_len += (size_t)n;
    return k->btf ? 0 : -ENOMEM;
}

static void btf_forget(struct skep_kernel *k)
{
    free(TAKE_PTR(k->btf));
    k->btf_len = 0;
}

static bool btf_has(const struct skep_kernel *k, const char *name)
{
    return memmem(k->btf, k->btf_len, name, strlen(name) + 1);
}

/* ---- the first object: its maps ---- */

static int set_sizes(const struct skep_kernel *k, struct skep_bpf *bpf)
{
    int r = bpf_map__set_max_entries(bpf->maps.skep_life, (uint32_t)k->life_bytes);
    if (r >= 0)
        r = bpf_map__set_max_entries(bpf->maps.skep_data, (uint32_t)k->n_cpus);
    if (r >= 0)
        r = bpf_map__set_max_entries(bpf->maps.skep_scratch, (uint32_t)k->n_cpus * SKEP_SCRATCH_SLOTS);
    if (r >= 0)
        r = bpf_map__set_max_entries(bpf->maps.skep_helds, skep_kernel_held_places(k));
    return r;
}

/* Where each program of the plan hooks in. */
static void read_sections(struct skep_kernel *k, const struct bpf_object *obj)
{
    struct bpf_program *prog;
    bpf_object__for_each_program(prog, obj)
    {
        struct skep_plan_row *row = skep_plan_find(&k->plan, bpf_program__name(prog));
        bpf_program__set_autoload(prog, false);
        if (row)
            snprintf(row->info.section, sizeof(row->info.section), "%s", bpf_program__section_name(prog));
    }
}

/* Without it libbpf takes longer, no more. */
static void cut_types(struct skep_kernel *k)
{
    struct btf *kernel = skep_types_in_modules() ? NULL : btf__load_vmlinux_btf();
    if (!kernel || libbpf_get_error(kernel))
        return;
    int r = skep_types_cut(kernel, bpf_object__btf(k->bpf->obj), &k->types_fd);
    if (r < 0)
        skep_debug("types of the kernel: %s", strerror(-r));
    btf__free(kernel);
}

int skep_object_open(struct skep_kernel *k, char *ret_reason, size_t reason_size)
{
    int r = btf_read(k);
    if (r < 0)
        return r;
    _cleanup_object_ struct skep_bpf *bpf = skep_bpf__open();
    if (!bpf)
        return -errno;
    bpf->rodata->skep_has_rdonly_cast = btf_has(k, "bpf_rdonly_cast");
    bpf->rodata->skep_has_task_from_vpid = btf_has(k, "bpf_task_from_vpid");
    bpf->rodata->skep_has_task_from_pid = btf_has(k, "bpf_task_from_pid");
    r = set_sizes(k, bpf);
    if (r < 0)
        return r;
    read_sections(k, bpf->obj);
    r = skep_bpf__load(bpf);
    if (r < 0) {
        snprintf(ret_reason, reason_size, "cannot make the maps of the sensors: %s", strerror(-r));
        return r;
    }
    k->bpf = TAKE_PTR(bpf);
    cut_types(k);
    return 0;
}

/* ---- a part of the programs, in an object of its own ---- */

/* Variables included. */
static int share_maps(const struct skep_kernel *k, struct skep_bpf *bpf)
{
    struct bpf_map *map;
    bpf_object__for_each_map(map, bpf->obj)
    {
        int fd = bpf_object__find_map_fd_by_name(k->bpf->obj, bpf_map__name(map));
        int r = fd < 0 ? fd : bpf_map__reuse_fd(map, fd);
        if (r < 0)
            return r;
    }
    return 0;
}

/* How many programs are to be loaded. */
static size_t part_choose(struct part *p, const struct skep_bpf *bpf)
{
    struct bpf_program *prog;
    size_t n = 0;
    bpf_object__for_each_program(prog, bpf->obj) bpf_program__set_autoload(prog, false);
    for (size_t i = 0; i < p->n_rows; i++) {
        struct skep_plan_row *row = p->rows[i];
        if (row->info.state != SKEP_PROGRAM_LOADED)
            continue;
        row->prog = bpf_object__find_program_by_name(bpf->obj, row->info.name);
        if (!row->prog) {
            skep_plan_fail(row, "not in this build");
            continue;
        }
        bpf_program__set_autoload(row->prog, true);
        bpf_program__set_log_buf(row->prog, p->log, LOG_SIZE);
        n++;
    }
    return n;
}

static struct skep_plan_row *part_find(const struct part *p, const char *program)
{
    for (size_t i = 0; i < p->n_rows; i++)
        if (skep_streq(p->rows[i]->info.name, program))
            return p->rows[i];
    return NULL;
}

/* On the refusal of one program notes the reason and gives -EAGAIN. */
static int part_try(struct part *p)
{
    char types[64];
    snprintf(types, sizeof(types), "/proc/self/fd/%d", p->kernel->types_fd);
    LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = p->kernel->types_fd < 0 ? NULL : types);
    _cleanup_object_ struct skep_bpf *bpf = skep_bpf__open_opts(&opts);
    if (!bpf)
        return -errno;
    int r = share_maps(p->kernel, bpf);
    if (r < 0 || part_choose(p, bpf) == 0)
        return r;
    p->log[0] = said_program[0] = '\0';
    r = skep_bpf__load(bpf);
    if (r >= 0) {
        p->bpf = TAKE_PTR(bpf);
        return 0;
    }
    struct skep_plan_row *row = part_find(p, said_program);
    if (!row) {
        snprintf(p->reason, sizeof(p->reason), "cannot load the BPF object: %s", strerror(-r));
        return r;
    }
    explain_refusal(row, r, p->log);
    return -EAGAIN;
}

static void read_program_info(struct skep_plan_row *row)
{
    struct bpf_prog_info info = {0};
    uint32_t len = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(row->prog), &info, &len) < 0)
        return;
    row->info.id = info.id;
    row->info.verified_insns = info.verified_insns;
    row->info.xlated_bytes = info.xlated_prog_len;
    row->info.jited_bytes = info.jited_prog_len;
}

/* As far as the kernel goes along; what it refuses the plan does without. */
static void *part_load(void *data)
{
    struct part *p = data;
    p->log = calloc(1, LOG_SIZE);
    p->result = p->log ? -EAGAIN : -ENOMEM;
    for (size_t i = 0; p->result == -EAGAIN && i <= p->n_rows; i++)
        p->result = part_try(p);
    for (size_t i = 0; i < p->n_rows; i++) {
        struct skep_plan_row *row = p->rows[i];
        row->resident = p->bpf && row->info.state == SKEP_PROGRAM_LOADED;
        if (!row->resident) {
            row->prog = NULL; /* of an object that is gone */
            continue;
        }
        bpf_program__set_log_buf(row->prog, NULL, 0); /* the buffer goes away */
        read_program_info(row);
    }
    free(TAKE_PTR(p->log));
    return NULL;
}

/* ---- all that is missing ---- */

static void miss_tracepoints(struct skep_kernel *k)
{
    for (size_t i = 0; i < k->plan.n; i++) {
        struct skep_plan_row *row = &k->plan.rows[i];
        const char *tp = skep_startswith(row->info.section, "tp_btf/");
        char name[96];
        if (!tp || !row->wanted || row->resident || row->info.state == SKEP_PROGRAM_FAILED)
            continue;
        snprintf(name, sizeof(name), "btf_trace_%s", tp);
        if (!btf_has(k, name))
            skep_plan_fail(row, "this kernel has no tracepoint %s", tp);
    }
}

/* A kernel that refuses trampolines does so before it looks at the program; one that does not complains of its type. */
static bool trampolines_refused(void)
{
    static const struct bpf_insn nothing[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
                                              {.code = BPF_JMP | BPF_EXIT}};
    LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY, .attach_btf_id = 1);
    _cleanup_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "skep_probe", "Dual BSD/GPL", nothing,
                                           ARRAY_SIZE(nothing), &opts);
    return fd == -EPERM;
}

/* Asked once, and before: each program that is refused costs opening the object again. */
static void miss_trampolines(struct skep_kernel *k)
{
    bool wanted = false;
    for (size_t i = 0; i < k->plan.n; i++)
        wanted |= skep_object_missing(&k->plan.rows[i]) && skep_plan_needs_trampoline(&k->plan.rows[i]);
    if (!wanted || !trampolines_refused())
        return;
    for (size_t i = 0; i < k->plan.n; i++)
        if (skep_plan_needs_trampoline(&k->plan.rows[i]))
            refuse_trampoline(&k->plan.rows[i]);
    skep_plan_choose(&k->plan);
}

bool skep_object_missing(const struct skep_plan_row *row)
{
    return row->info.state == SKEP_PROGRAM_LOADED && !row->resident;
}

static size_t processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : (size_t)CPU_COUNT(&set);
}

/* What stands side by side in the plan uses the same types, which a part looks up but once: so the parts are stretches
 * of it, of about the same number of instructions. */
static void split(struct skep_kernel *k, struct skep_loading *l)
{
    size_t n = 0, total = 0, sum = 0, weight[SKEP_PLAN_MAX] = {0};
    for (size_t i = 0; i < k->plan.n; i++) {
        if (!skep_object_missing(&k->plan.rows[i]))
            continue;
        struct bpf_program *prog = bpf_object__find_program_by_name(k->bpf->obj, k->plan.rows[i].info.name);
        weight[i] = 1 + (prog ? bpf_program__insn_cnt(prog) : 0);
        total += weight[i];
        n++;
    }
    l->n = MAX(MIN(MIN(processors(), (size_t)PARTS_MAX), n / PART_PROGRAMS), (size_t)1);
    for (size_t i = 0; i < k->plan.n; i++) {
        if (!weight[i])
            continue;
        struct part *p = &l->parts[MIN((sum + weight[i] / 2) * l->n / total, l->n - 1)];
        p->rows[p->n_rows++] = &k->plan.rows[i];
        sum += weight[i];
    }
}

int skep_object_begin(struct skep_kernel *k)
{
    bool missing = false;
    skep_plan_choose(&k->plan);
    for (size_t i = 0; i < k->plan.n; i++)
        missing |= skep_object_missing(&k->plan.rows[i]);
    if (!missing)
        return 0;
    int r = k->btf ? 0 : btf_read(k);
    if (r < 0)
        return r;
    miss_tracepoints(k);
    skep_plan_choose(&k->plan);
    miss_trampolines(k);
    btf_forget(k);
    struct skep_loading *l = calloc(1, sizeof(*l));
    struct skep_bpf **parts = reallocarray(k->parts, k->n_parts + PARTS_MAX, sizeof(*parts));
    k->parts = parts ? parts : k->parts;
    if (!l || !parts) {
        free(l);
        return -ENOMEM;
    }
    split(k, l);
    for (size_t i = 0; i < l->n; i++) {
        struct part *p = &l->parts[i];
        p->kernel = k;
        p->in_thread = p->n_rows && skep_thread_start(&p->thread, "skep-load", part_load, p) >= 0;
    }
    k->loading = l;
    return 0;
}

/* -EAGAIN: something was refused, and another implementation may do. */
static int join(struct skep_kernel *k, char *ret_reason, size_t reason_size)
{
    struct skep_loading *l = TAKE_PTR(k->loading);
    int r = 0;
    if (!l)
        return 0;
    for (size_t i = 0; i < l->n; i++) {
        struct part *p = &l->parts[i];
        if (p->in_thread)
            pthread_join(p->thread, NULL);
        else if (p->n_rows)
            part_load(p);
        if (p->bpf)
            k->parts[k->n_parts++] = p->bpf;
        if (p->result < 0 && r >= 0) {
            r = p->result;
            snprintf(ret_reason, reason_size, "%s", p->reason);
        }
    }
    free(l);
    return r;
}

int skep_object_end(struct skep_kernel *k, char *ret_reason, size_t reason_size)
{
    int r = join(k, ret_reason, reason_size);
    for (size_t i = 0; r >= 0 && i < SKEP_PLAN_MAX; i++) {
        r = skep_object_begin(k); /* other implementations of what was refused */
        if (r < 0 || !k->loading)
            break;
        r = join(k, ret_reason, reason_size);
    }
    return r;
}

void skep_object_close(struct skep_kernel *k)
{
    char reason[256];
    join(k, reason, sizeof(reason));
    for (size_t i = 0; i < k->n_parts; i++)
        skep_bpf__destroy(k->parts[i]);
    free(TAKE_PTR(k->parts));
    k->n_parts = 0;
    skep_bpf__destroy(TAKE_PTR(k->bpf));
    k->types_fd = skep_fd_close(k->types_fd);
    btf_forget(k);
}
