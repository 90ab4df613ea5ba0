/* SPDX-License-Identifier: Apache-2.0 */
#include "export/output.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "base/thread.h"
#include "export/descriptor.h"
#include "export/linering.h"
#include "export/terminal.h"

#define CLEAR_LINE "\r\033[K"
#define RETRY_NS 1000000000ULL /* how often the rest of a torn line is tried while no other line comes */
#define TRIM_NS 1000000000ULL  /* of silence, after which the memory of the queue is given back */
#define STATUS_EVERY_NS 250000000ULL /* longest absence of the status line while lines flow without a pause */
#define WAKE_PARTS 24                /* this part of the queue is worth waking the writer */
#define BEHIND_PARTS 8               /* more than this part of the queue waits: the writer is behind ... */
#define EVEN_PARTS                                                                                           \
    16 /* ... until it is this. More than what wakes the writer, so that it does not go to sleep */
#define MESSAGES_MAX (64U << 10)

struct skep_output {
    pthread_mutex_t lock;
    pthread_t thread;
    bool running;
    int wake_fd;
    int broken_fd;
    atomic_bool broken;
    atomic_int first_error;

    /* All below: under the lock. */
    struct skep_linering ring;
    struct skep_output_counts counts[SKEP_KIND_MAX];
    bool flushed; /* somebody wants what is in the ring to go out */
    bool asleep;  /* the writer waits for lines */
    bool awaited; /* somebody waits until it has caught up */
    pthread_cond_t even;
    bool finishing;
    uint64_t deadline;
    bool refused; /* the last write failed */
    uint64_t retry_at;

    struct skep_strbuf status; /* text; empty: none */
    struct skep_strbuf messages;
    uint64_t messages_lost;
    bool status_dirty;

    /* Only the writer. */
    struct skep_descriptor data;
    struct skep_descriptor console; /* status line and messages */
    bool same;  /* data and console are one terminal: what is drawn there goes through data */
    bool draws; /* there is a status line */
    bool shown; /* it stands on the terminal now */
    uint64_t hidden_at;
    struct skep_strbuf drawing; /* bytes for the console that are not yet written ... */
    size_t drawn;               /* ... and how many of them are */
};

enum step {
    STEP_PROGRESS,
    STEP_BLOCKED,
    STEP_IDLE,
};

int skep_output_open(const char *path, int *ret_fd)
{
    int fd = skep_streq(path, "-")
                 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    _cleanup_close_ int opened = fd;
    if (fd < 0 || (skep_descriptor_ends_torn(fd) && write(fd, "\n", 1) != 1))
        return -errno;
    *ret_fd = TAKE_FD(opened);
    return 0;
}

static void count_written(void *userdata, unsigned kind)
{
    struct skep_output *out = userdata;
    out->counts[kind].written++;
}

static void count_write_failed(void *userdata, unsigned kind)
{
    struct skep_output *out = userdata;
    out->counts[kind].write_failed++;
}

static void count_queue_full(void *userdata, unsigned kind)
{
    struct skep_output *out = userdata;
    out->counts[kind].queue_full++;
}

/* A full counter of an eventfd is a wake-up as well, so the result does not matter. */
static void kick(int fd)
{
    eventfd_write(fd, 1);
}

/* Leaves the lock; the writer is woken behind it, or it would wake up only to wait for the lock. */
static void unlock_and_wake(struct skep_output *out, bool wanted)
{
    bool wake = wanted && out->asleep;
    if (wake)
        out->asleep = false;
    pthread_mutex_unlock(&out->lock);
    if (wake)
        kick(out->wake_fd);
}

static bool has_caught_up(const struct skep_output *out)
{
    return skep_linering_holds_at_most(&out->ring, EVEN_PARTS);
}

static void tell_who_waits(struct skep_output *out)
{
    if (!out->awaited || !has_caught_up(out))
        return;
    out->awaited = false;
    pthread_cond_broadcast(&out->even);
}

static void set_broken(struct skep_output *out, int error)
{
    int none = 0;
    atomic_compare_exchange_strong(&out->first_error, &none, error);
    skep_linering_drop_all(&out->ring, count_write_failed, out);
    if (!atomic_exchange(&out->broken, true))
        kick(out->broken_fd);
    tell_who_waits(out);
    if (out->same) {
        skep_strbuf_reset(&out->drawing);
        out->drawn = 0;
        out->draws = out->shown = false;
    }
}

/* The writer looks at ring.bytes without the lock while it writes: nobody else takes lines out. */
static enum step write_lines(struct skep_output *out)
{
    struct iovec iov[2];
    int n_iov;
    size_t n = skep_linering_peek(&out->ring, SKEP_OUTPUT_BATCH, iov, &n_iov);
    pthread_mutex_unlock(&out->lock);
    ssize_t r = skep_descriptor_write(&out->data, iov, n_iov);
    pthread_mutex_lock(&out->lock);
    if (r >= 0) {
        out->refused = false;
        skep_linering_consume(&out->ring, (size_t)r, count_written, out);
    } else if (r == -EAGAIN) {
        return STEP_BLOCKED;
    } else if (skep_descriptor_is_final(&out->data, (int)r)) {
        set_broken(out, (int)r);
    } else {
        int none = 0;
        atomic_compare_exchange_strong(&out->first_error, &none, (int)r);
        skep_linering_drop(&out->ring, n, count_write_failed, out);
        out->refused = true;
        out->retry_at = skep_clock_mono_ns() + RETRY_NS;
    }
    if (out->ring.count == 0)
        out->flushed = false;
    tell_who_waits(out);
    return STEP_PROGRESS;
}

static bool only_refused_rest(const struct skep_output *out)
{
    return out->refused && out->ring.cut && out->ring.count == 1;
}

static bool is_worth_writing(const struct skep_output *out)
{
    return !skep_linering_holds_at_most(&out->ring, WAKE_PARTS);
}

static bool lines_due(const struct skep_output *out)
{
    if (out->ring.count == 0 || atomic_load(&out->broken))
        return false;
    if (only_refused_rest(out))
        return skep_clock_mono_ns() >= out->retry_at;
    return out->flushed || out->finishing || is_worth_writing(out);
}

static enum step write_drawing(struct skep_output *out)
{
    struct iovec iov = {.iov_base = out->drawing.s + out->drawn, .iov_len = out->drawing.len - out->drawn};
    pthread_mutex_unlock(&out->lock);
    ssize_t r = skep_descriptor_write(out->same ? &out->data : &out->console, &iov, 1);
    pthread_mutex_lock(&out->lock);
    if (r == -EAGAIN)
        return STEP_BLOCKED;
    if (r >= 0) {
        out->drawn += (size_t)r;
    } else if (out->same && skep_descriptor_is_final(&out->data, (int)r)) {
        set_broken(out, (int)r);
    } else {
        out->drawn = out->drawing.len; /* there is nobody left to tell */
    }
    if (out->drawn >= out->drawing.len) {
        skep_strbuf_reset(&out->drawing);
        out->drawn = 0;
    }
    return STEP_PROGRESS;
}

static void draw_clear(struct skep_output *out)
{
    if (!out->shown)
        return;
    skep_strbuf_puts(&out->drawing, CLEAR_LINE);
    out->shown = false;
    out->hidden_at = skep_clock_mono_ns();
}

static void draw_messages(struct skep_output *out)
{
    draw_clear(out);
    skep_strbuf_put(&out->drawing, out->messages.s, out->messages.len);
    if (out->messages_lost)
        skep_strbuf_printf(&out->drawing, "skep: %llu messages were dropped\n",
                           (unsigned long long)out->messages_lost);
    out->messages_lost = 0;
    skep_strbuf_reset(&out->messages);
}

/* The last column stays free: a full line would scroll some terminals. */
static void draw_status(struct skep_output *out)
{
    out->status_dirty = false;
    if (out->status.len == 0) {
        draw_clear(out);
        return;
    }
    unsigned width = skep_terminal_width(out->same ? out->data.fd : out->console.fd);
    size_t n = skep_terminal_fit(out->status.s, out->status.len, width - 1);
    skep_strbuf_puts(&out->drawing, "\r");
    skep_strbuf_put(&out->drawing, out->status.s, n);
    skep_strbuf_puts(&out->drawing, "\033[0m\033[K");
    out->shown = true;
}

static bool status_due(const struct skep_output *out, bool lines_wait)
{
    bool hidden = !out->shown && out->status.len;
    if (!out->draws)
        return false;
    if (lines_wait)
        return hidden && skep_clock_mono_ns() - out->hidden_at >= STATUS_EVERY_NS;
    return hidden || out->status_dirty;
}

/* One thing at a time, under the lock. On a shared terminal nothing may be drawn inside a line. */
static enum step step(struct skep_output *out)
{
    bool lines = lines_due(out), blocked = false;
    if (out->drawing.len) {
        if (write_drawing(out) == STEP_PROGRESS)
            return STEP_PROGRESS;
        if (out->same)
            return STEP_BLOCKED;
        blocked = true;
    } else if (!out->same || out->ring.cut == 0) {
        if (out->messages.len) {
            draw_messages(out);
            return STEP_PROGRESS;
        }
        if (status_due(out, lines && out->same)) {
            draw_status(out);
            return STEP_PROGRESS;
        }
        if (lines && out->same && out->shown) {
            draw_clear(out);
            return STEP_PROGRESS;
        }
    }
    if (lines && write_lines(out) == STEP_PROGRESS)
        return STEP_PROGRESS;
    return lines || blocked ? STEP_BLOCKED : STEP_IDLE;
}

static int wait_ms(const struct skep_output *out)
{
    uint64_t until = UINT64_MAX, now = skep_clock_mono_ns();
    if (out->finishing)
        until = out->deadline;
    if (only_refused_rest(out))
        until = MIN(until, out->retry_at);
    if (skep_linering_wants_trim(&out->ring))
        until = MIN(until, now + TRIM_NS);
    if (until == UINT64_MAX)
        return -1;
    return until <= now ? 0 : (int)MIN((until - now) / 1000000 + 1, (uint64_t)60000);
}

/* Waits for a reason to go on. Also sees a reader that leaves while there is nothing to write. */
static void wait_for_work(struct skep_output *out, enum step last)
{
    bool watch = skep_descriptor_has_reader(&out->data) && !atomic_load(&out->broken);
    struct pollfd p[] = {
        {.fd = out->wake_fd, .events = POLLIN},
        {.fd = watch ? out->data.fd : -1},
        {.fd = out->drawing.len && !out->same ? out->console.fd : -1, .events = POLLOUT},
    };
    if (last == STEP_BLOCKED && (lines_due(out) || (out->same && out->drawing.len)))
        p[1].events = POLLOUT;
    out->asleep = !lines_due(out);
    int timeout = wait_ms(out);
    pthread_mutex_unlock(&out->lock);
    int n = poll(p, ARRAY_SIZE(p), timeout);
    uint64_t wakes;
    if (n > 0 && p[0].revents && read(out->wake_fd, &wakes, sizeof(wakes)) < 0)
        n = 0; /* somebody else's wake-up: the loop looks for itself */
    pthread_mutex_lock(&out->lock);
    out->asleep = false;
    if (n == 0)
        skep_linering_trim(&out->ring);
    if (n > 0 && (p[1].revents & (POLLERR | POLLHUP | POLLNVAL)))
        set_broken(out, -EPIPE);
}

static bool is_over(struct skep_output *out)
{
    if (!out->finishing)
        return false;
    if (only_refused_rest(out)) {
        write_lines(out); /* a last attempt */
        return only_refused_rest(out) || out->ring.count == 0;
    }
    return out->ring.count == 0 && out->drawing.len == 0 && out->messages.len == 0 && !out->shown;
}

static void *writer(void *userdata)
{
    struct skep_output *out = userdata;
    pthread_mutex_lock(&out->lock);
    while (!is_over(out)) {
        enum step s = step(out);
        if (s == STEP_BLOCKED && out->finishing && skep_clock_mono_ns() >= out->deadline)
            break;
        if (s != STEP_PROGRESS)
            wait_for_work(out, s);
    }
    skep_linering_drop_all(&out->ring, out->refused ? count_write_failed : count_queue_full, out);
    pthread_mutex_unlock(&out->lock);
    return NULL;
}

int skep_output_new(int fd, const struct skep_output_options *options, struct skep_output **ret)
{
    _cleanup_output_ struct skep_output *out = calloc(1, sizeof(*out));
    if (!out)
        return -ENOMEM;
    pthread_mutex_init(&out->lock, NULL);
    skep_cond_init(&out->even);
    out->wake_fd = out->broken_fd = -1;
    out->data = out->console = (struct skep_descriptor)SKEP_DESCRIPTOR_INIT;
    skep_strbuf_init(&out->status, SKEP_OUTPUT_STATUS_MAX);
    skep_strbuf_init(&out->messages, MESSAGES_MAX);
    skep_strbuf_init(&out->drawing, 2 * MESSAGES_MAX);

    size_t bytes = options->bytes ? options->bytes : SKEP_OUTPUT_BYTES_DEFAULT;
    int r = skep_linering_init(&out->ring, MAX(bytes, SKEP_OUTPUT_BYTES_MIN));
    if (r == 0)
        r = skep_descriptor_open(&out->data, fd);
    if (r < 0)
        return r;
    if (options->status_fd >= 0 && skep_descriptor_open(&out->console, options->status_fd) == 0) {
        out->same = skep_terminal_same(fd, options->status_fd);
        /* a pager at the other end of a pipe draws on the same screen */
        bool pager = !out->same && skep_descriptor_has_reader(&out->data);
        out->draws = options->status && !pager && skep_terminal_can_draw(options->status_fd);
    }
    out->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    out->broken_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (out->wake_fd < 0 || out->broken_fd < 0)
        return -errno;
    r = skep_thread_start(&out->thread, "skep-output", writer, out);
    if (r < 0)
        return r;
    out->running = true;
    *ret = TAKE_PTR(out);
    return 0;
}

struct skep_output *skep_output_free(struct skep_output *out)
{
    if (!out)
        return NULL;
    skep_output_finish(out, 0);
    skep_descriptor_close(&out->data);
    skep_descriptor_close(&out->console);
    skep_fd_close(out->wake_fd);
    skep_fd_close(out->broken_fd);
    skep_strbuf_clear(&out->status);
    skep_strbuf_clear(&out->messages);
    skep_strbuf_clear(&out->drawing);
    skep_linering_clear(&out->ring);
    pthread_cond_destroy(&out->even);
    pthread_mutex_destroy(&out->lock);
    free(out);
    return NULL;
}

bool skep_output_put(struct skep_output *out, unsigned kind, bool urgent, const void *line, size_t len)
{
    assert(kind < SKEP_KIND_MAX);
    pthread_mutex_lock(&out->lock);
    struct skep_output_counts *c = &out->counts[kind];
    bool accepted = false;
    c->put++;
    if (atomic_load(&out->broken))
        c->write_failed++;
    else if (out->finishing || !skep_linering_put(&out->ring, kind, urgent, line, len))
        c->queue_full++;
    else
        accepted = true;
    if (accepted && urgent)
        out->flushed = true;
    unlock_and_wake(out, accepted && (urgent || is_worth_writing(out)));
    return accepted;
}

/* A line that finds no room costs itself; a shorter one behind it may find some. */
static void take_batch(struct skep_output *out, const struct skep_linebatch *b)
{
    const char *bytes = b->text.s;
    size_t len;
    for (size_t i = 0; i < b->n; i++) {
        i += skep_linering_put_lines(&out->ring, b->lines + i, b->n - i, bytes, &len);
        if (i == b->n)
            return;
        out->counts[b->lines[i].kind].queue_full++;
        bytes += len + b->lines[i].len;
    }
}

bool skep_output_put_batch(struct skep_output *out, struct skep_linebatch *batch)
{
    if (batch->n == 0)
        return false;
    pthread_mutex_lock(&out->lock);
    bool broken = atomic_load(&out->broken);
    for (size_t i = 0; i < batch->n; i++) {
        struct skep_output_counts *c = &out->counts[batch->lines[i].kind];
        c->put++;
        c->write_failed += broken;
        c->queue_full += !broken && out->finishing;
    }
    if (!broken && !out->finishing)
        take_batch(out, batch);
    bool behind = !skep_linering_holds_at_most(&out->ring, BEHIND_PARTS);
    unlock_and_wake(out, is_worth_writing(out));
    skep_linebatch_reset(batch);
    return behind;
}

void skep_output_flush(struct skep_output *out)
{
    pthread_mutex_lock(&out->lock);
    bool lines = out->ring.count != 0;
    out->flushed |= lines;
    unlock_and_wake(out, lines);
}

void skep_output_status(struct skep_output *out, const char *text)
{
    pthread_mutex_lock(&out->lock);
    if (out->draws && !out->finishing) {
        size_t n = text ? strcspn(text, "\r\n") : 0;
        skep_strbuf_reset(&out->status);
        skep_strbuf_put(&out->status, text, MIN(n, (size_t)SKEP_OUTPUT_STATUS_MAX));
        out->status_dirty = true;
        kick(out->wake_fd);
    }
    pthread_mutex_unlock(&out->lock);
}

void skep_output_message(struct skep_output *out, const char *text)
{
    pthread_mutex_lock(&out->lock);
    size_t n = strlen(text);
    if (out->messages.len + n + 1 <= MESSAGES_MAX) {
        skep_strbuf_put(&out->messages, text, n);
        skep_strbuf_putc(&out->messages, '\n');
    } else {
        out->messages_lost++;
    }
    kick(out->wake_fd);
    pthread_mutex_unlock(&out->lock);
}

bool skep_output_broken(const struct skep_output *out)
{
    return atomic_load(&out->broken);
}

int skep_output_broken_fd(const struct skep_output *out)
{
    return out->broken_fd;
}

int skep_output_first_error(const struct skep_output *out)
{
    return atomic_load(&out->first_error);
}

void skep_output_counts(struct skep_output *out, struct skep_output_counts ret_counts[SKEP_KIND_MAX])
{
    pthread_mutex_lock(&out->lock);
    memcpy(ret_counts, out->counts, sizeof(out->counts));
    pthread_mutex_unlock(&out->lock);
}

int skep_output_await(struct skep_output *out, uint64_t timeout_ns)
{
    uint64_t until = skep_clock_mono_ns() + timeout_ns;
    bool in_time = true;
    skep_output_flush(out);
    pthread_mutex_lock(&out->lock);
    while (in_time && !has_caught_up(out)) {
        out->awaited = true;
        in_time = skep_cond_wait(&out->even, &out->lock, until);
    }
    int r = atomic_load(&out->broken) ? -EPIPE : has_caught_up(out) ? 0 : -ETIMEDOUT;
    pthread_mutex_unlock(&out->lock);
    return r;
}

static bool has_lines(struct skep_output *out)
{
    pthread_mutex_lock(&out->lock);
    bool has = out->ring.count != 0;
    pthread_mutex_unlock(&out->lock);
    return has;
}

int skep_output_drain(struct skep_output *out, uint64_t timeout_ns)
{
    uint64_t deadline = skep_clock_mono_ns() + timeout_ns;
    skep_output_flush(out);
    while (has_lines(out)) {
        if (skep_output_broken(out))
            return -EPIPE;
        if (skep_clock_mono_ns() >= deadline)
            return -ETIMEDOUT;
        usleep(500);
    }
    return 0;
}

int skep_output_finish(struct skep_output *out, uint64_t timeout_ns)
{
    if (!out->running)
        return 0;
    pthread_mutex_lock(&out->lock);
    uint64_t before = 0, after = 0;
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        before += out->counts[i].queue_full;
    out->finishing = true;
    out->deadline = skep_clock_mono_ns() + timeout_ns;
    skep_strbuf_reset(&out->status);
    out->status_dirty = out->shown;
    kick(out->wake_fd);
    pthread_mutex_unlock(&out->lock);
    pthread_join(out->thread, NULL);
    out->running = false;
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        after += out->counts[i].queue_full;
    return after == before ? 0 : -ETIMEDOUT;
}
