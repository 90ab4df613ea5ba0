/* SPDX-License-Identifier: Apache-2.0
 *
 * The built-in rules load without a word of complaint, and each says what a rule has to say. That they fire, and when
 * they do not, is tests/e2e/70-default-rules.sh. */
#include "rule/default.h"

#include "rule/alert/format.h"
#include "rule/compile/compile.h"
#include "rule/falco/falco.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define AT_LEAST 40

struct state {
    struct skep_diags diags;
    struct skep_policy *policy;
};

static int setup(void **state)
{
    struct state *s = *state = calloc(1, sizeof(*s));
    struct skep_falco_input in = {
        .name = "default.yaml", .text = skep_default_rules, .len = skep_default_rules_len};
    struct skep_falco_options options = {.min_priority = SKEP_PRIORITY_DEBUG};
    skep_diags_init(&s->diags, "default.yaml");
    return skep_falco_load(&in, 1, &options, &s->diags, &s->policy) == -ENOMEM;
}

static int teardown(void **state)
{
    struct state *s = *state;
    skep_diags_clear(&s->diags);
    skep_policy_free(s->policy);
    free(s);
    return 0;
}

static void complaints(const struct skep_diags *diags)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_diags_put_text(diags, NULL, &sb);
    if (diags->n > 0)
        fail_msg("%s", sb.s);
}

static void loads(void **state)
{
    struct state *s = *state;
    complaints(&s->diags);
    assert_non_null(s->policy);
    assert_true(s->policy->n_rules >= AT_LEAST);
    assert_int_equal(strlen(skep_default_rules), skep_default_rules_len);
}

static bool has_tag(const struct skep_rule *r, const char *prefix)
{
    for (size_t i = 0; i < r->n_tags; i++)
        if (strncmp(r->tags[i], prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

static void rules_are_whole(void **state)
{
    /* the container is added to every output */
    static const char *const fields[] = {"%proc.name", "%proc.exepath", "%proc.cmdline", "%proc.pname",
                                         "%user.name"};
    struct state *s = *state;
    assert_non_null(s->policy);
    for (size_t i = 0; i < s->policy->n_rules; i++) {
        const struct skep_rule *r = &s->policy->rules[i];
        assert_int_equal(r->state, SKEP_RULE_ENABLED);
        assert_true(strlen(r->desc) > 40);
        if (!has_tag(r, "host") && !has_tag(r, "container"))
            fail_msg("%s: for hosts or for containers?", r->name);
        if (!has_tag(r, "mitre_") || !has_tag(r, "T1"))
            fail_msg("%s: no tactic or technique among its tags", r->name);
        for (size_t f = 0; f < ARRAY_SIZE(fields); f++)
            if (!strstr(r->output, fields[f]))
                fail_msg("%s: no %s in its output", r->name, fields[f]);
    }
}

static void outputs_compile(void **state)
{
    struct state *s = *state;
    assert_non_null(s->policy);
    for (size_t i = 0; i < s->policy->n_rules; i++) {
        const struct skep_rule *r = &s->policy->rules[i];
        struct skep_format *f = NULL;
        struct skep_diags diags;
        skep_diags_init(&diags, "default.yaml");
        int error = skep_format_new(r->output, &r->output_place, &diags, &f);
        complaints(&diags);
        assert_int_equal(error, 0);
        skep_diags_clear(&diags);
        skep_format_free(f);
    }
}

static void conditions_compile(void **state)
{
    struct state *s = *state;
    struct skep_compile_options options = {.all = true};
    struct skep_compiled *c = NULL;
    struct skep_diags diags;
    assert_non_null(s->policy);
    skep_diags_init(&diags, "default.yaml");
    int error = skep_rules_compile(s->policy, &options, &diags, &c);
    complaints(&diags);
    assert_int_equal(error, 0);
    /* what is not asked for is not captured: nothing wants all that happens */
    assert_true(c->wanted[skep_evttype_find("execve", 6)]);
    assert_true(c->wanted[skep_evttype_find("openat", 6)]);
    assert_false(c->wanted[skep_evttype_find("recvmsg", 7)]);
    assert_false(c->wanted[skep_evttype_find("procexit", 8)]);
    skep_diags_clear(&diags);
    skep_compiled_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loads, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_are_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(outputs_compile, setup, teardown),
        cmocka_unit_test_setup_teardown(conditions_compile, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
