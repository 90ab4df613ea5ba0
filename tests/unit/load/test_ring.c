/* SPDX-License-Identifier: Apache-2.0 */
/* The reading end of a ring against a ring laid out by hand in a file: the pages as the kernel maps them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/ring.h"

#include <linux/bpf.h>
#include <sys/mman.h>

#define SIZE ((size_t)65536)

/*
 * The kernel maps the data twice in a row. A file cannot say that, so the pages behind the data are a second
 * copy, which the test keeps equal.
 */
struct fake {
    int fd;
    size_t page;
    char *map; /* consumer page, producer page, data, data */
    uint64_t produced;
    uint64_t seq;
    struct skep_ring ring;
};

static uint64_t *producer(struct fake *f)
{
    return (uint64_t *)(f->map + f->page);
}

static uint64_t *consumer(struct fake *f)
{
    return (uint64_t *)f->map;
}

static int setup(void **state)
{
    struct fake *f = calloc(1, sizeof(*f));
    f->page = (size_t)sysconf(_SC_PAGESIZE);
    f->fd = memfd_create("ring", MFD_CLOEXEC);
    assert_true(f->fd >= 0);
    size_t n = 2 * f->page + 2 * SIZE;
    assert_int_equal(ftruncate(f->fd, (off_t)n), 0);
    f->map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    assert_true(f->map != MAP_FAILED);
    assert_int_equal(skep_ring_open(&f->ring, dup(f->fd), SIZE), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fake *f = *state;
    skep_ring_close(&f->ring);
    assert_int_equal(f->ring.fd, -1);
    munmap(f->map, 2 * f->page + 2 * SIZE);
    close(f->fd);
    free(f);
    return 0;
}

/* Bytes at a position, which may run over the end of the data, in both copies. */
static void put(struct fake *f, uint64_t pos, const void *from, size_t n)
{
    char *data = f->map + 2 * f->page;
    for (size_t i = 0; i < n; i++) {
        size_t at = (pos + i) % SIZE;
        data[at] = data[at + SIZE] = ((const char *)from)[i];
    }
}

static uint64_t reserve(struct fake *f, uint32_t len, uint32_t bits)
{
    uint64_t at = f->produced;
    uint32_t head[2] = {len | bits, 0};
    put(f, at, head, sizeof(head));
    f->produced += ROUND_UP(len + BPF_RINGBUF_HDR_SZ, 8u);
    assert_true(f->produced - *consumer(f) <= SIZE);
    __atomic_store_n(producer(f), f->produced, __ATOMIC_RELEASE);
    return at;
}

static void write_record(struct fake *f, uint32_t len, uint32_t bits)
{
    struct skep_hdr h = {.len = len, .seq = f->seq++};
    uint64_t at = reserve(f, len, bits);
    put(f, at + BPF_RINGBUF_HDR_SZ, &h, MIN(sizeof(h), (size_t)len));
}

static void assert_next(struct fake *f, uint64_t seq, size_t len)
{
    size_t size = 0;
    const struct skep_hdr *h = skep_ring_peek(&f->ring, &size);
    assert_non_null(h);
    assert_int_equal(h->seq, seq);
    assert_int_equal(size, len);
    /* looking is not taking */
    assert_ptr_equal(skep_ring_peek(&f->ring, &size), h);
    skep_ring_advance(&f->ring);
}

static void test_in_order(void **state)
{
    struct fake *f = *state;
    size_t size;
    assert_null(skep_ring_peek(&f->ring, &size));
    for (uint32_t i = 0; i < 10; i++)
        write_record(f, 112 + 8 * i, 0);
    for (uint32_t i = 0; i < 10; i++)
        assert_next(f, i, 112 + 8 * i);
    assert_null(skep_ring_peek(&f->ring, &size));
}

/* A record that is still being written holds back those behind it. */
static void test_busy(void **state)
{
    struct fake *f = *state;
    size_t size;
    write_record(f, 112, 0);
    uint64_t at = f->produced;
    write_record(f, 120, BPF_RINGBUF_BUSY_BIT);
    write_record(f, 128, 0);
    assert_next(f, 0, 112);
    assert_null(skep_ring_peek(&f->ring, &size));
    uint32_t done = 120;
    put(f, at, &done, sizeof(done));
    assert_next(f, 1, 120);
    assert_next(f, 2, 128);
}

static void test_discarded_and_short(void **state)
{
    struct fake *f = *state;
    size_t size;
    write_record(f, 112, BPF_RINGBUF_DISCARD_BIT);
    write_record(f, 8, 0); /* less than a header */
    write_record(f, 112, 0);
    write_record(f, 200, BPF_RINGBUF_DISCARD_BIT);
    assert_next(f, 2, 112);
    assert_null(skep_ring_peek(&f->ring, &size));
    skep_ring_release(&f->ring);
    assert_int_equal(*consumer(f), f->produced);
}

/* What was looked at stays the reader's until it is released. */
static void test_release(void **state)
{
    struct fake *f = *state;
    write_record(f, 112, 0);
    write_record(f, 112, 0);
    assert_next(f, 0, 112);
    assert_int_equal(skep_ring_held(&f->ring), 120);
    assert_int_equal(*consumer(f), 0);
    skep_ring_release(&f->ring);
    assert_int_equal(skep_ring_held(&f->ring), 0);
    assert_int_equal(*consumer(f), 120);
    assert_next(f, 1, 112);
}

/* Many times around, with records that lie across the end. */
static void test_wraps(void **state)
{
    struct fake *f = *state;
    uint64_t seq = 0;
    size_t across = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        uint32_t len = 112 + i * 24 % 4000;
        across += f->produced % SIZE + BPF_RINGBUF_HDR_SZ + len > SIZE;
        write_record(f, len, 0);
        if (i % 3 == 0)
            write_record(f, 40, BPF_RINGBUF_DISCARD_BIT);
        assert_next(f, seq, len);
        seq = f->seq;
        skep_ring_release(&f->ring);
    }
    assert_true(f->produced > 100 * SIZE);
    assert_true(across > 100);
}

/* Longer than any record of ours, and so far back that not all of it is mapped. */
static void test_too_long(void **state)
{
    struct fake *f = *state;
    size_t size = 0;
    const size_t mapped = SIZE + ROUND_UP((size_t)SKEP_RECORD_MAX + BPF_RINGBUF_HDR_SZ, f->page);
    assert_int_equal(f->ring.mapped, mapped);
    for (uint64_t i = 0; f->produced + 1000 < SIZE; i++) {
        write_record(f, 992, 0);
        assert_next(f, i, 992);
    }
    skep_ring_release(&f->ring);
    size_t at = f->produced;
    uint64_t seq = f->seq;
    write_record(f, SIZE - 8, 0);
    const struct skep_hdr *h = skep_ring_peek(&f->ring, &size);
    assert_non_null(h);
    assert_int_equal(h->seq, seq);
    assert_int_equal(size, mapped - at - BPF_RINGBUF_HDR_SZ);
    unsigned sum = 0; /* all of it may be read */
    for (size_t i = 0; i < size; i++)
        sum += ((const unsigned char *)h)[i];
    assert_int_not_equal(sum, 0);
    skep_ring_advance(&f->ring);
    skep_ring_release(&f->ring);
    write_record(f, 112, 0);
    assert_next(f, seq + 1, 112);
}

/* A reader that comes later begins where the last one ended. */
static void test_reopen(void **state)
{
    struct fake *f = *state;
    write_record(f, 112, 0);
    write_record(f, 112, 0);
    assert_next(f, 0, 112);
    skep_ring_release(&f->ring);
    skep_ring_close(&f->ring);
    assert_int_equal(skep_ring_open(&f->ring, dup(f->fd), SIZE), 0);
    assert_next(f, 1, 112);
}

static void test_not_a_ring(void **state)
{
    (void)state;
    struct skep_ring r;
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    assert_true(skep_ring_open(&r, fd[0], SIZE) < 0);
    assert_int_equal(r.fd, -1);
    skep_ring_close(&r);
    close(fd[0]);
    close(fd[1]);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_in_order),
        TEST(test_busy),
        TEST(test_discarded_and_short),
        TEST(test_release),
        TEST(test_wraps),
        TEST(test_reopen),
        TEST(test_too_long),
        cmocka_unit_test(test_not_a_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
