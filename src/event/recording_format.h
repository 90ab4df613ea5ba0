/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_RECORDING_FORMAT_H
#define SKEP_EVENT_RECORDING_FORMAT_H
/*
 * A recording as it lies on disk: what the recorder (event/recorder.h) writes and the reader
 * (event/recording.h) reads. docs/RECORDING.md says the same to those who write a reader of their own.
 *
 *     file header, 16 bytes
 *     block HEAD          JSON about the session: opaque here, the agent's (agent/head.h)
 *     block LAYOUTS       JSON: where every member of every kind lies (event/layout.h)
 *     block RECORDS ...   records in the order in which skep processed them
 *     block END           the ledger, as JSON; without it the recording was cut off
 *
 * All blocks look alike: a header of 48 bytes, then stored_size bytes, which decompress to raw_size bytes. All
 * integers are little-endian, in blocks as in records. The numbers in this file never change their meaning;
 * what a reader cannot skip safely needs a new version.
 */
#include "abi/config.h"

#define SKEP_RECORDING_MAGIC "\x89SKEP\r\n\x1a" /* 8 bytes; shows at once when a transfer changed line ends */
#define SKEP_RECORDING_VERSION 1
#define SKEP_RECORDING_BLOCK_MAGIC 0x4b424b53U /* "SKBK" */

#define SKEP_RECORDING_BLOCK_MAX (4U << 20) /* bytes of a block's content, whatever it is */
#define SKEP_RECORDING_STORED_MAX (SKEP_RECORDING_BLOCK_MAX + (64U << 10)) /* ... as it lies in the file */
#define SKEP_RECORDING_HEAD_MAX SKEP_RECORDING_BLOCK_MAX
#define SKEP_RECORDING_RECORD_MAX 65536U

enum skep_recording_block_type {
    SKEP_BLOCK_HEAD = 1,
    SKEP_BLOCK_LAYOUTS = 2,
    SKEP_BLOCK_RECORDS = 3,
    SKEP_BLOCK_END = 4,
};

enum skep_recording_codec {
    SKEP_CODEC_NONE = 0,
    SKEP_CODEC_ZSTD = 1, /* one frame */
};

struct skep_recording_file_header {
    char magic[8];
    __u32 version;
    __u32 reserved; /* 0 */
};
SKEP_STATIC_ASSERT(sizeof(struct skep_recording_file_header) == 16, "file header layout");

struct skep_recording_block_header {
    __u32 magic;
    __u32 crc; /* CRC-32 (as in zlib) of all that follows: the rest of this header and the stored bytes */
    __u8 type;
    __u8 codec;
    __u16 reserved; /* 0 */
    __u32 stored_size;
    __u32 raw_size;
    __u32 n_records;
    __u64 first_record; /* records before this block, lost ones included: a gap shows how many are missing */
    __u64 time_min;     /* of the records in the block, CLOCK_BOOTTIME */
    __u64 time_max;
};
SKEP_STATIC_ASSERT(sizeof(struct skep_recording_block_header) == 48, "block header layout");
#define SKEP_RECORDING_CRC_FROM 8 /* offset in the block header */

SKEP_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "recordings are little-endian");
#endif
