/* SPDX-License-Identifier: Apache-2.0 */
#include "event/recording.h"

#include "event/recording_format.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

struct skep_recording {
    FILE *f;
    uint64_t offset; /* of the next byte to read */
    uint64_t records;
    char *json, *btf, *ledger;
    size_t json_len, btf_len, ledger_len;
    char *packed, *raw; /* one block */
    size_t raw_len, raw_pos;
    bool ended;
    char damage[200];
};

struct skep_recording *skep_recording_free(struct skep_recording *r)
{
    if (!r)
        return NULL;
    if (r->f)
        fclose(r->f);
    free(r->json);
    free(r->btf);
    free(r->ledger);
    free(r->packed);
    free(r->raw);
    free(r);
    return NULL;
}

static int damaged(struct skep_recording *r, const char *what)
{
    snprintf(r->damage, sizeof(r->damage), "%s at byte %" PRIu64 ", after %" PRIu64 " records", what, r->offset, r->records);
    r->ended = true;
    return -EBADMSG;
}

/* Exactly n bytes, or false. */
static bool take(struct skep_recording *r, void *to, size_t n)
{
    size_t got = fread(to, 1, n, r->f);
    r->offset += got;
    return got == n;
}

uint32_t skep_recording_checksum(const void *header, size_t header_len, const void *payload, size_t len)
{
    uLong c = crc32(0, header, (uInt)header_len);
    return (uint32_t)crc32(c, payload, (uInt)len);
}

/* A stored piece: compressed, of bounded size, with a checksum over its header and bytes. */
static int read_piece(struct skep_recording *r, struct skep_recording_piece *piece, uint32_t max, char **ret)
{
    uint32_t checksum = piece->checksum;
    if (piece->raw > max || piece->stored > ZSTD_compressBound(max))
        return -EBADMSG;
    char *packed = realloc(r->packed, (size_t)piece->stored + 1);
    if (!packed)
        return -ENOMEM;
    r->packed = packed;
    _cleanup_free_ char *raw = malloc((size_t)piece->raw + 8);
    if (!raw)
        return -ENOMEM;
    if (!take(r, packed, piece->stored))
        return -ENODATA;
    piece->checksum = 0;
    if (skep_recording_checksum(piece, sizeof(*piece), packed, piece->stored) != checksum)
        return -EBADMSG;
    size_t n = ZSTD_decompress(raw, piece->raw, packed, piece->stored);
    if (ZSTD_isError(n) || n != piece->raw)
        return -EBADMSG;
    raw[n] = '\0';
    free(*ret);
    *ret = TAKE_PTR(raw);
    return 0;
}

static int read_head(struct skep_recording *r)
{
    char magic[8];
    struct skep_recording_piece piece;
    if (!take(r, magic, sizeof(magic)) || memcmp(magic, SKEP_RECORDING_MAGIC, sizeof(magic)) != 0)
        return -EBADMSG;
    if (!take(r, &piece, sizeof(piece)) || piece.type != SKEP_PIECE_JSON ||
        read_piece(r, &piece, SKEP_RECORDING_HEAD_MAX, &r->json) < 0)
        return -EBADMSG;
    r->json_len = piece.raw;
    if (!take(r, &piece, sizeof(piece)) || piece.type != SKEP_PIECE_BTF ||
        read_piece(r, &piece, SKEP_RECORDING_HEAD_MAX, &r->btf) < 0)
        return -EBADMSG;
    r->btf_len = piece.raw;
    return 0;
}

int skep_recording_open(const char *path, struct skep_recording **ret, char *ret_reason, size_t reason_size)
{
    _cleanup_recording_ struct skep_recording *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->f = fopen(path, "re");
    struct stat st;
    if (!r->f || fstat(fileno(r->f), &st) < 0) {
        int e = errno;
        snprintf(ret_reason, reason_size, "cannot open %s: %s", path, strerror(e));
        return -e;
    }
    if (S_ISDIR(st.st_mode)) {
        snprintf(ret_reason, reason_size, "%s is a directory", path);
        return -EISDIR;
    }
    if (read_head(r) < 0) {
        snprintf(ret_reason, reason_size, r->offset < 8 || !r->json ? "%s is not a recording of skep, or its head is damaged"
                                                                     : "%s: the head of the recording is damaged", path);
        return -EBADMSG;
    }
    *ret = TAKE_PTR(r);
    return 0;
}

const char *skep_recording_json(const struct skep_recording *r, size_t *ret_len)
{
    *ret_len = r->json_len;
    return r->json;
}

const void *skep_recording_btf(const struct skep_recording *r, size_t *ret_len)
{
    *ret_len = r->btf_len;
    return r->btf;
}

const char *skep_recording_ledger(const struct skep_recording *r, size_t *ret_len)
{
    *ret_len = r->ledger_len;
    return r->ledger;
}

const char *skep_recording_damage(const struct skep_recording *r)
{
    return r->damage;
}

/* The next block of records; 0: the end. */
static int next_block(struct skep_recording *r)
{
    struct skep_recording_piece piece;
    size_t got = fread(&piece, 1, sizeof(piece), r->f);
    if (got == 0)
        return damaged(r, "the recording ends without an end block");
    if (got < sizeof(piece))
        return damaged(r, "the recording is cut off");
    if (piece.magic != SKEP_PIECE_MAGIC)
        return damaged(r, "no block begins");
    r->offset += got;
    bool records = piece.type == SKEP_PIECE_RECORDS;
    if (!records && piece.type != SKEP_PIECE_END)
        return damaged(r, "a block of unknown type");
    int e = read_piece(r, &piece, SKEP_RECORDING_BLOCK_MAX, records ? &r->raw : &r->ledger);
    if (e == -ENOMEM)
        return damaged(r, "out of memory");
    if (e < 0)
        return damaged(r, e == -ENODATA ? "the recording is cut off" : "a damaged block");
    if (!records) {
        r->ledger_len = piece.raw;
        r->ended = true;
        return 0;
    }
    r->raw_len = piece.raw;
    r->raw_pos = 0;
    return 1;
}

int skep_recording_next(struct skep_recording *r, const struct skep_hdr **ret, size_t *ret_size)
{
    if (*r->damage)
        return -EBADMSG;
    while (!r->ended && r->raw_pos >= r->raw_len) {
        int n = next_block(r);
        if (n <= 0)
            return n;
    }
    if (r->ended)
        return 0;
    const struct skep_hdr *h = (const struct skep_hdr *)(r->raw + r->raw_pos);
    size_t left = r->raw_len - r->raw_pos;
    if (left < sizeof(*h) || h->len < sizeof(*h) || h->len % 8 || h->len > left)
        return damaged(r, "a malformed record in the block that ends");
    r->raw_pos += h->len;
    r->records++;
    *ret = h;
    *ret_size = h->len;
    return 1;
}
