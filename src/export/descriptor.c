/* SPDX-License-Identifier: Apache-2.0 */
#include "export/descriptor.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* A terminal that is ready takes at least this much (the kernel's WAKEUP_CHARS). */
#define TERMINAL_PIECE 256
/* The least that a pipe should hold: what anybody may ask for. With the 64 KiB of new pipes writer and reader are woken
 * for each of them, and a burst waits here. */
#define PIPE_BYTES (1 << 20)

int skep_descriptor_open(struct skep_descriptor *d, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    *d = (struct skep_descriptor){.fd = fd, .own_fd = -1};
    if (S_ISSOCK(st.st_mode)) {
        d->way = SKEP_DESCRIPTOR_SOCKET;
        return 0;
    }
    bool terminal = S_ISCHR(st.st_mode) && isatty(fd);
    if (!terminal && !S_ISFIFO(st.st_mode)) {
        d->way = SKEP_DESCRIPTOR_DIRECT;
        return 0;
    }
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    d->own_fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (d->own_fd >= 0) {
        if (!terminal && fcntl(d->own_fd, F_GETPIPE_SZ) < PIPE_BYTES)
            fcntl(d->own_fd, F_SETPIPE_SZ, PIPE_BYTES); /* refused: it works as it is */
        d->fd = d->own_fd;
        d->way = SKEP_DESCRIPTOR_OWN;
    } else {
        d->way = SKEP_DESCRIPTOR_CAREFUL;
        d->piece = terminal ? TERMINAL_PIECE : PIPE_BUF;
    }
    return 0;
}

void skep_descriptor_close(struct skep_descriptor *d)
{
    d->own_fd = skep_fd_close(d->own_fd);
    d->fd = -1;
}

static ssize_t write_careful(struct skep_descriptor *d, const struct iovec *iov)
{
    struct pollfd p = {.fd = d->fd, .events = POLLOUT};
    if (poll(&p, 1, 0) < 0)
        return -1;
    if (!(p.revents & (POLLOUT | POLLERR | POLLHUP | POLLNVAL))) {
        errno = EAGAIN;
        return -1;
    }
    return write(d->fd, iov->iov_base, MIN(iov->iov_len, d->piece));
}

ssize_t skep_descriptor_write(struct skep_descriptor *d, const struct iovec *iov, int n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};
    ssize_t r;
    do {
        switch (d->way) {
        case SKEP_DESCRIPTOR_SOCKET:
            r = sendmsg(d->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
            break;
        case SKEP_DESCRIPTOR_CAREFUL:
            r = write_careful(d, iov);
            break;
        default:
            r = writev(d->fd, iov, n);
        }
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

bool skep_descriptor_ends_torn(int fd)
{
    char path[32], last;
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return false;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    _cleanup_close_ int in = open(path, O_RDONLY | O_CLOEXEC);
    return in >= 0 && pread(in, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

bool skep_descriptor_has_reader(const struct skep_descriptor *d)
{
    return d->way != SKEP_DESCRIPTOR_DIRECT;
}

bool skep_descriptor_is_final(const struct skep_descriptor *d, int error)
{
    switch (error) {
    case -EPIPE:
    case -ECONNRESET:
    case -ENOTCONN:
    case -EBADF:
        return true;
    case -EIO: /* a terminal that was hung up; on a file it may pass */
        return skep_descriptor_has_reader(d);
    default:
        return false;
    }
}
