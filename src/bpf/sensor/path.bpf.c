/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls that name one path (unlink, rmdir, mkdir, symlink, chmod, chown, truncate, chroot) or two (rename, link,
 * move_mount, pivot_root). One program serves all of a sort: form says where the arguments stand, kind which
 * struct they fill. The structs of a sort begin alike.
 */
#include "bpf/lib/note.h"

#define SAME_HEAD(head, kind)                                                                                \
    SKEP_STATIC_ASSERT(offsetof(struct skep_ev_##kind, path) == offsetof(struct head, path) &&               \
                           offsetof(struct skep_ev_##kind, raw_path) == offsetof(struct head, raw_path) &&   \
                           offsetof(struct skep_ev_##kind, inode) == offsetof(struct head, inode) &&         \
                           offsetof(struct skep_ev_##kind, dev) == offsetof(struct head, dev) &&             \
                           offsetof(struct skep_ev_##kind, path_source) ==                                   \
                               offsetof(struct head, path_source),                                           \
                       "all calls of this sort begin alike")

/* ---- one path ---- */

union path_ev {
    struct skep_ev_unlink head; /* of all */
    struct skep_ev_unlink unlink;
    struct skep_ev_rmdir rmdir;
    struct skep_ev_mkdir mkdir;
    struct skep_ev_symlink symlink;
    struct skep_ev_chmod chmod;
    struct skep_ev_chown chown;
    struct skep_ev_truncate truncate;
    struct skep_ev_chroot chroot;
};
SAME_HEAD(skep_ev_unlink, rmdir);
SAME_HEAD(skep_ev_unlink, mkdir);
SAME_HEAD(skep_ev_unlink, symlink);
SAME_HEAD(skep_ev_unlink, chmod);
SAME_HEAD(skep_ev_unlink, chown);
SAME_HEAD(skep_ev_unlink, truncate);
SAME_HEAD(skep_ev_unlink, chroot);

struct path_call {
    __u64 name;  /* 0: dirfd is the file itself */
    __u64 value; /* mode, length, or the text of a symbolic link */
    __s32 dirfd;
    __u32 owner;
    __u32 group;
    __u32 flags;
};

/* -1 means "leave it" in the width of the call. */
static __always_inline __u32 path_id16(__u64 id)
{
    return (__u16)id == 0xffff ? 0xffffffff : (__u16)id;
}

/* Global for the verifier's sake, see lib/lexical.h. */
__weak __noinline int path_decode(struct path_call *to, __u32 form, __u32 compat)
{
    __u64 a[6];
    if (!to)
        return 0;
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
    skep_args(SKEP_PLAIN(struct pt_regs, regs), compat, a);
    to->dirfd = AT_FDCWD;
    to->name = a[0];
    to->value = a[1];
    to->owner = a[1];
    to->group = a[2];
    to->flags = 0;
    switch (form) {
    case SKEP_FORM_path_length64:
        to->value |= a[2] << 32;
        return 0;
    case SKEP_FORM_link_owner:
        to->flags = AT_SYMLINK_NOFOLLOW;
        return 0;
    case SKEP_FORM_link_owner16:
        to->flags = AT_SYMLINK_NOFOLLOW;
    case SKEP_FORM_path_owner16:
        to->owner = path_id16(a[1]);
        to->group = path_id16(a[2]);
        return 0;
    case SKEP_FORM_text_path:
        to->value = a[0];
        to->name = a[1];
        return 0;
    case SKEP_FORM_text_at_path:
        to->value = a[0];
        to->dirfd = a[1];
        to->name = a[2];
        return 0;
    case SKEP_FORM_at_path_flags:
        to->flags = a[2];
        break;
    case SKEP_FORM_at_path_value_flags:
        to->flags = a[3];
    case SKEP_FORM_at_path_value:
        to->value = a[2];
        break;
    case SKEP_FORM_at_path_owner:
        to->owner = a[2];
        to->group = a[3];
        to->flags = a[4];
        break;
    case SKEP_FORM_fd_length64:
        to->value |= a[2] << 32;
    case SKEP_FORM_fd_value:
    case SKEP_FORM_fd_owner:
        to->dirfd = a[0];
        to->name = 0;
        return 0;
    case SKEP_FORM_fd_owner16:
        to->owner = path_id16(a[1]);
        to->group = path_id16(a[2]);
        to->dirfd = a[0];
        to->name = 0;
        return 0;
    default:
        return 0;
    }
    to->dirfd = a[0];
    to->name = a[1];
    return 0;
}

static __always_inline __u32 path_kind(const struct skep_call *call, const struct path_call *p)
{
    if (call->form == SKEP_FORM_at_path_flags) /* unlinkat */
        return p->flags & AT_REMOVEDIR ? SKEP_KIND_rmdir : SKEP_KIND_unlink;
    return call->kind;
}

/* A 32-bit length is signed, too. */
static __always_inline __u64 path_length(const struct skep_call *call, __u64 value)
{
    bool narrow =
        call->compat && call->form != SKEP_FORM_path_length64 && call->form != SKEP_FORM_fd_length64;
    return narrow ? (__u64)(__s64)(__s32)value : value;
}

/* Fills what the kind has beyond the common head; gives the size of its struct. */
static __always_inline __u32 path_fill(union path_ev *ev, __u32 kind, const struct skep_call *call,
                                       const struct path_call *p)
{
    switch (kind) {
    case SKEP_KIND_mkdir:
        ev->mkdir.mode = p->value & 07777;
        ev->mkdir.dirfd = p->dirfd;
        return sizeof(ev->mkdir);
    case SKEP_KIND_symlink:
        ev->symlink.dirfd = p->dirfd;
        return sizeof(ev->symlink);
    case SKEP_KIND_chmod:
        ev->chmod.mode = p->value & 07777;
        ev->chmod.flags = p->flags;
        ev->chmod.dirfd = p->dirfd;
        return sizeof(ev->chmod);
    case SKEP_KIND_chown:
        ev->chown.owner = p->owner;
        ev->chown.group = p->group;
        ev->chown.flags = p->flags;
        ev->chown.dirfd = p->dirfd;
        return sizeof(ev->chown);
    case SKEP_KIND_truncate:
        ev->truncate.length = path_length(call, p->value);
        ev->truncate.dirfd = p->dirfd;
        return sizeof(ev->truncate);
    case SKEP_KIND_chroot:
        return sizeof(ev->chroot);
    }
    ev->unlink.flags = p->flags;
    ev->unlink.dirfd = p->dirfd;
    return sizeof(ev->unlink);
}

static __always_inline void path_resolve(struct skep_build *b, struct skep_named *to, __u32 kind,
                                         const struct skep_call *call, const struct path_call *p,
                                         struct skep_slice raw)
{
    if (skep_note_put(to, NULL, b->slot, kind))
        return;
    if (kind == SKEP_KIND_chroot && call->ret >= 0)
        skep_name_root(to, b->slot);
    else if (!p->name || (raw.off && raw.len == 0 && (p->flags & AT_EMPTY_PATH)))
        skep_name_fd(to, b->slot, p->dirfd);
    else
        skep_name_lexical(to, b->slot, p->dirfd, raw.off, raw.len);
}

SEC("tp_btf/sys_exit")
int sys_path(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    struct path_call p;
    skep_call_init(&call, ctx);
    path_decode(&p, call.form, call.compat);
    __u32 kind = path_kind(&call, &p);
    if (!skep_call_wanted(&call, kind))
        return 0;
    union path_ev *ev = skep_begin_call(&b, kind, sizeof(*ev), &call);
    if (!ev)
        return 0;
    b.s->len = path_fill(ev, kind, &call, &p);
    kind = ev->head.h.kind; /* the verifier need not follow each kind to the end */

    struct skep_slice raw = skep_no_slice();
    struct skep_named named;
    if (p.name)
        raw = skep_put_user_str(&b, (void *)p.name);
    path_resolve(&b, &named, kind, &call, &p, raw);
    ev->head.raw_path = raw;
    ev->head.path = named.path;
    ev->head.inode = named.inode;
    ev->head.dev = named.dev;
    ev->head.path_source = named.source;
    if (kind == SKEP_KIND_symlink)
        ev->symlink.target = skep_put_user_str(&b, (void *)p.value);
    return skep_hand_over(ctx, &b);
}

/* ---- two paths ---- */

union two_paths_ev {
    struct skep_ev_rename head; /* of all */
    struct skep_ev_rename rename;
    struct skep_ev_link link;
    struct skep_ev_move_mount move_mount;
    struct skep_ev_pivot_root pivot_root;
};
#define SAME_TWO_HEAD(kind)                                                                                  \
    SAME_HEAD(skep_ev_rename, kind);                                                                         \
    SKEP_STATIC_ASSERT(offsetof(struct skep_ev_##kind, target) == offsetof(struct skep_ev_rename, target) && \
                           offsetof(struct skep_ev_##kind, raw_target) ==                                    \
                               offsetof(struct skep_ev_rename, raw_target),                                  \
                       "all calls of this sort begin alike")
SAME_TWO_HEAD(link);
SAME_TWO_HEAD(move_mount);
SAME_TWO_HEAD(pivot_root);
#define SAME_TAIL(kind, member)                                                                              \
    SKEP_STATIC_ASSERT(offsetof(struct skep_ev_##kind, member) == offsetof(struct skep_ev_rename, member) && \
                           sizeof(struct skep_ev_##kind) == sizeof(struct skep_ev_rename),                   \
                       "but for pivot_root they are alike")
SAME_TAIL(link, flags);
SAME_TAIL(link, dirfd);
SAME_TAIL(link, target_dirfd);
SAME_TAIL(move_mount, flags);
SAME_TAIL(move_mount, dirfd);
SAME_TAIL(move_mount, target_dirfd);

struct two_paths_call {
    __u64 name;
    __u64 target;
    __s32 dirfd;
    __s32 target_dirfd;
    __u32 flags;
    __u32 pad;
};

static __always_inline void two_paths_decode(struct two_paths_call *to, const struct skep_call *call)
{
    __u64 a[6];
    skep_args(call->regs, call->compat, a);
    *to = (struct two_paths_call){.name = a[0], .target = a[1], .dirfd = AT_FDCWD, .target_dirfd = AT_FDCWD};
    if (call->form == SKEP_FORM_two_paths)
        return;
    to->dirfd = a[0];
    to->name = a[1];
    to->target_dirfd = a[2];
    to->target = a[3];
    if (call->form == SKEP_FORM_at_two_paths_flags)
        to->flags = a[4];
}

static __always_inline void two_paths_resolve(struct skep_build *b, struct skep_named *to, int dirfd,
                                              struct skep_slice raw, bool empty)
{
    if (empty && raw.off && raw.len == 0)
        skep_name_fd(to, b->slot, dirfd);
    else
        skep_name_lexical(to, b->slot, dirfd, raw.off, raw.len);
}

static __always_inline __u32 two_paths_source(const struct skep_named *path, const struct skep_named *target)
{
    if (!path->source || !target->source)
        return path->source | target->source;
    return path->source == target->source ? path->source : SKEP_PATH_LEXICAL;
}

SEC("tp_btf/sys_exit")
int sys_two_paths(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    struct two_paths_call p;
    skep_call_init(&call, ctx);
    two_paths_decode(&p, &call);
    __u32 kind = call.kind;
    union two_paths_ev *ev = skep_begin_call(&b, kind, sizeof(*ev), &call);
    if (!ev)
        return 0;
    if (kind == SKEP_KIND_pivot_root) {
        b.s->len = sizeof(ev->pivot_root);
    } else {
        ev->rename.flags = p.flags;
        ev->rename.dirfd = p.dirfd;
        ev->rename.target_dirfd = p.target_dirfd;
    }

    struct skep_named path, target = {0};
    struct skep_slice raw = skep_put_user_str(&b, (void *)p.name);
    struct skep_slice raw_target = skep_put_user_str(&b, (void *)p.target);
    if (!skep_note_put(&path, &target, b.slot, kind)) {
        __u32 empty = kind == SKEP_KIND_link ? AT_EMPTY_PATH : 0;
        __u32 target_empty = 0;
        if (kind == SKEP_KIND_move_mount) {
            empty = MOVE_MOUNT_F_EMPTY_PATH;
            target_empty = MOVE_MOUNT_T_EMPTY_PATH;
        }
        two_paths_resolve(&b, &path, p.dirfd, raw, p.flags & empty);
        two_paths_resolve(&b, &target, p.target_dirfd, raw_target, p.flags & target_empty);
    }
    ev->head.path = path.path;
    ev->head.target = target.path;
    ev->head.raw_path = raw;
    ev->head.raw_target = raw_target;
    ev->head.inode = path.inode;
    ev->head.dev = path.dev;
    ev->head.path_source = two_paths_source(&path, &target);
    return skep_hand_over(ctx, &b);
}
