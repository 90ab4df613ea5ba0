/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/live.h"

#include "agent/child.h"
#include "agent/notify.h"
#include "agent/rules/pushdown.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/pidns.h"
#include "event/resolver.h"
#include "load/swap.h"

#include <malloc.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#define TICK_NS 10000000L
#define FIRST_TICK_NS ((long)SKEP_KERNEL_LAG + 100000L)
#define STATUS_NS 500000000ULL
#define HEAL_NS 1000000000ULL  /* snapshots after a loss come at most so often */
#define SETTLE_NS 300000000ULL /* for records of sensors that were just detached */

enum source {
    FROM_KERNEL,
    FROM_TIMER,
    FROM_SIGNAL,
    FROM_CHILD,
    FROM_RESOLVER,
    FROM_OUTPUT,
    FROM_RULES,
    FROM_PUSHDOWN
};

struct live {
    const struct skep_live_options *o;
    struct skep_pipeline *p;
    struct skep_view_state *view;
    struct skep_kernel *kernel;
    struct skep_resolver *resolver;
    struct skep_child child;
    sigset_t mask_before;
    int epoll_fd, timer_fd, signal_fd;
    uint64_t began, next_status;
    uint64_t snapshot_begin, snapshot_end; /* end 0: none under way */
    bool first_snapshot_done;
    uint32_t root, command;             /* what is followed, as the sensors number it; 0: none */
    uint64_t own;                       /* records that skep itself added */
    uint64_t life_lost, heal_at;        /* heal_at 0: nothing to heal */
    struct skep_ruleset *incoming;      /* rules whose boundary is awaited */
    struct skep_ruleset *next;          /* rules that wait for those */
    struct skep_pushdown_job *pushdown; /* their filters are being loaded */
    bool swapping;                      /* to the end of the swap; the first is told of before it begins */
    bool stop;
    int status;
};

static int watch_fd(struct live *l, int fd, enum source from)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = from};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static void on_ask(void *data, const struct skep_cgroup *g)
{
    struct live *l = data;
    if (l->resolver)
        skep_resolver_ask(l->resolver, g);
}

static void on_tracked(void *data, const struct skep_proc *proc)
{
    struct live *l = data;
    int r = skep_kernel_track(l->kernel, proc->pid);
    if (r < 0)
        skep_debug("cannot follow process %u: %s", proc->pid, strerror(-r));
}

/* By nohup(1), say. Once it is blocked a signal arrives all the same. */
static bool is_ignored(int sig)
{
    struct sigaction sa;
    return sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

static int open_loop(struct live *l)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (l->o->rules || !is_ignored(SIGHUP))
        sigaddset(&set, SIGHUP);
    if (l->o->rules)
        sigaddset(&set, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &set, &l->mask_before) < 0)
        return -errno;
    signal(SIGPIPE, SIG_IGN);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (l->epoll_fd < 0 || l->timer_fd < 0 || l->signal_fd < 0)
        return -errno;
    int r = watch_fd(l, l->timer_fd, FROM_TIMER);
    if (r >= 0)
        r = watch_fd(l, l->signal_fd, FROM_SIGNAL);
    if (r >= 0 && l->o->rules)
        r = watch_fd(l, skep_rules_live_fd(l->o->rules), FROM_RULES);
    if (r >= 0 && skep_view_broken_fd(l->view) >= 0)
        r = watch_fd(l, skep_view_broken_fd(l->view), FROM_OUTPUT);
    return r;
}

static int open_kernel(struct live *l)
{
    char reason[512];
    int r = skep_kernel_open(&l->o->kernel, &l->kernel, reason, sizeof(reason));
    if (r >= 0)
        r = skep_kernel_attach(l->kernel, reason, sizeof(reason));
    if (r < 0) {
        skep_log(SKEP_LOG_ERROR, "%s", *reason ? reason : strerror(-r));
        l->status = SKEP_EXIT_USAGE;
        return r;
    }
    malloc_trim(0); /* loading takes several times of what stays */
    return watch_fd(l, skep_kernel_fd(l->kernel), FROM_KERNEL);
}

static int open_child(struct live *l)
{
    if (!l->o->command)
        return 0;
    int r = skep_child_spawn(&l->child, l->o->command, &l->mask_before);
    if (r < 0)
        return skep_log_error(r, "cannot start '%s': %s", l->o->command[0], strerror(-r));
    /* else once the snapshot tells its number; it waits that long */
    if (skep_pidns_is_initial())
        r = skep_kernel_track(l->kernel, (uint32_t)l->child.pid);
    return r < 0 ? r : watch_fd(l, l->child.pidfd, FROM_CHILD);
}

static void open_resolver(struct live *l)
{
    /* Without it containers keep their ids and lack names: no reason to refuse to run. */
    int r = skep_resolver_new("/", &l->resolver);
    if (r >= 0)
        r = watch_fd(l, skep_resolver_fd(l->resolver), FROM_RESOLVER);
    if (r < 0)
        skep_warning("names of containers will not be looked up: %s", strerror(-r));
}

static int take_snapshot(struct live *l)
{
    int r = skep_kernel_snapshot(l->kernel, &l->snapshot_begin, &l->snapshot_end);
    if (r < 0)
        skep_warning("cannot read the processes that already run: %s", strerror(-r));
    return r;
}

static void drain(struct live *l, uint64_t limit)
{
    const struct skep_hdr *h;
    size_t size;
    skep_kernel_refill(l->kernel);
    while (skep_kernel_next(l->kernel, limit, &h, &size) > 0) {
        skep_pipeline_take(l->p, h, size);
        skep_view_give_way(l->view); /* meanwhile the rings hold more than the output's queue would */
    }
    skep_kernel_release(l->kernel);
}

/* Records that skep itself adds to the stream. */
static void take_own(struct live *l, struct skep_hdr *h)
{
    l->own++;
    l->p->ledger.rows[h->kind].seen++;
    skep_pipeline_take(l->p, h, h->len);
}

/* ---- rules ---- */

static void tell_view(void *data, const char *line)
{
    struct live *l = data;
    skep_view_message(l->view, line);
}

static void swap_failed(struct live *l, const char *reason)
{
    char line[600];
    snprintf(line, sizeof(line),
             l->incoming ? "warning: the new rules cannot be put in force: %s; the old ones stay"
                         : "warning: the kernel drops nothing on behalf of rules or --where: %s",
             reason);
    skep_view_message(l->view, line);
    l->swapping = false;
    l->incoming = skep_ruleset_free(l->incoming);
}

/* Puts the part in the kernel of the set (NULL: none) and of --where into force, in three steps: filters are loaded, asked
 * for (on_pushdown()), and whoever judges follows at the boundary (step_swap()). */
static void begin_swap(struct live *l, const struct skep_ruleset *rs)
{
    struct skep_pushdown p = {rs, skep_view_where(l->view), l->o->shown, l->o->always};
    int r = skep_pushdown_begin(l->kernel, &p, &l->pushdown);
    if (r >= 0) {
        l->swapping = true;
        r = watch_fd(l, skep_pushdown_fd(l->pushdown), FROM_PUSHDOWN);
        if (r < 0)
            l->pushdown = skep_pushdown_free(l->pushdown);
    }
    if (r < 0)
        swap_failed(l, strerror(-r));
}

static void begin_next(struct live *l)
{
    if (l->swapping || !l->next)
        return;
    l->incoming = TAKE_PTR(l->next);
    begin_swap(l, l->incoming);
}

static void on_pushdown(struct live *l)
{
    struct skep_selection selection;
    struct skep_filters *filters = NULL;
    char reason[512];
    if (!l->pushdown)
        return;
    skep_pushdown_selection(skep_pushdown_of(l->pushdown), &selection);
    int r = skep_pushdown_end(TAKE_PTR(l->pushdown), tell_view, l, &filters);
    if (r < 0)
        snprintf(reason, sizeof(reason), "%s", strerror(-r));
    else
        r = skep_swap_begin(l->kernel, &selection, filters, reason, sizeof(reason));
    if (r < 0) {
        swap_failed(l, reason);
        begin_next(l);
    }
}

static void renew_rules(struct live *l)
{
    struct skep_ruleset *rs;
    if (skep_rules_live_renew(l->o->rules, &rs) <= 0)
        return;
    skep_ruleset_free(l->next); /* newer ones were faster */
    l->next = rs;
    begin_next(l);
}

static void step_swap(struct live *l)
{
    uint64_t time;
    if (!l->swapping || l->pushdown)
        return;
    int state = skep_swap_step(l->kernel, &time);
    if (state == SKEP_SWAP_WAIT)
        return;
    if (state == SKEP_SWAP_BOUNDARY) {
        l->p->procs.keep_env |= l->incoming && l->incoming->wants_environ;
        if (l->incoming && skep_rules_live_swap(l->o->rules, l->incoming, time) < 0)
            skep_ruleset_free(l->incoming);
        l->incoming = NULL;
        return;
    }
    if (state < 0)
        skep_view_message(l->view,
                          "warning: the kernel drops nothing on behalf of rules or --where from here on");
    l->swapping = false;
    l->incoming = skep_ruleset_free(l->incoming);
    malloc_trim(0);
    begin_next(l);
}

/* Not before the snapshot is through: the first events do not wait for filters. */
static void begin_first(struct live *l)
{
    begin_swap(l, l->o->rules ? skep_rules_live_rules(l->o->rules) : NULL);
    begin_next(l);
}

/* ---- the snapshot ---- */

/* The service manager, if there is one. It waits for this with a limit of its own: a failure is told, no more. */
static void notify(const char *state)
{
    int r = skep_notify(state);
    if (r < 0)
        skep_warning("cannot tell the service manager %s: %s", state, strerror(-r));
}

/* The number that the sensors know a process of our own pid namespace by; 0: there is none. */
static uint32_t initial_pid(struct live *l, uint32_t pid)
{
    uint32_t own = skep_pidns_own();
    struct skep_proc *proc;
    size_t at = 0;
    if (!pid || skep_pidns_is_initial())
        return pid;
    while ((proc = skep_hashmap_next(&l->p->procs.by_id, &at)))
        if (!proc->dead && proc->task.ns_pid == pid && proc->task.ns.pid == own)
            return proc->pid;
    return 0;
}

/* The snapshot has gone through the pipeline: the table is complete. */
static void snapshot_through(struct live *l)
{
    if (!l->first_snapshot_done) {
        l->root = l->p->scope.root = initial_pid(l, l->o->pid);
        l->command = initial_pid(l, (uint32_t)l->child.pid);
    }
    struct skep_ev_snapshot done = {
        .h = {.len = sizeof(done),
              .kind = SKEP_KIND_snapshot,
              .flags = SKEP_HDR_NO_TASK,
              .time = l->snapshot_end},
        .begin = l->snapshot_begin,
        .root = l->root,
        .command = l->command,
    };
    l->snapshot_end = 0;
    if ((l->o->pid && !l->root) || (l->child.pid && !l->command))
        skep_view_message(l->view, "warning: the process to follow was not found in our own pid namespace");
    take_own(l, &done.h);
    if (l->first_snapshot_done) {
        skep_view_message(l->view, "the process table was read again from the kernel");
        return;
    }
    l->first_snapshot_done = true;
    size_t n;
    const struct skep_program *programs = skep_kernel_programs(l->kernel, &n);
    if (l->o->once) {
        l->stop = true;
        return;
    }
    skep_view_started(l->view, programs, n);
    notify("READY=1");
    if (l->swapping)
        begin_first(l);
    if (!l->child.pid)
        return;
    int r = skep_child_release(&l->child);
    if (r < 0) {
        skep_log(SKEP_LOG_ERROR, "cannot run '%s': %s", l->o->command[0], strerror(-r));
        l->status = SKEP_EXIT_FAILED;
        l->stop = true;
    }
}

/* Lost life cycle events leave the table wrong: say so at once, and read it again. */
static void check_life(struct live *l, uint64_t now)
{
    uint64_t lost = skep_kernel_life_lost(l->kernel);
    if (lost > l->life_lost) {
        skep_view_lost_life(l->view, lost - l->life_lost);
        l->life_lost = lost;
        if (!l->heal_at)
            l->heal_at = now + HEAL_NS / 4;
    }
    if (l->heal_at && now >= l->heal_at && !l->snapshot_end) {
        l->heal_at = take_snapshot(l) < 0 ? now + HEAL_NS : 0;
    }
}

static void take_answers(struct live *l)
{
    for (;;) {
        _cleanup_free_ struct skep_hdr *h = NULL;
        if (skep_resolver_take(l->resolver, &h) < 0 || !h)
            return;
        h->time = skep_clock_boot_ns();
        h->ring = 0;
        h->seq = 0;
        take_own(l, h);
    }
}

/* ---- the loop ---- */

static void on_signals(struct live *l)
{
    struct signalfd_siginfo si;
    while (read(l->signal_fd, &si, sizeof(si)) == sizeof(si)) {
        if (l->o->rules && si.ssi_signo == SIGUSR1) {
            skep_rules_live_reopen(l->o->rules);
            continue;
        }
        if (l->o->rules && si.ssi_signo == SIGHUP) {
            skep_rules_live_ask(l->o->rules);
            continue;
        }
        if (l->child.pid && l->child.release_fd < 0)
            skep_child_forward(&l->child, &si);
        l->stop = true;
    }
}

static void on_child(struct live *l)
{
    int status;
    if (skep_child_reap(&l->child, &status) < 0)
        return;
    skep_view_command_ended(l->view, l->o->command[0], status);
    if (l->o->ret_command)
        *l->o->ret_command = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    l->stop = true;
}

static void dispatch(struct live *l, enum source from)
{
    uint64_t ticks;
    switch (from) {
    case FROM_TIMER:
        while (read(l->timer_fd, &ticks, sizeof(ticks)) == sizeof(ticks))
            ;
        break;
    case FROM_SIGNAL:
        on_signals(l);
        break;
    case FROM_CHILD:
        on_child(l);
        break;
    case FROM_RESOLVER:
        take_answers(l);
        break;
    case FROM_OUTPUT:
        l->stop = true;
        break;
    case FROM_RULES:
        renew_rules(l);
        break;
    case FROM_PUSHDOWN:
        on_pushdown(l);
        break;
    case FROM_KERNEL:
        break;
    }
}

static void turn(struct live *l)
{
    uint64_t now = skep_clock_boot_ns(), limit = now - SKEP_KERNEL_LAG;
    drain(l, limit);
    skep_pipeline_tick(l->p, limit);
    if (l->snapshot_end && limit > l->snapshot_end)
        snapshot_through(l);
    check_life(l, now);
    step_swap(l);
    if (l->o->rules)
        skep_rules_live_tick(l->o->rules, now);
    if (now >= l->next_status) {
        l->next_status = now + STATUS_NS;
        skep_view_status(l->view, l->p, l->kernel);
    }
    if (l->o->duration_ns && now - l->began >= l->o->duration_ns)
        l->stop = true;
    skep_view_flush(l->view);
}

/* The first tick comes as soon as the snapshot may be read. */
static int start_ticks(struct live *l)
{
    const struct itimerspec tick = {.it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = FIRST_TICK_NS};
    return timerfd_settime(l->timer_fd, 0, &tick, NULL) < 0 ? -errno : 0;
}

static int loop(struct live *l)
{
    while (!l->stop) {
        struct epoll_event e[8];
        int n = epoll_wait(l->epoll_fd, e, ARRAY_SIZE(e), -1);
        if (n < 0 && errno != EINTR)
            return -errno;
        for (int i = 0; i < n; i++)
            dispatch(l, e[i].data.u32);
        turn(l);
    }
    return 0;
}

static uint64_t sum_received(const struct live *l)
{
    uint64_t n = 0;
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        n += l->p->received[i];
    return n;
}

/* A sensor may still be running on another CPU when its link is gone. */
static void finish(struct live *l)
{
    struct skep_counters sum[SKEP_KIND_MAX];
    if (!l->o->once)
        notify("STOPPING=1");
    l->pushdown = skep_pushdown_free(l->pushdown);
    uint64_t deadline = skep_clock_boot_ns() + SETTLE_NS;
    skep_kernel_detach(l->kernel);
    for (;;) {
        uint64_t submitted = 0, under_way = 0; /* seen, and not yet counted in any other way */
        drain(l, UINT64_MAX);
        if (skep_kernel_counters(l->kernel, sum) < 0)
            return;
        for (size_t i = 0; i < SKEP_KIND_MAX; i++) {
            submitted += sum[i].submitted;
            under_way += sum[i].seen - sum[i].submitted - sum[i].filtered;
            for (size_t j = 0; j < SKEP_REASON_MAX; j++)
                under_way -= sum[i].lost[j];
        }
        if ((submitted + l->own <= sum_received(l) && under_way == 0) || skep_clock_boot_ns() > deadline)
            break;
        usleep(1000);
    }
    skep_pipeline_settle(l->p);
    skep_ledger_add_kernel(&l->p->ledger, sum);
    l->p->ledger.missed = skep_kernel_missed(l->kernel);
}

static void clear(struct live *l)
{
    skep_child_clear(&l->child);
    skep_pushdown_free(l->pushdown);
    skep_ruleset_free(l->incoming);
    skep_ruleset_free(l->next);
    skep_kernel_free(l->kernel);
    skep_resolver_free(l->resolver);
    skep_fd_close(l->epoll_fd);
    skep_fd_close(l->timer_fd);
    skep_fd_close(l->signal_fd);
}

int skep_live_run(const struct skep_live_options *o, struct skep_pipeline *p, struct skep_view_state *view)
{
    struct live l = {
        .o = o,
        .p = p,
        .view = view,
        .child = SKEP_CHILD_INIT,
        .epoll_fd = -1,
        .timer_fd = -1,
        .signal_fd = -1,
    };
    p->ops.ask = on_ask;
    p->ops.tracked = on_tracked;
    p->ops.live = &l;
    int r = open_loop(&l);
    if (r >= 0)
        r = open_kernel(&l);
    if (r >= 0) {
        open_resolver(&l);
        r = open_child(&l);
    }
    if (r >= 0) {
        l.began = skep_clock_boot_ns();
        l.swapping = o->rules || skep_view_where(view); /* from snapshot_through() on; newer rules wait */
        r = take_snapshot(&l);
    }
    if (r >= 0)
        r = start_ticks(&l);
    if (r >= 0)
        r = loop(&l);
    if (r >= 0)
        finish(&l);
    p->ops.ask = NULL;
    p->ops.tracked = NULL;
    clear(&l);
    if (r < 0 && l.status)
        return l.status;
    return r < 0 ? r : l.status;
}
