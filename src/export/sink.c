/* SPDX-License-Identifier: Apache-2.0 */
#include "export/sink.h"

#include <assert.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/spell.h"
#include "base/thread.h"
#include "export/sink_kind.h"

/* How much longer than its deadline a sink's thread may take before it is left to itself. */
#define GRACE_NS 1500000000ULL

/* What every kind has. */
struct common {
    enum skep_sink_format format;
    uint64_t queue;
    uint64_t memory;
    uint64_t retries;
};

struct skep_sink {
    const struct skep_sink_kind *kind;
    struct skep_sink_spec spec; /* owns the texts of options */
    char *name;
    struct common common;
    void *state;
    int wake_fd;
    atomic_uint refs;            /* the owner and the thread */
    atomic_uint_fast64_t end_at; /* UINT64_MAX: goes on */
    atomic_bool reopen;
    pthread_t thread;
    bool running; /* the owner's: there is a thread to wait for */
    bool ending;  /* the owner's */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* the queue is empty, or the thread has ended */
    struct skep_sink_queue queue;
    struct skep_sink_counters counters;
    bool asleep;    /* the thread waits for alerts */
    bool accepting; /* put() may add to the queue */
    bool ended;
    uint64_t left;  /* what was dropped because time was up */
    bool abandoned; /* the thread did not end in time: its account was closed without it */
    /* of the attempt that failed last */
    uint64_t retry_at;
    uint64_t hold_ns;
    uint64_t attempts; /* with the same items */
    uint64_t failures; /* one after the other, with whatever items */
    size_t again;      /* how many items it was about; 0: the last attempt did not fail */
    uint64_t random;
};

static const struct skep_sink_option common_options[] = {
    {"format", "text|json", SKEP_SINK_OPTION_FORMAT, offsetof(struct common, format),
     .doc = "What an alert looks like."},
    {"queue", "N", SKEP_SINK_OPTION_COUNT, offsetof(struct common, queue), 1, SKEP_SINK_QUEUE_MAX,
     .doc =
         "Most alerts that wait; 10000 by default. What comes when the queue is full is dropped and counted."},
    {"memory", "SIZE", SKEP_SINK_OPTION_SIZE, offsetof(struct common, memory), SKEP_SINK_MEMORY_MIN,
     SKEP_SINK_MEMORY_MAX, .doc = "Most bytes that wait; 16M by default."},
    {"retries", "N", SKEP_SINK_OPTION_COUNT, offsetof(struct common, retries), 0, UINT32_MAX,
     .doc = "How often the delivery of an alert is tried again before it is given up and counted as failed."},
    {0},
};

static const struct row {
    const char *name;
    enum skep_sink_address address;
    const char *synopsis, *doc;
    const struct skep_sink_kind *kind;
} rows[] = {
#define SKEP_SINK(name, address, synopsis, doc)                                                              \
    {#name, SKEP_SINK_ADDRESS_##address, synopsis, doc, &skep_sink_kind_##name},
#include "export/sinks.def"
#undef SKEP_SINK
};

/* A full counter of an eventfd is a wake-up as well, so the result does not matter. */
static void kick(struct skep_sink *s)
{
    eventfd_write(s->wake_fd, 1);
}

static void unref(struct skep_sink *s)
{
    if (atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    skep_fd_close(s->wake_fd);
    skep_sink_queue_clear(&s->queue);
    skep_sink_spec_clear(&s->spec);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s->state);
    free(s->name);
    free(s);
}

/* ---- for the kinds ---- */

int skep_sink_wake_fd(const struct skep_sink *s)
{
    return s->wake_fd;
}

uint64_t skep_sink_deadline(const struct skep_sink *s)
{
    return atomic_load(&s->end_at);
}

bool skep_sink_interrupted(struct skep_sink *s)
{
    eventfd_t wakes;
    eventfd_read(s->wake_fd, &wakes); /* a kick that comes later makes it readable again */
    return atomic_load(&s->reopen) || skep_clock_mono_ns() >= skep_sink_deadline(s);
}

int skep_sink_wait(struct skep_sink *s, int fd, short events, uint64_t until)
{
    for (;;) {
        if (skep_sink_interrupted(s))
            return -EINTR;
        uint64_t now = skep_clock_mono_ns(), to = MIN(until, skep_sink_deadline(s));
        if (now >= until)
            return 0;
        int ms = to == UINT64_MAX ? -1 : (int)MIN((to - now) / 1000000 + 1, (uint64_t)60000);
        struct pollfd p[] = {{.fd = s->wake_fd, .events = POLLIN}, {.fd = fd, .events = events}};
        if (poll(p, ARRAY_SIZE(p), ms) > 0 && p[1].revents)
            return skep_sink_interrupted(s) ? -EINTR : 1;
    }
}

void skep_sink_note(struct skep_sink *s, const char *fmt, ...)
{
    char text[sizeof(s->counters.last_error)];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&s->lock);
    memcpy(s->counters.last_error, text, sizeof(text));
    pthread_mutex_unlock(&s->lock);
}

void skep_sink_hold(struct skep_sink *s, uint64_t ns)
{
    s->hold_ns = ns;
}

void skep_sink_count_restart(struct skep_sink *s)
{
    pthread_mutex_lock(&s->lock);
    s->counters.restarts++;
    pthread_mutex_unlock(&s->lock);
}

void skep_sink_set_broken(struct skep_sink *s)
{
    pthread_mutex_lock(&s->lock);
    s->counters.broken = true;
    pthread_mutex_unlock(&s->lock);
}

/* ---- the thread ---- */

/* A quarter of the pause is left to chance, so that a thousand hosts do not knock at a recovering server at
 * once. */
static uint64_t next_pause(struct skep_sink *s)
{
    uint64_t ns = SKEP_SINK_PAUSE_MIN_NS << MIN(s->failures, (uint64_t)20);
    ns = MIN(ns, SKEP_SINK_PAUSE_MAX_NS);
    s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return MAX(ns - (s->random >> 33) % (ns / 4), s->hold_ns);
}

static void take_out(struct skep_sink *s, size_t n, uint64_t *counter)
{
    *counter += n;
    skep_sink_queue_pop(&s->queue, n);
    s->attempts = 0;
    s->again = 0;
    if (s->queue.count == 0)
        pthread_cond_broadcast(&s->changed);
}

static void account(struct skep_sink *s, enum skep_sink_verdict verdict, size_t n)
{
    switch (verdict) {
    case SKEP_SINK_WRITTEN:
        s->failures = s->hold_ns = 0;
        s->counters.failing = false;
        take_out(s, n, &s->counters.written);
        break;
    case SKEP_SINK_REFUSED:
        s->failures = s->hold_ns = 0;
        s->counters.failing = true;
        take_out(s, n, &s->counters.failed);
        break;
    case SKEP_SINK_RETRY:
        s->counters.failing = true;
        s->retry_at = skep_clock_mono_ns() + next_pause(s);
        s->hold_ns = 0;
        s->failures++;
        if (s->attempts++ >= s->common.retries) {
            take_out(s, n, &s->counters.failed);
        } else {
            s->counters.retries++;
            s->again = n;
        }
        break;
    case SKEP_SINK_INTERRUPTED:
        break;
    }
}

/* The lock is held. Kinds see the items without it: nobody but this thread takes items out. */
static void deliver(struct skep_sink *s)
{
    struct skep_sink_item items[SKEP_SINK_BATCH];
    size_t n = skep_sink_queue_peek(&s->queue, items, s->again ? s->again : ARRAY_SIZE(items)), done = 0;
    pthread_mutex_unlock(&s->lock);
    enum skep_sink_verdict verdict = s->kind->send(s->state, items, n, &done);
    pthread_mutex_lock(&s->lock);
    assert(verdict == SKEP_SINK_INTERRUPTED || (done > 0 && done <= n));
    if (!s->abandoned)
        account(s, verdict, done);
}

static void wait_for_work(struct skep_sink *s, const struct skep_sink_watch *watch)
{
    uint64_t until = MIN(watch->until, s->queue.count ? s->retry_at : UINT64_MAX);
    until = MIN(until, skep_sink_deadline(s));
    uint64_t now = skep_clock_mono_ns();
    int ms = until == UINT64_MAX ? -1
             : until <= now      ? 0
                                 : (int)MIN((until - now) / 1000000 + 1, (uint64_t)60000);
    struct pollfd p[] = {{.fd = s->wake_fd, .events = POLLIN}, {.fd = watch->fd, .events = watch->events}};
    s->asleep = s->queue.count == 0;
    pthread_mutex_unlock(&s->lock);
    uint64_t wakes;
    if (poll(p, ARRAY_SIZE(p), ms) > 0 && p[0].revents && read(s->wake_fd, &wakes, sizeof(wakes)) < 0)
        p[0].revents = 0; /* somebody else's wake-up: the loop looks for itself */
    pthread_mutex_lock(&s->lock);
    s->asleep = false;
}

static bool is_over(const struct skep_sink *s)
{
    uint64_t end_at = skep_sink_deadline(s);
    return s->abandoned || (end_at != UINT64_MAX && (s->queue.count == 0 || skep_clock_mono_ns() >= end_at));
}

static void close_account(struct skep_sink *s)
{
    s->accepting = false;
    s->left = s->queue.count;
    s->counters.dropped += s->left;
}

static void *run(void *userdata)
{
    struct skep_sink *s = userdata;
    pthread_mutex_lock(&s->lock);
    while (!is_over(s)) {
        struct skep_sink_watch watch = {.fd = -1, .until = UINT64_MAX};
        if (atomic_exchange(&s->reopen, false)) {
            s->retry_at = 0;
            pthread_mutex_unlock(&s->lock);
            s->kind->reopen(s->state);
            pthread_mutex_lock(&s->lock);
        }
        if (s->kind->tend) {
            pthread_mutex_unlock(&s->lock);
            s->kind->tend(s->state, skep_clock_mono_ns(), &watch);
            pthread_mutex_lock(&s->lock);
        }
        if (s->queue.count && skep_clock_mono_ns() >= s->retry_at)
            deliver(s);
        else if (!is_over(s) && !atomic_load(&s->reopen))
            wait_for_work(s, &watch);
    }
    if (!s->abandoned)
        close_account(s);
    pthread_mutex_unlock(&s->lock);
    s->kind->close(s->state, skep_sink_deadline(s));
    pthread_mutex_lock(&s->lock);
    s->ended = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    unref(s);
    return NULL;
}

static int start(struct skep_sink *s)
{
    atomic_store(&s->refs, 2);
    int r = skep_thread_start(&s->thread, "skep-sink", run, s);
    if (r < 0) {
        atomic_store(&s->refs, 1);
        return r;
    }
    s->running = true;
    return 0;
}

/* ---- opening ---- */

static const struct row *find_row(struct skep_sink_spec *spec)
{
    struct skep_spell sp;
    skep_spell_init(&sp, spec->kind, strlen(spec->kind));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *alias = rows[i].kind->alias;
        if (skep_streq(spec->kind, rows[i].name) || (alias && skep_streq(spec->kind, alias)))
            return &rows[i];
        skep_spell_offer(&sp, rows[i].name);
        if (alias)
            skep_spell_offer(&sp, alias);
    }
    skep_sink_spec_error(spec, NULL, "sink-kind", "there is no sink '%s'", spec->kind);
    if (sp.best)
        skep_diags_hint(spec->diags, "did you mean '%s'?", sp.best);
    else if (strchr(spec->kind, '/'))
        skep_diags_hint(spec->diags, "alerts are written to a file with file:%s", spec->kind);
    else
        skep_diags_hint(spec->diags, "there are stdout, file:PATH, syslog, http://..., https://... and "
                                     "program:COMMAND");
    return NULL;
}

static int check_address(struct skep_sink_spec *spec, const struct row *row)
{
    bool given = spec->address && *spec->address;
    if (row->address == SKEP_SINK_ADDRESS_NONE && spec->address) {
        skep_sink_spec_error(spec, NULL, "sink-address", "the sink '%s' takes no address", row->name);
        skep_diags_hint(spec->diags, "options follow a comma, as in %s,format=json", row->name);
        return -EINVAL;
    }
    if (row->address >= SKEP_SINK_ADDRESS_REQUIRED && !given) {
        skep_sink_spec_error(spec, NULL, "sink-address", "the sink '%s' needs an address", spec->kind);
        skep_diags_hint(spec->diags, "such as %s", row->kind->example);
        return -EINVAL;
    }
    return 0;
}

/* Without user and password, and without a query, which often holds a token. */
static char *make_name(const struct skep_sink_spec *spec, const struct row *row)
{
    char *name = NULL;
    if (!spec->address)
        return strdup(spec->kind);
    if (row->address != SKEP_SINK_ADDRESS_URL || strncmp(spec->address, "//", 2) != 0)
        return asprintf(&name, "%s:%s", spec->kind, spec->address) < 0 ? NULL : name;
    const char *host = spec->address + 2, *at = host;
    size_t authority = strcspn(host, "/?#");
    for (size_t i = 0; i < authority; i++)
        if (host[i] == '@')
            at = host + i + 1;
    if (asprintf(&name, "%s://%.*s", spec->kind, (int)strcspn(at, "?#"), at) < 0)
        return NULL;
    return name;
}

static int init_sync(struct skep_sink *s)
{
    pthread_mutex_init(&s->lock, NULL);
    skep_cond_init(&s->changed);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return s->wake_fd < 0 ? -errno : 0;
}

/* Everything but the thread. */
static int set_up(struct skep_sink *s, struct skep_diags *diags, const char *text)
{
    struct skep_sink_spec *spec = &s->spec;
    int r = skep_sink_spec_parse(spec, text, diags);
    if (r < 0)
        return r;
    const struct row *row = find_row(spec);
    r = row ? check_address(spec, row) : -EINVAL;
    if (r < 0)
        return r;
    s->common = (struct common){
        .format = row->kind->format,
        .queue = SKEP_SINK_QUEUE_DEFAULT,
        .memory = SKEP_SINK_MEMORY_DEFAULT,
        .retries = row->kind->retries,
    };
    void *state = calloc(1, row->kind->size);
    s->state = state;
    s->name = make_name(spec, row);
    if (!state || !s->name)
        return -ENOMEM;
    row->kind->init(state);
    r = skep_sink_spec_apply(spec, common_options, &s->common, row->kind->options, state);
    if (r < 0)
        return r;
    r = skep_sink_queue_init(&s->queue, s->common.queue, s->common.memory);
    if (r < 0)
        return r;
    r = row->kind->open(state, s, spec);
    if (r < 0) {
        row->kind->close(state, 0);
        return r;
    }
    s->kind = row->kind;
    return 0;
}

int skep_sink_open(const char *text, struct skep_diags *diags, struct skep_sink **ret)
{
    struct skep_sink *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    atomic_init(&s->refs, 1);
    atomic_init(&s->end_at, UINT64_MAX);
    s->accepting = true;
    s->random = skep_clock_mono_ns() ^ (uintptr_t)s;
    size_t before = diags->n_errors;
    int r = init_sync(s);
    if (r == 0)
        r = set_up(s, diags, text);
    if (r == 0)
        r = start(s);
    if (r < 0) {
        if (diags->n_errors == before)
            skep_diags_add(diags, text, 0, strlen(text), "sink-open", "cannot be set up: %s", strerror(-r));
        if (s->kind)
            s->kind->close(s->state, 0);
        unref(s);
        return r;
    }
    s->spec.source = NULL;
    s->spec.diags = NULL;
    *ret = s;
    return 0;
}

/* ---- for the owner ---- */

const char *skep_sink_name(const struct skep_sink *s)
{
    return s->name;
}

enum skep_sink_format skep_sink_format(const struct skep_sink *s)
{
    return s->common.format;
}

bool skep_sink_put(struct skep_sink *s, const struct skep_alert_line *line)
{
    bool json = s->common.format == SKEP_SINK_JSON;
    const char *data = json ? line->json : line->text;
    size_t len = json ? line->json_len : line->text_len;
    int64_t now = (int64_t)time(NULL);
    pthread_mutex_lock(&s->lock);
    bool accepted = s->accepting && skep_sink_queue_put(&s->queue, MIN(line->priority, 7U), now, data, len);
    s->counters.put++;
    if (!accepted) {
        s->counters.dropped++;
        snprintf(s->counters.last_lost_rule, sizeof(s->counters.last_lost_rule), "%s",
                 line->rule ? line->rule : "");
    }
    bool wake = accepted && s->asleep;
    if (wake)
        s->asleep = false;
    pthread_mutex_unlock(&s->lock);
    if (wake)
        kick(s);
    return accepted;
}

void skep_sink_reopen(struct skep_sink *s)
{
    if (!s->kind->reopen)
        return;
    atomic_store(&s->reopen, true);
    kick(s);
}

int skep_sink_flush(struct skep_sink *s, uint64_t deadline)
{
    pthread_mutex_lock(&s->lock);
    if (s->queue.count) {
        s->retry_at = 0;
        kick(s);
    }
    while (s->queue.count && !s->ended && skep_cond_wait(&s->changed, &s->lock, deadline))
        ;
    int r = s->queue.count ? -ETIMEDOUT : 0;
    pthread_mutex_unlock(&s->lock);
    return r;
}

void skep_sink_counters(struct skep_sink *s, struct skep_sink_counters *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->counters;
    ret->queued = s->ended || s->abandoned ? 0 : s->queue.count;
    pthread_mutex_unlock(&s->lock);
}

void skep_sink_end(struct skep_sink *s, uint64_t deadline)
{
    pthread_mutex_lock(&s->lock);
    s->accepting = false;
    s->retry_at = 0;
    pthread_mutex_unlock(&s->lock);
    s->ending = true;
    atomic_store(&s->end_at, MIN(deadline, UINT64_MAX - 1));
    kick(s);
}

int skep_sink_finish(struct skep_sink *s, uint64_t deadline)
{
    if (!s->running)
        return 0;
    if (!s->ending)
        skep_sink_end(s, deadline);
    uint64_t now = skep_clock_mono_ns(),
             last = MIN(MAX(skep_sink_deadline(s), now), UINT64_MAX - 2 * GRACE_NS);
    pthread_mutex_lock(&s->lock);
    while (!s->ended && skep_cond_wait(&s->changed, &s->lock, last + GRACE_NS))
        ;
    if (!s->ended) {
        s->abandoned = true;
        close_account(s);
    }
    bool ended = s->ended, all = s->left == 0;
    pthread_mutex_unlock(&s->lock);
    if (ended)
        pthread_join(s->thread, NULL);
    else
        pthread_detach(s->thread);
    s->running = false;
    return ended && all ? 0 : -ETIMEDOUT;
}

struct skep_sink *skep_sink_free(struct skep_sink *s)
{
    if (!s)
        return NULL;
    if (s->running && s->ending)
        atomic_store(&s->end_at, MIN(skep_sink_deadline(s), skep_clock_mono_ns()));
    skep_sink_finish(s, 0);
    unref(s);
    return NULL;
}

/* ---- reference ---- */

static void put_options(const struct skep_sink_option *o, struct skep_strbuf *sb)
{
    for (; o->name; o++) {
        if (o->arg)
            skep_strbuf_printf(sb, "- `%s=%s`: %s\n", o->name, o->arg, o->doc);
        else
            skep_strbuf_printf(sb, "- `%s`: %s\n", o->name, o->doc);
    }
}

void skep_sinks_put_reference(struct skep_strbuf *sb)
{
    skep_strbuf_puts(sb, "# Sinks\n\n    --to SINK[,OPTION[=VALUE]]...\n\nOptions of every sink:\n\n");
    put_options(common_options, sb);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct skep_sink_kind *kind = rows[i].kind;
        skep_strbuf_printf(sb, "\n## %s\n\n    %s\n\n%s Format: %s by default.", rows[i].name,
                           rows[i].synopsis, rows[i].doc, kind->format == SKEP_SINK_JSON ? "json" : "text");
        if (kind->retries == UINT64_MAX)
            skep_strbuf_puts(sb, " Tried again as long as it takes.\n");
        else
            skep_strbuf_printf(sb, " Retries: %llu by default.\n", (unsigned long long)kind->retries);
        if (kind->options[0].name)
            skep_strbuf_putc(sb, '\n');
        put_options(kind->options, sb);
    }
}

static void put_options_json(const struct skep_sink_option *o, struct skep_json *j)
{
    skep_json_open(j, "options", '[');
    for (; o->name; o++) {
        skep_json_open(j, NULL, '{');
        skep_json_strz(j, "name", o->name);
        skep_json_strz(j, "value", o->arg);
        skep_json_strz(j, "doc", o->doc);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
}

void skep_sinks_put_json(struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    put_options_json(common_options, &j);
    skep_json_open(&j, "sinks", '[');
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct skep_sink_kind *kind = rows[i].kind;
        skep_json_open(&j, NULL, '{');
        skep_json_strz(&j, "name", rows[i].name);
        skep_json_strz(&j, "synopsis", rows[i].synopsis);
        skep_json_strz(&j, "doc", rows[i].doc);
        skep_json_strz(&j, "format", kind->format == SKEP_SINK_JSON ? "json" : "text");
        if (kind->retries == UINT64_MAX)
            skep_json_null(&j, "retries");
        else
            skep_json_u64(&j, "retries", kind->retries);
        put_options_json(kind->options, &j);
        skep_json_close(&j, '}');
    }
    skep_json_close(&j, ']');
    skep_json_close(&j, '}');
}
