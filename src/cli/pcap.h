/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_PCAP_H
#define SKEP_CLI_PCAP_H
/*
 * Captures of packets in the classic pcap format: a header of 24 bytes, then records of a header of 16 bytes
 * and the packet. Times are in micro- or nanoseconds and numbers in either byte order, as the magic number
 * says; what is written is what was read: the same kind in this machine's order.
 *
 *     struct skep_pcap in;
 *     struct skep_pcap_packet packet;
 *     r = skep_pcap_open(bytes, size, &in);
 *     while ((r = skep_pcap_next(&in, &packet)) > 0) ...
 *
 * Format: the man page pcap-savefile(5).
 */
#include "base/strbuf.h"

#define SKEP_PCAP_ETHERNET 1
#define SKEP_PCAP_PACKET_MAX 262144

struct skep_pcap {
    const uint8_t *bytes;
    size_t size, at;
    bool swapped;
    uint32_t magic; /* in this machine's order */
    uint32_t link;  /* what the packets begin with: SKEP_PCAP_ETHERNET */
};

struct skep_pcap_packet {
    uint32_t seconds, fraction;
    const uint8_t *data; /* in the capture */
    uint32_t size;
    uint32_t original; /* how long it was before it was cut off */
};

/* bytes are borrowed. -EINVAL: no such capture. */
int skep_pcap_open(const void *bytes, size_t size, struct skep_pcap *ret);
/* Whether they are a capture in the format that came after it, which is another one. */
bool skep_pcap_is_ng(const void *bytes, size_t size);
/* 1: a packet; 0: the end; -EINVAL: cut off or too long. */
int skep_pcap_next(struct skep_pcap *p, struct skep_pcap_packet *ret);

/* Appends the header of a capture like p, and a packet of it with other bytes. */
void skep_pcap_put_header(const struct skep_pcap *p, struct skep_strbuf *sb);
void skep_pcap_put_packet(const struct skep_pcap_packet *packet, const void *data, size_t size,
                          struct skep_strbuf *sb);
#endif
