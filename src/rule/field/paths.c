/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field/paths.h"

/* Offsets in the record; 0: the kind has none. */
struct place {
    uint16_t path, raw;
};

#define AT(kind, member) offsetof(struct skep_ev_##kind, member)
#define ONE(kind) [SKEP_KIND_##kind] = {{AT(kind, path), AT(kind, raw_path)}, {0, 0}, {0, 0}}
#define TWO(kind)                                                                                            \
    [SKEP_KIND_##                                                                                            \
        kind] = {{0, 0}, {AT(kind, path), AT(kind, raw_path)}, {AT(kind, target), AT(kind, raw_target)}}

static const struct place places[SKEP_KIND_MAX][3] = {
    ONE(open),
    ONE(unlink),
    ONE(rmdir),
    ONE(mkdir),
    ONE(chmod),
    ONE(chown),
    ONE(truncate),
    ONE(chroot),
    ONE(chdir),
    ONE(umount),
    TWO(rename),
    TWO(link),
    TWO(move_mount),
    TWO(pivot_root),
    [SKEP_KIND_symlink] = {{0, 0},
                           {AT(symlink, target), AT(symlink, target)},
                           {AT(symlink, path), AT(symlink, raw_path)}},
    [SKEP_KIND_mount] = {{0, 0},
                         {AT(mount, source), AT(mount, source)},
                         {AT(mount, path), AT(mount, raw_path)}},
};

static struct skep_slice slice_at(const struct skep_hdr *h, uint16_t off)
{
    struct skep_slice s;
    memcpy(&s, (const char *)h + off, sizeof(s));
    return s;
}

/* An operation of io_uring names one path or two; its end has the same layout. */
static struct place place_in_uring(const struct skep_ev_uring *ev, enum skep_rule_path which)
{
    static const struct place path = {AT(uring, path), AT(uring, raw_path)},
                              target = {AT(uring, target), AT(uring, raw_target)};
    if (!ev->raw_path.off)
        return (struct place){0};
    if (!ev->raw_target.off)
        return which == SKEP_RULE_PATH ? path : (struct place){0};
    if (which == SKEP_RULE_PATH)
        return (struct place){0};
    if (!ev->target.off) { /* symlinkat: the target is what the link says */
        static const struct place text = {AT(uring, raw_target), AT(uring, raw_target)};
        return which == SKEP_RULE_PATH_SOURCE ? text : path;
    }
    return which == SKEP_RULE_PATH_SOURCE ? path : target;
}

bool skep_rule_path_of(const struct skep_hdr *h, enum skep_rule_path which, struct skep_slice *ret_path,
                       struct skep_slice *ret_raw)
{
    if (h->kind >= SKEP_KIND_MAX)
        return false;
    struct place p = h->kind == SKEP_KIND_uring || h->kind == SKEP_KIND_uring_done
                         ? place_in_uring((const void *)h, which)
                         : places[h->kind][which];
    if (!p.path)
        return false;
    *ret_path = slice_at(h, p.path);
    *ret_raw = slice_at(h, p.raw);
    return true;
}
