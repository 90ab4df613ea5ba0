/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uring CASE [ARGS...]: operations of io_uring, with a ring of our own and no library. Each prints nothing and exits with 0
 * when it went as it should; 77: this kernel does not allow io_uring. Tags (user_data) are what the test looks for.
 *
 *   link FILE           an open and, linked to it, a nop; then an open that fails and a nop that is cancelled for it
 *   cancel              an accept that waits, and is cancelled
 *   quiet FILE          an open whose success is not to be told
 *   multishot PORT      an accept of several, two connections, and the end of it
 *   accept PORT         an accept of one
 *   abandon             an accept that waits when the process is killed
 *   reuse               a nop whose completion finds no room, and more afterwards
 *   direct FILE         an open into the ring's own table
 *   send PORT           a datagram to where sendmsg and send say
 *   iopoll FILE         a read that is polled for; 77 where the file cannot do that
 *   many N              N accepts that wait at the same time; they are cancelled at the end
 *   crowd N             the same, for a second
 *   flood N             N nops in batches; prints nanoseconds of one
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEPTH 64

struct ring {
    int fd;
    unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
    unsigned waiting; /* put in, not yet submitted */
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void ring_init(struct ring *r, unsigned flags)
{
    struct io_uring_params p = {.flags = flags};
    r->fd = (int)syscall(SYS_io_uring_setup, DEPTH, &p);
    if (r->fd < 0)
        exit(errno == EPERM || errno == ENOSYS ? 77 : 1);
    size_t size = p.sq_off.array + p.sq_entries * sizeof(unsigned),
           cq_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
    char *m = mmap(NULL, size > cq_size ? size : cq_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                   r->fd, IORING_OFF_SQ_RING);
    r->sqes = mmap(NULL, p.sq_entries * sizeof(*r->sqes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                   r->fd, IORING_OFF_SQES);
    if (m == MAP_FAILED || r->sqes == MAP_FAILED)
        die("mmap");
    r->sq_tail = (unsigned *)(m + p.sq_off.tail);
    r->sq_mask = (unsigned *)(m + p.sq_off.ring_mask);
    r->sq_array = (unsigned *)(m + p.sq_off.array);
    r->cq_head = (unsigned *)(m + p.cq_off.head);
    r->cq_tail = (unsigned *)(m + p.cq_off.tail);
    r->cq_mask = (unsigned *)(m + p.cq_off.ring_mask);
    r->cqes = (struct io_uring_cqe *)(m + p.cq_off.cqes);
    r->waiting = 0;
}

static void put(struct ring *r, struct io_uring_sqe sqe)
{
    unsigned tail = *r->sq_tail, at = tail & *r->sq_mask;
    r->sqes[at] = sqe;
    r->sq_array[at] = at;
    __atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
    r->waiting++;
}

static void submit(struct ring *r, unsigned wait)
{
    long n = syscall(SYS_io_uring_enter, r->fd, r->waiting, wait, wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);
    if (n != (long)r->waiting)
        die("io_uring_enter");
    r->waiting = 0;
}

/* The next completion that is there. */
struct end {
    uint64_t tag;
    int res;
};

static struct end take(struct ring *r)
{
    unsigned head = *r->cq_head;
    if (head == __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE)) {
        fprintf(stderr, "no completion\n");
        exit(1);
    }
    const struct io_uring_cqe *cqe = &r->cqes[head & *r->cq_mask];
    struct end end = {cqe->user_data, cqe->res};
    __atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
    return end;
}

static struct io_uring_sqe opening(const char *path, unsigned long tag)
{
    return (struct io_uring_sqe){
        .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)path, .user_data = tag};
}

static int listener(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 8) < 0)
        die("listen");
    return fd;
}

static int dial(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        die("connect");
    return fd;
}

static struct io_uring_sqe accepting(int fd, unsigned long tag)
{
    return (struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = fd, .user_data = tag};
}

static struct io_uring_sqe cancelling(unsigned long what, unsigned long tag)
{
    return (struct io_uring_sqe){.opcode = IORING_OP_ASYNC_CANCEL, .fd = -1, .addr = what, .user_data = tag};
}

static int do_link(char **a)
{
    struct ring r;
    ring_init(&r, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct io_uring_sqe sqe = opening(i ? "/nonexistent/x" : a[0], 0x10 + 2 * i);
        sqe.flags = IOSQE_IO_LINK;
        put(&r, sqe);
        put(&r, (struct io_uring_sqe){.opcode = IORING_OP_NOP, .fd = -1, .user_data = 0x11 + 2 * i});
        submit(&r, 2);
        take(&r);
        if (take(&r).res != (i ? -ECANCELED : 0))
            return 1;
    }
    return 0;
}

static int do_cancel(char **a)
{
    struct ring r;
    (void)a;
    ring_init(&r, 0);
    put(&r, accepting(listener("0"), 0x20));
    submit(&r, 0);
    usleep(20000);
    put(&r, cancelling(0x20, 0x21));
    submit(&r, 2);
    return 0;
}

static int do_quiet(char **a)
{
    struct ring r;
    ring_init(&r, 0);
    struct io_uring_sqe sqe = opening(a[0], 0x30);
    sqe.flags = IOSQE_CQE_SKIP_SUCCESS;
    put(&r, sqe);
    put(&r, (struct io_uring_sqe){.opcode = IORING_OP_NOP, .fd = -1, .user_data = 0x31});
    submit(&r, 1);
    return take(&r).tag == 0x31 ? 0 : 1;
}

static int do_multishot(char **a)
{
    struct ring r;
    ring_init(&r, 0);
    struct io_uring_sqe sqe = accepting(listener(a[0]), 0x40);
    sqe.ioprio = IORING_ACCEPT_MULTISHOT;
    put(&r, sqe);
    submit(&r, 0);
    for (unsigned i = 0; i < 2; i++) {
        dial(a[0]);
        submit(&r, 1);
        if (take(&r).res < 0)
            return 1;
    }
    put(&r, cancelling(0x40, 0x41));
    submit(&r, 2);
    return 0;
}

static int do_accept(char **a)
{
    struct ring r;
    ring_init(&r, 0);
    put(&r, accepting(listener(a[0]), 0x48));
    submit(&r, 0);
    dial(a[0]);
    submit(&r, 1);
    return take(&r).res < 0;
}

static int do_abandon(char **a)
{
    struct ring r;
    (void)a;
    ring_init(&r, 0);
    put(&r, accepting(listener("0"), 0x50));
    submit(&r, 0);
    usleep(20000);
    return kill(getpid(), SIGKILL);
}

/* The ring for completions holds 2 * DEPTH of them. */
static int do_reuse(char **a)
{
    struct ring r;
    (void)a;
    ring_init(&r, 0);
    for (unsigned i = 0; i < 3 * DEPTH; i++) {
        put(&r, (struct io_uring_sqe){.opcode = IORING_OP_NOP, .fd = -1, .user_data = 0x1000 + i});
        submit(&r, 0);
    }
    return 0;
}

static int do_direct(char **a)
{
    struct ring r;
    int none[4] = {-1, -1, -1, -1};
    ring_init(&r, 0);
    if (syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_FILES, none, 4) < 0)
        die("io_uring_register");
    struct io_uring_sqe sqe = opening(a[0], 0x60);
    sqe.file_index = 3;
    put(&r, sqe);
    submit(&r, 1);
    return take(&r).res != 0;
}

static int do_send(char **a)
{
    struct ring r;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(a[0])),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct iovec iov = {.iov_base = (void *)"text", .iov_len = 4};
    struct msghdr msg = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1};
    ring_init(&r, 0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    put(&r, (struct io_uring_sqe){
                .opcode = IORING_OP_SENDMSG, .fd = fd, .addr = (uintptr_t)&msg, .len = 1, .user_data = 0x70});
    submit(&r, 1);
    take(&r);
    put(&r, (struct io_uring_sqe){.opcode = IORING_OP_SOCKET,
                                  .fd = AF_INET6,
                                  .off = SOCK_STREAM | SOCK_CLOEXEC,
                                  .len = IPPROTO_TCP,
                                  .user_data = 0x71});
    submit(&r, 1);
    return take(&r).res < 0;
}

static int do_iopoll(char **a)
{
    struct ring r;
    ring_init(&r, IORING_SETUP_IOPOLL);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open(a[0], O_RDONLY | O_DIRECT);
    if (fd < 0 || page == MAP_FAILED)
        return 77;
    put(&r, (struct io_uring_sqe){
                .opcode = IORING_OP_READ, .fd = fd, .addr = (uintptr_t)page, .len = 4096, .user_data = 0x80});
    submit(&r, 1);
    bool there = *r.cq_head != __atomic_load_n(r.cq_tail, __ATOMIC_ACQUIRE);
    return there && take(&r).res >= 0 ? 0 : 77;
}

static int do_many(char **a)
{
    struct ring r;
    int fd = listener("0");
    ring_init(&r, 0);
    for (int i = atoi(a[0]); i > 0; i--) {
        put(&r, accepting(fd, 0x90));
        submit(&r, 0);
    }
    return 0;
}

static int do_crowd(char **a)
{
    int r = do_many(a);
    sleep(1);
    return r;
}

static int do_flood(char **a)
{
    struct ring r;
    struct timespec from, to;
    long n = atol(a[0]) / DEPTH * DEPTH;
    ring_init(&r, 0);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < n; i += DEPTH) {
        for (unsigned k = 0; k < DEPTH; k++)
            put(&r, (struct io_uring_sqe){.opcode = IORING_OP_NOP, .fd = -1, .user_data = 0xa0});
        submit(&r, DEPTH);
        for (unsigned k = 0; k < DEPTH; k++)
            take(&r);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%.0f\n",
           ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / (double)n);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int n;
        int (*run)(char **a);
    } cases[] = {{"link", 1, do_link},     {"cancel", 0, do_cancel},   {"quiet", 1, do_quiet},
                 {"accept", 1, do_accept}, {"abandon", 0, do_abandon}, {"multishot", 1, do_multishot},
                 {"reuse", 0, do_reuse},   {"direct", 1, do_direct},   {"send", 1, do_send},
                 {"iopoll", 1, do_iopoll}, {"many", 1, do_many},       {"crowd", 1, do_crowd},
                 {"flood", 1, do_flood}};
    for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(cases[0]); i++)
        if (strcmp(argv[1], cases[i].name) == 0 && argc == cases[i].n + 2)
            return cases[i].run(argv + 2);
    fprintf(stderr, "usage: uring CASE [ARGS...]\n");
    return 2;
}
