/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/evttype.h"
#include "rule/field.h"
#include "rule/field/args.h"

static const struct skep_rule_field *find(const char *name, size_t *ret_at)
{
    return skep_rule_field_find_dotted(name, strlen(name), ret_at);
}

static void test_dotted(void **s)
{
    size_t at = 99;
    (void)s;
    assert_string_equal(find("evt.type", &at)->name, "evt.type");
    assert_int_equal(at, 0);
    assert_string_equal(find("evt.arg.request", &at)->name, "evt.arg");
    assert_int_equal(at, 8);
    assert_string_equal(find("evt.rawarg.flags", &at)->name, "evt.rawarg");
    assert_int_equal(at, 11);
    assert_string_equal(find("evt.arg.0", &at)->name, "evt.arg");
    assert_string_equal(find("evt.time.s", &at)->name, "evt.time.s");
    assert_int_equal(at, 0);
    /* a text is no number */
    assert_null(find("evt.rawarg.linkpath", &at));
    assert_non_null(find("evt.arg.linkpath", &at));
    static const char *const unknown[] = {
        "evt.arg.nonsense", "evt.arg.", "evt.arg.99", "evt.arg.requests", "proc.name.x",    "evt.type.open",
        "evt.rawarg.",      ".",        "",           "arg.flags",        "evt.arg.flags.x"};
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        if (find(unknown[i], &at))
            fail_msg("'%s' is known", unknown[i]);
    assert_int_equal(at, 8); /* of the last that was known */
}

static void test_args(void **s)
{
    const struct skep_rule_field *arg = skep_rule_field_find("evt.arg", 7),
                                 *name = skep_rule_field_find("proc.name", 9);
    (void)s;
    assert_true(skep_rule_field_arg_known(arg, "cmd", 3));
    assert_true(skep_rule_field_arg_known(arg, "3", 1));
    assert_false(skep_rule_field_arg_known(arg, "300", 3));
    assert_false(skep_rule_field_arg_known(arg, "commander", 9));
    assert_true(skep_rule_field_arg_known(name, "whatever", 8));
    size_t n_types, n = 0;
    skep_evttypes(&n_types);
    for (uint32_t type = 1; type < n_types; type++)
        for (n = 0; skep_rule_args_of(type, n); n++) {
            const char *known = skep_rule_args_of(type, n);
            assert_true(skep_rule_field_arg_known(arg, known, strlen(known)));
        }
    assert_null(skep_rule_args_of(SKEP_EVTTYPE_openat, 99));
    assert_null(skep_rule_args_of((uint32_t)n_types, 0));
}

/* The rows of all families hold together. */
static void test_rows(void **s)
{
    size_t n;
    const struct skep_rule_family *const *families = skep_rule_families(&n);
    (void)s;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < families[i]->n_fields; k++) {
            const struct skep_rule_field *f = &families[i]->fields[k];
            assert_ptr_equal(skep_rule_field_find(f->name, strlen(f->name)), f);
            assert_true(skep_rule_field_may_be(f->name, strlen(f->name)));
            assert_true(strlen(f->name) <= 64); /* the parser looks no further in a text */
            assert_non_null(f->get);
            assert_true(f->doc && f->doc[0] && f->doc[strlen(f->doc) - 1] != '.');
            assert_true((f->spots == NULL) == (f->n_spots == 0));
            assert_false(f->flags & SKEP_FIELD_NET && f->type != SKEP_RULE_IP);
            for (size_t j = 0; j < f->n_spots; j++) {
                bool several = f->flags & (SKEP_FIELD_LIST | SKEP_FIELD_ANY);
                assert_false(several);
                if (f->spots[j].n_values > ARRAY_SIZE(f->spots[j].values))
                    fail_msg("%s: kind %u, %u values", f->name, f->spots[j].kind, f->spots[j].n_values);
            }
        }
}

/* Kinds are names of kinds. */
static void test_kinds(void **s)
{
    static const char *const kinds[] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) #name,
#include "abi/events.def"
#undef SKEP_EVENT
    };
    size_t n;
    const struct skep_rule_family *const *families = skep_rule_families(&n);
    (void)s;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < families[i]->n_fields; k++) {
            const char *p = families[i]->fields[k].kinds;
            size_t found = 0, wanted = 1;
            if (skep_streq(p, "*"))
                continue;
            for (const char *c = p; *c; c++)
                wanted += *c == ',';
            for (size_t j = 0; j < ARRAY_SIZE(kinds); j++)
                found += skep_rule_field_of_kind(&families[i]->fields[k], kinds[j]);
            if (found != wanted)
                fail_msg("%s: %s", families[i]->fields[k].name, p);
        }
}

/* What the public rule files use of the event, its descriptor and its paths. */
static void test_public_rules(void **s)
{
    static const char *const names[] = {"evt.type",
                                        "evt.num",
                                        "evt.res",
                                        "evt.rawres",
                                        "evt.args",
                                        "evt.is_open_read",
                                        "evt.is_open_write",
                                        "evt.is_open_exec",
                                        "evt.buffer",
                                        "evt.arg.domain",
                                        "evt.arg.flags",
                                        "evt.arg.linkpath",
                                        "evt.arg.newpath",
                                        "evt.arg.oldpath",
                                        "evt.arg.request",
                                        "evt.arg.target",
                                        "evt.arg.cmd",
                                        "evt.arg.filename",
                                        "evt.arg.mode",
                                        "evt.arg.name",
                                        "evt.arg.path",
                                        "evt.arg.uid",
                                        "evt.arg.fd",
                                        "fd.connected",
                                        "fd.directory",
                                        "fd.filename",
                                        "fd.ip",
                                        "fd.l4proto",
                                        "fd.lport",
                                        "fd.name",
                                        "fd.name_changed",
                                        "fd.nameraw",
                                        "fd.net",
                                        "fd.num",
                                        "fd.rport",
                                        "fd.sip",
                                        "fd.sip.name",
                                        "fd.snet",
                                        "fd.sport",
                                        "fd.type",
                                        "fd.typechar",
                                        "fd.cip",
                                        "fd.cip.name",
                                        "fd.cnet",
                                        "fd.port",
                                        "fd.rnet",
                                        "fd.sockfamily",
                                        "fd.lip.name",
                                        "fd.rip",
                                        "fd.rip.name"};
    size_t at;
    (void)s;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!find(names[i], &at))
            fail_msg("no field %s", names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dotted), cmocka_unit_test(test_args),         cmocka_unit_test(test_rows),
        cmocka_unit_test(test_kinds),  cmocka_unit_test(test_public_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
