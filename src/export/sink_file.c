/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "export/sink_lines.h"

#define MODE_DEFAULT 0640
#define KEEP_DEFAULT 5
#define KEEP_MAX 1000
#define ROTATE_AGAIN_NS 1000000000ULL /* after a rotation that failed */

struct file {
    uint64_t rotate; /* 0: never */
    uint64_t keep;
    uint32_t mode;

    struct skep_sink *sink;
    const char *path;
    struct skep_sink_lines lines;
    int fd;
    bool torn;          /* the file ends within a line of somebody else */
    uint64_t rotate_at; /* not before; after a failure */
};

static void init(void *state)
{
    struct file *f = state;
    *f = (struct file){.lines = SKEP_SINK_LINES_INIT, .fd = -1, .keep = KEEP_DEFAULT, .mode = MODE_DEFAULT};
}

/* O_NONBLOCK is for a FIFO: it does nothing to a file. A new file gets exactly the permissions that were
 * asked for, whatever the umask; those of a file that is there stay. */
static int open_path(const struct file *f)
{
    int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    for (int attempt = 0; attempt < 3; attempt++) {
        int fd = open(f->path, flags);
        if (fd >= 0 || errno != ENOENT)
            return fd < 0 ? -errno : fd;
        fd = open(f->path, flags | O_CREAT | O_EXCL, f->mode);
        if (fd >= 0 && fchmod(fd, f->mode) < 0)
            return skep_fd_close(fd), -errno;
        if (fd >= 0 || errno != EEXIST)
            return fd < 0 ? -errno : fd;
    }
    return -EEXIST;
}

/* The file under the path takes the place of the one that is open, if there is one; else that stays. */
static int open_file(struct file *f)
{
    int fd = open_path(f);
    if (fd < 0)
        return fd;
    struct skep_sink_lines lines = SKEP_SINK_LINES_INIT;
    int r = skep_descriptor_open(&lines.d, fd);
    if (r < 0) {
        close(fd);
        return r;
    }
    skep_descriptor_close(&f->lines.d);
    skep_fd_close(f->fd);
    f->lines = lines;
    f->fd = fd;
    f->torn = skep_descriptor_ends_torn(fd);
    return 0;
}

static int end_torn_line(struct file *f)
{
    if (f->torn && write(f->fd, "\n", 1) != 1)
        return -errno;
    f->torn = false;
    return 0;
}

static int open_sink(void *state, struct skep_sink *s, struct skep_sink_spec *spec)
{
    struct file *f = state;
    f->sink = s;
    f->path = spec->address;
    if (strlen(f->path) + sizeof(".1000") > PATH_MAX)
        return skep_sink_spec_error(spec, NULL, "sink-address", "the path is too long");
    int r = open_file(f);
    if (r < 0) {
        skep_sink_spec_error(spec, NULL, "sink-open", "%s cannot be opened: %s", f->path, strerror(-r));
        if (r == -ENOENT)
            skep_diags_hint(spec->diags, "the directory must be there already");
        else if (r == -ENXIO)
            skep_diags_hint(spec->diags, "a FIFO needs a reader that is there already");
        return r;
    }
    return 0;
}

static int rename_numbered(const struct file *f, uint64_t from, uint64_t to)
{
    char a[PATH_MAX], b[PATH_MAX];
    if (from)
        snprintf(a, sizeof(a), "%s.%llu", f->path, (unsigned long long)from);
    else
        snprintf(a, sizeof(a), "%s", f->path);
    snprintf(b, sizeof(b), "%s.%llu", f->path, (unsigned long long)to);
    return rename(a, b) < 0 && !(from && errno == ENOENT) ? -errno : 0;
}

/* PATH.1 is the youngest; what is beyond `keep` is overwritten. */
static int rotate(struct file *f)
{
    int r = 0;
    for (uint64_t i = f->keep; r == 0 && i-- > 0;)
        r = rename_numbered(f, i, i + 1);
    return r ? r : open_file(f);
}

/* How many of the items still fit into the file; rotates it when that is none. */
static size_t make_room(struct file *f, const struct skep_sink_item *items, size_t n)
{
    struct stat st;
    if (!f->rotate || f->lines.cut || fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return n;
    uint64_t size = (uint64_t)st.st_size;
    if (size && size + items[0].len > f->rotate && skep_clock_mono_ns() >= f->rotate_at) {
        int r = rotate(f);
        if (r < 0) {
            skep_sink_note(f->sink, "%s cannot be rotated: %s", f->path, strerror(-r));
            f->rotate_at = skep_clock_mono_ns() + ROTATE_AGAIN_NS;
            return n;
        }
        size = 0;
    }
    size_t fits = 0;
    while (fits < n && size + items[fits].len <= f->rotate)
        size += items[fits++].len;
    return MAX(fits, (size_t)1); /* a line longer than a file has a file of its own */
}

/* A full disk takes a part of a line. It is taken back, so that the file holds whole lines also when there is
 * never room again; where that is not possible (chattr +a, somebody else wrote behind it) the rest follows
 * later. */
static void take_back(struct file *f, off_t size_before, size_t whole)
{
    struct stat st;
    if (f->lines.cut && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size == size_before + (off_t)(whole + f->lines.cut) &&
        ftruncate(f->fd, size_before + (off_t)whole) == 0)
        f->lines.cut = 0;
}

static int write_some(struct file *f, const struct skep_sink_item *items, size_t n, size_t *ret_n)
{
    struct stat st;
    bool fresh = f->lines.cut == 0 && fstat(f->fd, &st) == 0;
    int r = skep_sink_lines_write(&f->lines, items, n, ret_n);
    if (r == 0 && fresh && f->lines.cut) {
        size_t whole = 0;
        for (size_t i = 0; i < *ret_n; i++)
            whole += items[i].len;
        take_back(f, st.st_size, whole);
    }
    return r;
}

static enum skep_sink_verdict send_lines(void *state, const struct skep_sink_item *items, size_t n,
                                         size_t *ret_n)
{
    struct file *f = state;
    int r = f->fd < 0 ? open_file(f) : 0;
    if (r == 0)
        r = end_torn_line(f);
    if (r == 0) {
        n = make_room(f, items, n);
        do {
            r = write_some(f, items, n, ret_n);
            if (*ret_n)
                return SKEP_SINK_WRITTEN;
            if (r == -EAGAIN) /* a FIFO */
                r = skep_sink_wait(f->sink, f->lines.d.fd, POLLOUT, UINT64_MAX);
            if (r == -EINTR)
                return SKEP_SINK_INTERRUPTED;
        } while (r > 0 || (r == 0 && f->lines.cut));
    }
    if (r == 0)
        r = -ENOSPC; /* a part was written and taken back */
    skep_sink_note(f->sink, "%s: %s", f->path, strerror(-r));
    if (f->fd >= 0 && (skep_descriptor_is_final(&f->lines.d, r) || r == -ESTALE)) {
        skep_descriptor_close(&f->lines.d);
        f->fd = skep_fd_close(f->fd);
        f->lines.cut = 0;
    }
    *ret_n = 1;
    return SKEP_SINK_RETRY;
}

static void reopen(void *state)
{
    struct file *f = state;
    int r = open_file(f);
    if (r < 0)
        skep_sink_note(f->sink, "%s cannot be opened again: %s", f->path, strerror(-r));
    else
        skep_sink_count_restart(f->sink);
}

static void close_file(void *state, uint64_t deadline)
{
    struct file *f = state;
    (void)deadline;
    skep_descriptor_close(&f->lines.d);
    f->fd = skep_fd_close(f->fd);
}

static const struct skep_sink_option options[] = {
    {"rotate", "SIZE", SKEP_SINK_OPTION_SIZE, offsetof(struct file, rotate), 1024, UINT64_MAX,
     .doc =
         "Before a line would make the file larger than this, it is renamed to PATH.1, what was PATH.1 to PATH.2, "
         "and so on. A line is never split. Without this the file grows, or somebody else rotates it."},
    {"keep", "N", SKEP_SINK_OPTION_COUNT, offsetof(struct file, keep), 1, KEEP_MAX,
     .doc = "How many rotated files are kept; 5 by default."},
    {"mode", "MODE", SKEP_SINK_OPTION_MODE, offsetof(struct file, mode),
     .doc = "Permissions of a file that is made new, whatever the umask; 0640 by default."},
    {0},
};

const struct skep_sink_kind skep_sink_kind_file = {
    .example = "file:/var/log/skep.json",
    .size = sizeof(struct file),
    .options = options,
    .format = SKEP_SINK_JSON,
    .retries = UINT64_MAX,
    .init = init,
    .open = open_sink,
    .send = send_lines,
    .reopen = reopen,
    .close = close_file,
};
