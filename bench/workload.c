/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload JOB SECONDS: does one thing over and over and prints what one turn costs, in nanoseconds.
 *
 *   getppid   a system call that nobody is interested in     processor time of the thread
 *   open      open and close of a file that exists           the same
 *   connect   connect, accept, close over loopback           the same
 *   spawn     vfork, exec and exit of /bin/true, and wait    wall time
 *   flood     as `open`, without measuring
 *
 * The best of ten slices counts: what disturbs only makes it slower.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static char path[] = "/tmp/skep-bench-XXXXXX";
static int listener;
static struct sockaddr_in address;

static double now(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void do_getppid(void)
{
    syscall(SYS_getppid);
}

static void do_open(void)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        exit(1);
    close(fd);
}

static void do_connect(void)
{
    struct linger hard = {.l_onoff = 1}; /* no TIME_WAIT: ports would run out */
    int c = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c, (struct sockaddr *)&address, sizeof(address)) < 0)
        exit(1);
    int a = accept(listener, NULL, NULL);
    setsockopt(c, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(c);
    close(a);
}

static void do_spawn(void)
{
    char *argv[] = {"/bin/true", NULL};
    pid_t pid;
    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        exit(1);
    waitpid(pid, NULL, 0);
}

static void prepare(void)
{
    socklen_t len = sizeof(address);
    int fd = mkstemp(path);
    if (fd >= 0)
        close(fd);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 16) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) < 0)
        exit(1);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*turn)(void);
        clockid_t clock;
        int batch;
    } jobs[] = {
        {"getppid", do_getppid, CLOCK_THREAD_CPUTIME_ID, 20000},
        {"open", do_open, CLOCK_THREAD_CPUTIME_ID, 2000},
        {"flood", do_open, CLOCK_THREAD_CPUTIME_ID, 2000},
        {"connect", do_connect, CLOCK_THREAD_CPUTIME_ID, 200},
        {"spawn", do_spawn, CLOCK_MONOTONIC, 20},
    };
    if (argc != 3)
        return 2;
    prepare();
    for (size_t j = 0; j < sizeof(jobs) / sizeof(*jobs); j++) {
        if (strcmp(jobs[j].name, argv[1]) != 0)
            continue;
        double best = 1e18, end = now(CLOCK_MONOTONIC) + atof(argv[2]) * 1e9;
        while (now(CLOCK_MONOTONIC) < end) {
            double begin = now(jobs[j].clock);
            for (int i = 0; i < jobs[j].batch; i++)
                jobs[j].turn();
            double each = (now(jobs[j].clock) - begin) / jobs[j].batch;
            best = each < best ? each : best;
        }
        unlink(path);
        printf("%.1f\n", best);
        return 0;
    }
    unlink(path);
    return 2;
}
