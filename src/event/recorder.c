/* SPDX-License-Identifier: Apache-2.0 */
#include "event/recording.h"
#include "event/recording_format.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <zstd.h>

#define LEVEL 1

struct block {
    char *raw;
    size_t len;
    uint32_t records;
    uint64_t first_time, last_time;
    uint32_t kinds[SKEP_KIND_MAX]; /* records of each kind in it */
};

struct skep_recorder {
    int fd;
    off_t good; /* where the last whole block ends */
    struct block *filling;
    char *packed;
    size_t packed_size;
    ZSTD_CCtx *zstd;

    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake, idle;
    struct block *queue[SKEP_RECORDER_QUEUE]; /* oldest first */
    size_t queued;
    struct block *spare; /* one block is kept instead of freed */
    bool busy, stop;
    int first_error;
    struct skep_recorder_counts counts[SKEP_KIND_MAX];
};

static struct block *block_free(struct block *b)
{
    if (b)
        free(b->raw);
    free(b);
    return NULL;
}

static struct block *block_new(void)
{
    struct block *b = calloc(1, sizeof(*b));
    if (b)
        b->raw = malloc(SKEP_RECORDER_BLOCK + SKEP_RECORD_MAX * 2);
    return b && !b->raw ? block_free(b) : b;
}

static void block_reset(struct block *b)
{
    b->len = 0;
    b->records = 0;
    memset(b->kinds, 0, sizeof(b->kinds));
}

static int write_all(int fd, const char *s, size_t n)
{
    while (n) {
        ssize_t done = write(fd, s, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        s += done;
        n -= (size_t)done;
    }
    return 0;
}

/* Only whole pieces stay in the file. */
static int write_piece(struct skep_recorder *r, struct skep_recording_piece *piece, const void *raw, size_t len)
{
    size_t n = ZSTD_compressCCtx(r->zstd, r->packed + sizeof(*piece), r->packed_size - sizeof(*piece), raw, len, LEVEL);
    if (ZSTD_isError(n))
        return -ENOMEM;
    piece->magic = SKEP_PIECE_MAGIC;
    piece->stored = (uint32_t)n;
    piece->raw = (uint32_t)len;
    piece->checksum = 0;
    piece->checksum = skep_recording_checksum(piece, sizeof(*piece), r->packed + sizeof(*piece), n);
    memcpy(r->packed, piece, sizeof(*piece));
    int e = write_all(r->fd, r->packed, sizeof(*piece) + n);
    if (e < 0) {
        if (ftruncate(r->fd, r->good) == 0)
            lseek(r->fd, r->good, SEEK_SET);
        return e;
    }
    r->good += (off_t)(sizeof(*piece) + n);
    return 0;
}

static void count_lost(struct skep_recorder *r, const struct block *b, bool queue)
{
    for (size_t i = 0; i < SKEP_KIND_MAX; i++) {
        if (queue)
            r->counts[i].queue_full += b->kinds[i];
        else
            r->counts[i].write_failed += b->kinds[i];
    }
}

static void write_block(struct skep_recorder *r, struct block *b)
{
    struct skep_recording_piece piece = {
        .type = SKEP_PIECE_RECORDS,
        .records = b->records,
        .first_time = b->first_time,
        .last_time = b->last_time,
    };
    int e = write_piece(r, &piece, b->raw, b->len);
    pthread_mutex_lock(&r->lock);
    if (e < 0) {
        count_lost(r, b, false);
        if (!r->first_error)
            r->first_error = e;
    }
    if (r->spare)
        block_free(r->spare);
    block_reset(b);
    r->spare = b;
    pthread_mutex_unlock(&r->lock);
}

static void *writer(void *userdata)
{
    struct skep_recorder *r = userdata;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!r->queued && !r->stop)
            pthread_cond_wait(&r->wake, &r->lock);
        if (!r->queued)
            break;
        struct block *b = r->queue[0];
        memmove(r->queue, r->queue + 1, --r->queued * sizeof(*r->queue));
        r->busy = true;
        pthread_mutex_unlock(&r->lock);
        write_block(r, b);
        pthread_mutex_lock(&r->lock);
        r->busy = false;
        if (!r->queued)
            pthread_cond_broadcast(&r->idle);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static int start_writer(struct skep_recorder *r)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int e = pthread_create(&r->thread, NULL, writer, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    r->running = e == 0;
    return -e;
}

static int write_head(struct skep_recorder *r, const char *json, size_t json_len, const void *btf, size_t btf_len)
{
    struct skep_recording_piece piece = {.type = SKEP_PIECE_JSON};
    int e = write_all(r->fd, SKEP_RECORDING_MAGIC, 8);
    r->good = 8;
    if (e >= 0)
        e = write_piece(r, &piece, json, json_len);
    piece = (struct skep_recording_piece){.type = SKEP_PIECE_BTF};
    return e < 0 ? e : write_piece(r, &piece, btf, btf_len);
}

int skep_recorder_new(const char *path, const char *json, size_t json_len, const void *btf, size_t btf_len,
                      struct skep_recorder **ret)
{
    if (json_len > SKEP_RECORDING_HEAD_MAX || btf_len > SKEP_RECORDING_HEAD_MAX)
        return -E2BIG;
    _cleanup_recorder_ struct skep_recorder *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->fd = -1;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    pthread_cond_init(&r->idle, NULL);
    r->packed_size = ZSTD_compressBound(SKEP_RECORDING_HEAD_MAX) + sizeof(struct skep_recording_piece);
    r->packed = malloc(r->packed_size);
    r->zstd = ZSTD_createCCtx();
    r->filling = block_new();
    r->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (r->fd < 0)
        return -errno;
    if (!r->packed || !r->zstd || !r->filling)
        return -ENOMEM;
    int e = write_head(r, json, json_len, btf, btf_len);
    if (e >= 0)
        e = start_writer(r);
    if (e < 0)
        return e;
    *ret = TAKE_PTR(r);
    return 0;
}

struct skep_recorder *skep_recorder_free(struct skep_recorder *r)
{
    if (!r)
        return NULL;
    if (r->running) {
        pthread_mutex_lock(&r->lock);
        r->stop = true;
        pthread_cond_signal(&r->wake);
        pthread_mutex_unlock(&r->lock);
        pthread_join(r->thread, NULL);
    }
    for (size_t i = 0; i < r->queued; i++)
        block_free(r->queue[i]);
    block_free(r->spare);
    block_free(r->filling);
    ZSTD_freeCCtx(r->zstd);
    free(r->packed);
    skep_fd_close(r->fd);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->wake);
    pthread_cond_destroy(&r->idle);
    free(r);
    return NULL;
}

void skep_recorder_flush(struct skep_recorder *r)
{
    struct block *b = r->filling;
    if (!b->len)
        return;
    pthread_mutex_lock(&r->lock);
    struct block *fresh = r->spare;
    r->spare = NULL;
    if (r->queued < SKEP_RECORDER_QUEUE && (fresh || (fresh = block_new()))) {
        r->queue[r->queued++] = b;
        r->filling = fresh;
        pthread_cond_signal(&r->wake);
    } else {
        r->spare = fresh;
        count_lost(r, b, true);
        block_reset(b);
    }
    pthread_mutex_unlock(&r->lock);
}

void skep_recorder_put(struct skep_recorder *r, const struct skep_hdr *h)
{
    struct block *b = r->filling;
    if (!b->len)
        b->first_time = h->time;
    b->last_time = h->time;
    memcpy(b->raw + b->len, h, h->len);
    b->len += h->len;
    b->records++;
    b->kinds[h->kind & (SKEP_KIND_MAX - 1)]++;
    pthread_mutex_lock(&r->lock);
    r->counts[h->kind & (SKEP_KIND_MAX - 1)].put++;
    pthread_mutex_unlock(&r->lock);
    if (b->len >= SKEP_RECORDER_BLOCK)
        skep_recorder_flush(r);
}

void skep_recorder_drain(struct skep_recorder *r)
{
    skep_recorder_flush(r);
    pthread_mutex_lock(&r->lock);
    while (r->queued || r->busy)
        pthread_cond_wait(&r->idle, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

int skep_recorder_finish(struct skep_recorder *r, const char *ledger, size_t len)
{
    struct skep_recording_piece piece = {.type = SKEP_PIECE_END};
    skep_recorder_drain(r);
    int e = write_piece(r, &piece, ledger, len);
    if (e >= 0 && fdatasync(r->fd) < 0 && errno != EINVAL && errno != EROFS)
        e = -errno;
    return r->first_error ? r->first_error : e;
}

void skep_recorder_counts(struct skep_recorder *r, struct skep_recorder_counts ret[SKEP_KIND_MAX])
{
    pthread_mutex_lock(&r->lock);
    memcpy(ret, r->counts, sizeof(r->counts));
    pthread_mutex_unlock(&r->lock);
}
