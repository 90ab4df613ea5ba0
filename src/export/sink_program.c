/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "export/sink_lines.h"

#define LOOK_NS 1000000000ULL       /* how often a program that takes nothing is looked after */
#define LONG_LIFE_NS 10000000000ULL /* who lived that long did not fail at once */
#define LEAVE_NS 1000000000ULL      /* for a program that has closed its input to end */
#define LAST_NS 100000000ULL        /* at the end, at least, between the end of input and SIGTERM */
#define TERM_NS 200000000ULL        /* between SIGTERM and SIGKILL */
#define NS_PER_MS 1000000ULL

extern char **environ;

struct program {
    struct skep_sink *sink;
    const char *command;
    struct skep_sink_lines lines; /* its descriptor is our end of the pipe; -1: closed */
    pid_t pid;                    /* 0: it does not run */
    int pidfd;
    uint64_t started_at;
    uint64_t start_at; /* not before */
    uint64_t kill_at;  /* when it has not ended by then; only once the pipe is closed */
    unsigned failures; /* short lives, one after the other */
};

static void init(void *state)
{
    struct program *p = state;
    *p = (struct program){.lines = SKEP_SINK_LINES_INIT, .pidfd = -1};
}

static void close_pipe(struct program *p)
{
    p->lines.d.fd = skep_fd_close(p->lines.d.fd);
    p->lines.cut = 0; /* the next program gets the line from its beginning */
}

/* A group of its own: Ctrl-C at the terminal ends skep, which then ends the program after its last alert; and
 * what the shell has started can be ended with it. */
static int spawn(const char *command, int in, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    char *const argv[] = {"sh", "-c", (char *)command, NULL};
    sigemptyset(&none);
    sigfillset(&all);
    int r = posix_spawn_file_actions_init(&actions);
    if (r)
        return -r;
    r = posix_spawnattr_init(&attr);
    if (r) {
        posix_spawn_file_actions_destroy(&actions);
        return -r;
    }
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    if (r == 0)
        r = posix_spawn(ret, "/bin/sh", &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

static int start(struct program *p)
{
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    _cleanup_close_ int in = ends[0], out = ends[1];
    if (fcntl(out, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    int r = spawn(p->command, in, &pid);
    if (r < 0)
        return r;
    p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (p->pidfd < 0) {
        r = -errno;
        kill(-pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return r;
    }
    p->pid = pid;
    p->started_at = skep_clock_mono_ns();
    p->lines = (struct skep_sink_lines){
        .d = {.fd = TAKE_FD(out), .own_fd = -1, .way = SKEP_DESCRIPTOR_OWN},
    };
    return 0;
}

static void plan_start(struct program *p, uint64_t now, bool failed_at_once)
{
    p->failures = failed_at_once ? MIN(p->failures + 1, 20U) : 0;
    p->start_at = now + MIN(SKEP_SINK_PAUSE_MIN_NS << p->failures, SKEP_SINK_PAUSE_MAX_NS);
}

static void try_start(struct program *p, uint64_t now)
{
    int r = start(p);
    if (r < 0) {
        skep_sink_note(p->sink, "the program cannot be started: %s", strerror(-r));
        plan_start(p, now, true);
    }
}

static void reap(struct program *p, int *ret_status)
{
    while (waitpid(p->pid, ret_status, 0) < 0 && errno == EINTR)
        ;
    p->pid = 0;
    p->pidfd = skep_fd_close(p->pidfd);
    close_pipe(p);
}

static bool ends_within(const struct program *p, uint64_t ns)
{
    uint64_t until = skep_clock_mono_ns() + ns;
    for (;;) {
        uint64_t now = skep_clock_mono_ns();
        int ms = now >= until ? 0 : (int)MIN((until - now) / NS_PER_MS + 1, (uint64_t)60000);
        struct pollfd fd = {.fd = p->pidfd, .events = POLLIN};
        if (poll(&fd, 1, ms) > 0)
            return true;
        if (now >= until)
            return false;
    }
}

static void note_end(struct program *p, int status)
{
    if (WIFSIGNALED(status))
        skep_sink_note(p->sink, "the program was ended by signal %d", WTERMSIG(status));
    else
        skep_sink_note(p->sink, "the program ended with status %d", WEXITSTATUS(status));
}

static void tend(void *state, uint64_t now, struct skep_sink_watch *watch)
{
    struct program *p = state;
    if (p->pid && p->lines.d.fd < 0 && now >= p->kill_at)
        kill(-p->pid, SIGKILL);
    if (p->pid && ends_within(p, 0)) {
        int status = 0;
        reap(p, &status);
        note_end(p, status);
        plan_start(p, now, now - p->started_at < LONG_LIFE_NS);
    }
    if (!p->pid && now >= p->start_at) {
        try_start(p, now);
        if (p->pid)
            skep_sink_count_restart(p->sink);
    }
    if (!p->pid) {
        watch->until = p->start_at;
        return;
    }
    watch->fd = p->pidfd;
    watch->events = POLLIN;
    if (p->lines.d.fd < 0)
        watch->until = now >= p->kill_at ? now + LOOK_NS : p->kill_at;
}

static int open_sink(void *state, struct skep_sink *s, struct skep_sink_spec *spec)
{
    struct program *p = state;
    p->sink = s;
    p->command = spec->address;
    int r = start(p);
    if (r < 0)
        skep_sink_spec_error(spec, NULL, "sink-open", "the program cannot be started: %s", strerror(-r));
    return r;
}

/* When it does not run, or takes nothing, the frame calls tend() before it calls this again. */
static enum skep_sink_verdict send_lines(void *state, const struct skep_sink_item *items, size_t n,
                                         size_t *ret_n)
{
    struct program *p = state;
    uint64_t now = skep_clock_mono_ns();
    if (p->lines.d.fd < 0) {
        uint64_t until = p->pid ? now + LOOK_NS / 10 : p->start_at;
        skep_sink_wait(p->sink, p->pidfd, POLLIN, MIN(until, now + LOOK_NS));
        return SKEP_SINK_INTERRUPTED;
    }
    int r = skep_sink_lines_write(&p->lines, items, n, ret_n);
    if (*ret_n)
        return SKEP_SINK_WRITTEN;
    if (r == 0 || r == -EAGAIN) {
        skep_sink_wait(p->sink, p->lines.d.fd, POLLOUT, now + LOOK_NS);
        return SKEP_SINK_INTERRUPTED;
    }
    skep_sink_note(p->sink, "the program takes no more: %s", strerror(-r));
    close_pipe(p);
    p->kill_at = now + LEAVE_NS;
    *ret_n = 1;
    return SKEP_SINK_RETRY;
}

/* The end of its input is what tells a program to end; one that does not is made to. */
static void close_program(void *state, uint64_t deadline)
{
    struct program *p = state;
    int status;
    close_pipe(p);
    if (!p->pid)
        return;
    uint64_t now = skep_clock_mono_ns();
    if (!ends_within(p, deadline > now + LAST_NS ? deadline - now : LAST_NS)) {
        kill(-p->pid, SIGTERM);
        if (!ends_within(p, TERM_NS))
            kill(-p->pid, SIGKILL);
    }
    reap(p, &status);
}

static const struct skep_sink_option options[] = {{0}};

const struct skep_sink_kind skep_sink_kind_program = {
    .example = "program:'mail -s alert root'",
    .size = sizeof(struct program),
    .options = options,
    .format = SKEP_SINK_JSON,
    .retries = UINT64_MAX,
    .init = init,
    .open = open_sink,
    .send = send_lines,
    .tend = tend,
    .close = close_program,
};
