/* SPDX-License-Identifier: Apache-2.0 */
#include "load/kernel.h"

#include "base/pidns.h"
#include "load/object.h"

#include "skep.skel.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/syscall.h>

#define DEFAULT_DATA_BYTES (8UL << 20)
#define DEFAULT_LIFE_BYTES (4UL << 20)
#define MIN_RING_BYTES (512UL << 10)
#define MAX_RING_BYTES (1UL << 30)

struct bpf_object *skep_kernel_object(const struct skep_kernel *k)
{
    return k->bpf->obj;
}

/* ---- open ---- */

uint32_t skep_kernel_held_places(const struct skep_kernel *k)
{
    return k->selection.kinds[SKEP_KIND_uring_done] ? SKEP_HELD_MANY : SKEP_HELD_FEW;
}

static void configure(struct skep_kernel *k)
{
    volatile struct skep_config *c = &k->bpf->bss->skep_cfg;
    const struct skep_kernel_options *o = &k->options;
    for (size_t i = 0; i < skep_syscalls_n(); i++) {
        const struct skep_syscall *s = skep_syscalls_at(i);
        c->kind[s->index] = s->kind;
        c->form[s->index] = s->form;
    }
    c->scope = o->scope;
    c->uid = o->uid;
    for (size_t i = 0; i < SKEP_COMM_LEN; i++)
        c->comm[i] = o->comm[i];
    c->self = skep_pidns_self();
    c->host_pid_ns = o->host_pid_ns;
    c->host_mnt_ns = o->host_mnt_ns;
    c->n_cpus = (uint32_t)k->n_cpus;
    c->wakeup_bytes = MIN(k->data_bytes, k->life_bytes) / 4;
    c->held_places = skep_kernel_held_places(k);
}

static size_t ring_size(size_t wanted)
{
    size_t size = MIN_RING_BYTES;
    while (size * 2 <= wanted && size < MAX_RING_BYTES)
        size *= 2;
    return size;
}

/* Tells what is missing before libbpf stumbles over it. */
static int check_ground(char *ret_reason, size_t reason_size)
{
    union bpf_attr attr = {0};
    if (access("/proc/self/stat", R_OK) < 0) {
        snprintf(ret_reason, reason_size, "there is no /proc, or it shows other processes: mount one");
        return -ENOENT;
    }
    if (access(SKEP_BTF_PATH, R_OK) < 0) {
        snprintf(
            ret_reason, reason_size,
            "this kernel has no type information (%s): a kernel built with CONFIG_DEBUG_INFO_BTF is needed",
            SKEP_BTF_PATH);
        return -ENOENT;
    }
    if (syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)) < 0 && errno != ENOENT) {
        if (errno == ENOSYS)
            snprintf(ret_reason, reason_size, "this kernel has no bpf(2): CONFIG_BPF_SYSCALL is needed");
        else
            snprintf(
                ret_reason, reason_size,
                geteuid() == 0
                    ? "bpf(2) is refused although we are root: CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN are needed "
                      "(in a container: run it privileged)"
                    : "not root: run with sudo, or give CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN");
        return -EPERM;
    }
    return 0;
}

/* The rings are made while the programs are loaded: putting one into its place waits for a grace period. */
static int load(struct skep_kernel *k, char *ret_reason, size_t reason_size)
{
    int r = skep_object_open(k, ret_reason, reason_size);
    if (r < 0)
        return r;
    r = skep_object_begin(k);
    if (r < 0)
        return r;
    configure(k);
    r = skep_stream_open(k);
    int loaded = skep_object_end(k, ret_reason, reason_size);
    return r < 0 ? r : loaded;
}

int skep_kernel_open(const struct skep_kernel_options *o, struct skep_kernel **ret, char *ret_reason,
                     size_t reason_size)
{
    ret_reason[0] = '\0';
    int r = check_ground(ret_reason, reason_size);
    if (r < 0)
        return r;
    _cleanup_kernel_ struct skep_kernel *k = calloc(1, sizeof(*k));
    if (!k)
        return -ENOMEM;
    k->options = *o;
    k->epoll_fd = k->cgroup_fd = k->types_fd = -1;
    k->n_cpus = libbpf_num_possible_cpus();
    if (k->n_cpus < 1 || k->n_cpus > SKEP_MAX_CPUS) {
        snprintf(ret_reason, reason_size, "this machine has %d CPUs; at most %d are supported", k->n_cpus,
                 SKEP_MAX_CPUS);
        return -EOPNOTSUPP;
    }
    if (o->data_bytes > MAX_RING_BYTES * (size_t)k->n_cpus) {
        snprintf(ret_reason, reason_size,
                 "--memory: rings of %zu bytes cannot be: at most %d GiB, one for each processor",
                 o->data_bytes, k->n_cpus);
        return -EINVAL;
    }
    k->life_bytes = ring_size(o->life_bytes ? o->life_bytes : DEFAULT_LIFE_BYTES);
    k->data_bytes = ring_size((o->data_bytes ? o->data_bytes : DEFAULT_DATA_BYTES) / (size_t)k->n_cpus);
    libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
    libbpf_print_fn_t before = skep_object_listen();
    if (o->selection)
        k->selection = *o->selection;
    else
        memcpy(k->selection.kinds, o->wanted, sizeof(o->wanted));
    k->options.selection = NULL; /* it need not live as long as we do */
    skep_plan_init(&k->plan);
    skep_plan_want(&k->plan, &k->selection);
    for (size_t i = 0; o->snapshot_only && i < k->plan.n; i++)
        k->plan.rows[i].wanted = k->plan.rows[i].attach == SKEP_ATTACH_ITER;
    r = load(k, ret_reason, reason_size);
    libbpf_set_print(before);
    if (r < 0) {
        if (!*ret_reason)
            snprintf(ret_reason, reason_size, "cannot set up the sensors: %s", strerror(-r));
        return r;
    }
    *ret = TAKE_PTR(k);
    return 0;
}

/* ---- attach ---- */

/* The root of the cgroup2 tree: where it is mounted, or a mount of our own that nobody else sees. */
static int open_cgroup_root(void)
{
    _cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
    char line[4096], root[2048], point[2048];
    while (f && fgets(line, sizeof(line), f)) {
        if (!strstr(line, " - cgroup2 ") || sscanf(line, "%*s %*s %*s %2047s %2047s", root, point) != 2 ||
            !skep_streq(root, "/"))
            continue;
        int fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
            return fd;
    }
    _cleanup_close_ int ctx = (int)syscall(SYS_fsopen, "cgroup2", 1 /* FSOPEN_CLOEXEC */);
    if (ctx < 0 || syscall(SYS_fsconfig, ctx, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) < 0)
        return -errno;
    _cleanup_close_ int mnt = (int)syscall(SYS_fsmount, ctx, 1 /* FSMOUNT_CLOEXEC */, 0);
    if (mnt < 0)
        return -errno;
    int fd = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int attach_row(struct skep_kernel *k, struct skep_plan_row *row)
{
    if (row->attach == SKEP_ATTACH_CGROUP) {
        if (k->cgroup_fd < 0)
            k->cgroup_fd = open_cgroup_root();
        if (k->cgroup_fd < 0) {
            skep_plan_fail(row, "there is no cgroup2 tree to attach to: %s", strerror(-k->cgroup_fd));
            return k->cgroup_fd;
        }
        row->link = bpf_program__attach_cgroup(row->prog, k->cgroup_fd);
    } else {
        row->link = bpf_program__attach(row->prog);
    }
    if (!row->link) {
        int r = -errno;
        skep_plan_fail(row, "loaded, but not attached to %s: %s", row->info.section, strerror(-r));
        return r;
    }
    row->info.state = SKEP_PROGRAM_ATTACHED;
    return 0;
}

/* Lets the iterator walk to its end; what it has to say it leaves in maps. */
static void run_once(struct skep_plan_row *row)
{
    char nothing[64];
    struct bpf_link *link = bpf_program__attach_iter(row->prog, NULL);
    _cleanup_close_ int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -errno;
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 || (n < 0 && fd >= 0 && (errno == EINTR || errno == EAGAIN)))
        n = read(fd, nothing, sizeof(nothing));
    if (n < 0)
        skep_plan_fail(row, "loaded, but %s did not run: %s", row->info.section, strerror(errno));
    else
        row->info.state = SKEP_PROGRAM_ATTACHED;
    bpf_link__destroy(link);
}

/* Handlers that did not load stay 0. */
static void enable_syscalls(struct skep_kernel *k, const struct skep_selection *s)
{
    volatile struct skep_config *c = &k->bpf->bss->skep_cfg;
    uint8_t handler[2 * SKEP_SYSCALL_MAX] = {0}, without[2 * SKEP_SYSCALL_MAX] = {0};
    bool there[SKEP_HANDLER_MAX] = {false};
    for (size_t i = 0; i < k->plan.n; i++)
        if (k->plan.rows[i].handler && k->plan.rows[i].info.state == SKEP_PROGRAM_ATTACHED)
            there[k->plan.rows[i].handler] = true;
    for (size_t i = 0; i < skep_syscalls_n(); i++) {
        const struct skep_syscall *call = skep_syscalls_at(i);
        if (there[call->handler] && skep_selection_needs(s, i))
            handler[call->index] = call->handler;
        if (s->kinds[call->kind] && !skep_selection_wants(s, i))
            without[call->index] = call->kind;
    }
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        c->enabled[i] = s->kinds[i];
    for (size_t i = 0; i < 2 * SKEP_SYSCALL_MAX; i++) {
        c->without[i] = without[i];
        c->handler[i] = handler[i];
    }
}

/* Programs in an array, by number. */
static int put_program(struct bpf_map *array, uint32_t slot, const struct skep_plan_row *row)
{
    int fd = bpf_program__fd(row->prog);
    return bpf_map_update_elem(bpf_map__fd(array), &slot, &fd, BPF_ANY) < 0 ? -errno : 0;
}

static int attach_one(struct skep_kernel *k, struct skep_plan_row *row)
{
    int r = 0;
    switch (row->attach) {
    case SKEP_ATTACH_HANDLER:
        r = put_program(k->bpf->maps.skep_handlers, row->handler, row);
        break;
    case SKEP_ATTACH_FILTER:
        r = put_program(k->bpf->maps.skep_filters, SKEP_FILTER_EMIT, row);
        break;
    case SKEP_ATTACH_AUTO:
    case SKEP_ATTACH_CGROUP:
        return attach_row(k, row); /* a sensor that cannot be attached is missing, no more */
    default:                       /* when it is needed */
        return 0;
    }
    if (r >= 0)
        row->info.state = SKEP_PROGRAM_ATTACHED;
    else
        skep_plan_fail(row, "loaded, but not put into its slot: %s", strerror(-r));
    return r;
}

static void detach_one(struct skep_kernel *k, struct skep_plan_row *row)
{
    uint32_t slot = row->handler;
    if (row->attach == SKEP_ATTACH_HANDLER)
        bpf_map_delete_elem(bpf_map__fd(k->bpf->maps.skep_handlers), &slot);
    bpf_link__destroy(row->link);
    row->link = NULL;
}

/* What the plan calls loaded comes to life, and what nobody wants any more ends. */
static int attach_wanted(struct skep_kernel *k, char *ret_reason, size_t reason_size)
{
    int r = 0;
    for (size_t i = 0; r >= 0 && i < k->plan.n; i++) {
        struct skep_plan_row *row = &k->plan.rows[i];
        if (row->info.state != SKEP_PROGRAM_LOADED || attach_one(k, row) >= 0 ||
            !skep_startswith(row->info.name, "life_"))
            continue;
        snprintf(ret_reason, reason_size, "%s: %s", row->info.name, row->info.reason);
        r = -EOPNOTSUPP;
    }
    for (size_t i = 0; r >= 0 && i < k->plan.n; i++)
        if (k->plan.rows[i].info.state == SKEP_PROGRAM_LOADED && k->plan.rows[i].attach == SKEP_ATTACH_ONCE)
            run_once(&k->plan.rows[i]);
    return r;
}

int skep_kernel_enable(struct skep_kernel *k, const struct skep_selection *s, char *ret_reason,
                       size_t reason_size)
{
    libbpf_print_fn_t before = skep_object_listen();
    skep_plan_want(&k->plan, s);
    int r = skep_object_begin(k);
    if (r >= 0)
        r = skep_object_end(k, ret_reason, reason_size);
    if (r >= 0)
        r = attach_wanted(k, ret_reason, reason_size);
    libbpf_set_print(before);
    if (r < 0) { /* what is in force stays so */
        skep_plan_want(&k->plan, &k->selection);
        skep_plan_choose(&k->plan);
        return r;
    }
    enable_syscalls(k, s);
    for (size_t i = 0; i < k->plan.n; i++)
        if (k->plan.rows[i].info.state == SKEP_PROGRAM_UNUSED && k->plan.rows[i].resident)
            detach_one(k, &k->plan.rows[i]);
    k->selection = *s;
    return 0;
}

int skep_kernel_attach(struct skep_kernel *k, char *ret_reason, size_t reason_size)
{
    struct skep_selection s = k->selection;
    return skep_kernel_enable(k, &s, ret_reason, reason_size);
}

void skep_kernel_detach(struct skep_kernel *k)
{
    for (size_t i = 0; i < k->plan.n; i++) {
        struct skep_plan_row *row = &k->plan.rows[i];
        if (!row->link)
            continue;
        bpf_link__destroy(row->link);
        row->link = NULL;
        row->info.state = SKEP_PROGRAM_LOADED;
    }
}

struct skep_kernel *skep_kernel_free(struct skep_kernel *k)
{
    if (!k)
        return NULL;
    skep_swap_free(k->swap);
    skep_kernel_detach(k);
    skep_stream_close(k);
    skep_fd_close(k->cgroup_fd);
    skep_filters_free(k->filters);
    skep_object_close(k);
    free(k->programs);
    free(k);
    return NULL;
}

/* ---- numbers ---- */

int skep_kernel_track(struct skep_kernel *k, uint32_t pid)
{
    uint8_t one = 1;
    return bpf_map_update_elem(bpf_map__fd(k->bpf->maps.skep_tracked), &pid, &one, BPF_ANY) < 0 ? -errno : 0;
}

/* What was counted in the slots. */
static int add_tallies(const struct skep_kernel *k, struct skep_counters sum[SKEP_KIND_MAX])
{
    _cleanup_free_ struct skep_scratch_slot *slot = malloc(sizeof(*slot));
    int fd = bpf_map__fd(k->bpf->maps.skep_scratch);
    if (!slot)
        return -ENOMEM;
    for (uint32_t i = 0; i < (uint32_t)k->n_cpus * SKEP_SCRATCH_SLOTS; i++) {
        if (bpf_map_lookup_elem(fd, &i, slot) < 0)
            return -errno;
        for (size_t kind = 0; kind < SKEP_KIND_MAX; kind++) {
            sum[kind].seen += slot->tally[kind].seen;
            sum[kind].submitted += slot->tally[kind].submitted;
            sum[kind].filtered += slot->tally[kind].filtered;
        }
    }
    return 0;
}

int skep_kernel_counters(struct skep_kernel *k, struct skep_counters sum[SKEP_KIND_MAX])
{
    _cleanup_free_ struct skep_counters *per_cpu = calloc((size_t)k->n_cpus, sizeof(*per_cpu));
    int fd = bpf_map__fd(k->bpf->maps.skep_counters);
    if (!per_cpu)
        return -ENOMEM;
    memset(sum, 0, sizeof(*sum) * SKEP_KIND_MAX);
    for (uint32_t kind = 0; kind < SKEP_KIND_MAX; kind++) {
        if (bpf_map_lookup_elem(fd, &kind, per_cpu) < 0)
            return -errno;
        for (int cpu = 0; cpu < k->n_cpus; cpu++) {
            sum[kind].refused += per_cpu[cpu].refused;
            sum[kind].seen += per_cpu[cpu].seen + per_cpu[cpu].refused;
            sum[kind].submitted += per_cpu[cpu].submitted;
            sum[kind].filtered += per_cpu[cpu].filtered + per_cpu[cpu].refused;
            for (size_t i = 0; i < SKEP_REASON_MAX; i++)
                sum[kind].lost[i] += per_cpu[cpu].lost[i];
        }
    }
    return add_tallies(k, sum);
}

uint64_t skep_kernel_life_lost(const struct skep_kernel *k)
{
    uint64_t n = 0;
    for (int cpu = 0; cpu < k->n_cpus; cpu++)
        n += __atomic_load_n(&k->bpf->bss->skep_rings[cpu].lost, __ATOMIC_RELAXED);
    return n;
}

uint64_t skep_kernel_missed(struct skep_kernel *k)
{
    uint64_t n = 0;
    for (size_t i = 0; i < k->plan.n; i++) {
        struct bpf_prog_info info = {0};
        uint32_t len = sizeof(info);
        if (k->plan.rows[i].info.state >= SKEP_PROGRAM_LOADED &&
            bpf_obj_get_info_by_fd(bpf_program__fd(k->plan.rows[i].prog), &info, &len) == 0)
            n += info.recursion_misses;
    }
    return n;
}

const struct skep_program *skep_kernel_programs(const struct skep_kernel *k, size_t *ret_n)
{
    struct skep_kernel *cache = (struct skep_kernel *)k; /* the copy is no part of the observable state */
    if (!cache->programs)
        cache->programs = calloc(k->plan.n, sizeof(*cache->programs));
    if (!cache->programs) {
        *ret_n = 0;
        return NULL;
    }
    for (size_t i = 0; i < k->plan.n; i++)
        cache->programs[i] = k->plan.rows[i].info;
    *ret_n = k->plan.n;
    return cache->programs;
}
