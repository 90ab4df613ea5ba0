/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/child.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define EXIT_CANNOT_RUN 127

/* Handlers are reset by exec anyway, but must not run in this process before that. */
static void restore_signals(const sigset_t *mask)
{
    for (int sig = 1; sig < NSIG; sig++) {
        struct sigaction sa;
        if (sigaction(sig, NULL, &sa) < 0 || sa.sa_handler == SIG_IGN || sa.sa_handler == SIG_DFL)
            continue;
        sa = (struct sigaction){.sa_handler = SIG_DFL};
        sigaction(sig, &sa, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, mask ? mask : &none, NULL);
}

/* Between fork and exec: other threads do not exist here, so only what is safe in a signal handler is called
 * (glibc's execvp allocates nothing). */
static _Noreturn void run(char *const argv[], const sigset_t *mask, int release_fd, int error_fd)
{
    char go;
    ssize_t n;
    do
        n = read(release_fd, &go, 1);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        _exit(EXIT_CANNOT_RUN); /* skep is gone */
    restore_signals(mask);
    execvp(argv[0], argv);
    int error = errno;
    n = write(error_fd, &error, sizeof(error));
    _exit(EXIT_CANNOT_RUN);
}

int skep_child_spawn(struct skep_child *c, char *const argv[], const sigset_t *mask)
{
    int release[2], error[2];
    if (pipe2(release, O_CLOEXEC) < 0)
        return -errno;
    _cleanup_close_ int release_read = release[0], release_write = release[1];
    if (pipe2(error, O_CLOEXEC) < 0)
        return -errno;
    _cleanup_close_ int error_read = error[0], error_write = error[1];

    /* no signal may find a process with skep's handlers but not skep's threads */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    int r = -errno;
    if (pid == 0) {
        /* or the read below would wait for the end that this process itself holds open */
        close(release_write);
        run(argv, mask, release_read, error_write);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return r;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        r = -errno;
        release_write = skep_fd_close(release_write);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        return r;
    }
    *c = (struct skep_child){
        .pid = pid,
        .pidfd = pidfd,
        .release_fd = TAKE_FD(release_write),
        .error_fd = TAKE_FD(error_read),
    };
    return 0;
}

static void wait_for_end(struct skep_child *c)
{
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    c->pid = 0;
    c->pidfd = skep_fd_close(c->pidfd);
}

/* A write into the pipe, not only its end, says go: the end alone means that skep has died. It cannot raise
 * SIGPIPE in a useful way, so that one is held back while the process may have been killed. */
static int say_go(int fd)
{
    sigset_t pipe_only, before;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    int r = write(fd, "", 1) == 1 ? 0 : -errno;
    if (r == -EPIPE && !sigismember(&before, SIGPIPE))
        sigtimedwait(&pipe_only, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

int skep_child_release(struct skep_child *c)
{
    int r = say_go(c->release_fd);
    c->release_fd = skep_fd_close(c->release_fd);
    int error = 0;
    ssize_t n;
    do
        n = read(c->error_fd, &error, sizeof(error));
    while (n < 0 && errno == EINTR);
    c->error_fd = skep_fd_close(c->error_fd);
    if (n == sizeof(error))
        wait_for_end(c);
    /* when somebody killed it before it could start, its status tells */
    return n == sizeof(error) ? -error : r == -EPIPE ? 0 : r;
}

int skep_child_forward(const struct skep_child *c, const struct signalfd_siginfo *si)
{
    if (c->pidfd < 0)
        return 0;
    bool from_terminal = si->ssi_code == SI_KERNEL;
    if (from_terminal && (si->ssi_signo == SIGINT || si->ssi_signo == SIGQUIT || si->ssi_signo == SIGHUP))
        return 0;
    return syscall(SYS_pidfd_send_signal, c->pidfd, (int)si->ssi_signo, NULL, 0) < 0 ? -errno : 0;
}

int skep_child_reap(struct skep_child *c, int *ret_status)
{
    int status;
    pid_t pid;
    do
        pid = waitpid(c->pid, &status, WNOHANG);
    while (pid < 0 && errno == EINTR);
    if (pid == 0)
        return -EAGAIN;
    if (pid < 0)
        return -errno;
    c->pid = 0;
    c->pidfd = skep_fd_close(c->pidfd);
    *ret_status = status;
    return 0;
}

void skep_child_clear(struct skep_child *c)
{
    bool waits = c->release_fd >= 0;
    c->release_fd = skep_fd_close(c->release_fd);
    c->error_fd = skep_fd_close(c->error_fd);
    if (waits && c->pid > 0)
        wait_for_end(c);
    c->pidfd = skep_fd_close(c->pidfd);
    c->pid = 0;
}
