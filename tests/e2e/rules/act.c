/* SPDX-License-Identifier: Apache-2.0
 *
 * What the triggers of the rules do that a shell cannot: one call a word of the command line. Linked statically, so
 * that it runs in any root file system. A call that the kernel refuses is no failure here: it was made. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <net/ethernet.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int fail(const char *what)
{
    fprintf(stderr, "act: %s: %s\n", what, strerror(errno));
    return 1;
}

static int copy(const char *from, int to)
{
    char b[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return -1;
    for (ssize_t n; (n = read(in, b, sizeof(b))) > 0;)
        if (write(to, b, (size_t)n) != n)
            return -1;
    close(in);
    return 0;
}

/* FILE ARGS...: from memory */
static int act_memfd(char **a)
{
    int fd = memfd_create("act", MFD_CLOEXEC);
    if (fd < 0 || copy(a[0], fd) < 0)
        return fail("memfd");
    fexecve(fd, a, environ);
    return fail("fexecve");
}

/* FILE ARGS...: from a copy in the current directory that is removed first */
static int act_deleted(char **a)
{
    char name[] = "deleted-XXXXXX";
    int out = mkstemp(name), fd;
    if (out < 0 || copy(a[0], out) < 0 || fchmod(out, 0755) < 0)
        return fail("copy");
    close(out);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    unlink(name);
    fexecve(fd, a, environ);
    return fail("fexecve");
}

/* ARGS...: as a child, as a server starts its helpers */
static int act_spawn(char **a)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(a[0], a);
        _exit(fail(a[0]));
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

/* A child with something in its memory, to be looked into. */
static pid_t victim(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        alarm(10);
        pause();
        _exit(0);
    }
    return pid;
}

static int act_vm_read(char **a)
{
    static char secret[64] = "secret", got[64];
    struct iovec local = {got, sizeof(got)}, remote = {secret, sizeof(secret)};
    pid_t pid = victim();
    (void)a;
    ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return n < 0 ? fail("process_vm_readv") : 0;
}

static int act_ptrace(char **a)
{
    pid_t pid = victim();
    int status;
    (void)a;
    if (ptrace(PTRACE_ATTACH, pid, 0, 0) < 0)
        return fail("ptrace");
    waitpid(pid, &status, 0);
    ptrace(PTRACE_DETACH, pid, 0, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}

/* A child holds its parent, as the checkers for leaked memory have it. */
static int act_ptrace_parent(char **a)
{
    int status = 0;
    pid_t pid = fork();
    (void)a;
    if (pid == 0) {
        pid_t parent = getppid();
        if (ptrace(PTRACE_ATTACH, parent, 0, 0) < 0)
            _exit(fail("ptrace"));
        waitpid(parent, &status, 0);
        ptrace(PTRACE_DETACH, parent, 0, 0);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static int act_traceme(char **a)
{
    (void)a;
    return ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 ? fail("ptrace") : 0;
}

/* The victim's /proc/PID/mem. */
static int act_mem(char **a)
{
    char path[64];
    pid_t pid = victim();
    (void)a;
    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    int fd = open(path, O_RDONLY);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return fd < 0 ? fail(path) : 0;
}

static int act_userfaultfd(char **a)
{
    (void)a;
    long fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    return fd < 0 ? fail("userfaultfd") : 0;
}

static int act_perf(char **a)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_SW_TASK_CLOCK,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};
    (void)a;
    return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) < 0 ? fail("perf_event_open") : 0;
}

static int act_init_module(char **a)
{
    static const char garbage[128] = "no module";
    (void)a;
    return syscall(SYS_init_module, garbage, sizeof(garbage), "") < 0 ? 0 : fail("init_module");
}

/* FILE */
static int act_finit_module(char **a)
{
    int fd = open(a[0], O_RDONLY);
    return fd < 0 ? fail(a[0]) : syscall(SYS_finit_module, fd, "", 0) < 0 ? 0 : fail("finit_module");
}

static int act_bpf(char **a)
{
    struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0},
                               {.code = BPF_JMP | BPF_EXIT}};
    union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
                           .insns = (uintptr_t)insns,
                           .insn_cnt = 2,
                           .license = (uintptr_t) "Apache-2.0",
                           .prog_name = "act"};
    (void)a;
    return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)) < 0 ? fail("bpf") : 0;
}

static int act_bpf_map(char **a)
{
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
    (void)a;
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)) < 0 ? fail("bpf") : 0;
}

/* Unloads what was loaded, which is nothing: no kernel is named. */
static int act_kexec(char **a)
{
    (void)a;
    syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0UL);
    return 0;
}

static int act_packet(char **a)
{
    (void)a;
    return socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) < 0 ? fail("socket") : 0;
}

static struct sockaddr_in address(const char *ip, const char *port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    inet_pton(AF_INET, ip, &sin.sin_addr);
    return sin;
}

static int dial(const char *ip, const char *port)
{
    struct sockaddr_in sin = address(ip, port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
        return -1;
    return fd;
}

/* IP PORT */
static int act_connect(char **a)
{
    return dial(a[0], a[1]) < 0 ? fail("connect") : 0;
}

/* PATH */
static int act_connect_unix(char **a)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", a[0]);
    return connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ? fail(a[0]) : 0;
}

/* PATH SECONDS: a server that accepts nothing */
static int act_listen_unix(char **a)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", a[0]);
    unlink(a[0]);
    if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, 8) < 0)
        return fail(a[0]);
    sleep((unsigned)atoi(a[1]));
    return 0;
}

/* PORT SECONDS: on all addresses, and accepts nothing */
static int act_listen(char **a)
{
    struct sockaddr_in sin = address("0.0.0.0", a[0]);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 || listen(fd, 8) < 0)
        return fail("listen");
    sleep((unsigned)atoi(a[1]));
    return 0;
}

/* IP PORT TO: a connection, moved onto a descriptor */
static int act_dup(char **a)
{
    int fd = dial(a[0], a[1]);
    return fd < 0 || dup2(fd, atoi(a[2])) < 0 ? fail("dup") : 0;
}

/* IP PORT ARGS...: a program that has a connection as standard input. It gets there without dup, so that this is the
 * only sign. */
static int act_stdin(char **a)
{
    close(0);
    if (dial(a[0], a[1]) != 0)
        return fail("connect");
    execvp(a[2], a + 2);
    return fail(a[2]);
}

/* A submission queue of one entry, without the library. */
static int uring_submit(const struct io_uring_sqe *sqe)
{
    struct io_uring_params p = {0};
    int ring = (int)syscall(SYS_io_uring_setup, 4, &p);
    if (ring < 0)
        return -1;
    size_t sq_size = p.sq_off.array + p.sq_entries * sizeof(unsigned);
    char *sq = mmap(NULL, sq_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    struct io_uring_sqe *sqes =
        mmap(NULL, p.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    if (sq == MAP_FAILED || sqes == MAP_FAILED)
        return -1;
    sqes[0] = *sqe;
    ((unsigned *)(sq + p.sq_off.array))[0] = 0;
    __atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
    return (int)syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
}

/* PATH */
static int act_uring_open(char **a)
{
    struct io_uring_sqe sqe = {.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)a[0]};
    return uring_submit(&sqe) < 0 ? fail("io_uring") : 0;
}

/* IP PORT */
static int act_uring_connect(char **a)
{
    struct sockaddr_in sin = address(a[0], a[1]);
    struct io_uring_sqe sqe = {.opcode = IORING_OP_CONNECT,
                               .fd = socket(AF_INET, SOCK_STREAM, 0),
                               .addr = (uintptr_t)&sin,
                               .off = sizeof(sin)};
    return uring_submit(&sqe) < 0 ? fail("io_uring") : 0;
}

/* UID: from now on another user, then root again */
static int act_become_root(char **a)
{
    uid_t uid = (uid_t)atoi(a[0]);
    if (setresuid(uid, uid, 0) < 0)
        return fail("setresuid");
    return setuid(0) < 0 ? fail("setuid") : 0;
}

/* UID: another user, if that is allowed */
static int act_set_user(char **a)
{
    return setuid((uid_t)atoi(a[0])) < 0 ? fail("setuid") : 0;
}

/* PATH: the namespaces that it names, with the kinds of a mount namespace */
static int act_setns(char **a)
{
    int fd = open(a[0], O_RDONLY | O_CLOEXEC);
    return fd < 0 || setns(fd, 0) < 0 ? fail(a[0]) : 0;
}

/* user, mount, uts: a namespace of that kind */
static int act_unshare(char **a)
{
    int flag = !strcmp(a[0], "user") ? CLONE_NEWUSER : !strcmp(a[0], "mount") ? CLONE_NEWNS : CLONE_NEWUTS;
    return unshare(flag) < 0 ? fail("unshare") : 0;
}

/* DIRECTORY NAME: a file by its handle. The call counts, also when the handle does not lead to a file any more. */
static int act_handle(char **a)
{
    struct {
        struct file_handle h;
        unsigned char bytes[128];
    } f = {.h.handle_bytes = 128};
    int mount;
    int dir = open(a[0], O_RDONLY | O_DIRECTORY);
    if (name_to_handle_at(dir, a[1], &f.h, &mount, 0) < 0)
        return fail("name_to_handle_at");
    open_by_handle_at(dir, &f.h, O_RDONLY);
    return 0;
}

/* SOURCE TARGET TYPE */
static int act_mount(char **a)
{
    return mount(a[0], a[1], a[2], 0, NULL) < 0 ? fail("mount") : 0;
}

/* PATH: opened for writing, and nothing written */
static int act_open_write(char **a)
{
    return open(a[0], O_WRONLY) < 0 ? fail(a[0]) : 0;
}

static const struct {
    const char *name;
    int n;
    int (*run)(char **args);
} acts[] = {{"memfd", 1, act_memfd},
            {"deleted", 1, act_deleted},
            {"spawn", 1, act_spawn},
            {"vm-read", 0, act_vm_read},
            {"ptrace", 0, act_ptrace},
            {"ptrace-parent", 0, act_ptrace_parent},
            {"traceme", 0, act_traceme},
            {"mem", 0, act_mem},
            {"userfaultfd", 0, act_userfaultfd},
            {"perf", 0, act_perf},
            {"init-module", 0, act_init_module},
            {"finit-module", 1, act_finit_module},
            {"bpf", 0, act_bpf},
            {"bpf-map", 0, act_bpf_map},
            {"kexec", 0, act_kexec},
            {"packet", 0, act_packet},
            {"connect", 2, act_connect},
            {"connect-unix", 1, act_connect_unix},
            {"listen", 2, act_listen},
            {"listen-unix", 2, act_listen_unix},
            {"dup", 3, act_dup},
            {"stdin", 3, act_stdin},
            {"uring-open", 1, act_uring_open},
            {"uring-connect", 2, act_uring_connect},
            {"become-root", 1, act_become_root},
            {"set-user", 1, act_set_user},
            {"setns", 1, act_setns},
            {"unshare", 1, act_unshare},
            {"handle", 2, act_handle},
            {"mount", 3, act_mount},
            {"open-write", 1, act_open_write}};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(acts) / sizeof(*acts); i++)
        if (strcmp(argv[1], acts[i].name) == 0 && argc - 2 >= acts[i].n)
            return acts[i].run(argv + 2);
    fprintf(stderr, "act: unknown, or arguments are missing\n");
    return 2;
}
