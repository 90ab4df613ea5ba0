/* SPDX-License-Identifier: Apache-2.0 */
#include "export/sink.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "export/sink_spec.h"

#define MS 1000000ULL
#define SECOND 1000000000ULL

/* A loop with an end: gives a sink's thread up to 5 s to make the condition true. */
#define eventually(condition)                                                                                \
    do {                                                                                                     \
        uint64_t until = skep_clock_mono_ns() + 5 * SECOND;                                                  \
        while (!(condition)) {                                                                               \
            assert_true(skep_clock_mono_ns() < until);                                                       \
            usleep(1000);                                                                                    \
        }                                                                                                    \
    } while (0)

static char scratch[] = "/tmp/skep-sink-XXXXXX";

static uint64_t in_ms(uint64_t ms)
{
    return skep_clock_mono_ns() + ms * MS;
}

static struct skep_sink *open_sink(const char *fmt, ...) SKEP_PRINTF(1, 2);
static struct skep_sink *open_sink(const char *fmt, ...)
{
    char spec[512];
    struct skep_diags diags;
    struct skep_sink *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(spec, sizeof(spec), fmt, ap);
    va_end(ap);
    skep_diags_init(&diags, "--to");
    int r = skep_sink_open(spec, &diags, &s);
    if (r < 0 && diags.n)
        print_error("%s: %s\n", spec, diags.list[0].message);
    assert_int_equal(r, 0);
    skep_diags_clear(&diags);
    return s;
}

static bool put(struct skep_sink *s, const char *text)
{
    struct skep_alert_line line = {.priority = 4,
                                   .rule = "Rule",
                                   .text = text,
                                   .text_len = strlen(text),
                                   .json = text,
                                   .json_len = strlen(text)};
    return skep_sink_put(s, &line);
}

static struct skep_sink_counters counters(struct skep_sink *s)
{
    struct skep_sink_counters c;
    skep_sink_counters(s, &c);
    assert_int_equal(c.put, c.written + c.dropped + c.failed + c.queued);
    return c;
}

/* What is in the file, which is small. */
static const char *content(const char *path)
{
    static char text[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
    return text;
}

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
    return path;
}

static void test_file(void **state)
{
    (void)state;
    const char *path = path_of("file");
    mode_t mask = umask(077);
    struct skep_sink *s = open_sink("file:%s,format=text,mode=0644", path);
    umask(mask);
    assert_int_equal(skep_sink_format(s), SKEP_SINK_TEXT);
    assert_true(strstr(skep_sink_name(s), "file:") == skep_sink_name(s) && !strchr(skep_sink_name(s), ','));
    assert_true(put(s, "one"));
    assert_true(put(s, "two\nlines"));
    assert_int_equal(skep_sink_flush(s, in_ms(5000)), 0);
    assert_string_equal(content(path), "one\ntwo lines\n");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    /* SIGUSR1 after somebody has moved it away */
    assert_int_equal(rename(path, path_of("moved")), 0);
    assert_true(put(s, "three"));
    assert_int_equal(skep_sink_flush(s, in_ms(5000)), 0);
    assert_string_equal(content(path_of("moved")), "one\ntwo lines\nthree\n");
    skep_sink_reopen(s);
    eventually(access(path, F_OK) == 0);
    assert_true(put(s, "four"));
    assert_int_equal(skep_sink_finish(s, in_ms(5000)), 0);
    assert_string_equal(content(path), "four\n");
    struct skep_sink_counters c = counters(s);
    assert_int_equal(c.written, 4);
    assert_int_equal(c.restarts, 1);
    /* the end is the end */
    assert_false(put(s, "five"));
    assert_int_equal(counters(s).dropped, 1);
    assert_int_equal(skep_sink_finish(s, in_ms(5000)), 0);
    skep_sink_free(s);
}

/* When the directory has gone the open file goes on. */
static void test_file_cannot_be_reopened(void **state)
{
    (void)state;
    const char *dir = path_of("dir"), *moved = path_of("moved-dir");
    assert_int_equal(mkdir(dir, 0700), 0);
    struct skep_sink *s = open_sink("file:%s/file", dir);
    assert_int_equal(rename(dir, moved), 0);
    skep_sink_reopen(s);
    eventually(strstr(counters(s).last_error, "cannot be opened again"));
    assert_true(put(s, "{}"));
    assert_int_equal(skep_sink_finish(s, in_ms(5000)), 0);
    assert_int_equal(counters(s).written, 1);
    skep_sink_free(s);
}

static void test_torn_file(void **state)
{
    (void)state;
    const char *path = path_of("torn");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "whole\nhal", 9), 9);
    close(fd);
    struct skep_sink *s = open_sink("file:%s", path);
    assert_true(put(s, "new"));
    assert_int_equal(skep_sink_finish(s, in_ms(5000)), 0);
    assert_string_equal(content(path), "whole\nhal\nnew\n");
    skep_sink_free(s);
}

static void test_rotation(void **state)
{
    (void)state;
    const char *path = path_of("rotated");
    struct skep_sink *s = open_sink("file:%s,rotate=1K,keep=2,memory=1M", path);
    char line[300];
    for (int i = 0; i < 20; i++) {
        memset(line, 'a' + i, sizeof(line) - 1);
        line[sizeof(line) - 1] = '\0';
        assert_true(put(s, line));
    }
    char big[3000];
    memset(big, '!', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_true(put(s, big)); /* longer than a file: it has one of its own */
    assert_int_equal(skep_sink_finish(s, in_ms(5000)), 0);
    assert_int_equal(counters(s).written, 21);
    skep_sink_free(s);
    /* 3 lines a file: s and t in the last but one */
    assert_int_equal(strlen(content(path)), 3000);
    char name[160];
    snprintf(name, sizeof(name), "%s.1", path);
    assert_int_equal(strlen(content(name)), 2 * 300);
    assert_int_equal(content(name)[0], 's');
    snprintf(name, sizeof(name), "%s.2", path);
    assert_int_equal(strlen(content(name)), 3 * 300);
    assert_int_equal(content(name)[0], 'p');
    snprintf(name, sizeof(name), "%s.3", path);
    assert_int_not_equal(access(name, F_OK), 0);
}

static void test_stdout(void **state)
{
    (void)state;
    int p[2], saved = dup(STDOUT_FILENO);
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    fflush(stdout);
    assert_int_equal(dup2(p[1], STDOUT_FILENO), STDOUT_FILENO);
    struct skep_sink *s = open_sink("stdout");
    assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    close(saved);
    assert_true(put(s, "hello"));
    assert_int_equal(skep_sink_flush(s, in_ms(5000)), 0);
    char text[16] = "";
    assert_int_equal(read(p[0], text, sizeof(text)), 6);
    assert_string_equal(text, "hello\n");
    assert_int_equal(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
    /* the reader leaves, and nothing is written for the moment */
    assert_false(counters(s).broken);
    close(p[1]);
    close(p[0]);
    eventually(counters(s).broken);
    assert_true(put(s, "anybody?"));
    assert_int_equal(skep_sink_finish(s, in_ms(5000)), 0);
    assert_int_equal(counters(s).failed, 1);
    skep_sink_free(s);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The sink takes nothing at all. put() is what detection waits for: 100,000 alerts in microseconds each. */
static void flood(struct skep_sink *s, unsigned n)
{
    uint64_t *took = calloc(n, sizeof(*took));
    char line[256];
    assert_non_null(took);
    for (unsigned i = 0; i < n; i++) {
        snprintf(line, sizeof(line), "%0200u", i);
        uint64_t begin = skep_clock_mono_ns();
        put(s, line);
        took[i] = skep_clock_mono_ns() - begin;
    }
    qsort(took, n, sizeof(*took), compare);
    /* the longest is what the scheduler of a busy machine makes of it */
    assert_true(took[n / 2] < 50000);
    assert_true(took[n - n / 100] < 5 * MS);
    free(took);
    struct skep_sink_counters c = counters(s);
    assert_int_equal(c.put, n);
    assert_true(c.dropped > 0 && c.queued > 0);
    assert_string_equal(c.last_lost_rule, "Rule");
}

static void test_stuck_program(void **state)
{
    (void)state;
    struct skep_sink *s = open_sink("program:exec sleep 100,queue=1000"),
                     *other = open_sink("file:%s", path_of("other"));
    flood(s, 100000);
    uint64_t begin = skep_clock_mono_ns();
    assert_true(put(other, "not held up"));
    assert_int_equal(skep_sink_flush(other, in_ms(1000)), 0);
    assert_int_equal(skep_sink_flush(s, in_ms(100)), -ETIMEDOUT);
    assert_int_equal(skep_sink_finish(s, in_ms(100)), -ETIMEDOUT);
    assert_true(skep_clock_mono_ns() - begin < 3 * SECOND);
    struct skep_sink_counters c = counters(s);
    assert_int_equal(c.queued, 0);
    assert_true(c.dropped >= 99000);
    skep_sink_free(s);
    skep_sink_free(other);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void test_stuck_socket(void **state)
{
    (void)state;
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path_of("log"));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    struct skep_sink *s = open_sink("syslog:local3,path=%s,queue=500,tag=hive", sa.sun_path);
    flood(s, 100000);
    /* once it is read from again, all that waits comes, in order, and the account is closed */
    struct timeval patience = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    struct skep_sink_counters before = counters(s);
    uint64_t all = before.written + before.queued;
    long last = -1;
    for (uint64_t i = 0; i < all; i++) {
        char text[1024];
        ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
        assert_true(n > 0);
        text[n] = '\0';
        assert_true(strncmp(text, "<156>", 5) == 0); /* local3 is 19, warning 4: 19 * 8 + 4 */
        char want[32];
        snprintf(want, sizeof(want), " hive[%d]: ", getpid());
        char *body = strstr(text, want);
        assert_non_null(body);
        /* where it was faster than the thread, some are missing in between */
        long number = strtol(body + strlen(want), NULL, 10);
        assert_true(number > last);
        last = number;
    }
    assert_int_equal(skep_sink_finish(s, in_ms(5000)), 0);
    struct skep_sink_counters c = counters(s);
    assert_int_equal(c.written, all);
    assert_int_equal(c.dropped, 100000 - all);
    close(fd);
    skep_sink_free(s);
}

static void test_long_datagram(void **state)
{
    (void)state;
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path_of("log2"));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    struct skep_sink *s = open_sink("syslog,path=%s", sa.sun_path);
    size_t len = 4 << 20;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'z', len);
    text[len] = '\0';
    assert_true(put(s, text));
    ssize_t n = recv(fd, text, len, 0);
    assert_true(n > 8192 && n < 8400);
    assert_memory_equal(text + n - 4, "z...", 4);
    assert_int_equal(skep_sink_finish(s, in_ms(5000)), 0);
    assert_int_equal(counters(s).written, 1);
    free(text);
    close(fd);
    skep_sink_free(s);
}

/* A server that is not there: nothing waits for it, and after some attempts the oldest is given up. */
static void test_dead_server(void **state)
{
    (void)state;
    struct skep_sink *s = open_sink("http://user:secret@127.0.0.1:1/x?token=y,queue=100,retries=1");
    assert_string_equal(skep_sink_name(s), "http://127.0.0.1:1/x");
    flood(s, 100000);
    eventually(counters(s).failed >= 1);
    struct skep_sink_counters c = counters(s);
    assert_int_equal(c.written, 0);
    assert_true(c.failing && c.retries >= 1 && c.last_error[0]);
    skep_sink_free(s);
}

/* Whatever the moment at which it is ended. */
static void test_free_at_any_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        struct skep_sink *s[] = {
            open_sink("file:%s", path_of("any")),
            open_sink("program:cat >/dev/null"),
            open_sink("http://127.0.0.1:1/"),
            open_sink("syslog,path=%s", path_of("nobody")),
        };
        for (unsigned k = 0; k < ARRAY_SIZE(s); k++)
            put(s[k], "x");
        usleep(i * 300);
        for (unsigned k = 0; k < ARRAY_SIZE(s); k++) {
            skep_sink_reopen(s[k]);
            skep_sink_end(s[k], in_ms(i % 3));
        }
        for (unsigned k = 0; k < ARRAY_SIZE(s); k++)
            skep_sink_free(s[k]);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

struct putter {
    struct skep_sink *sink;
    pthread_t thread;
};

static void *put_many(void *userdata)
{
    struct putter *p = userdata;
    for (int i = 0; i < 20000; i++)
        put(p->sink, "from a thread");
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct skep_sink *s = open_sink("file:%s,queue=300", path_of("threads"));
    struct putter putters[3];
    for (unsigned i = 0; i < ARRAY_SIZE(putters); i++) {
        putters[i].sink = s;
        assert_int_equal(pthread_create(&putters[i].thread, NULL, put_many, &putters[i]), 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        skep_sink_reopen(s);
        counters(s);
        skep_sink_flush(s, in_ms(1));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(putters); i++)
        pthread_join(putters[i].thread, NULL);
    assert_int_equal(skep_sink_finish(s, in_ms(5000)), 0);
    struct skep_sink_counters c = counters(s);
    assert_int_equal(c.put, 60000);
    assert_true(c.written > 0);
    assert_int_equal(c.failed, 0);
    skep_sink_free(s);
    struct stat st;
    assert_int_equal(stat(path_of("threads"), &st), 0);
    assert_int_equal(st.st_size, c.written * strlen("from a thread\n"));
}

static void test_program_dies(void **state)
{
    (void)state;
    const char *path = path_of("program");
    struct skep_sink *s = open_sink("program:\"head -n 1 >>%s\"", path);
    for (int i = 0; i < 3; i++) {
        uint64_t restarts = counters(s).restarts;
        assert_true(put(s, i == 0 ? "a" : i == 1 ? "b" : "c"));
        eventually(counters(s).restarts > restarts);
    }
    assert_int_equal(skep_sink_finish(s, in_ms(2000)), 0);
    struct skep_sink_counters c = counters(s);
    assert_int_equal(c.written, 3);
    assert_string_equal(c.last_error, "the program ended with status 0");
    skep_sink_free(s);
    assert_string_equal(content(path), "a\nb\nc\n");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_reference(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_sinks_put_reference(&sb);
    static const char *const words[] = {"## stdout",     "## file",    "## syslog",  "## http",  "## program",
                                        "`rotate=SIZE`", "`cert=PEM`", "`insecure`", "`queue=N`"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        assert_non_null(strstr(sb.s, words[i]));
}

/* Headers from a file: all of them, or an error. */
static void test_header_file(void **state)
{
    (void)state;
    for (unsigned n = SKEP_SINK_TEXTS_MAX; n <= SKEP_SINK_TEXTS_MAX + 1; n++) {
        char path[] = "/tmp/skep-headers.XXXXXX", spec[64];
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        for (unsigned i = 0; i < n; i++)
            assert_true(dprintf(fd, "X-%u: y\n", i) > 0);
        close(fd);
        snprintf(spec, sizeof(spec), "http://h,header=@%s", path);
        struct skep_diags diags;
        struct skep_sink *s = NULL;
        skep_diags_init(&diags, "--to");
        int r = skep_sink_open(spec, &diags, &s);
        unlink(path);
        if (n == SKEP_SINK_TEXTS_MAX) {
            assert_int_equal(r, 0);
        } else {
            assert_int_equal(r, -EINVAL);
            assert_non_null(strstr(diags.list[0].message, "more than 32 lines"));
        }
        skep_sink_free(s);
        skep_diags_clear(&diags);
    }
}

static void test_wrong(void **state)
{
    (void)state;
    static const char *const specs[] = {
        "",
        "fil:x",
        "file",
        "file:",
        "stdout:x",
        "stdout,rotate=1M",
        "syslog:nothing",
        "syslog,tag=a b",
        "http:",
        "http:///",
        "http://h,cert=/dev/null",
        "https://h,key=/dev/null",
        "http://h,header=a",
        "http://h,header='a: b\r\nc: d'",
        "http://h,header=@/nonexistent",
        "https://h,batch=0",
        "program:",
        "file:/nonexistent/dir/file",
        "file:/",
        "stdout,queue=0",
        "stdout,memory=1",
    };
    for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
        struct skep_diags diags;
        struct skep_sink *s = NULL;
        skep_diags_init(&diags, "--to");
        assert_true(skep_sink_open(specs[i], &diags, &s) < 0);
        assert_null(s);
        assert_int_equal(diags.n_errors, 1);
        assert_non_null(diags.list[0].message);
        skep_diags_clear(&diags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),         cmocka_unit_test(test_file_cannot_be_reopened),
        cmocka_unit_test(test_torn_file),    cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_stdout),       cmocka_unit_test(test_stuck_program),
        cmocka_unit_test(test_stuck_socket), cmocka_unit_test(test_long_datagram),
        cmocka_unit_test(test_dead_server),  cmocka_unit_test(test_free_at_any_time),
        cmocka_unit_test(test_threads),      cmocka_unit_test(test_program_dies),
        cmocka_unit_test(test_reference),    cmocka_unit_test(test_header_file),
        cmocka_unit_test(test_wrong),
    };
    if (!mkdtemp(scratch))
        return 1;
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", scratch);
    return system(command) ? 1 : r;
}
