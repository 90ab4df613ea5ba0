/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_FRAME_H
#define SKEP_RULE_COMPILE_FRAME_H
/*
 * What stands around the body of a filter program (K), which is the same wherever it runs.
 *
 * The body finds the record in r6: SKEP_RECORD_MAX + SKEP_PATH_MAX bytes that may be read, of which hdr.len is not yet
 * set (the kernel's scratch slot; in the engine a copy in memory of that size). It keeps r6, may use all other
 * registers and the stack from r10 - 448 to r10 - 1 (what is below is the frame's), and ends by jumping to pass or drop.
 *
 *   engine   r1 = record; r0 = 1 pass, 0 drop
 *   kernel   a tp_btf/sys_exit program that a sensor reached by tail call: looks for the scratch slot of this CPU that
 *            waits for the filter with the same context; drop counts the event as filtered and gives the slot back;
 *            pass calls on to the program that puts the record into the ring. Written for verifiers from 6.1 on.
 *   test     a raw_tp program for BPF_PROG_TEST_RUN: the record is the one element of an array; r0 = 1 pass, 0 drop.
 *            So a body can be tried in the kernel on any record, with no sensor at all.
 *
 * Nothing but the frames knows where records wait (struct skep_scratch_slot in abi/config.h).
 *
 * What a body may ask of the record: skep_frame_sees(). Some of the header is filled in only when a record has passed,
 * because it is dear and says nothing of the event (time, start, exec_id, cgroup, caps, seq, len). raw_path of an open
 * is there; or, in a program that is loaded with late_raw_path (load/filter.h), behind skep_frame_ask_late(), which saves
 * the reading of a user's string for each open that is dropped before that. path of an open
 * stands near the end of the first SKEP_RECORD_MAX bytes, the other texts behind the struct; the slice says where in
 * either case, and every slice that a sensor wrote ends within SKEP_RECORD_MAX bytes. The verifier wants to see it:
 *
 *     w1 = *(u32 *)(r6 + offset of the slice)          0: there is no such text
 *     if r1 > SKEP_RECORD_MAX goto ...                  then SKEP_PATH_MAX bytes from r6 + r1 on may be read
 */
#include "isa/build.h"

#define SKEP_FRAME_BODY_STACK 448 /* bytes below r10 that belong to the body */

enum skep_frame_kind { SKEP_FRAME_ENGINE, SKEP_FRAME_KERNEL, SKEP_FRAME_TEST };

/* Numbers of maps as LDDW with source register 5 names them, behind those of the body. KERNEL only; TEST has one,
 * scratch_map, which is an array of one record. */
struct skep_frame {
    enum skep_frame_kind kind;
    uint16_t event;       /* the kind of event, for the counters */
    uint32_t scratch_map; /* skep_scratch */
    uint32_t counters_map;
    uint32_t filters_map; /* the program array; slot 0 puts the record into the ring */
};

/* Whether the size bytes at off of a record hold in the kernel what they hold in user space. */
bool skep_frame_sees(size_t off, size_t size);

/* Emits the beginning; the labels are to be jumped to by the body. */
void skep_frame_begin(const struct skep_frame *f, struct skep_build *b, unsigned *ret_pass,
                      unsigned *ret_drop);
/* What is behind sees the raw_path of an open: where it is not there yet, the body ends, and is run once more when it is.
 * r1 is written. pass: as skep_frame_begin() gave it. */
void skep_frame_ask_late(const struct skep_frame *f, struct skep_build *b, unsigned pass);
/* Binds the labels and emits the ends. */
void skep_frame_end(const struct skep_frame *f, struct skep_build *b, unsigned pass, unsigned drop);
#endif
