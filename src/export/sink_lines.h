/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_SINK_LINES_H
#define SKEP_EXPORT_SINK_LINES_H
/*
 * Alerts written to a descriptor as lines, many in one write, by the kinds of sinks that have one: files,
 * standard output, the pipe to a program. A write may take a part of a line only. The part is remembered, and
 * what follows first is the rest, so that a reader never sees two lines run into each other.
 */
#include "export/descriptor.h"
#include "export/sink_kind.h"

struct skep_sink_lines {
    struct skep_descriptor d;
    size_t cut; /* bytes of the first line that are already written */
};

#define SKEP_SINK_LINES_INIT                                                                                 \
    {                                                                                                        \
        .d = SKEP_DESCRIPTOR_INIT                                                                            \
    }

/* One write of at most SKEP_SINK_BATCH items. *ret_n: how many of them are complete now; this may be none,
 * also when something was written. 0, -EAGAIN when nothing can be written at the moment, or the error. */
int skep_sink_lines_write(struct skep_sink_lines *l, const struct skep_sink_item *items, size_t n,
                          size_t *ret_n);
#endif
