/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pcap.h"

#define MAGIC_MICRO 0xa1b2c3d4U
#define MAGIC_NANO 0xa1b23c4dU

struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t reserved[2];
    uint32_t snap, link;
};
_Static_assert(sizeof(struct file_header) == 24, "as in the file");

struct record_header {
    uint32_t seconds, fraction, size, original;
};
_Static_assert(sizeof(struct record_header) == 16, "as in the file");

static uint32_t number(const struct skep_pcap *p, uint32_t v)
{
    return p->swapped ? __builtin_bswap32(v) : v;
}

int skep_pcap_open(const void *bytes, size_t size, struct skep_pcap *ret)
{
    struct file_header h;
    if (size < sizeof(h))
        return -EINVAL;
    memcpy(&h, bytes, sizeof(h));
    struct skep_pcap p = {.bytes = bytes, .size = size, .at = sizeof(h)};
    p.swapped = h.magic == __builtin_bswap32(MAGIC_MICRO) || h.magic == __builtin_bswap32(MAGIC_NANO);
    p.magic = number(&p, h.magic);
    /* the upper bits tell of check sums at the end of frames */
    p.link = number(&p, h.link) & 0xffff;
    if (p.magic != MAGIC_MICRO && p.magic != MAGIC_NANO)
        return -EINVAL;
    *ret = p;
    return 0;
}

bool skep_pcap_is_ng(const void *bytes, size_t size)
{
    static const uint8_t section[] = {0x0a, 0x0d, 0x0d,
                                      0x0a}; /* the type of its first block, in any byte order */
    return size >= sizeof(section) && memcmp(bytes, section, sizeof(section)) == 0;
}

int skep_pcap_next(struct skep_pcap *p, struct skep_pcap_packet *ret)
{
    struct record_header h;
    if (p->at == p->size)
        return 0;
    if (p->size - p->at < sizeof(h))
        return -EINVAL;
    memcpy(&h, p->bytes + p->at, sizeof(h));
    const struct skep_pcap_packet packet = {
        .seconds = number(p, h.seconds),
        .fraction = number(p, h.fraction),
        .data = p->bytes + p->at + sizeof(h),
        .size = number(p, h.size),
        .original = number(p, h.original),
    };
    if (packet.size > SKEP_PCAP_PACKET_MAX || packet.size > p->size - p->at - sizeof(h))
        return -EINVAL;
    p->at += sizeof(h) + packet.size;
    *ret = packet;
    return 1;
}

void skep_pcap_put_header(const struct skep_pcap *p, struct skep_strbuf *sb)
{
    const struct file_header h = {
        .magic = p->magic, .major = 2, .minor = 4, .snap = SKEP_PCAP_PACKET_MAX, .link = p->link};
    skep_strbuf_put(sb, &h, sizeof(h));
}

void skep_pcap_put_packet(const struct skep_pcap_packet *packet, const void *data, size_t size,
                          struct skep_strbuf *sb)
{
    /* what was cut off stays cut off */
    uint32_t missing = packet->original > packet->size ? packet->original - packet->size : 0;
    const struct record_header h = {packet->seconds, packet->fraction, (uint32_t)size,
                                    (uint32_t)size + missing};
    skep_strbuf_put(sb, &h, sizeof(h));
    skep_strbuf_put(sb, data, size);
}
