/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a recording. With an even first byte they are the file; with an odd one, magic numbers, sizes and
 * checksums are put right first, so that what stands behind them is reached. Whatever comes out is a record of
 * this build that lies in its memory; its slices do, too, when it was rebuilt.
 */
#include "event/recording.h"
#include "event/recording_format.h"

#include <jansson.h>
#include <sys/mman.h>
#include <zlib.h>

#define OWN                                                                                                  \
    "{\"header\":{\"size\":112,\"members\":[{\"name\":\"len\",\"type\":\"u32\",\"offset\":0},"               \
    "{\"name\":\"kind\",\"type\":\"u16\",\"offset\":4},{\"name\":\"seq\",\"type\":\"u64\",\"offset\":8},"    \
    "{\"name\":\"ret\",\"type\":\"s64\",\"offset\":48},{\"name\":\"comm\",\"type\":\"bytes\","               \
    "\"offset\":96,\"size\":16}]},\"kinds\":[{\"number\":16,\"name\":\"open\",\"size\":136,\"members\":["    \
    "{\"name\":\"path\",\"type\":\"slice\",\"offset\":112},{\"name\":\"raw_path\",\"type\":\"slice\","       \
    "\"offset\":120},{\"name\":\"dev\",\"type\":\"u32\",\"offset\":128},{\"name\":\"dirfd\",\"type\":"       \
    "\"s32\",\"offset\":132}]}]}"

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void repair(uint8_t *s, size_t n)
{
    static const struct skep_recording_file_header file = {SKEP_RECORDING_MAGIC, SKEP_RECORDING_VERSION, 0};
    memcpy(s, &file, MIN(n, sizeof(file)));
    for (size_t at = sizeof(file); n > at && n - at >= sizeof(struct skep_recording_block_header);) {
        struct skep_recording_block_header h;
        memcpy(&h, s + at, sizeof(h));
        size_t room = n - at - sizeof(h);
        h.magic = SKEP_RECORDING_BLOCK_MAGIC;
        h.stored_size = (uint32_t)MIN(h.stored_size, room);
        if (h.codec == SKEP_CODEC_NONE)
            h.raw_size = h.stored_size;
        memcpy(s + at, &h, sizeof(h));
        h.crc = (uint32_t)crc32(0, s + at + SKEP_RECORDING_CRC_FROM,
                                (uInt)(sizeof(h) - SKEP_RECORDING_CRC_FROM + h.stored_size));
        memcpy(s + at, &h, sizeof(h));
        at += sizeof(h) + h.stored_size;
    }
}

static void check_slice(const struct skep_hdr *h, struct skep_slice s)
{
    check(s.off == 0 || (s.off >= 136 && s.off <= h->len && s.len <= h->len - s.off));
}

static void check_record(const struct skep_hdr *h, bool rebuilt)
{
    unsigned sum = 0;
    check(h->kind == 16 && h->len >= sizeof(*h) && h->len % 8 == 0 && (uintptr_t)h % 8 == 0);
    for (uint32_t i = 0; i < h->len; i++)
        sum += ((const uint8_t *)h)[i];
    __asm__ volatile("" : : "r"(sum));
    if (!rebuilt)
        return;
    struct skep_slice slices[2];
    check(h->len >= 136);
    memcpy(slices, (const char *)h + 112, sizeof(slices));
    check_slice(h, slices[0]);
    check_slice(h, slices[1]);
}

static struct skep_layouts *own_layouts(void)
{
    struct skep_layouts *l = NULL;
    json_t *json = json_loads(OWN, 0, NULL);
    check(json && skep_layouts_new_json(json, &l) == 0);
    json_decref(json);
    return l;
}

static void read_all(struct skep_recording *rec, const struct skep_layouts *own)
{
    const struct skep_layouts *from = skep_recording_layouts(rec);
    const struct skep_layout *a = skep_layouts_kind(from, 16), *b = skep_layouts_kind(own, 16);
    bool rebuilt = !a || !skep_layout_equal(a, b) || !skep_layout_equal(&from->header, &own->header);
    struct skep_recording_counts counts;
    const struct skep_hdr *h;
    uint64_t given = 0;
    int r;
    for (; (r = skep_recording_next(rec, &h)) > 0; given++)
        check_record(h, rebuilt);
    check((r < 0) == (*skep_recording_damage(rec) != '\0'));
    skep_recording_counts(rec, &counts);
    check(given + counts.unknown + counts.malformed == counts.records);
    size_t size;
    const char *ledger = skep_recording_ledger(rec, &size);
    check(!ledger || ledger[size] == '\0');
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    skep_recording_put_notices(rec, &sb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    _cleanup_layouts_ struct skep_layouts *own = own_layouts();
    _cleanup_recording_ struct skep_recording *rec = NULL;
    _cleanup_free_ uint8_t *copy = malloc(n);
    check(copy != NULL);
    memcpy(copy, data + 1, n - 1);
    if (data[0] & 1)
        repair(copy, n - 1);
    int fd = memfd_create("recording", MFD_CLOEXEC);
    check(fd >= 0 && pwrite(fd, copy, n - 1, 0) == (ssize_t)(n - 1));
    char reason[200] = "";
    if (skep_recording_open_fd(fd, own, &rec, reason, sizeof(reason)) < 0)
        check(*reason && !rec);
    else
        read_all(rec, own);
    return 0;
}
