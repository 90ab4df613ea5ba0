/* SPDX-License-Identifier: Apache-2.0 */
#include "event/recording.h"

#include "event/recording_format.h"
#include "event/remap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <zlib.h>
#include <zstd.h>

#define DAMAGE_MAX 256

/* What becomes of the records of one kind. */
enum fate { UNDECIDED, AS_IS, REBUILD, UNKNOWN };

struct buffer {
    char *s;
    size_t n, cap;
};

struct skep_recording {
    int fd;
    const struct skep_layouts *to;
    struct skep_layouts *from;
    struct buffer head, ledger;
    bool ended;
    int failed; /* -errno */
    char damage[DAMAGE_MAX];

    uint64_t block_at; /* offset of the block in the file */
    struct skep_recording_block_header block;
    struct buffer stored, raw;
    size_t raw_at;       /* of the next record */
    uint32_t block_left; /* records */
    uint64_t expected;   /* number of the next block's first record */
    ZSTD_DCtx *zstd;

    uint8_t fate[SKEP_KIND_MAX];
    struct skep_remap *remap[SKEP_KIND_MAX];
    struct buffer rebuilt;
    uint64_t unknown[SKEP_KIND_MAX]; /* by kind; 0: not even described */
    struct skep_recording_counts counts;
};

SKEP_PRINTF(3, 4) static int fail(struct skep_recording *r, int error, const char *fmt, ...)
{
    char reason[128];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(reason, sizeof(reason), fmt, ap);
    va_end(ap);
    snprintf(r->damage, sizeof(r->damage), "at byte %" PRIu64 ", after %" PRIu64 " records: %s", r->block_at,
             r->counts.records, reason);
    return r->failed = error;
}

/* Without a place in the file, for what is wrong before its first block. */
static int refuse(struct skep_recording *r, int error, const char *reason)
{
    snprintf(r->damage, sizeof(r->damage), "%s", reason);
    return r->failed = error;
}

/* ---- blocks ---- */

static int reserve(struct buffer *b, size_t n)
{
    if (n > b->cap) {
        char *s = realloc(b->s, n);
        if (!s)
            return -ENOMEM;
        b->s = s;
        b->cap = n;
    }
    return 0;
}

/* Bytes that were there, at most n. */
static ssize_t read_bytes(struct skep_recording *r, void *to, size_t n)
{
    size_t at = 0;
    while (at < n) {
        ssize_t k = read(r->fd, (char *)to + at, n - at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -errno;
        if (k == 0)
            break;
        at += (size_t)k;
    }
    r->counts.bytes += at;
    return (ssize_t)at;
}

static int read_header(struct skep_recording *r)
{
    struct skep_recording_block_header *b = &r->block;
    r->block_at = r->counts.bytes;
    ssize_t n = read_bytes(r, b, sizeof(*b));
    if (n < 0)
        return fail(r, (int)n, "cannot read: %s", strerror((int)-n));
    if (n == 0)
        return fail(r, -EBADMSG, "the recording was cut off: it has no end");
    if ((size_t)n < sizeof(*b))
        return fail(r, -EBADMSG, "the recording was cut off inside a block's header");
    if (b->magic != SKEP_RECORDING_BLOCK_MAGIC)
        return fail(r, -EBADMSG, "no block begins here: the file is damaged");
    if (b->stored_size > SKEP_RECORDING_STORED_MAX || b->raw_size > SKEP_RECORDING_BLOCK_MAX)
        return fail(r, -EBADMSG, "a block of impossible size");
    return 0;
}

static int decompress(struct skep_recording *r)
{
    const struct skep_recording_block_header *b = &r->block;
    /* one byte more: texts get a NUL */
    if (reserve(&r->raw, (size_t)b->raw_size + 1) < 0)
        return fail(r, -ENOMEM, "out of memory");
    size_t n = b->stored_size;
    if (b->codec == SKEP_CODEC_ZSTD)
        n = ZSTD_decompressDCtx(r->zstd, r->raw.s, b->raw_size, r->stored.s, b->stored_size);
    else if (b->codec != SKEP_CODEC_NONE)
        return fail(r, -EPROTONOSUPPORT, "a block of compression %u, which this skep does not know",
                    b->codec);
    else if (b->stored_size == b->raw_size)
        memcpy(r->raw.s, r->stored.s, n);
    if (ZSTD_isError(n) || n != b->raw_size)
        return fail(r, -EBADMSG, "a block does not decompress to its size");
    r->raw.n = n;
    r->raw.s[n] = '\0';
    return 0;
}

/* Reads one whole block and checks it; its content is then in raw. */
static int read_block(struct skep_recording *r)
{
    struct skep_recording_block_header *b = &r->block;
    int e = read_header(r);
    if (e < 0)
        return e;
    if (reserve(&r->stored, b->stored_size + 1) < 0)
        return fail(r, -ENOMEM, "out of memory");
    ssize_t n = read_bytes(r, r->stored.s, b->stored_size);
    if (n < 0)
        return fail(r, (int)n, "cannot read: %s", strerror((int)-n));
    if ((size_t)n < b->stored_size)
        return fail(r, -EBADMSG, "the recording was cut off inside a block");
    uLong crc = crc32(0, (const Bytef *)b + SKEP_RECORDING_CRC_FROM, sizeof(*b) - SKEP_RECORDING_CRC_FROM);
    crc = crc32(crc, (const Bytef *)r->stored.s, b->stored_size);
    if (crc != b->crc)
        return fail(r, -EBADMSG, "a block's checksum is wrong: the file is damaged");
    return decompress(r);
}

/* The lengths of all records in the block add up; so the loop over them needs no further checks. */
static int check_records(struct skep_recording *r)
{
    uint32_t n = 0;
    for (size_t at = 0; at < r->raw.n; n++) {
        uint32_t len;
        if (r->raw.n - at < r->from->header.size)
            return fail(r, -EBADMSG, "a record is cut short");
        memcpy(&len, r->raw.s + at, sizeof(len));
        if (len < r->from->header.size || len > SKEP_RECORDING_RECORD_MAX || len % 8 || len > r->raw.n - at)
            return fail(r, -EBADMSG, "a record of impossible size");
        at += len;
    }
    if (n != r->block.n_records)
        return fail(r, -EBADMSG, "a block holds %" PRIu32 " records and claims %" PRIu32, n,
                    r->block.n_records);
    return 0;
}

static int check_numbers(struct skep_recording *r)
{
    const struct skep_recording_block_header *b = &r->block;
    if (b->first_record < r->expected || b->first_record > UINT64_MAX - b->n_records)
        return fail(r, -EBADMSG, "blocks are out of order");
    r->counts.missing += b->first_record - r->expected;
    r->expected = b->first_record + b->n_records;
    return 0;
}

static int enter_end(struct skep_recording *r)
{
    char c;
    int e = check_numbers(r);
    if (e < 0)
        return e;
    r->ledger = TAKE(r->raw, (struct buffer){0});
    r->ended = true;
    r->block_at = r->counts.bytes;
    ssize_t n = read_bytes(r, &c, 1);
    if (n < 0)
        return fail(r, (int)n, "cannot read: %s", strerror((int)-n));
    return n == 0 ? 0 : fail(r, -EBADMSG, "the recording is complete, but there is something behind its end");
}

/* Puts the next block with records into raw, or sets ended. */
static int next_block(struct skep_recording *r)
{
    for (;;) {
        int e = read_block(r);
        if (e < 0)
            return e;
        if (r->block.type == SKEP_BLOCK_END)
            return enter_end(r);
        if (r->block.type == SKEP_BLOCK_HEAD || r->block.type == SKEP_BLOCK_LAYOUTS)
            return fail(r, -EBADMSG, "a second head");
        if (r->block.type != SKEP_BLOCK_RECORDS)
            continue; /* types to come that need no understanding */
        e = check_records(r);
        if (e >= 0)
            e = check_numbers(r);
        if (e < 0)
            return e;
        r->counts.blocks++;
        r->raw_at = 0;
        r->block_left = r->block.n_records;
        if (r->block_left > 0)
            return 0;
    }
}

/* ---- records ---- */

static int decide(struct skep_recording *r, unsigned kind)
{
    const struct skep_layout *from = skep_layouts_kind(r->from, kind), *to = skep_layouts_kind(r->to, kind);
    if (!from || !to) {
        r->fate[kind] = UNKNOWN;
        return 0;
    }
    if (skep_remap_new(&r->from->header, from, &r->to->header, to, &r->remap[kind]) < 0)
        return fail(r, -ENOMEM, "out of memory");
    r->fate[kind] = skep_remap_is_same(r->remap[kind]) ? AS_IS : REBUILD;
    return 0;
}

static int rebuild(struct skep_recording *r, unsigned kind, const char *s, uint32_t len,
                   const struct skep_hdr **ret)
{
    if (reserve(&r->rebuilt, skep_remap_bound(r->remap[kind], len)) < 0)
        return fail(r, -ENOMEM, "out of memory");
    if (skep_remap_apply(r->remap[kind], s, len, r->rebuilt.s) < 0) {
        r->counts.malformed++;
        return 0;
    }
    *ret = (const struct skep_hdr *)r->rebuilt.s;
    return 1;
}

/* 1: a record; 0: left out. */
static int take(struct skep_recording *r, const struct skep_hdr **ret)
{
    const char *s = r->raw.s + r->raw_at;
    uint32_t len;
    uint16_t kind;
    memcpy(&len, s, sizeof(len));
    memcpy(&kind, s + 4, sizeof(kind));
    r->raw_at += len;
    r->block_left--;
    r->counts.records++;
    if (kind < SKEP_KIND_MAX && r->fate[kind] == UNDECIDED) {
        int e = decide(r, kind);
        if (e < 0)
            return e;
    }
    if (kind >= SKEP_KIND_MAX || r->fate[kind] == UNKNOWN) {
        r->unknown[skep_layouts_kind(r->from, kind) ? kind : 0]++;
        r->counts.unknown++;
        return 0;
    }
    if (r->fate[kind] == REBUILD)
        return rebuild(r, kind, s, len, ret);
    *ret = (const struct skep_hdr *)s;
    return 1;
}

int skep_recording_next(struct skep_recording *r, const struct skep_hdr **ret)
{
    if (r->failed)
        return r->failed;
    while (!r->ended) {
        bool inside = r->block_left > 0;
        int n = inside ? take(r, ret) : next_block(r);
        if (n < 0 || (inside && n > 0))
            return n;
    }
    return 0;
}

/* ---- the head ---- */

static int read_layouts(struct skep_recording *r)
{
    json_t *json = json_loadb(r->raw.s, r->raw.n, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        return fail(r, -EBADMSG, "the description of the records is not valid JSON");
    int e = skep_layouts_new_json(json, &r->from);
    json_decref(json);
    return e < 0 ? fail(r, e, "the description of the records is wrong") : 0;
}

static int read_head(struct skep_recording *r)
{
    int e = read_block(r);
    if (e < 0)
        return e;
    if (r->block.type != SKEP_BLOCK_HEAD)
        return fail(r, -EBADMSG, "the recording does not begin with a head");
    r->head = TAKE(r->raw, (struct buffer){0});
    e = read_block(r);
    if (e < 0)
        return e;
    if (r->block.type != SKEP_BLOCK_LAYOUTS)
        return fail(r, -EBADMSG, "the recording does not describe its records");
    return read_layouts(r);
}

static int read_file_header(struct skep_recording *r)
{
    struct skep_recording_file_header h = {0};
    ssize_t n = read_bytes(r, &h, sizeof(h));
    if (n < 0)
        return refuse(r, (int)n, strerror((int)-n));
    if (n == 0)
        return refuse(r, -EBADMSG, "the file is empty");
    if (memcmp(h.magic, SKEP_RECORDING_MAGIC, MIN((size_t)n, sizeof(h.magic))) != 0)
        return refuse(r, -EBADMSG, "this is not a recording of skep");
    if ((size_t)n < sizeof(h))
        return refuse(r, -EBADMSG, "the recording was cut off at its very beginning");
    if (h.version != SKEP_RECORDING_VERSION || h.reserved != 0)
        return refuse(r, -EPROTONOSUPPORT,
                      "the recording was made by a newer skep, in a format that this one cannot read");
    return 0;
}

int skep_recording_open_fd(int fd, const struct skep_layouts *layouts, struct skep_recording **ret,
                           char *ret_reason, size_t reason_size)
{
    _cleanup_recording_ struct skep_recording *r = calloc(1, sizeof(*r));
    if (!r) {
        skep_fd_close(fd);
        snprintf(ret_reason, reason_size, "out of memory");
        return -ENOMEM;
    }
    r->fd = fd;
    r->to = layouts;
    r->zstd = ZSTD_createDCtx();
    int e = r->zstd ? read_file_header(r) : refuse(r, -ENOMEM, "out of memory");
    if (e >= 0)
        e = read_head(r);
    if (e < 0) {
        snprintf(ret_reason, reason_size, "%s", r->damage);
        return e;
    }
    *ret = TAKE_PTR(r);
    return 0;
}

int skep_recording_open(const char *path, const struct skep_layouts *layouts, struct skep_recording **ret,
                        char *ret_reason, size_t reason_size)
{
    int fd = skep_streq(path, "-") ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                   : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        int e = -errno;
        snprintf(ret_reason, reason_size, "%s", strerror(-e));
        return e;
    }
    return skep_recording_open_fd(fd, layouts, ret, ret_reason, reason_size);
}

struct skep_recording *skep_recording_free(struct skep_recording *r)
{
    if (!r)
        return NULL;
    skep_fd_close(r->fd);
    skep_layouts_free(r->from);
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        skep_remap_free(r->remap[i]);
    ZSTD_freeDCtx(r->zstd);
    free(r->head.s);
    free(r->ledger.s);
    free(r->stored.s);
    free(r->raw.s);
    free(r->rebuilt.s);
    free(r);
    return NULL;
}

/* ---- questions ---- */

const char *skep_recording_damage(const struct skep_recording *r)
{
    return r->damage;
}

const char *skep_recording_ledger(const struct skep_recording *r, size_t *ret_size)
{
    *ret_size = r->ledger.n;
    return r->ledger.s;
}

const struct skep_layouts *skep_recording_layouts(const struct skep_recording *r)
{
    return r->from;
}

const char *skep_recording_json(const struct skep_recording *r, size_t *ret_size)
{
    *ret_size = r->head.n;
    return r->head.s;
}

void skep_recording_counts(const struct skep_recording *r, struct skep_recording_counts *ret)
{
    *ret = r->counts;
}

void skep_recording_put_notices(const struct skep_recording *r, struct skep_strbuf *sb)
{
    for (unsigned i = 0; i < SKEP_KIND_MAX; i++) {
        if (!r->unknown[i])
            continue;
        const struct skep_layout *kind = skep_layouts_kind(r->from, i);
        skep_strbuf_printf(sb, "%" PRIu64 " records of ", r->unknown[i]);
        if (kind) {
            skep_strbuf_puts(sb, "the kind ");
            skep_strbuf_put_visible(sb, kind->name, strlen(kind->name));
            skep_strbuf_puts(sb, ", which this skep does not know, were left out\n");
        } else {
            skep_strbuf_puts(sb, "kinds that the recording does not describe were left out\n");
        }
    }
    if (r->counts.malformed)
        skep_strbuf_printf(sb, "%" PRIu64 " malformed records were left out\n", r->counts.malformed);
    if (r->counts.missing)
        skep_strbuf_printf(
            sb, "%" PRIu64 " records are missing: they could not be written when the recording was made\n",
            r->counts.missing);
}
