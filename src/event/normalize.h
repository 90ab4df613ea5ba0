/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_NORMALIZE_H
#define SKEP_EVENT_NORMALIZE_H
/*
 * Takes ".", ".." and doubled slashes out of paths that the kernel side made by joining a directory and a
 * name (path_source: lexical, see src/bpf/lib/lexical.h), which it cannot do itself. ".." goes up by name: a
 * symbolic link before it is not seen, and the event says so by its path_source.
 *
 * Which slices are meant is in the schema: the fields path and target of a kind that has a path_source;
 * not those of a kind without, whose target may be mere text (what a symbolic link says).
 */
#include "event/schema.h"

/* Puts the normal form of an absolute path into out (room for n bytes) and gives its length, at most n. */
size_t skep_path_normalize(const char *path, size_t n, char *out);

/* h was checked. Gives h itself when there is nothing to do, else a changed copy in buf. -ENOBUFS: buf (size
 * bytes) is too small; the record may be used as it is. */
int skep_record_normalize(const struct skep_kind *kind, const struct skep_hdr *h, char *buf, size_t size,
                          const struct skep_hdr **ret);
#endif
