/* SPDX-License-Identifier: Apache-2.0 */
#include "event/normalize.h"

size_t skep_path_normalize(const char *path, size_t n, char *out)
{
    size_t len = 0;
    for (size_t at = 0; at < n;) {
        while (at < n && path[at] == '/')
            at++;
        size_t start = at;
        while (at < n && path[at] != '/')
            at++;
        size_t part = at - start;
        if (part == 0 || (part == 1 && path[start] == '.'))
            continue;
        if (part == 2 && path[start] == '.' && path[start + 1] == '.') {
            while (len && out[--len] != '/')
                ;
            continue;
        }
        out[len++] = '/';
        memmove(out + len, path + start, part);
        len += part;
    }
    if (len == 0 && n)
        out[len++] = '/';
    return len;
}

/* The kinds are few and their fields a dozen: looking by name costs less than another table would. */
static const struct skep_field *find(const struct skep_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->n_fields; i++)
        if (skep_streq(kind->fields[i].name, name))
            return &kind->fields[i];
    return NULL;
}

/* symlink's target is what the link says */
static bool target_is_path(const struct skep_kind *kind)
{
    return kind->number != SKEP_KIND_symlink;
}

static bool is_normal(const char *s, size_t n)
{
    if (n == 0 || s[0] != '/')
        return true; /* not a path from the root: leave it */
    for (size_t i = 0; i + 1 < n; i++)
        if (s[i] == '/' && (s[i + 1] == '/' || s[i + 1] == '.'))
            return false;
    return n == 1 || s[n - 1] != '/';
}

/* Normal forms go behind the record: the old bytes may also be those of raw_path. */
static int fix(const struct skep_field *f, struct skep_hdr *h, size_t size)
{
    struct skep_slice *slice = (struct skep_slice *)((char *)h + f->off);
    const char *old = (const char *)h + slice->off;
    if (slice->off == 0 || is_normal(old, slice->len))
        return 0;
    if (slice->len > size - h->len || ROUND_UP((size_t)h->len + slice->len, (size_t)8) > size)
        return -ENOBUFS;
    size_t n = skep_path_normalize(old, slice->len, (char *)h + h->len);
    *slice = (struct skep_slice){.off = h->len, .len = (uint32_t)n};
    h->len = (uint32_t)ROUND_UP((size_t)h->len + n, (size_t)8);
    return 0;
}

static bool needs_fix(const struct skep_field *f, const struct skep_hdr *h)
{
    const struct skep_slice *s = (const struct skep_slice *)((const char *)h + f->off);
    return s->off && !is_normal((const char *)h + s->off, s->len);
}

int skep_record_normalize(const struct skep_kind *kind, const struct skep_hdr *h, char *buf, size_t size,
                          const struct skep_hdr **ret)
{
    *ret = h;
    if (!kind->path_source ||
        *(const skep_pathsource *)((const char *)h + kind->path_source) != SKEP_PATH_LEXICAL)
        return 0;
    const struct skep_field *path = find(kind, "path"),
                            *target = target_is_path(kind) ? find(kind, "target") : NULL;
    if (!(path && needs_fix(path, h)) && !(target && needs_fix(target, h)))
        return 0;
    if (h->len > size)
        return -ENOBUFS;
    struct skep_hdr *copy = (struct skep_hdr *)buf;
    memcpy(copy, h, h->len);
    int r = path ? fix(path, copy, size) : 0;
    if (r >= 0 && target)
        r = fix(target, copy, size);
    if (r >= 0)
        *ret = copy;
    return r;
}
