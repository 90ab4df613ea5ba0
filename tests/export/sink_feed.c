/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink_feed [--finish MS] [--reference] SINK...
 *
 * Makes the sinks and hands them one alert for each line of standard input, with the line as its text and
 * {"output":LINE} as its JSON. "PRIORITY|LINE" sets the priority (0 to 7). Lines that begin with '!' are
 * orders:
 *
 *     !many N [BYTES]  N alerts, "alert 0" and so on, filled up to so many bytes; prints how long put took
 *     !flush MS        waits until everything is delivered; prints "flushed" or "not flushed"
 *     !reopen          what SIGUSR1 does
 *     !sleep MS
 *     !counters        prints them
 *     !kill            ends this process at once, as a crash would
 *
 * At the end the sinks have --finish MS (2000) to deliver what is left; then their counters are printed, an
 * object a line, on standard error. Exit status: 0; 1 when an account does not add up; 2 for a wrong
 * specification.
 */
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "export/sink.h"

#define MS 1000000ULL
#define SINKS_MAX 16

static struct skep_sink *sinks[SINKS_MAX];
static size_t n_sinks;
static struct skep_strbuf json;

static void put(unsigned priority, const char *text, size_t len)
{
    struct skep_json j;
    skep_strbuf_reset(&json);
    skep_json_init(&j, &json);
    skep_json_open(&j, NULL, '{');
    skep_json_str(&j, "output", text, len);
    skep_json_close(&j, '}');
    struct skep_alert_line line = {
        .priority = priority,
        .rule = "Feed",
        .text = text,
        .text_len = len,
        .json = json.s,
        .json_len = json.len,
    };
    for (size_t i = 0; i < n_sinks; i++)
        skep_sink_put(sinks[i], &line);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void put_many(size_t n, size_t bytes)
{
    char text[65536];
    uint64_t *took = calloc(n + 1, sizeof(*took)), total = skep_clock_mono_ns();
    if (!took)
        return;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < n; i++) {
        size_t len = (size_t)snprintf(text, sizeof(text), "alert %zu", i);
        if (bytes > len)
            text[len] = ' ';
        uint64_t begin = skep_clock_mono_ns();
        put(4, text, MIN(MAX(len, bytes), sizeof(text)));
        took[i] = skep_clock_mono_ns() - begin;
    }
    total = skep_clock_mono_ns() - total;
    qsort(took, n, sizeof(*took), compare);
    fprintf(stderr, "put %zu: total_us=%llu median_ns=%llu p999_ns=%llu max_us=%llu\n", n,
            (unsigned long long)total / 1000, (unsigned long long)took[n / 2],
            (unsigned long long)took[n - n / 1000 - 1], (unsigned long long)took[n - 1] / 1000);
    free(took);
}

static int print_counters(void)
{
    int bad = 0;
    for (size_t i = 0; i < n_sinks; i++) {
        struct skep_sink_counters c;
        _cleanup_strbuf_ struct skep_strbuf sb;
        struct skep_json j;
        skep_sink_counters(sinks[i], &c);
        skep_strbuf_init(&sb, 65536);
        skep_json_init(&j, &sb);
        skep_json_open(&j, NULL, '{');
        skep_json_strz(&j, "sink", skep_sink_name(sinks[i]));
        skep_json_u64(&j, "put", c.put);
        skep_json_u64(&j, "written", c.written);
        skep_json_u64(&j, "dropped", c.dropped);
        skep_json_u64(&j, "failed", c.failed);
        skep_json_u64(&j, "queued", c.queued);
        skep_json_u64(&j, "retries", c.retries);
        skep_json_u64(&j, "restarts", c.restarts);
        skep_json_bool(&j, "failing", c.failing);
        skep_json_bool(&j, "broken", c.broken);
        skep_json_strz(&j, "last_error", c.last_error);
        skep_json_strz(&j, "last_lost_rule", c.last_lost_rule);
        skep_json_close(&j, '}');
        fprintf(stderr, "%s\n", sb.s);
        bad |= c.put != c.written + c.dropped + c.failed + c.queued;
    }
    return bad;
}

static void sleep_ms(unsigned long ms)
{
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * MS)};
    nanosleep(&t, NULL);
}

static void obey(const char *order)
{
    unsigned long n = 0, bytes = 0;
    if (sscanf(order, "!many %lu %lu", &n, &bytes) >= 1) {
        put_many(n, bytes);
    } else if (sscanf(order, "!flush %lu", &n) == 1) {
        uint64_t deadline = skep_clock_mono_ns() + n * MS;
        int r = 0;
        for (size_t i = 0; i < n_sinks; i++)
            r |= skep_sink_flush(sinks[i], deadline);
        fprintf(stderr, r ? "not flushed\n" : "flushed\n");
    } else if (sscanf(order, "!sleep %lu", &n) == 1) {
        sleep_ms(n);
    } else if (skep_streq(order, "!reopen")) {
        for (size_t i = 0; i < n_sinks; i++)
            skep_sink_reopen(sinks[i]);
    } else if (skep_streq(order, "!counters")) {
        print_counters();
    } else if (skep_streq(order, "!kill")) {
        kill(getpid(), SIGKILL);
    } else {
        fprintf(stderr, "unknown order %s\n", order);
        exit(3);
    }
}

static void feed(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        if (line[n - 1] == '\n')
            line[--n] = '\0';
        if (line[0] == '!')
            obey(line);
        else if (line[0] >= '0' && line[0] <= '7' && line[1] == '|')
            put((unsigned)(line[0] - '0'), line + 2, (size_t)n - 2);
        else
            put(4, line, (size_t)n);
    }
    free(line);
}

static int open_sink(const char *spec)
{
    struct skep_diags diags;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_diags_init(&diags, "--to");
    int r = n_sinks < SINKS_MAX ? skep_sink_open(spec, &diags, &sinks[n_sinks]) : -E2BIG;
    if (r < 0) {
        skep_diags_put_text(&diags, spec, &sb);
        fputs(sb.s, stderr);
    } else {
        n_sinks++;
    }
    skep_diags_clear(&diags);
    return r;
}

static int print_reference(void)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_sinks_put_reference(&sb);
    fputs(sb.s, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long finish = 2000;
    int bad = 0;
    skep_strbuf_init(&json, 1 << 20);
    for (int i = 1; i < argc; i++) {
        if (skep_streq(argv[i], "--reference"))
            return print_reference();
        if (skep_streq(argv[i], "--finish") && i + 1 < argc)
            finish = strtoul(argv[++i], NULL, 10);
        else if (open_sink(argv[i]) < 0)
            bad = 2;
    }
    if (!bad)
        feed();
    uint64_t deadline = skep_clock_mono_ns() + finish * MS;
    for (size_t i = 0; i < n_sinks; i++)
        skep_sink_end(sinks[i], deadline);
    for (size_t i = 0; i < n_sinks; i++)
        skep_sink_finish(sinks[i], deadline);
    if (!bad)
        bad = print_counters();
    for (size_t i = 0; i < n_sinks; i++)
        skep_sink_free(sinks[i]);
    skep_strbuf_clear(&json);
    return bad;
}
