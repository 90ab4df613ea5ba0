/* SPDX-License-Identifier: Apache-2.0 */
/* That the manual and the completion have every command and every option, and that roff is given nothing but what is
 * meant. What bash makes of the completion is tested end to end. */
#include "cli/manual.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "cli/command.h"

#define TEXT_MAX (1U << 20)

/* As it stands in roff; names have no other character that is escaped. */
static void escape(char *to, const char *name)
{
    for (; *name; name++) {
        if (*name == '-')
            *to++ = '\\';
        *to++ = *name;
    }
    *to = '\0';
}

static void check_entry(const char *manual, const char *completion, const struct skep_command_entry *e)
{
    char want[512], escaped[128];
    snprintf(want, sizeof(want), "\n.SS \"skep %s", e->name);
    if (!strstr(manual, want))
        fail_msg("the manual lacks skep %s", e->name);
    snprintf(want, sizeof(want), "\n    '%s') ", e->name);
    const char *line = strstr(completion, want);
    if (!line)
        fail_msg("the completion lacks skep %s", e->name);
    size_t n = strcspn(line + 1, "\n");
    for (const struct skep_option_group *g = e->command->groups; g && g->title; g++) {
        for (const struct skep_option *o = g->options; o->name; o++) {
            escape(escaped, o->name);
            snprintf(want, sizeof(want), "\\fB\\-\\-%s\\fR", escaped);
            if (!strstr(manual, want))
                fail_msg("the manual lacks --%s of skep %s", o->name, e->name);
            snprintf(want, sizeof(want), " --%s", o->name);
            const char *at = strstr(line, want);
            if (!at || at > line + n)
                fail_msg("the completion lacks --%s of skep %s", o->name, e->name);
            snprintf(want, sizeof(want), "\n    '%s --%s'", e->name, o->name);
            if ((strstr(completion, want) != NULL) != (o->arg != NULL))
                fail_msg("the completion is wrong about the argument of --%s of skep %s", o->name, e->name);
        }
    }
}

static void test_every_command(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf manual, completion;
    skep_strbuf_init(&manual, TEXT_MAX);
    skep_strbuf_init(&completion, TEXT_MAX);
    skep_manual_put(&manual);
    skep_completion_put(&completion);
    assert_false(manual.failed || completion.failed);
    size_t n;
    const struct skep_command_entry *e = skep_commands(&n);
    for (size_t i = 0; i < n; i++) {
        check_entry(manual.s, completion.s, &e[i]);
        for (size_t k = 0; k < e[i].command->n_subcommands; k++)
            check_entry(manual.s, completion.s, &e[i].command->subcommands[k]);
    }
}

/* A line that begins with a dot is a request, and one with an apostrophe, too: no text must become one. */
static void test_requests(void **state)
{
    (void)state;
    static const char *const known[] = {".\\\"", ".TH", ".SH", ".SS", ".PP", ".TP", ".br",
                                        ".nh",   ".ad", ".B",  ".BR", ".I",  ".RI"};
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, TEXT_MAX);
    skep_manual_put(&sb);
    for (char *save = NULL, *line = strtok_r(sb.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        bool found = *line != '.' && *line != '\'';
        size_t n = strcspn(line, " ");
        for (size_t i = 0; i < ARRAY_SIZE(known) && !found; i++)
            found = strlen(known[i]) == n && strncmp(known[i], line, n) == 0;
        if (!found)
            fail_msg("not meant for roff: %s", line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_command),
        cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
