/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands from argv to the options that the agent gets, with the agent replaced. The texts of --help are
 * compared with tests/data/cli; SKEP_UPDATE=1 in the environment writes them anew.
 */
#include "cli/command.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "agent/agent.h"
#include "cli/cli.h"

#define TEXT_MAX (256U << 10)

struct call {
    char what[512];
    int result;
};

/* What the doubles below write to; cmocka gives them no other way to their test. */
static struct call call;

int skep_agent_run(const struct skep_agent_options *o)
{
    struct skep_strbuf sb;
    skep_strbuf_init(&sb, sizeof(call.what) - 1);
    skep_strbuf_printf(&sb, "agent view=%d", (int)o->view);
    const struct {
        const char *name, *value;
    } texts[] = {
        {"replay", o->replay_path},  {"kinds", o->kinds},        {"comm", o->comm},
        {"container", o->container}, {"output", o->output_path}, {"record", o->record_path},
        {"columns", o->columns},     {"sort", o->sort},          {"count_by", o->count_by},
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (texts[i].value)
            skep_strbuf_printf(&sb, " %s=%s", texts[i].name, texts[i].value);
    for (size_t i = 0; i < o->where.n; i++)
        skep_strbuf_printf(&sb, " where=%s", o->where.s[i]);
    if (o->all_events)
        skep_strbuf_puts(&sb, " all");
    if (o->host_only)
        skep_strbuf_puts(&sb, " host_only");
    if (o->pid)
        skep_strbuf_printf(&sb, " pid=%u", o->pid);
    if (o->uid >= 0)
        skep_strbuf_printf(&sb, " uid=%d", (int)o->uid);
    if (o->duration_ns)
        skep_strbuf_printf(&sb, " duration=%llu", (unsigned long long)o->duration_ns);
    if (o->ring_bytes)
        skep_strbuf_printf(&sb, " ring=%llu", (unsigned long long)o->ring_bytes);
    if (o->color != SKEP_COLOR_AUTO)
        skep_strbuf_printf(&sb, " color=%d", (int)o->color);
    for (char *const *c = o->command; c && *c; c++)
        skep_strbuf_printf(&sb, " <%s>", *c);
    snprintf(call.what, sizeof(call.what), "%s", sb.s);
    skep_strbuf_clear(&sb);
    return call.result;
}

int skep_probe_run(const struct skep_probe_options *o)
{
    snprintf(call.what, sizeof(call.what), "probe json=%d color=%d", o->json, (int)o->color);
    return call.result;
}

int skep_ps_run(const struct skep_ps_options *o)
{
    snprintf(call.what, sizeof(call.what), "ps tree=%d json=%d columns=%s sort=%s", o->tree, o->json,
             o->columns ? o->columns : "", o->sort ? o->sort : "");
    return call.result;
}

int skep_docs_events(bool json, struct skep_strbuf *sb)
{
    (void)sb;
    snprintf(call.what, sizeof(call.what), "docs json=%d", json);
    return call.result;
}

/* Standard output and error of a call, caught in memory files. */
struct caught {
    int status;
    char *out;
    char *err;
};

static int redirect(int fd, int *ret_saved)
{
    fflush(fd == STDOUT_FILENO ? stdout : stderr);
    *ret_saved = dup(fd);
    int file = memfd_create("caught", MFD_CLOEXEC);
    assert_true(file >= 0 && *ret_saved >= 0);
    dup2(file, fd);
    return file;
}

static char *restore(int fd, int saved, int file)
{
    fflush(fd == STDOUT_FILENO ? stdout : stderr);
    dup2(saved, fd);
    close(saved);
    char *text = calloc(1, TEXT_MAX);
    assert_true(pread(file, text, TEXT_MAX - 1, 0) >= 0);
    close(file);
    return text;
}

static void capture(struct caught *c, const char *line)
{
    char copy[512], *argv[32];
    int argc = 0, saved_out, saved_err;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *save = NULL, *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        assert_true((size_t)argc + 1 < ARRAY_SIZE(argv));
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    call.what[0] = '\0';
    int out = redirect(STDOUT_FILENO, &saved_out), err = redirect(STDERR_FILENO, &saved_err);
    c->status = skep_cli_main(argc, argv);
    c->out = restore(STDOUT_FILENO, saved_out, out);
    c->err = restore(STDERR_FILENO, saved_err, err);
}

static void release(struct caught *c)
{
    free(c->out);
    free(c->err);
}

static void test_commands_reach_the_agent(void **state)
{
    (void)state;
    static const struct {
        const char *line, *want;
    } rows[] = {
        {"skep run", "agent view=1"},
        {"skep run --json --events", "agent view=2 all"},
        {"skep run -k exec,open --pid 7 --comm sh --container abc --duration 5s --output f --record r",
         "agent view=1 kinds=exec,open comm=sh container=abc output=f record=r pid=7 duration=5000000000"},
        {"skep run --host-only --uid root --color always --memory 1M",
         "agent view=1 host_only uid=0 ring=1048576 color=1"},
        {"skep run -- make -j4", "agent view=1 <make> <-j4>"},
        {"skep -- make --json", "agent view=1 <make> <--json>"},
        {"skep watch exec,open", "agent view=3 kinds=exec,open all"},
        {"skep watch open -o time,pid --sort -time --where ret=1",
         "agent view=3 kinds=open columns=time,pid sort=-time where=ret=1 all"},
        {"skep watch open --count-by comm", "agent view=3 kinds=open count_by=comm all"},
        {"skep replay rec -w pid=1 --where=uid!=0", "agent view=1 replay=rec where=pid=1 where=uid!=0"},
        {"skep watch exec rec", "agent view=3 replay=rec kinds=exec all"},
        {"skep watch exec -r rec --json", "agent view=2 replay=rec kinds=exec all"},
        {"skep watch exec -- make", "agent view=3 kinds=exec all <make>"},
        {"skep record -o f -k net -d 1m", "agent view=0 kinds=net record=f all duration=60000000000"},
        {"skep record --output=f -- make", "agent view=0 record=f all <make>"},
        {"skep replay f --json -e --pid 9", "agent view=2 replay=f all pid=9"},
        {"skep probe --json", "probe json=1 color=0"},
        {"skep probe --color never", "probe json=0 color=2"},
        {"skep ps -t", "ps tree=1 json=0 columns= sort="},
        {"skep ps --json --sort pid", "ps tree=0 json=1 columns= sort=pid"},
        {"skep docs events", "docs json=0"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        call.result = (int)(i % 3);
        struct caught c;
        capture(&c, rows[i].line);
        if (!skep_streq(call.what, rows[i].want))
            fail_msg("%s\n  gives  %s%s\n  wanted %s", rows[i].line, call.what, c.err, rows[i].want);
        assert_int_equal(c.status, call.result);
        assert_string_equal(c.out, "");
        assert_string_equal(c.err, "");
        release(&c);
    }
}

static void test_wrong_use(void **state)
{
    (void)state;
    static const struct {
        const char *line, *want;
    } rows[] = {
        {"skep run --evnts",
         "skep run: unknown option --evnts (did you mean --events?)\nTry 'skep run --help'.\n"},
        {"skep run --event",
         "skep run: unknown option --event (did you mean --events?)\nTry 'skep run --help'.\n"},
        {"skep rnu", "skep: unknown command 'rnu' (did you mean run?)\nTry 'skep --help'.\n"},
        {"skep make", "skep: unknown command 'make'\nTry 'skep --help'.\n"},
        {"skep vm rn", "skep vm: unknown command 'rn' (did you mean run?)\nTry 'skep vm --help'.\n"},
        {"skep vm --json",
         "skep vm: unknown option --json: options follow the command\nTry 'skep vm --help'.\n"},
        {"skep help vm rn", "skep vm: unknown command 'rn' (did you mean run?)\nTry 'skep vm --help'.\n"},
        {"skep help run x", "skep run: unknown command 'x'\nTry 'skep run --help'.\n"},
        {"skep vm run", "skep vm run: missing argument: OBJ[:PROGRAM]\nTry 'skep vm run --help'.\n"},
        {"skep vm plugin zz", "skep vm plugin: the memory is not given as bytes in hex\n"
                              "Try 'skep vm plugin --help'.\n"},
        {"skep --json", "skep: unknown option --json: options follow the command\nTry 'skep --help'.\n"},
        {"skep help rnu", "skep: unknown command 'rnu' (did you mean run?)\nTry 'skep --help'.\n"},
        {"skep --", "skep run: missing command after --\nTry 'skep run --help'.\n"},
        {"skep run make",
         "skep run: unexpected argument 'make' (a command to run follows --)\nTry 'skep run --help'.\n"},
        {"skep run --pid 1 -- make",
         "skep run: --pid and a command exclude each other\nTry 'skep run --help'.\n"},
        {"skep run --no-rules --rules x",
         "skep run: --no-rules excludes --rules, --disable and --enable\nTry 'skep run --help'.\n"},
        {"skep run --no-rules --to file:x",
         "skep run: without rules there are no alerts: --no-rules excludes --to, --rate, --suppress, --iso8601 and --message; --output FILE "
         "takes events\nTry 'skep run --help'.\n"},
        {"skep run --host-only --container x",
         "skep run: --host-only and --container exclude each other\nTry 'skep run --help'.\n"},
        {"skep watch", "skep watch: missing argument: KIND[,KIND...]\n"
                       "Try 'skep watch --help'.\n"},
        {"skep watch exec --count-by comm --sort pid",
         "skep watch: --count-by excludes --columns and --sort: what is most frequent comes first\n"
         "Try 'skep watch --help'.\n"},
        {"skep vm bench --rounds 0",
         "skep vm bench: --rounds: '0' is not a number from 1 on\nTry 'skep vm bench --help'.\n"},
        {"skep watch exec a -r b", "skep watch: two recordings: give one\nTry 'skep watch --help'.\n"},
        {"skep watch exec a -- make",
         "skep watch: a recording and a command exclude each other\nTry 'skep watch --help'.\n"},
        {"skep watch exec a -d 1s",
         "skep watch: --duration, --memory and --record are for the live kernel, not for a recording\n"
         "Try 'skep watch --help'.\n"},
        {"skep record", "skep record: missing option: -o FILE\nTry 'skep record --help'.\n"},
        {"skep replay", "skep replay: missing argument: FILE\nTry 'skep replay --help'.\n"},
        {"skep ps --tree --json", "skep ps: --tree excludes --json and --sort\nTry 'skep ps --help'.\n"},
        {"skep docs nothing", "skep docs: unknown topic 'nothing': there are events, fields, losses, "
                              "instructions, helpers, sinks, manual, completion\nTry 'skep docs --help'.\n"},
        {"skep docs loses",
         "skep docs: unknown topic 'loses': did you mean 'losses'?\nTry 'skep docs --help'.\n"},
        {"skep docs manual --json",
         "skep docs: --json: 'manual' has no such form\nTry 'skep docs --help'.\n"},
        {"skep version now", "skep version: unexpected argument 'now'\nTry 'skep version --help'.\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct caught c;
        capture(&c, rows[i].line);
        if (!skep_streq(c.err, rows[i].want))
            fail_msg("%s\n  gives  %s\n  wanted %s", rows[i].line, c.err, rows[i].want);
        assert_int_equal(c.status, SKEP_EXIT_USAGE);
        assert_string_equal(c.out, "");
        assert_string_equal(call.what, "");
        release(&c);
    }
    struct caught c;
    capture(&c, "skep");
    assert_int_equal(c.status, SKEP_EXIT_USAGE);
    assert_string_equal(c.out, "");
    assert_non_null(strstr(c.err, "Usage: skep COMMAND"));
    release(&c);
}

static void test_agent_failure(void **state)
{
    (void)state;
    struct caught c;
    call.result = -ENOMEM;
    capture(&c, "skep run");
    assert_int_equal(c.status, SKEP_EXIT_FAILED);
    assert_string_equal(c.err, "skep: error: Cannot allocate memory\n");
    release(&c);
}

static void check_golden(const char *name, const char *text)
{
    char path[512];
    const char *data = getenv("SKEP_TEST_DATA");
    snprintf(path, sizeof(path), "%s/cli/%s", data ? data : "tests/data", name);
    if (getenv("SKEP_UPDATE")) {
        _cleanup_fclose_ FILE *f = fopen(path, "we");
        assert_non_null(f);
        fputs(text, f);
        return;
    }
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail_msg("cannot open %s", path);
    _cleanup_free_ char *want = calloc(1, TEXT_MAX);
    assert_true(read(fd, want, TEXT_MAX - 1) >= 0);
    assert_string_equal(text, want);
}

static void test_help(void **state)
{
    (void)state;
    static const struct {
        const char *lines[3], *golden;
    } rows[] = {
        {{"skep help", "skep --help", "skep -h"}, "skep.help"},
        {{"skep help run", "skep run --help", "skep run -h"}, "run.help"},
        {{"skep help watch", "skep watch --help", "skep watch exec -h"}, "watch.help"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(rows[i].lines); k++) {
            struct caught c;
            capture(&c, rows[i].lines[k]);
            assert_int_equal(c.status, SKEP_EXIT_OK);
            assert_string_equal(c.err, "");
            check_golden(rows[i].golden, c.out);
            release(&c);
        }
    }
}

static void test_version(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct caught c;
        capture(&c, i ? "skep version" : "skep --version");
        assert_int_equal(c.status, SKEP_EXIT_OK);
        assert_string_equal(c.out, "skep " SKEP_VERSION "\n");
        release(&c);
    }
}

static void test_output_error_is_a_failure(void **state)
{
    (void)state;
    char *argv[] = {(char *)"skep", (char *)"--help", NULL};
    int saved, saved_err;
    int file = redirect(STDOUT_FILENO, &saved), err = redirect(STDERR_FILENO, &saved_err);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    dup2(full, STDOUT_FILENO);
    close(full);
    int status = skep_cli_main(2, argv);
    free(restore(STDOUT_FILENO, saved, file));
    char *text = restore(STDERR_FILENO, saved_err, err);
    clearerr(stdout);
    assert_int_equal(status, SKEP_EXIT_FAILED);
    assert_string_equal(text, "skep: error: cannot write to standard output: No space left on device\n");
    free(text);
}

/* What every table must keep to, so that --help stays readable and no option hides another. */
static void check_options(const struct skep_command_entry *e)
{
    const struct skep_command *c = e->command;
    bool letters[256] = {['h'] = true};
    const char *names[64] = {"help"};
    size_t n_names = 1;
    for (const struct skep_option_group *g = c->groups; g && g->title; g++) {
        for (const struct skep_option *o = g->options; o->name; o++) {
            bool flag = o->kind == SKEP_OPTION_FLAG || o->kind == SKEP_OPTION_VALUE;
            assert_true(flag == (o->arg == NULL));
            assert_true((o->kind == SKEP_OPTION_CHOICE) == (o->choices != NULL));
            assert_true(o->help && *o->help && o->help[strlen(o->help) - 1] != '.');
            assert_true(o->offset < c->options_size);
            if (o->letter && letters[(unsigned char)o->letter])
                fail_msg("skep %s: -%c twice", e->name, o->letter);
            letters[(unsigned char)o->letter] = o->letter != 0;
            for (size_t k = 0; k < n_names; k++)
                if (skep_streq(names[k], o->name))
                    fail_msg("skep %s: --%s twice", e->name, o->name);
            assert_true(n_names < ARRAY_SIZE(names));
            names[n_names++] = o->name;
        }
    }
}

static void check_entry(const struct skep_command_entry *e)
{
    const struct skep_command *c = e->command;
    assert_true(strlen(e->summary) > 0 && strlen(e->summary) < 68);
    assert_true(e->summary[strlen(e->summary) - 1] != '.');
    assert_non_null(c->description);
    assert_true((c->run == NULL) == (c->n_subcommands != 0));
    assert_true(c->min_args <= c->max_args);
    assert_true((c->options_size != 0) == (c->defaults != NULL));
    assert_true(c->takes_command == (strstr(e->synopsis, "[-- COMMAND ARGS...]") != NULL));
    check_options(e);
}

static void test_tables(void **state)
{
    (void)state;
    size_t n;
    const struct skep_command_entry *e = skep_commands(&n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(skep_command_find(e[i].name), &e[i]);
        check_entry(&e[i]);
        for (size_t k = 0; k < e[i].command->n_subcommands; k++) {
            const struct skep_command_entry *below = &e[i].command->subcommands[k];
            /* "vm run" of "vm" */
            const char *rest = skep_startswith(below->name, e[i].name);
            assert_true(rest && rest[0] == ' ');
            assert_ptr_equal(skep_command_find_below(&e[i], rest + 1), below);
            assert_int_equal(below->command->n_subcommands, 0);
            check_entry(below);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_reach_the_agent),
        cmocka_unit_test(test_wrong_use),
        cmocka_unit_test(test_agent_failure),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_output_error_is_a_failure),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
