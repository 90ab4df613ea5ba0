/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_DESCRIPTOR_H
#define SKEP_EXPORT_DESCRIPTOR_H
/*
 * A descriptor that somebody else owns and that can be written without ever waiting for a reader, although
 * its O_NONBLOCK flag must not be changed: that flag belongs to the open file, which the shell and the
 * commands beside us share.
 *
 *   direct   regular files and devices: write, which waits for no reader
 *   own      pipes and terminals: opened once more, with O_NONBLOCK, through /proc/self/fd; pipes are made to hold 1 MiB
 *   socket   send with MSG_DONTWAIT
 *   careful  where the second open is refused: poll, then pieces so small that a ready descriptor takes
 *            them at once
 */
#include <sys/uio.h>

#include "base/macro.h"

enum skep_descriptor_way {
    SKEP_DESCRIPTOR_DIRECT,
    SKEP_DESCRIPTOR_OWN,
    SKEP_DESCRIPTOR_SOCKET,
    SKEP_DESCRIPTOR_CAREFUL,
};

struct skep_descriptor {
    int fd;
    int own_fd; /* -1: fd is borrowed */
    enum skep_descriptor_way way;
    size_t piece; /* most bytes in one write, with SKEP_DESCRIPTOR_CAREFUL */
};

#define SKEP_DESCRIPTOR_INIT                                                                                 \
    {                                                                                                        \
        .fd = -1, .own_fd = -1                                                                               \
    }

int skep_descriptor_open(struct skep_descriptor *d, int fd); /* -EBADF */
void skep_descriptor_close(struct skep_descriptor *d);       /* never the borrowed one */
/* Writes some of iov: the number of bytes, -EAGAIN when it would block, or the error. */
ssize_t skep_descriptor_write(struct skep_descriptor *d, const struct iovec *iov, int n);
/* The error says that nobody will ever read this descriptor again. */
bool skep_descriptor_is_final(const struct skep_descriptor *d, int error);
/* fd is a file whose last line has no end: somebody died within it, and what follows is not to be glued to it. */
bool skep_descriptor_ends_torn(int fd);
/* poll(2) tells something about its reader. */
bool skep_descriptor_has_reader(const struct skep_descriptor *d);
#endif
