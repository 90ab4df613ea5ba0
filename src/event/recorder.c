/* SPDX-License-Identifier: Apache-2.0 */
#include "event/recorder.h"

#include "base/clock.h"
#include "base/thread.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#define LEVEL 3
#define HEAD_TIMEOUT_NS 10000000000ULL
#define FREE_TIMEOUT_NS 1000000000ULL
#define SPARE_MAX 2     /* blocks kept, so that a stall does not cost memory for ever */
#define PIPE_PIECE 4096 /* what a pipe takes without blocking once poll says that it takes anything */

struct block {
    struct block *next;
    uint8_t type;
    bool settled; /* its records were counted */
    uint32_t n;   /* bytes */
    uint32_t n_records;
    uint64_t first_record;
    uint64_t time_min, time_max;
    char data[SKEP_RECORDER_BLOCK_BYTES] __attribute__((aligned(8)));
};

/* The file, and what is needed to write a block to it: the writer thread's alone once that runs. */
struct file {
    int fd;
    bool regular;
    int broken; /* -errno: a part of a block is in it that cannot be cut off */
    off_t end;  /* of the last good block */
    ZSTD_CCtx *zstd;
    char *out; /* a block as it will lie in the file */
    size_t out_size;
    uint64_t deadline; /* monotonic, 0: none */
};

struct skep_recorder {
    struct file file;
    atomic_bool give_up; /* the writer should not wait any more for a pipe's reader */

    struct block *filling; /* the owner's */
    uint64_t n_put;        /* records, the number of the next one */

    pthread_mutex_t lock; /* all below */
    pthread_cond_t work;  /* for the writer: there is something to do */
    pthread_cond_t done;  /* for the owner: something was done */
    struct block *first, *last, *busy, *spare;
    unsigned n_queued; /* with the busy one */
    unsigned n_spare;
    bool stop;
    bool running;   /* the writer thread */
    bool orphan;    /* the owner is gone: the writer frees */
    char *end_text; /* a copy, since the writer may outlive the call that brought it */
    size_t end_size;
    bool end_wanted;
    int end_result;
    int error;
    struct skep_recorder_counts counts[SKEP_KIND_MAX];
};

/* ---- the file ---- */

static int wait_writable(const struct file *f, const atomic_bool *give_up)
{
    for (;;) {
        struct pollfd p = {.fd = f->fd, .events = POLLOUT};
        int n = poll(&p, 1, 50);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (atomic_load(give_up) || (f->deadline && skep_clock_mono_ns() > f->deadline))
            return -ETIMEDOUT;
    }
}

static int write_all(const struct file *f, const char *s, size_t n, const atomic_bool *give_up,
                     size_t *ret_written)
{
    size_t at = 0;
    int r = 0;
    while (at < n) {
        if (!f->regular) {
            r = wait_writable(f, give_up);
            if (r < 0)
                break;
        }
        ssize_t k = write(f->fd, s + at, f->regular ? n - at : MIN(n - at, (size_t)PIPE_PIECE));
        if (k > 0) {
            at += (size_t)k;
        } else if (k == 0) {
            r = -EIO;
            break;
        } else if (errno != EINTR && errno != EAGAIN) {
            r = -errno;
            break;
        }
    }
    *ret_written = at;
    return r;
}

/* Writes all or, as far as the file lets itself be cut, nothing. */
static int append(struct file *f, const char *s, size_t n, const atomic_bool *give_up)
{
    size_t written;
    if (f->broken)
        return f->broken;
    int r = write_all(f, s, n, give_up, &written);
    if (r >= 0) {
        f->end += (off_t)n;
        return 0;
    }
    bool cut = f->regular && ftruncate(f->fd, f->end) == 0 && lseek(f->fd, f->end, SEEK_SET) == f->end;
    if (written > 0 && !cut)
        f->broken = r;
    return r;
}

/* h without sizes, codec and checksum. */
static int append_block(struct file *f, struct skep_recording_block_header h, const char *raw, size_t n,
                        const atomic_bool *give_up)
{
    size_t room = ZSTD_compressBound(n), stored;
    if (f->out_size < sizeof(h) + room) {
        char *out = realloc(f->out, sizeof(h) + room);
        if (!out)
            return -ENOMEM;
        f->out = out;
        f->out_size = sizeof(h) + room;
    }
    stored = ZSTD_compressCCtx(f->zstd, f->out + sizeof(h), room, raw, n, LEVEL);
    h.codec = SKEP_CODEC_ZSTD;
    if (ZSTD_isError(stored)) {
        h.codec = SKEP_CODEC_NONE;
        stored = n;
        memcpy(f->out + sizeof(h), raw, n);
    }
    h.magic = SKEP_RECORDING_BLOCK_MAGIC;
    h.raw_size = (uint32_t)n;
    h.stored_size = (uint32_t)stored;
    memcpy(f->out, &h, sizeof(h));
    h.crc = (uint32_t)crc32(0, (const Bytef *)f->out + SKEP_RECORDING_CRC_FROM,
                            (uInt)(sizeof(h) + stored - SKEP_RECORDING_CRC_FROM));
    memcpy(f->out, &h, sizeof(h));
    return append(f, f->out, sizeof(h) + stored, give_up);
}

static int append_text(struct file *f, uint8_t type, const char *s, size_t n, const atomic_bool *give_up)
{
    return append_block(f, (struct skep_recording_block_header){.type = type}, s, n, give_up);
}

static int append_head(struct file *f, const char *head, size_t size, const struct skep_layouts *layouts,
                       const atomic_bool *give_up)
{
    const struct skep_recording_file_header h = {.magic = SKEP_RECORDING_MAGIC,
                                                 .version = SKEP_RECORDING_VERSION};
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_json j;
    skep_strbuf_init(&sb, SKEP_RECORDING_HEAD_MAX);
    skep_json_init(&j, &sb);
    skep_json_open(&j, NULL, '{');
    skep_layouts_put_json(layouts, &j);
    skep_json_close(&j, '}');
    if (sb.failed || size > SKEP_RECORDING_HEAD_MAX)
        return -E2BIG;
    f->deadline = skep_clock_mono_ns() + HEAD_TIMEOUT_NS;
    int r = append(f, (const char *)&h, sizeof(h), give_up);
    if (r >= 0)
        r = append_text(f, SKEP_BLOCK_HEAD, head, size, give_up);
    if (r >= 0)
        r = append_text(f, SKEP_BLOCK_LAYOUTS, sb.s, sb.len, give_up);
    f->deadline = 0;
    return r;
}

/* ---- the writer thread ---- */

static void free_all(struct skep_recorder *r)
{
    struct block *lists[] = {r->first, r->spare, r->filling};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        while (lists[i]) {
            struct block *next = lists[i]->next;
            free(lists[i]);
            lists[i] = next;
        }
    }
    skep_fd_close(r->file.fd);
    ZSTD_freeCCtx(r->file.zstd);
    free(r->file.out);
    free(r->end_text);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->work);
    pthread_cond_destroy(&r->done);
    free(r);
}

/* Counts the records of a block that was written (error 0) or lost. */
static void settle(struct skep_recorder *r, struct block *b, int error)
{
    if (b->settled)
        return;
    b->settled = true;
    if (error && !r->error)
        r->error = error;
    for (uint32_t at = 0; at < b->n;) {
        const struct skep_hdr *h = (const struct skep_hdr *)(b->data + at);
        struct skep_recorder_counts *c = &r->counts[h->kind];
        if (error)
            c->write_failed++;
        else
            c->written++;
        at += h->len;
    }
}

static void recycle(struct skep_recorder *r, struct block *b)
{
    if (r->n_spare == SPARE_MAX) {
        free(b);
        return;
    }
    b->next = r->spare;
    r->spare = b;
    r->n_spare++;
}

static int write_block(struct skep_recorder *r, const struct block *b)
{
    const struct skep_recording_block_header h = {
        .type = SKEP_BLOCK_RECORDS,
        .n_records = b->n_records,
        .first_record = b->first_record,
        .time_min = b->time_min,
        .time_max = b->time_max,
    };
    return append_block(&r->file, h, b->data, b->n, &r->give_up);
}

static int write_end(struct skep_recorder *r, const char *text, size_t n, uint64_t n_records)
{
    const struct skep_recording_block_header h = {.type = SKEP_BLOCK_END, .first_record = n_records};
    int e = append_block(&r->file, h, text, n, &r->give_up);
    if (e < 0)
        return e;
    /* what is no file on a disk cannot be synchronised, and need not be */
    if (fdatasync(r->file.fd) < 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
        return -errno;
    return 0;
}

/* One step of the writer, lock held; false: there is nothing to do. */
static bool step(struct skep_recorder *r)
{
    struct block *b = r->first;
    if (b) {
        r->first = b->next;
        r->busy = b;
        pthread_mutex_unlock(&r->lock);
        int e = write_block(r, b);
        pthread_mutex_lock(&r->lock);
        r->n_queued--;
        r->busy = NULL;
        settle(r, b, e);
        recycle(r, b);
    } else if (r->end_wanted) {
        pthread_mutex_unlock(&r->lock);
        int e = write_end(r, r->end_text, r->end_size, r->n_put);
        pthread_mutex_lock(&r->lock);
        r->end_result = e;
        r->end_wanted = false;
    } else {
        return false;
    }
    pthread_cond_broadcast(&r->done);
    return true;
}

static void *run(void *data)
{
    struct skep_recorder *r = data;
    pthread_mutex_lock(&r->lock);
    while (!r->stop)
        if (!step(r))
            pthread_cond_wait(&r->work, &r->lock);
    r->running = false;
    bool orphan = r->orphan;
    pthread_cond_broadcast(&r->done);
    pthread_mutex_unlock(&r->lock);
    if (orphan)
        free_all(r);
    return NULL;
}

static int start(struct skep_recorder *r)
{
    pthread_t thread;
    r->running = true;
    int e = skep_thread_start(&thread, "skep-recorder", run, r);
    if (e < 0)
        r->running = false;
    else
        pthread_detach(thread);
    return e;
}

/* ---- the owner ---- */

int skep_recorder_open_file(const char *path, int *ret_fd)
{
    struct stat st;
    bool own = !skep_streq(path, "-");
    _cleanup_close_ int fd =
        own ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600)
            : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (own && S_ISREG(st.st_mode) && (st.st_mode & 077) && fchmod(fd, 0600) < 0 && errno != EPERM)
        return -errno;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static void init_locks(struct skep_recorder *r)
{
    pthread_mutex_init(&r->lock, NULL);
    skep_cond_init(&r->work);
    skep_cond_init(&r->done);
}

int skep_recorder_new(int fd, const char *head, size_t size, const struct skep_layouts *layouts,
                      struct skep_recorder **ret)
{
    struct stat st;
    struct skep_recorder *rec = calloc(1, sizeof(*rec));
    if (!rec) {
        skep_fd_close(fd);
        return -ENOMEM;
    }
    init_locks(rec);
    _cleanup_recorder_ struct skep_recorder *owned = rec;
    rec->file.fd = fd;
    rec->end_result = -EAGAIN;
    if (fstat(fd, &st) < 0)
        return -errno;
    rec->file.regular = S_ISREG(st.st_mode);
    rec->file.end = rec->file.regular ? lseek(fd, 0, SEEK_CUR) : 0;
    rec->file.zstd = ZSTD_createCCtx();
    if (!rec->file.zstd)
        return -ENOMEM;
    int r = append_head(&rec->file, head, size, layouts, &rec->give_up);
    if (r >= 0)
        r = start(rec);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(owned);
    return 0;
}

static uint64_t monotonic_in(uint64_t ns)
{
    return skep_clock_mono_ns() + MIN(ns, (uint64_t)INT64_MAX / 2);
}

struct skep_recorder *skep_recorder_free(struct skep_recorder *r)
{
    if (!r)
        return NULL;
    uint64_t until = monotonic_in(FREE_TIMEOUT_NS);
    atomic_store(&r->give_up, true);
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->work);
    while (r->running && skep_cond_wait(&r->done, &r->lock, until))
        ;
    /* a thread that hangs in a write cannot be ended: it frees all when the disk lets it go */
    bool orphan = r->orphan = r->running;
    pthread_mutex_unlock(&r->lock);
    if (!orphan)
        free_all(r);
    return NULL;
}

/* Gives the block being filled to the writer; false: the queue is full. */
static bool hand_over(struct skep_recorder *r)
{
    bool ok = true;
    pthread_mutex_lock(&r->lock);
    struct block *b = r->filling;
    if (b && b->n_records > 0) {
        ok = r->n_queued < SKEP_RECORDER_QUEUE;
        if (ok) {
            b->next = NULL;
            if (r->first)
                r->last->next = b;
            else
                r->first = b;
            r->last = b;
            r->n_queued++;
            r->filling = NULL;
            pthread_cond_signal(&r->work);
        }
    }
    pthread_mutex_unlock(&r->lock);
    return ok;
}

static struct block *empty_block(struct skep_recorder *r)
{
    pthread_mutex_lock(&r->lock);
    struct block *b = r->spare;
    if (b) {
        r->spare = b->next;
        r->n_spare--;
    }
    pthread_mutex_unlock(&r->lock);
    if (!b)
        b = malloc(sizeof(*b));
    if (b)
        memset(b, 0, offsetof(struct block, data));
    return b;
}

/* Makes sure that n bytes fit into the block being filled. */
static bool make_room(struct skep_recorder *r, size_t n)
{
    if (r->filling && n > sizeof(r->filling->data) - r->filling->n && !hand_over(r))
        return false;
    if (!r->filling)
        r->filling = empty_block(r);
    return r->filling != NULL;
}

int skep_recorder_put(struct skep_recorder *r, const struct skep_hdr *h)
{
    if (h->len < sizeof(*h) || h->len > SKEP_RECORDING_RECORD_MAX || h->len % 8 || h->kind >= SKEP_KIND_MAX)
        return -EINVAL;
    struct skep_recorder_counts *c = &r->counts[h->kind];
    uint64_t number = r->n_put++;
    bool room = make_room(r, h->len);
    struct block *b = r->filling;
    /* a block is a run of consecutive records: behind a gap begins a new one */
    if (room && b->n_records > 0 && b->first_record + b->n_records != number) {
        room = hand_over(r) && make_room(r, h->len);
        b = r->filling;
    }
    pthread_mutex_lock(&r->lock);
    c->put++;
    c->queue_full += !room;
    pthread_mutex_unlock(&r->lock);
    if (!room)
        return -ENOBUFS;
    if (b->n_records == 0) {
        b->first_record = number;
        b->time_min = h->time;
    }
    b->time_min = MIN(b->time_min, h->time);
    b->time_max = MAX(b->time_max, h->time);
    memcpy(b->data + b->n, h, h->len);
    b->n += h->len;
    b->n_records++;
    return 0;
}

void skep_recorder_flush(struct skep_recorder *r)
{
    hand_over(r);
}

/* What waits counts as lost, and so does what the writer is busy with, whatever becomes of it. */
static void abandon(struct skep_recorder *r, int error)
{
    while (r->first) {
        struct block *b = r->first;
        r->first = b->next;
        r->n_queued--;
        settle(r, b, error);
        recycle(r, b);
    }
    if (r->busy)
        settle(r, r->busy, error);
    if (r->filling) {
        settle(r, r->filling, error);
        recycle(r, TAKE_PTR(r->filling));
    }
    atomic_store(&r->give_up, true);
}

int skep_recorder_drain(struct skep_recorder *r, uint64_t timeout_ns)
{
    uint64_t until = monotonic_in(timeout_ns);
    bool in_time = true;
    bool handed = hand_over(r);
    pthread_mutex_lock(&r->lock);
    while ((!handed || r->first || r->busy) && in_time) {
        if (handed || r->n_queued == SKEP_RECORDER_QUEUE)
            in_time = skep_cond_wait(&r->done, &r->lock, until);
        if (!handed) {
            pthread_mutex_unlock(&r->lock);
            handed = hand_over(r);
            pthread_mutex_lock(&r->lock);
        }
    }
    if (!in_time)
        abandon(r, -ETIMEDOUT);
    pthread_mutex_unlock(&r->lock);
    return in_time ? 0 : -ETIMEDOUT;
}

int skep_recorder_finish(struct skep_recorder *r, const char *ledger, size_t size, uint64_t timeout_ns)
{
    if (size > SKEP_RECORDING_BLOCK_MAX)
        return -E2BIG;
    _cleanup_free_ char *copy = malloc(size + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, ledger, size);
    uint64_t until = monotonic_in(timeout_ns);
    int e = skep_recorder_drain(r, timeout_ns);
    if (e < 0)
        return e;
    pthread_mutex_lock(&r->lock);
    if (r->end_text) {
        pthread_mutex_unlock(&r->lock);
        return -EALREADY;
    }
    r->end_text = TAKE_PTR(copy);
    r->end_size = size;
    r->end_wanted = true;
    pthread_cond_signal(&r->work);
    while (r->end_wanted && skep_cond_wait(&r->done, &r->lock, until))
        ;
    e = r->end_wanted ? -ETIMEDOUT : r->end_result;
    pthread_mutex_unlock(&r->lock);
    return e;
}

void skep_recorder_counts(struct skep_recorder *r, struct skep_recorder_counts ret[SKEP_KIND_MAX])
{
    pthread_mutex_lock(&r->lock);
    memcpy(ret, r->counts, sizeof(r->counts));
    pthread_mutex_unlock(&r->lock);
}

int skep_recorder_error(struct skep_recorder *r)
{
    pthread_mutex_lock(&r->lock);
    int e = r->error;
    pthread_mutex_unlock(&r->lock);
    return e;
}
