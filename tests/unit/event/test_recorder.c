/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture_recording.h"

#include "base/clock.h"
#include "event/recorder.h"
#include "event/recording.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SECOND_NS 1000000000ULL

static int start(int fd, const struct skep_layouts *layouts, struct skep_recorder **ret)
{
    return skep_recorder_new(fd, "{}", 2, layouts, ret);
}

/* A record of 4 KiB that does not compress. */
static const struct skep_hdr *noise(struct fixture_record *f, uint64_t seq)
{
    uint64_t x = seq * 0x9e3779b97f4a7c15ULL + 1;
    fixture_record(f, seq, (uint32_t)(sizeof(f->bytes) - sizeof(f->a)));
    for (size_t i = sizeof(f->a); i < sizeof(f->bytes); i += 8) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        memcpy(f->bytes + i, &x, 8);
    }
    return &f->h;
}

static struct skep_recorder_counts sum(struct skep_recorder *rec)
{
    struct skep_recorder_counts all[SKEP_KIND_MAX];
    skep_recorder_counts(rec, all);
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        if (i != FIXTURE_KIND_A)
            assert_int_equal(all[i].put + all[i].written + all[i].queue_full + all[i].write_failed, 0);
    return all[FIXTURE_KIND_A];
}

static void check_account(const struct skep_recorder_counts *c)
{
    assert_int_equal(c->put, c->written + c->queue_full + c->write_failed);
}

/* Reads what the file holds; gives the number of records, and whether it is complete. */
static uint64_t read_back(int fd, const struct skep_layouts *layouts, bool complete, uint64_t missing)
{
    _cleanup_recording_ struct skep_recording *rec = NULL;
    struct skep_recording_counts counts;
    const struct skep_hdr *h;
    char reason[200];
    uint64_t n = 0, last = 0;
    int r;
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    r = skep_recording_open_fd(fcntl(fd, F_DUPFD_CLOEXEC, 3), layouts, &rec, reason, sizeof(reason));
    if (r < 0)
        fail_msg("%s", reason);
    while ((r = skep_recording_next(rec, &h)) > 0) {
        assert_true(n == 0 || h->seq > last);
        last = h->seq;
        n++;
    }
    if (r != (complete ? 0 : -EBADMSG))
        fail_msg("%s", skep_recording_damage(rec));
    skep_recording_counts(rec, &counts);
    assert_int_equal(counts.missing, missing);
    return n;
}

static void test_file_is_private(void **state)
{
    (void)state;
    char path[] = "/tmp/skep-recorder-XXXXXX";
    int fd = mkstemp(path);
    struct stat st;
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_int_equal(write(fd, "old", 3), 3);
    close(fd);
    assert_int_equal(skep_recorder_open_file(path, &fd), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 0);
    close(fd);
    unlink(path);

    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(skep_recorder_open_file(path, &fd), -ENXIO);
    unlink(path);
    assert_int_equal(skep_recorder_open_file("/nonexistent/file", &fd), -ENOENT);
}

static void test_what_is_no_record(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_recorder_ struct skep_recorder *rec = NULL;
    static const struct {
        uint32_t len;
        uint16_t kind;
    } bad[] = {{0, 16}, {104, 16}, {113, 16}, {65544, 16}, {UINT32_MAX, 16}, {112, SKEP_KIND_MAX}};
    assert_int_equal(start(memfd_create("x", MFD_CLOEXEC), layouts, &rec), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(skep_recorder_put(rec, &(struct skep_hdr){.len = bad[i].len, .kind = bad[i].kind}),
                         -EINVAL);
    assert_int_equal(sum(rec).put, 0);
}

/* What was flushed is in the file, without an end: as after kill -9. */
static void test_flush(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_recorder_ struct skep_recorder *rec = NULL;
    _cleanup_close_ int fd = memfd_create("x", MFD_CLOEXEC);
    struct fixture_record f;
    assert_int_equal(start(dup(fd), layouts, &rec), 0);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(skep_recorder_put(rec, fixture_record(&f, i, 20)), 0);
    assert_int_equal(sum(rec).written, 0);
    skep_recorder_flush(rec);
    for (unsigned i = 0; i < 1000 && sum(rec).written < 10; i++)
        usleep(10000);
    assert_int_equal(sum(rec).written, 10);
    off_t end = lseek(fd, 0, SEEK_END);
    skep_recorder_flush(rec); /* nothing to write: nothing is written */
    assert_int_equal(skep_recorder_drain(rec, SECOND_NS), 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), end);
    rec = skep_recorder_free(rec);
    assert_int_equal(read_back(fd, layouts, false, 0), 10);
}

static void test_no_room_for_the_head(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    struct skep_recorder *rec = NULL;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        skip();
    assert_int_equal(start(fd, layouts, &rec), -ENOSPC);
    assert_null(rec);
    assert_int_equal(start(open("/dev/null", O_RDONLY | O_CLOEXEC), layouts, &rec), -EBADF);
}

static void set_limit(rlim_t bytes)
{
    struct rlimit l;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
    l.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* The file must not grow, then it may again: the blocks between are lost and counted, the rest is readable, and
 * nobody is killed by SIGXFSZ. */
static void test_disk_full_and_room_again(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_recorder_ struct skep_recorder *rec = NULL;
    char path[] = "/tmp/skep-recorder-XXXXXX";
    _cleanup_close_ int fd = mkstemp(path);
    struct fixture_record f;
    struct stat st, after;
    unlink(path);
    assert_int_equal(start(dup(fd), layouts, &rec), 0);
    uint64_t seq = 0;
    for (unsigned phase = 0; phase < 3; phase++) {
        for (unsigned i = 0; i < 50; i++)
            assert_int_equal(skep_recorder_put(rec, noise(&f, seq++)), 0);
        assert_int_equal(skep_recorder_drain(rec, 10 * SECOND_NS), 0);
        struct skep_recorder_counts c = sum(rec);
        check_account(&c);
        assert_int_equal(c.written, phase == 0 ? 50 : phase == 1 ? 50 : 100);
        assert_int_equal(c.write_failed, phase == 0 ? 0 : 50);
        assert_int_equal(skep_recorder_error(rec), phase == 0 ? 0 : -EFBIG);
        if (phase == 0) {
            /* room for a part of the next block */
            assert_int_equal(fstat(fd, &st), 0);
            set_limit((rlim_t)st.st_size + 10000);
        } else if (phase == 1) {
            assert_int_equal(fstat(fd, &after), 0);
            assert_int_equal(after.st_size, st.st_size);
            set_limit(RLIM_INFINITY);
        }
    }
    assert_int_equal(skep_recorder_finish(rec, "{}", 2, 10 * SECOND_NS), 0);
    assert_int_equal(read_back(fd, layouts, true, 50), 100);
}

static void test_disk_full_at_the_end(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_recorder_ struct skep_recorder *rec = NULL;
    char path[] = "/tmp/skep-recorder-XXXXXX";
    _cleanup_close_ int fd = mkstemp(path);
    struct fixture_record f;
    struct stat st;
    unlink(path);
    assert_int_equal(start(dup(fd), layouts, &rec), 0);
    assert_int_equal(skep_recorder_put(rec, noise(&f, 0)), 0);
    assert_int_equal(skep_recorder_drain(rec, 10 * SECOND_NS), 0);
    assert_int_equal(fstat(fd, &st), 0);
    set_limit((rlim_t)st.st_size + 20);
    assert_int_equal(skep_recorder_finish(rec, "{}", 2, 10 * SECOND_NS), -EFBIG);
    set_limit(RLIM_INFINITY);
    assert_int_equal(read_back(fd, layouts, false, 0), 1);
}

/* A pipe that nobody reads: nothing waits for it, and every record is accounted for. */
static void test_reader_that_never_reads(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_recorder_ struct skep_recorder *rec = NULL;
    struct fixture_record f;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    assert_int_equal(start(p[1], layouts, &rec), 0);
    uint64_t began = skep_clock_mono_ns(), lost = 0;
    const uint64_t n = (SKEP_RECORDER_QUEUE + 4) * (SKEP_RECORDER_BLOCK_BYTES / 4096);
    for (uint64_t i = 0; i < n; i++) {
        int r = skep_recorder_put(rec, noise(&f, i));
        assert_true(r == 0 || r == -ENOBUFS);
        lost += r < 0;
    }
    assert_true(lost > 0 && lost < n);
    assert_int_equal(sum(rec).queue_full, lost);
    assert_int_equal(skep_recorder_drain(rec, SECOND_NS / 10), -ETIMEDOUT);
    struct skep_recorder_counts c = sum(rec);
    check_account(&c);
    assert_int_equal(c.put, n);
    assert_int_equal(c.written, 0);
    assert_true(skep_recorder_finish(rec, "{}", 2, SECOND_NS) < 0);
    rec = skep_recorder_free(rec);
    assert_true(skep_clock_mono_ns() - began < 20 * SECOND_NS);
    close(p[0]);
}

/* A reader that is slow costs what the queue does not hold; the gaps say so in what it gets. */
static void test_slow_reader(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_recorder_ struct skep_recorder *rec = NULL;
    _cleanup_close_ int copy = memfd_create("copy", MFD_CLOEXEC);
    struct fixture_record f;
    char buf[65536];
    int p[2];
    ssize_t k;
    assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(start(p[1], layouts, &rec), 0);
    const uint64_t n = (SKEP_RECORDER_QUEUE + 4) * (SKEP_RECORDER_BLOCK_BYTES / 4096);
    for (uint64_t i = 0; i < n; i++)
        skep_recorder_put(rec, noise(&f, i));
    /* the reader wakes up; when it has got all, more records come */
    uint64_t seq = n;
    for (unsigned idle = 0; idle < 50;) {
        k = read(p[0], buf, sizeof(buf));
        if (k > 0) {
            assert_int_equal(write(copy, buf, (size_t)k), k);
            idle = 0;
        } else {
            skep_recorder_flush(rec);
            usleep(10000);
            idle++;
        }
    }
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(skep_recorder_put(rec, fixture_record(&f, seq++, 8)), 0);
    assert_int_equal(skep_recorder_finish(rec, "{}", 2, 10 * SECOND_NS), 0);
    while ((k = read(p[0], buf, sizeof(buf))) > 0)
        assert_int_equal(write(copy, buf, (size_t)k), k);
    close(p[0]);

    struct skep_recorder_counts c = sum(rec);
    check_account(&c);
    assert_true(c.queue_full > 0);
    assert_int_equal(c.write_failed, 0);
    assert_int_equal(read_back(copy, layouts, true, c.queue_full), c.written);
}

static void test_reader_goes_away(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_recorder_ struct skep_recorder *rec = NULL;
    struct fixture_record f;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    assert_int_equal(start(p[1], layouts, &rec), 0);
    close(p[0]);
    for (uint64_t i = 0; i < 300; i++)
        assert_int_equal(skep_recorder_put(rec, noise(&f, i)), 0);
    assert_int_equal(skep_recorder_drain(rec, 10 * SECOND_NS), 0);
    struct skep_recorder_counts c = sum(rec);
    check_account(&c);
    assert_int_equal(c.write_failed, 300);
    assert_int_equal(skep_recorder_error(rec), -EPIPE);
    assert_int_equal(skep_recorder_finish(rec, "{}", 2, SECOND_NS), -EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_is_private),
        cmocka_unit_test(test_what_is_no_record),
        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_no_room_for_the_head),
        cmocka_unit_test(test_disk_full_and_room_again),
        cmocka_unit_test(test_disk_full_at_the_end),
        cmocka_unit_test(test_reader_that_never_reads),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_reader_goes_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
