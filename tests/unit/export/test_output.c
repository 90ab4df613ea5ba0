/* SPDX-License-Identifier: Apache-2.0 */
#include "export/output.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/strbuf.h"

#define KIND 7
#define OTHER 8
#define SECOND 1000000000ULL

static const struct skep_output_options plain = {.status_fd = -1, .bytes = SKEP_OUTPUT_BYTES_MIN};

/* A line whose content can be checked: its number, then filler of a length that follows from it. */
static size_t make_line(char *to, unsigned number)
{
    size_t n = (size_t)sprintf(to, "%u:", number), fill = number * 37 % 400;
    memset(to + n, 'a' + (int)(number % 26), fill);
    return n + fill;
}

static bool put_number(struct skep_output *out, unsigned kind, unsigned number)
{
    char line[512];
    return skep_output_put(out, kind, false, line, make_line(line, number));
}

static struct skep_output_counts counts(struct skep_output *out, unsigned kind)
{
    struct skep_output_counts all[SKEP_KIND_MAX];
    skep_output_counts(out, all);
    return all[kind];
}

static void assert_closed(const struct skep_output_counts *c)
{
    assert_int_equal(c->put, c->written + c->queue_full + c->write_failed);
}

/* Checks that text is whole lines of rising numbers; returns how many. */
static uint64_t check_lines(const char *text, size_t len)
{
    uint64_t n = 0;
    long last = -1;
    while (len) {
        const char *end = memchr(text, '\n', len);
        assert_non_null(end);
        char want[512];
        long number = strtol(text, NULL, 10);
        assert_true(number > last);
        size_t want_len = make_line(want, (unsigned)number);
        assert_int_equal((size_t)(end - text), want_len);
        assert_memory_equal(text, want, want_len);
        last = number;
        n++;
        len -= want_len + 1;
        text = end + 1;
    }
    return n;
}

struct reader {
    int fd;
    unsigned pause_us; /* after each read */
    size_t piece;
    struct skep_strbuf text;
    pthread_t thread;
};

static void *reader_main(void *userdata)
{
    struct reader *r = userdata;
    for (;;) {
        char *to = skep_strbuf_reserve(&r->text, r->piece);
        ssize_t n = to ? read(r->fd, to, r->piece) : -1;
        if (n <= 0)
            return NULL;
        r->text.len += (size_t)n;
        if (r->pause_us)
            usleep(r->pause_us);
    }
}

static void reader_start(struct reader *r)
{
    skep_strbuf_init(&r->text, 64 << 20);
    assert_int_equal(pthread_create(&r->thread, NULL, reader_main, r), 0);
}

/* A loop with an end: gives the writer up to 5 s to make the condition true. */
#define eventually(condition)                                                                                \
    do {                                                                                                     \
        uint64_t until = skep_clock_mono_ns() + 5 * SECOND;                                                  \
        while (!(condition)) {                                                                               \
            assert_true(skep_clock_mono_ns() < until);                                                       \
            usleep(1000);                                                                                    \
        }                                                                                                    \
    } while (0)

static void test_fast_reader_loses_nothing(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    struct reader r = {.fd = p[0], .piece = 65536};
    reader_start(&r);
    struct skep_output *out;
    struct skep_output_options big = {.status_fd = -1, .bytes = 32 << 20};
    assert_int_equal(skep_output_new(p[1], &big, &out), 0);
    for (unsigned i = 0; i < 50000; i++)
        assert_true(put_number(out, KIND, i));
    assert_int_equal(skep_output_finish(out, 30 * SECOND), 0);
    struct skep_output_counts c = counts(out, KIND);
    assert_int_equal(c.put, 50000);
    assert_int_equal(c.written, 50000);
    assert_int_equal(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
    skep_output_free(out);
    close(p[1]);
    pthread_join(r.thread, NULL);
    assert_int_equal(check_lines(r.text.s, r.text.len), 50000);
    skep_strbuf_clear(&r.text);
    close(p[0]);
}

static void batch_number(struct skep_linebatch *b, unsigned kind, unsigned number)
{
    char line[512];
    skep_strbuf_put(&b->text, line, make_line(line, number));
    assert_true(skep_linebatch_end(b, kind));
}

/* One line is longer than the queue: it is lost, and none of its neighbours. */
static void test_batches(void **state)
{
    (void)state;
    char path[] = "/tmp/skep-output-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    struct skep_output *out;
    struct skep_output_options big = {.status_fd = -1, .bytes = 8 << 20};
    struct skep_linebatch b;
    _cleanup_free_ char *text = malloc(8 << 20);
    skep_linebatch_init(&b, 16 << 20);
    assert_int_equal(skep_output_new(fd, &big, &out), 0);
    for (unsigned i = 0; i < 10000; i++) {
        if (i == 5000) {
            memset(skep_strbuf_reserve(&b.text, 8 << 20), 'x', 8 << 20);
            b.text.len += 8 << 20;
            assert_true(skep_linebatch_end(&b, OTHER));
        }
        batch_number(&b, i % 2 ? KIND : OTHER, i);
        if (b.n >= 100)
            skep_output_put_batch(out, &b);
    }
    skep_output_put_batch(out, &b);
    assert_int_equal(b.n, 0);
    assert_int_equal(skep_output_finish(out, 30 * SECOND), 0);
    struct skep_output_counts c = counts(out, KIND), d = counts(out, OTHER);
    assert_closed(&c);
    assert_closed(&d);
    assert_int_equal(c.written, 5000);
    assert_int_equal(d.written, 5000);
    assert_int_equal(d.queue_full, 1);
    ssize_t n = pread(fd, text, 8 << 20, 0);
    assert_true(n > 0);
    assert_int_equal(check_lines(text, (size_t)n), 10000);
    /* nothing is taken any more */
    batch_number(&b, KIND, 1);
    skep_output_put_batch(out, &b);
    c = counts(out, KIND);
    assert_int_equal(c.queue_full, 1);
    assert_closed(&c);
    skep_output_free(out);
    skep_linebatch_clear(&b);
    close(fd);
}

static void test_batches_without_a_reader(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    struct skep_output *out;
    struct skep_linebatch b;
    skep_linebatch_init(&b, 512);
    assert_int_equal(skep_output_new(p[1], &plain, &out), 0);
    close(p[0]);
    eventually(skep_output_broken(out));
    for (unsigned i = 0; i < 10; i++)
        batch_number(&b, KIND, i);
    skep_output_put_batch(out, &b);
    struct skep_output_counts c = counts(out, KIND);
    assert_int_equal(c.put, 10);
    assert_int_equal(c.write_failed, 10);
    skep_output_free(out);
    skep_linebatch_clear(&b);
    close(p[1]);
}

static void test_slow_reader_loses_whole_lines_and_counts_them(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    struct reader r = {.fd = p[0], .piece = 3001, .pause_us = 200};
    reader_start(&r);
    struct skep_output *out;
    assert_int_equal(skep_output_new(p[1], &plain, &out), 0);
    assert_true(fcntl(p[1], F_SETPIPE_SZ, 65536) > 0);
    uint64_t refused[2] = {0};
    for (unsigned i = 0; i < 8000; i++)
        refused[i % 2] += !put_number(out, i % 2 ? OTHER : KIND, i);
    assert_int_equal(skep_output_finish(out, 30 * SECOND), 0);
    uint64_t written = 0;
    for (unsigned i = 0; i < 2; i++) {
        struct skep_output_counts c = counts(out, i ? OTHER : KIND);
        assert_closed(&c);
        assert_int_equal(c.put, 4000);
        assert_int_equal(c.queue_full, refused[i]);
        assert_true(refused[i] > 0);
        assert_int_equal(c.write_failed, 0);
        written += c.written;
    }
    skep_output_free(out);
    close(p[1]);
    pthread_join(r.thread, NULL);
    assert_int_equal(check_lines(r.text.s, r.text.len), written);
    skep_strbuf_clear(&r.text);
    close(p[0]);
}

static void test_blocked_reader_does_not_hold_anybody(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    struct skep_output *out;
    assert_int_equal(skep_output_new(p[1], &plain, &out), 0);
    assert_true(fcntl(p[1], F_SETPIPE_SZ, 65536) > 0); /* again: less than what is put */
    for (unsigned i = 0; i < 5000; i++)
        put_number(out, KIND, i);
    assert_true(counts(out, KIND).queue_full > 0);
    /* the reserve still takes what must be said */
    assert_true(skep_output_put(out, OTHER, true, "lost", 4));
    uint64_t before = skep_clock_mono_ns();
    assert_int_equal(skep_output_finish(out, SECOND / 5), -ETIMEDOUT);
    uint64_t took = skep_clock_mono_ns() - before;
    assert_true(took >= SECOND / 5 && took < 5 * SECOND);
    struct skep_output_counts c = counts(out, KIND);
    assert_closed(&c);
    assert_true(c.written > 0);
    assert_int_equal(c.write_failed, 0);
    c = counts(out, OTHER);
    assert_int_equal(c.queue_full, 1);
    assert_false(put_number(out, KIND, 1));
    assert_closed(&(struct skep_output_counts){.put = counts(out, KIND).put,
                                               .written = counts(out, KIND).written,
                                               .queue_full = counts(out, KIND).queue_full});
    skep_output_free(out);
    close(p[0]);
    close(p[1]);
}

static void test_closed_reader_is_noticed(void **state)
{
    (void)state;
    for (int idle = 0; idle < 2; idle++) {
        int p[2];
        assert_int_equal(idle ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) : pipe2(p, O_CLOEXEC),
                         0);
        struct skep_output *out;
        assert_int_equal(skep_output_new(p[1], &plain, &out), 0);
        put_number(out, KIND, 1);
        skep_output_flush(out);
        eventually(counts(out, KIND).written == 1);
        assert_false(skep_output_broken(out));
        close(p[0]);
        if (!idle) {
            put_number(out, KIND, 2);
            skep_output_flush(out);
        }
        struct pollfd pfd = {.fd = skep_output_broken_fd(out), .events = POLLIN};
        assert_int_equal(poll(&pfd, 1, 5000), 1);
        assert_true(skep_output_broken(out));
        assert_int_equal(skep_output_first_error(out), -EPIPE);
        assert_false(put_number(out, KIND, 3));
        assert_int_equal(skep_output_finish(out, SECOND), 0);
        struct skep_output_counts c = counts(out, KIND);
        assert_closed(&c);
        assert_int_equal(c.written, 1);
        assert_int_equal(c.write_failed, idle ? 1 : 2);
        skep_output_free(out);
        close(p[1]);
    }
}

static void test_full_device(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct skep_output *out;
    assert_int_equal(skep_output_new(fd, &plain, &out), 0);
    for (unsigned i = 0; i < 3000; i++) {
        put_number(out, KIND, i);
        if (i % 100 == 0)
            skep_output_flush(out);
    }
    assert_int_equal(skep_output_finish(out, SECOND), 0);
    assert_int_equal(skep_output_first_error(out), -ENOSPC);
    assert_false(skep_output_broken(out));
    struct skep_output_counts c = counts(out, KIND);
    assert_closed(&c);
    assert_int_equal(c.put, 3000);
    assert_int_equal(c.written, 0);
    assert_true(c.write_failed > 0);
    skep_output_free(out);
    close(fd);
}

/* A file that stops growing in the middle of a line, and later may grow again: a size limit stands in for a
 * full disk. */
static void test_file_fills_up_and_recovers(void **state)
{
    (void)state;
    char path[] = "/tmp/skep-output-XXXXXX";
    close(mkstemp(path));
    int fd;
    assert_int_equal(skep_output_open(path, &fd), 0);
    struct skep_output *out;
    assert_int_equal(skep_output_new(fd, &plain, &out), 0);

    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 10007;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (unsigned i = 0; i < 200; i++) {
        assert_true(put_number(out, KIND, i));
        if (i % 5 == 0)
            skep_output_flush(out);
    }
    skep_output_flush(out);
    eventually(counts(out, KIND).write_failed > 50);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 10007);
    assert_int_equal(skep_output_first_error(out), -EFBIG);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    for (unsigned i = 200; i < 300; i++)
        assert_true(put_number(out, KIND, i));
    assert_int_equal(skep_output_finish(out, 5 * SECOND), 0);
    struct skep_output_counts c = counts(out, KIND);
    assert_closed(&c);
    assert_int_equal(c.put, 300);
    assert_int_equal(c.queue_full, 0);
    skep_output_free(out);

    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    _cleanup_free_ char *text = malloc((size_t)st.st_size);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, text, (size_t)st.st_size), st.st_size);
    close(fd);
    unlink(path);
    assert_int_equal(check_lines(text, (size_t)st.st_size), c.written);
}

static void test_torn_line_is_counted_when_it_cannot_be_ended(void **state)
{
    (void)state;
    char path[] = "/tmp/skep-output-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    struct skep_output *out;
    assert_int_equal(skep_output_new(fd, &plain, &out), 0);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_true(skep_output_put(out, KIND, true, "longer", 6));
    assert_true(skep_output_put(out, KIND, true, "more", 4));
    assert_int_equal(skep_output_finish(out, SECOND), 0);
    struct skep_output_counts c = counts(out, KIND);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(c.put, 2);
    assert_int_equal(c.write_failed, 2);
    skep_output_free(out);
    close(fd);
}

static void test_line_that_can_never_fit(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct skep_output *out;
    assert_int_equal(skep_output_new(fd, &plain, &out), 0);
    _cleanup_free_ char *line = calloc(1, SKEP_OUTPUT_BYTES_MIN);
    assert_false(skep_output_put(out, KIND, false, line, SKEP_OUTPUT_BYTES_MIN));
    assert_true(skep_output_put(out, KIND, false, line, SKEP_OUTPUT_BYTES_MIN / 2));
    assert_int_equal(skep_output_finish(out, SECOND), 0);
    struct skep_output_counts c = counts(out, KIND);
    assert_closed(&c);
    assert_int_equal(c.queue_full, 1);
    assert_int_equal(c.written, 1);
    skep_output_free(out);
    close(fd);
}

static void test_flush_and_urgent_lines_go_out_at_once(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    struct skep_output *out;
    assert_int_equal(skep_output_new(p[1], &plain, &out), 0);
    struct pollfd pfd = {.fd = p[0], .events = POLLIN};
    char text[64];
    put_number(out, KIND, 0);
    skep_output_flush(out);
    assert_int_equal(poll(&pfd, 1, 5000), 1);
    assert_int_equal(read(p[0], text, sizeof(text)), 3);
    assert_true(skep_output_put(out, 0, true, "now", 3));
    assert_int_equal(poll(&pfd, 1, 5000), 1);
    assert_int_equal(read(p[0], text, sizeof(text)), 4);
    assert_memory_equal(text, "now\n", 4);
    skep_output_free(out);
    close(p[0]);
    close(p[1]);
}

/* Who appended before was killed, or the disk was full. */
static void test_torn_line_gets_an_end(void **state)
{
    (void)state;
    char path[] = "/tmp/skep-output-XXXXXX", text[64] = {0};
    int made = mkstemp(path), fd;
    assert_int_equal(write(made, "whole\nhal", 9), 9);
    for (int i = 0; i < 2; i++) {
        struct skep_output *out;
        assert_int_equal(skep_output_open(path, &fd), 0);
        assert_int_equal(skep_output_new(fd, &plain, &out), 0);
        assert_true(skep_output_put(out, KIND, false, "next", 4));
        assert_int_equal(skep_output_finish(out, SECOND), 0);
        skep_output_free(out);
        close(fd);
    }
    assert_int_equal(pread(made, text, sizeof(text), 0), 20);
    assert_string_equal(text, "whole\nhal\nnext\nnext\n");
    close(made);
    unlink(path);
}

static void test_new_file_is_private_and_old_ones_are_kept(void **state)
{
    (void)state;
    char dir[] = "/tmp/skep-output-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/events", dir);
    mode_t before = umask(0);
    for (int i = 0; i < 2; i++) {
        int fd;
        assert_int_equal(skep_output_open(path, &fd), 0);
        struct skep_output *out;
        assert_int_equal(skep_output_new(fd, &plain, &out), 0);
        assert_true(skep_output_put(out, KIND, false, "x", 1));
        assert_int_equal(skep_output_finish(out, SECOND), 0);
        skep_output_free(out);
        close(fd);
    }
    umask(before);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 4);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd;
    assert_int_equal(skep_output_open(path, &fd), -ENXIO);
    unlink(path);
    rmdir(dir);
}

struct screen {
    int master;
    int slave;
    struct skep_strbuf seen;
};

static void screen_open(struct screen *s)
{
    s->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    assert_true(s->master >= 0);
    assert_int_equal(grantpt(s->master), 0);
    assert_int_equal(unlockpt(s->master), 0);
    s->slave = open(ptsname(s->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(s->slave >= 0);
    struct termios t;
    assert_int_equal(tcgetattr(s->slave, &t), 0);
    t.c_oflag &= (tcflag_t)~OPOST;
    assert_int_equal(tcsetattr(s->slave, TCSANOW, &t), 0);
    struct winsize ws = {.ws_col = 20, .ws_row = 5};
    assert_int_equal(ioctl(s->master, TIOCSWINSZ, &ws), 0);
    skep_strbuf_init(&s->seen, 1 << 20);
}

static bool screen_shows(struct screen *s, const char *text)
{
    char piece[512];
    ssize_t n = read(s->master, piece, sizeof(piece));
    if (n > 0)
        skep_strbuf_put(&s->seen, piece, (size_t)n);
    return strstr(s->seen.s, text) != NULL;
}

static void screen_close(struct screen *s)
{
    close(s->slave);
    close(s->master);
    skep_strbuf_clear(&s->seen);
}

static void test_status_line_and_lines_do_not_mix(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    struct screen s;
    screen_open(&s);
    struct skep_output_options o = {.status_fd = s.slave, .status = true};
    struct skep_output *out;
    assert_int_equal(skep_output_new(s.slave, &o, &out), 0);
    skep_output_status(out, "0123456789 0123456789 0123456789");
    eventually(screen_shows(&s, "\r0123456789 01234567\033[0m\033[K"));
    skep_strbuf_reset(&s.seen);
    assert_true(skep_output_put(out, KIND, false, "event", 5));
    skep_output_flush(out);
    eventually(screen_shows(&s, "\r\033[Kevent\n\r0123456789 01234567\033[0m\033[K"));
    skep_strbuf_reset(&s.seen);
    skep_output_message(out, "skep: hello");
    eventually(screen_shows(&s, "\r\033[Kskep: hello\n\r0123456789 01234567\033[0m\033[K"));
    skep_strbuf_reset(&s.seen);
    assert_int_equal(skep_output_finish(out, SECOND), 0);
    screen_shows(&s, "");
    assert_string_equal(s.seen.s, "\r\033[K");
    skep_output_free(out);
    screen_close(&s);
}

static void test_no_status_line_beside_a_pipe_or_on_a_dumb_terminal(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    for (int dumb = 0; dumb < 2; dumb++) {
        setenv("TERM", dumb ? "dumb" : "xterm", 1);
        struct screen s;
        screen_open(&s);
        struct skep_output_options o = {.status_fd = s.slave, .status = true};
        struct skep_output *out;
        assert_int_equal(skep_output_new(dumb ? s.slave : p[1], &o, &out), 0);
        skep_output_status(out, "status");
        skep_output_message(out, "message");
        assert_int_equal(skep_output_finish(out, SECOND), 0);
        screen_shows(&s, "");
        assert_string_equal(s.seen.s, "message\n");
        skep_output_free(out);
        screen_close(&s);
    }
    close(p[0]);
    close(p[1]);
}

static void test_terminal_that_is_hung_up(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    struct screen s;
    screen_open(&s);
    struct skep_output_options o = {.status_fd = s.slave, .status = true};
    struct skep_output *out;
    assert_int_equal(skep_output_new(s.slave, &o, &out), 0);
    skep_output_status(out, "status");
    eventually(screen_shows(&s, "status"));
    close(s.master);
    s.master = -1;
    eventually(skep_output_broken(out));
    assert_false(put_number(out, KIND, 1));
    skep_output_status(out, "status");
    skep_output_message(out, "message");
    assert_int_equal(skep_output_finish(out, SECOND), 0);
    skep_output_free(out);
    screen_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fast_reader_loses_nothing),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_batches_without_a_reader),
        cmocka_unit_test(test_slow_reader_loses_whole_lines_and_counts_them),
        cmocka_unit_test(test_blocked_reader_does_not_hold_anybody),
        cmocka_unit_test(test_closed_reader_is_noticed),
        cmocka_unit_test(test_full_device),
        cmocka_unit_test(test_file_fills_up_and_recovers),
        cmocka_unit_test(test_torn_line_is_counted_when_it_cannot_be_ended),
        cmocka_unit_test(test_line_that_can_never_fit),
        cmocka_unit_test(test_flush_and_urgent_lines_go_out_at_once),
        cmocka_unit_test(test_torn_line_gets_an_end),
        cmocka_unit_test(test_new_file_is_private_and_old_ones_are_kept),
        cmocka_unit_test(test_status_line_and_lines_do_not_mix),
        cmocka_unit_test(test_no_status_line_beside_a_pipe_or_on_a_dumb_terminal),
        cmocka_unit_test(test_terminal_that_is_hung_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
