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

#define ONE_KINDS "open,unlink,rmdir,mkdir,chmod,chown,truncate,chroot,chdir,umount,uring"
#define TWO_KINDS "rename,link,symlink,mount,move_mount,pivot_root,uring"
#define PATH(name, which, raw, kinds, doc)                                                                   \
    {                                                                                                        \
        "fs.path." name, doc, SKEP_RULE_TEXT, 0, kinds, get, NULL, 0, SKEP_RULE_##which << 1 | (raw)         \
    }

static const struct skep_rule_field fields[] = {
    PATH("name", PATH, 0, ONE_KINDS, "canonical path that a call worked on, if it succeeded"),
    PATH("nameraw", PATH, 1, ONE_KINDS, "the same path as it was given"),
    PATH(
        "source", PATH_SOURCE, 0, TWO_KINDS,
        "canonical path that a call with two paths moved or copied from, if it succeeded; what a symbolic link says"),
    PATH("sourceraw", PATH_SOURCE, 1, TWO_KINDS, "the same path as it was given"),
    PATH(
        "target", PATH_TARGET, 0, TWO_KINDS,
        "canonical path that a call with two paths made, if it succeeded; the symbolic link; the mount point"),
    PATH("targetraw", PATH_TARGET, 1, TWO_KINDS, "the same path as it was given"),
};

const struct skep_rule_family skep_rule_family_fspath = {"fs.path", "Paths of a call on files", fields,
                                                         ARRAY_SIZE(fields)};
