/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_MACRO_H
#define SKEP_BASE_MACRO_H
/*
 * Ownership in skep is written in the declaration: a variable that owns something carries one of
 * the cleanup attributes below and hands its content on with TAKE_PTR or TAKE_FD. A reader can then
 * prove a function leak-free without opening its callees.
 *
 *     _cleanup_free_ char *name = strdup(x);
 *     _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
 *     ...
 *     *ret_fd = TAKE_FD(fd);
 *
 * Descriptors start at -1. Functions return 0 or -errno in a variable called r; results leave through
 * ret_ parameters, untouched on failure.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SKEP_CLEANUP(fn) __attribute__((cleanup(fn)))
#define SKEP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* The arguments have no side effects: one of them is evaluated twice. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(n, step) (((n) + (step)-1) / (step) * (step))

#define TAKE(var, empty)                                                                                     \
    ({                                                                                                       \
        __typeof__(var) *take_from = &(var);                                                                 \
        __typeof__(var) taken = *take_from;                                                                  \
        *take_from = (empty);                                                                                \
        taken;                                                                                               \
    })
#define TAKE_PTR(p) TAKE(p, NULL)
#define TAKE_FD(fd) TAKE(fd, -1)

/* Defines fn##p, the cleanup function for a pointer type whose destructor accepts NULL. */
#define SKEP_DEFINE_CLEANUP(type, fn)                                                                        \
    static inline void fn##p(type **p)                                                                       \
    {                                                                                                        \
        if (*p)                                                                                              \
            fn(*p);                                                                                          \
    }

static inline void skep_freep(void *p)
{
    free(*(void **)p);
}

/* Closes fd if it is open, keeps errno, returns -1: fd = skep_fd_close(fd). */
static inline int skep_fd_close(int fd)
{
    if (fd >= 0) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return -1;
}

static inline void skep_fd_closep(int *fd)
{
    *fd = skep_fd_close(*fd);
}

static inline void skep_file_closep(FILE **f)
{
    if (*f)
        fclose(*f);
}

#define _cleanup_free_ SKEP_CLEANUP(skep_freep)
#define _cleanup_close_ SKEP_CLEANUP(skep_fd_closep)
#define _cleanup_fclose_ SKEP_CLEANUP(skep_file_closep)

static inline bool skep_streq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* The rest of s behind prefix, or NULL when s does not start with it. */
static inline const char *skep_startswith(const char *s, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}
#endif
