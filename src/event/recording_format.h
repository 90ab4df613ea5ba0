/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_RECORDING_FORMAT_H
#define SKEP_EVENT_RECORDING_FORMAT_H
/*
 * The layout of a recording, shared by reader and writer; docs/RECORDING.md describes it. Numbers are little
 * endian; types are never reused.
 */
#include <stddef.h>
#include <stdint.h>

#define SKEP_RECORDING_MAGIC "SKEPREC1"
#define SKEP_PIECE_MAGIC 0x4b434253U /* "SBCK" */

enum skep_piece_type {
    SKEP_PIECE_JSON = 1,
    SKEP_PIECE_BTF = 2,
    SKEP_PIECE_RECORDS = 3,
    SKEP_PIECE_END = 4,
};

struct skep_recording_piece {
    uint32_t magic;
    uint32_t type;
    uint32_t stored;   /* bytes that follow, a zstd frame */
    uint32_t raw;      /* bytes when unpacked */
    uint32_t records;
    uint32_t checksum; /* CRC-32 over this header, with 0 here, and the stored bytes */
    uint64_t first_time, last_time;
};

uint32_t skep_recording_checksum(const void *header, size_t header_len, const void *payload, size_t len);
#endif
