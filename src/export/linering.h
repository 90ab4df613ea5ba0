/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_LINERING_H
#define SKEP_EXPORT_LINERING_H
/*
 * The store of the output queue: lines of text in a ring of bytes, and beside it a ring of slots that say
 * how long each line is and of which kind. The bytes of consecutive lines adjoin, so that one write takes
 * many lines; the slots find the ends of lines again when a write was short.
 *
 * Part of both rings (1/16) is open to urgent lines only.
 *
 * The bytes that skep_linering_peek() returned stay where they are until consume or drop is called, also while
 * another thread puts lines behind them. All else needs the caller's lock.
 */
#include <sys/uio.h>

#include "base/macro.h"

struct skep_linering_slot {
    uint32_t len; /* with its line feed */
    uint16_t kind;
    uint16_t pad;
};

struct skep_linering {
    char *bytes;
    size_t cap;
    size_t at; /* first byte that is not written */
    size_t used;
    size_t most; /* bytes that were in use at once since the last trim */
    struct skep_linering_slot *slots;
    size_t n_slots;
    size_t first;
    size_t count; /* lines, of which the first may be partly written */
    size_t cut;   /* bytes of the first line that are already written */
};

/* Called once for each line that leaves the ring. */
typedef void skep_linering_account(void *userdata, unsigned kind);

int skep_linering_init(struct skep_linering *r, size_t bytes); /* -ENOMEM */
void skep_linering_clear(struct skep_linering *r);

/* Copies the line and adds a line feed. False: no room. */
bool skep_linering_put(struct skep_linering *r, unsigned kind, bool urgent, const void *line, size_t len);
/* Copies lines that adjoin at bytes, each with its line feed: as many of the n, from the first on, as there is room for.
 * Their number; ret_len: of their bytes. */
size_t skep_linering_put_lines(struct skep_linering *r, const struct skep_linering_slot *lines, size_t n,
                               const char *bytes, size_t *ret_len);
/* The next bytes to write, at most max; the number of them, in one or two pieces. */
size_t skep_linering_peek(const struct skep_linering *r, size_t max, struct iovec ret_iov[2], int *ret_n);
/* n bytes of what was peeked were written. */
void skep_linering_consume(struct skep_linering *r, size_t n, skep_linering_account *written, void *userdata);
/* Gives up the lines that begin in the next n bytes. A first line of which a part is already written keeps its
 * rest, at the head. */
void skep_linering_drop(struct skep_linering *r, size_t n, skep_linering_account *lost, void *userdata);
/* Whether the ring is empty and holds memory worth giving back to the system, and to do so. */
bool skep_linering_wants_trim(const struct skep_linering *r);
void skep_linering_trim(struct skep_linering *r);
/* At most one part in parts of the bytes and of the slots is in use. */
bool skep_linering_holds_at_most(const struct skep_linering *r, size_t parts);
/* Gives up everything. */
void skep_linering_drop_all(struct skep_linering *r, skep_linering_account *lost, void *userdata);
#endif
