/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>

#include "export/sink_lines.h"

struct out {
    struct skep_sink *sink;
    struct skep_sink_lines lines;
    int fd; /* a duplicate: whoever closes standard output does not pull it away */
    bool gone;
};

static void init(void *state)
{
    struct out *o = state;
    *o = (struct out){.lines = SKEP_SINK_LINES_INIT, .fd = -1};
}

static int open_stdout(void *state, struct skep_sink *s, struct skep_sink_spec *spec)
{
    struct out *o = state;
    o->sink = s;
    o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    int r = o->fd < 0 ? -errno : skep_descriptor_open(&o->lines.d, o->fd);
    if (r < 0)
        skep_sink_spec_error(spec, NULL, "sink-open", "standard output cannot be written: %s", strerror(-r));
    return r;
}

static void set_gone(struct out *o, int error)
{
    o->gone = true;
    skep_sink_note(o->sink, "the reader of standard output has gone: %s", strerror(-error));
    skep_sink_set_broken(o->sink);
}

static enum skep_sink_verdict send_lines(void *state, const struct skep_sink_item *items, size_t n,
                                         size_t *ret_n)
{
    struct out *o = state;
    while (!o->gone) {
        int r = skep_sink_lines_write(&o->lines, items, n, ret_n);
        if (*ret_n)
            return SKEP_SINK_WRITTEN;
        if (r == -EAGAIN)
            r = skep_sink_wait(o->sink, o->lines.d.fd, POLLOUT, UINT64_MAX);
        if (r == -EINTR)
            return SKEP_SINK_INTERRUPTED;
        if (r >= 0)
            continue;
        if (skep_descriptor_is_final(&o->lines.d, r)) {
            set_gone(o, r);
        } else {
            skep_sink_note(o->sink, "standard output: %s", strerror(-r));
            *ret_n = 1;
            return SKEP_SINK_RETRY;
        }
    }
    *ret_n = n;
    return SKEP_SINK_REFUSED;
}

/* A reader that leaves is noticed also while there is nothing to write. */
static void tend(void *state, uint64_t now, struct skep_sink_watch *watch)
{
    struct out *o = state;
    (void)now;
    if (o->gone || !skep_descriptor_has_reader(&o->lines.d))
        return;
    struct pollfd p = {.fd = o->lines.d.fd};
    if (poll(&p, 1, 0) == 1 && p.revents & (POLLERR | POLLHUP | POLLNVAL))
        set_gone(o, -EPIPE);
    else
        watch->fd = o->lines.d.fd;
}

static void close_stdout(void *state, uint64_t deadline)
{
    struct out *o = state;
    (void)deadline;
    skep_descriptor_close(&o->lines.d);
    o->fd = skep_fd_close(o->fd);
}

static const struct skep_sink_option options[] = {{0}};

const struct skep_sink_kind skep_sink_kind_stdout = {
    .example = "stdout",
    .size = sizeof(struct out),
    .options = options,
    .format = SKEP_SINK_TEXT,
    .retries = UINT64_MAX,
    .init = init,
    .open = open_stdout,
    .send = send_lines,
    .tend = tend,
    .close = close_stdout,
};
