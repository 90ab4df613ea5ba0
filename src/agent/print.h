/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_PRINT_H
#define SKEP_AGENT_PRINT_H
/*
 * What a command has to say, on standard output. That it could not be written, as on a full disk, is an error that is
 * told; that nobody reads on, as with `| head`, is none.
 */
#include "base/strbuf.h"

/* Writes text; an exit status, or -ENOMEM: the text had no room in its buffer. */
int skep_print(const struct skep_strbuf *text);
/* Behind what was written with printf(): whether all of it came through. An exit status. */
int skep_print_end(void);
#endif
