/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/fact.h"
#include "rule/field/paths.h"

/* Falco's kinds of path are those of calls that succeeded. */
static bool get(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    const struct skep_hdr *h = x->ev->h;
    struct skep_slice path, raw;
    if (h->ret < 0 || !skep_rule_path_of(h, (enum skep_rule_path)(q->field->number >> 1), &path, &raw))
        return false;
    struct skep_slice s = q->field->number & 1 || !path.off ? raw : path;
    return skep_fact_text(x, ret, skep_slice_get(h, s), s.len);
}

#define PLACE(k, f, member)                                                                                  \
    .kind = SKEP_KIND_##k, .form = SKEP_SPOT_##f, .off = offsetof(struct skep_ev_##k, member),               \
    .succeeded = true
#define GIVEN(k, member)                                                                                     \
    {                                                                                                        \
        PLACE(k, SLICE, member)                                                                              \
    }
#define FOUND(k, member)                                                                                     \
    {                                                                                                        \
        PLACE(k, PATH, member), .source_off = offsetof(struct skep_ev_##k, path_source)                      \
    }

static const struct skep_rule_spot name_spots[] = {
    FOUND(open, path),  FOUND(unlink, path), FOUND(rmdir, path),    FOUND(mkdir, path),
    FOUND(chmod, path), FOUND(chown, path),  FOUND(truncate, path), FOUND(umount, path)};
static const struct skep_rule_spot nameraw_spots[] = {
    GIVEN(open, raw_path),  GIVEN(unlink, raw_path), GIVEN(rmdir, raw_path),    GIVEN(mkdir, raw_path),
    GIVEN(chmod, raw_path), GIVEN(chown, raw_path),  GIVEN(truncate, raw_path), GIVEN(umount, raw_path)};
static const struct skep_rule_spot source_spots[] = {FOUND(rename, path), FOUND(link, path),
                                                     GIVEN(symlink, target), GIVEN(mount, source)};
static const struct skep_rule_spot sourceraw_spots[] = {GIVEN(rename, raw_path), GIVEN(link, raw_path),
                                                        GIVEN(symlink, target), GIVEN(mount, source)};
static const struct skep_rule_spot target_spots[] = {FOUND(rename, target), FOUND(link, target),
                                                     FOUND(symlink, path), FOUND(mount, path)};
static const struct skep_rule_spot targetraw_spots[] = {GIVEN(rename, raw_target), GIVEN(link, raw_target),
                                                        GIVEN(symlink, raw_path), GIVEN(mount, raw_path)};

#define ONE_KINDS "open,unlink,rmdir,mkdir,chmod,chown,truncate,chroot,chdir,umount,uring,uring_done"
#define TWO_KINDS "rename,link,symlink,mount,move_mount,pivot_root,uring,uring_done"
#define PATH(name, which, raw, kinds, spots, doc)                                                            \
    {                                                                                                        \
        "fs.path." name, doc, SKEP_RULE_TEXT, 0, kinds, get, spots, ARRAY_SIZE(spots),                       \
            SKEP_RULE_##which << 1 | (raw)                                                                   \
    }

static const struct skep_rule_field fields[] = {
    PATH("name", PATH, 0, ONE_KINDS, name_spots, "canonical path that a call worked on, if it succeeded"),
    PATH("nameraw", PATH, 1, ONE_KINDS, nameraw_spots, "the same path as it was given"),
    PATH(
        "source", PATH_SOURCE, 0, TWO_KINDS, source_spots,
        "canonical path that a call with two paths moved or copied from, if it succeeded; what a symbolic link says"),
    PATH("sourceraw", PATH_SOURCE, 1, TWO_KINDS, sourceraw_spots, "the same path as it was given"),
    PATH(
        "target", PATH_TARGET, 0, TWO_KINDS, target_spots,
        "canonical path that a call with two paths made, if it succeeded; the symbolic link; the mount point"),
    PATH("targetraw", PATH_TARGET, 1, TWO_KINDS, targetraw_spots, "the same path as it was given"),
};

const struct skep_rule_family skep_rule_family_fspath = {"fs.path", "Paths of a call on files", fields,
                                                         ARRAY_SIZE(fields)};
