/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_REMAP_H
#define SKEP_EVENT_REMAP_H
/*
 * Turns a record of one layout into the same record of another, so that recordings of an older (or newer) skep
 * stay readable. Members are matched by name:
 *
 *   moved         copied to where they are now
 *   of other size numbers keep their value, or the nearest that there is room for; bytes are cut, or filled
 *                 up with zeros
 *   vanished      left out
 *   new           zero, which is "not available" for a slice
 *   of other type (a number that became a slice) as vanished and new
 *
 * What stands behind the struct is taken over as it is and the slices are made to point there, also where
 * nothing names its bytes any more. Made once for a kind, then applied to each record; immutable.
 */
#include "event/layout.h"

struct skep_remap;

/* The layouts' headers stand before both kinds. -ENOMEM. Borrows nothing. */
int skep_remap_new(const struct skep_layout *from_header, const struct skep_layout *from,
                   const struct skep_layout *to_header, const struct skep_layout *to,
                   struct skep_remap **ret);
struct skep_remap *skep_remap_free(struct skep_remap *m);
SKEP_DEFINE_CLEANUP(struct skep_remap, skep_remap_free)
#define _cleanup_remap_ SKEP_CLEANUP(skep_remap_freep)

/* Both layouts are the same: records may be used as they are. */
bool skep_remap_is_same(const struct skep_remap *m);
/* Bytes that a record of n bytes may need. */
size_t skep_remap_bound(const struct skep_remap *m, size_t n);
/* record: n bytes, not trusted; out: room for skep_remap_bound() bytes, aligned to 8. -EBADMSG: it is shorter
 * than its struct, or a slice points out of it or into its struct. */
int skep_remap_apply(const struct skep_remap *m, const void *record, size_t n, void *out);
#endif
