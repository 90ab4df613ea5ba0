/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What end-to-end tests let happen, where a shell is too slow or cannot say it. workload WHAT ARGS...; built
 * statically by the tests themselves. Each prints nothing unless it says so, and fails with a line of reason.
 *
 *   exit STATUS                  ends
 *   storm N PROGRAM              starts PROGRAM N times, one after another (vfork), waits for each; prints the
 *                                nanoseconds that it took
 *   reuse N PROGRAM              the same, as the first process of a pid namespace where every child is number 2;
 *                                prints a line for each that was not
 *   bomb SECONDS                 forks as fast as it can, children too, until SECONDS are over
 *   threads N M                  M times: a process of N threads that all end at once, waits for it
 *   opens N [PATH]               opens PATH (/dev/null) N times
 *   memfd PROGRAM ARGS...        runs a copy of PROGRAM out of a memfd
 *   args SIZE PROGRAM            runs PROGRAM with arguments of SIZE bytes in all, each of them a number and filling
 *   deep N NAME                  makes N nested directories NAME, opens a file `leaf` in the last; prints its path
 *   unlinked PROGRAM ARGS...     runs a copy of PROGRAM that is unlinked by the time it runs
 *   as UID PROGRAM ARGS...       runs PROGRAM as another user
 *   pause                        sleeps until it is killed
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "workload: %s: %s\n", what, strerror(errno));
    exit(1);
}

static unsigned long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long long)t.tv_sec * 1000000000ULL + (unsigned long long)t.tv_nsec;
}

static pid_t start(const char *program)
{
    char *const argv[] = {(char *)program, NULL};
    char *const no_env[] = {NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        execve(program, argv, no_env);
        _exit(127);
    }
    if (pid < 0)
        fail("vfork");
    return pid;
}

static void wait_for(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid)
        fail("waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "workload: a child ended with status %x\n", (unsigned)status);
        exit(1);
    }
}

static int storm(long n, const char *program)
{
    unsigned long long began = now();
    for (long i = 0; i < n; i++)
        wait_for(start(program));
    printf("%llu\n", now() - began);
    return 0;
}

/* Says which number the next process shall get. */
static void rewind_pids(int fd)
{
    if (pwrite(fd, "1", 1, 0) != 1)
        fail("ns_last_pid");
}

static int reuse_inside(long n, const char *program)
{
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("proc", "/proc", "proc", 0, NULL) < 0)
        fail("mount");
    int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        fail("ns_last_pid");
    for (long i = 0; i < n; i++) {
        rewind_pids(fd);
        pid_t pid = start(program);
        if (pid != 2)
            printf("%d\n", pid);
        wait_for(pid);
    }
    return 0;
}

static int reuse(long n, const char *program)
{
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
        fail("unshare");
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0)
        exit(reuse_inside(n, program));
    wait_for(pid);
    return 0;
}

static int bomb(long seconds)
{
    unsigned long long end = now() + (unsigned long long)seconds * 1000000000ULL;
    signal(SIGCHLD, SIG_IGN);
    pid_t first = getpid();
    for (unsigned failed = 0; now() < end;) {
        if (fork() >= 0)
            continue;
        usleep(500);                                /* or nobody could look */
        if (++failed % 4 == 0 && getpid() != first) /* makes room for others */
            _exit(0);
    }
    return 0;
}

static pthread_barrier_t barrier;

static void *end_all(void *arg)
{
    (void)arg;
    pthread_barrier_wait(&barrier);
    syscall(SYS_exit, 0);
    return NULL;
}

static int threads(long n, long times)
{
    for (long i = 0; i < times; i++) {
        pid_t pid = fork();
        if (pid < 0)
            fail("fork");
        if (pid == 0) {
            pthread_barrier_init(&barrier, NULL, (unsigned)n + 1);
            for (long k = 0; k < n; k++) {
                pthread_t t;
                if (pthread_create(&t, NULL, end_all, NULL))
                    fail("pthread_create");
            }
            pthread_barrier_wait(&barrier);
            syscall(SYS_exit, 0);
        }
        wait_for(pid);
    }
    return 0;
}

static int opens(long n, const char *path)
{
    for (long i = 0; i < n; i++) {
        int fd = open(path, O_RDONLY);
        if (fd >= 0)
            close(fd);
    }
    return 0;
}

static void copy(const char *from, int to)
{
    char buf[65536];
    ssize_t n;
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail(from);
    while ((n = read(fd, buf, sizeof(buf))) > 0)
        if (write(to, buf, (size_t)n) != n)
            fail("write");
    close(fd);
}

static int run_memfd(char **argv)
{
    int fd = memfd_create("hidden", MFD_CLOEXEC);
    if (fd < 0)
        fail("memfd_create");
    copy(argv[0], fd);
    fexecve(fd, argv, environ);
    fail("fexecve");
}

static int run_unlinked(char **argv)
{
    int fd = open("unlinked-program", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (fd < 0)
        fail("open");
    copy(argv[0], fd);
    close(fd);
    fd = open("unlinked-program", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || unlink("unlinked-program") < 0)
        fail("unlink");
    fexecve(fd, argv, environ);
    fail("fexecve");
}

static int run_args(long size, char *program)
{
    enum { ONE = 1000, MAX = 4096 };
    static char *argv[MAX + 2];
    static char *no_env[] = {NULL};
    long left = size - (long)strlen(program) - 1;
    int n = 0;
    argv[n++] = program;
    while (left > 0 && n < MAX) {
        long len = left < ONE ? left : ONE;
        char *s = malloc((size_t)len + 16);
        snprintf(s, (size_t)len + 16, "%d-", n);
        for (long i = (long)strlen(s); i < len - 1; i++)
            s[i] = (char)('a' + (n + i) % 26);
        s[len - 1] = '\0';
        argv[n++] = s;
        left -= len;
    }
    execve(program, argv, no_env);
    fail(program);
}

static int deep(long n, const char *name)
{
    char path[16384];
    if (!getcwd(path, sizeof(path)))
        fail("getcwd");
    for (long i = 0; i < n; i++) {
        if ((mkdir(name, 0755) < 0 && errno != EEXIST) || chdir(name) < 0)
            fail(name);
        strcat(strcat(path, "/"), name);
    }
    int fd = open("leaf", O_WRONLY | O_CREAT, 0644);
    if (fd < 0)
        fail("leaf");
    printf("%s/leaf\n", path);
    return 0;
}

static int run_as(long uid, char **argv)
{
    if (setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) < 0 ||
        setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
        fail("setresuid");
    execv(argv[0], argv);
    fail(argv[0]);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *first = argc > 2 ? argv[2] : "";
#define IS(name, least) (strcmp(what, name) == 0 && argc >= 2 + (least))
    if (IS("exit", 1))
        return atoi(first);
    if (IS("storm", 2))
        return storm(atol(first), argv[3]);
    if (IS("reuse", 2))
        return reuse(atol(first), argv[3]);
    if (IS("bomb", 1))
        return bomb(atol(first));
    if (IS("threads", 2))
        return threads(atol(first), atol(argv[3]));
    if (IS("opens", 1))
        return opens(atol(first), argc > 3 ? argv[3] : "/dev/null");
    if (IS("memfd", 1))
        return run_memfd(argv + 2);
    if (IS("args", 2))
        return run_args(atol(first), argv[3]);
    if (IS("deep", 2))
        return deep(atol(first), argv[3]);
    if (IS("unlinked", 1))
        return run_unlinked(argv + 2);
    if (IS("as", 2))
        return run_as(atol(first), argv + 3);
    if (IS("pause", 0))
        for (;;)
            pause();
    fprintf(stderr, "workload: what?\n");
    return 2;
}
