/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static void test_one(void **s)
{
    struct field_test *x = *s;
    test_open(&x->r, x->schema);
    field_is_text(x, "fs.path.name", "/etc/passwd");
    field_is_text(x, "fs.path.nameraw", "../etc/passwd");
    field_is_missing(x, "fs.path.source");
    field_is_missing(x, "fs.path.target");
    static const char *const calls[] = {"unlinkat", "rmdir",    "mkdir",  "fchmodat",
                                        "chown",    "truncate", "chroot", "umount2"};
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        struct skep_ev_unlink *e = field_call(x, calls[i], false, 0); /* all begin alike */
        e->path = test_text(&x->r, "/srv/x");
        e->raw_path = test_text(&x->r, "x");
        field_is_text(x, "fs.path.name", "/srv/x");
        field_is_text(x, "fs.path.nameraw", "x");
        x->r.h.ret = -EPERM;
        field_is_missing(x, "fs.path.name");
    }
}

static void test_two(void **s)
{
    struct field_test *x = *s;
    static const char *const calls[] = {"renameat2", "link", "move_mount", "pivot_root"};
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        struct skep_ev_rename *e = field_call(x, calls[i], false, 0);
        e->path = test_text(&x->r, "/a");
        e->raw_path = test_text(&x->r, "a");
        e->target = test_text(&x->r, "/b");
        e->raw_target = test_text(&x->r, "b");
        field_is_text(x, "fs.path.source", "/a");
        field_is_text(x, "fs.path.sourceraw", "a");
        field_is_text(x, "fs.path.target", "/b");
        field_is_text(x, "fs.path.targetraw", "b");
        field_is_missing(x, "fs.path.name");
        x->r.h.ret = -EPERM;
        field_is_missing(x, "fs.path.source");
    }
    struct skep_ev_symlink *l = field_call(x, "symlink", false, 0);
    l->path = test_text(&x->r, "/l");
    l->raw_path = test_text(&x->r, "l");
    l->target = test_text(&x->r, "../etc");
    field_is_text(x, "fs.path.source", "../etc");
    field_is_text(x, "fs.path.target", "/l");
    field_is_text(x, "fs.path.targetraw", "l");
    struct skep_ev_mount *m = field_call(x, "mount", false, 0);
    m->path = test_text(&x->r, "/mnt");
    m->source = test_text(&x->r, "/dev/sda1");
    field_is_text(x, "fs.path.source", "/dev/sda1");
    field_is_text(x, "fs.path.target", "/mnt");
}

static void test_uring(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_uring *e = test_begin(&x->r, x->schema, SKEP_KIND_uring);
    field_is_missing(x, "fs.path.name");
    e->raw_path = test_text(&x->r, "a");
    e->path = test_text(&x->r, "/a");
    field_is_text(x, "fs.path.name", "/a");
    field_is_missing(x, "fs.path.source");
    e->raw_target = test_text(&x->r, "b"); /* symlinkat */
    field_is_missing(x, "fs.path.name");
    field_is_text(x, "fs.path.source", "b");
    field_is_text(x, "fs.path.target", "/a");
    e->target = test_text(&x->r, "/b"); /* renameat, linkat */
    field_is_text(x, "fs.path.source", "/a");
    field_is_text(x, "fs.path.target", "/b");
    /* the path of a socket is not a path of a call on files */
    e = test_begin(&x->r, x->schema, SKEP_KIND_uring);
    e->path = test_text(&x->r, "/run/sock");
    field_is_missing(x, "fs.path.name");
    field_call(x, "connect", false, 0);
    field_is_missing(x, "fs.path.name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one, field_setup, field_teardown),
        cmocka_unit_test_setup_teardown(test_two, field_setup, field_teardown),
        cmocka_unit_test_setup_teardown(test_uring, field_setup, field_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
