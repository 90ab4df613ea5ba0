/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/evtset.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "rule/falco/falco.h"

/* The types of a condition: their names, "all", or "all but NAMES"; with " pure" behind. */
static void expect(const char *text, const char *types)
{
    _cleanup_diags_ struct skep_diags d;
    _cleanup_policy_ struct skep_policy *p = NULL;
    _cleanup_strbuf_ struct skep_strbuf in, out;
    bool set[SKEP_EVTTYPE_MAX], pure;
    size_t n, n_in = 0;
    const struct skep_evttype *all = skep_evttypes(&n);
    skep_diags_init(&d, "c");
    skep_strbuf_init(&in, 65536);
    skep_strbuf_init(&out, 65536);
    assert_int_equal(skep_falco_condition(text, strlen(text), &d, &p), 0);
    skep_rule_evttypes(p->rules[0].condition, set, &pure);
    assert_false(set[0]);
    for (size_t i = 1; i < SKEP_EVTTYPE_MAX; i++) {
        assert_false(set[i] && i >= n);
        if (i < n) {
            skep_strbuf_printf(set[i] ? &in : &out, " %s", all[i].name);
            n_in += set[i];
        }
    }
    if (n_in > n / 2) {
        skep_strbuf_reset(&in);
        skep_strbuf_printf(&in, out.len ? " all but%s" : " all%s", out.s);
    }
    skep_strbuf_puts(&in, pure ? " pure" : "");
    if (!skep_streq(in.s + 1, types))
        fail_msg("%s\n  gives    %s\n  and not  %s", text, in.s + 1, types);
}

static void test_sets(void **state)
{
    (void)state;
    expect("evt.type=open", "open pure");
    expect("evt.type in (open, openat)", "open openat pure");
    expect("evt.type = anyof (open, openat)", "open openat pure");
    expect("evt.type != open", "all but open pure");
    expect("not evt.type in (open, openat)", "all but open openat pure");
    expect("evt.type exists", "all pure");
    expect("evt.type = read", "pure");
    expect("evt.type != read", "all pure");
    expect("proc.name = sh", "all");
    expect("not proc.name = sh", "all");
    expect("evt.type=open and proc.name=sh", "open");
    expect("not (evt.type=open and proc.name=sh)", "all");
    expect("not (evt.type=open or proc.name=sh)", "all but open");
    expect("evt.type=open or proc.name=sh", "all");
    expect("evt.type=open or evt.type=connect and proc.name=sh", "open connect");
    expect("evt.type=open and evt.type=connect", "pure");
    expect("evt.type in (open, openat, connect) and not evt.type=connect", "open openat pure");
    expect("evt.type startswith open", "all");
    expect("evt.type = val(proc.name)", "all");
    expect("tolower(evt.type) = open", "all");
    expect("not not evt.type=open", "open pure");
    expect("not (not evt.type=open or not proc.name=sh)", "open");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
