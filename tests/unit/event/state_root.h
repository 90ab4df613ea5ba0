/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_STATE_ROOT_H
#define SKEP_TEST_STATE_ROOT_H
/*
 * For tests of the readers of runtime state: a directory that stands for "/", and files in it.
 */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/macro.h"

#define STATE_ROOT_MAX 64

static inline int state_root_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline bool state_root_make(char root[STATE_ROOT_MAX])
{
    strcpy(root, "/tmp/skep-state-XXXXXX");
    return mkdtemp(root) != NULL;
}

static inline void state_root_remove(const char *root)
{
    nftw(root, state_root_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path below root, whose directories are made. */
static inline void state_root_path(const char *root, const char *path, char *buf, size_t size)
{
    assert_true((size_t)snprintf(buf, size, "%s%s", root, path) < size);
    for (char *s = buf + strlen(root) + 1; (s = strchr(s, '/')); s++) {
        *s = '\0';
        assert_true(mkdir(buf, 0755) == 0 || errno == EEXIST);
        *s = '/';
    }
}

static inline void state_root_put(const char *root, const char *path, const char *s, size_t n)
{
    char buf[1024];
    state_root_path(root, path, buf, sizeof(buf));
    _cleanup_fclose_ FILE *file = fopen(buf, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(s, 1, n, file), n);
}
#endif
