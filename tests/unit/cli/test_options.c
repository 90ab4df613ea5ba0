/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct values {
    bool all, brief;
    const char *name, *list;
    uint64_t time, size;
    uint32_t pid;
    int64_t uid;
    int color, mode;
    struct skep_strings files, choices;
};

static const char *const colors[] = {"auto", "always", "never|no", NULL};

#define TO(member) offsetof(struct values, member)
static const struct skep_option some[] = {
    {"all", 'a', NULL, SKEP_OPTION_FLAG, TO(all), .help = "everything"},
    {"brief", 'b', NULL, SKEP_OPTION_FLAG, TO(brief), .help = "less"},
    {"name", 'n', "NAME", SKEP_OPTION_STRING, TO(name), .help = "a name"},
    {"kinds", 'k', "KINDS", SKEP_OPTION_LIST, TO(list), .help = "kinds"},
    {"events", 0, NULL, SKEP_OPTION_FLAG, TO(all), .help = "events"},
    {0},
};
static const struct skep_option more[] = {
    {"duration", 'd', "TIME", SKEP_OPTION_DURATION, TO(time), .help = "how long"},
    {"memory", 0, "SIZE", SKEP_OPTION_SIZE, TO(size), .help = "how much"},
    {"pid", 'p', "PID", SKEP_OPTION_PID, TO(pid), .help = "which process"},
    {"uid", 'u', "USER", SKEP_OPTION_UID, TO(uid), .help = "whose"},
    {"color", 0, "WHEN", SKEP_OPTION_CHOICE, TO(color), .choices = colors, .help = "when"},
    {"file", 'f', "FILE", SKEP_OPTION_REPEAT, TO(files), .help = "a file"},
    {"on", 0, "NAME", SKEP_OPTION_REPEAT, TO(choices), .value = '+', .help = "on"},
    {"off", 0, "NAME", SKEP_OPTION_REPEAT, TO(choices), .value = '-', .help = "off"},
    {"json", 'j', NULL, SKEP_OPTION_VALUE, TO(mode), .value = 7, .help = "as JSON"},
    {0},
};
static const struct skep_option_group groups[] = {{"Some", some}, {"More", more}, {0}};

static const struct skep_options_spec spec = {
    .groups = groups,
    .min_args = 0,
    .max_args = 2,
    .arg_names = "A B",
    .takes_command = true,
};

/* Splits a line at blanks; '' is an empty word. */
static int split(char *line, char **argv, size_t max)
{
    int argc = 0;
    argv[argc++] = (char *)"test";
    for (char *save = NULL, *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        assert_true((size_t)argc + 1 < max);
        argv[argc++] = skep_streq(word, "''") ? (char *)"" : word;
    }
    argv[argc] = NULL;
    return argc;
}

/* All values that differ from their defaults, as text. */
static void describe(const struct values *v, const struct skep_args *args, struct skep_strbuf *sb)
{
    if (args->help)
        skep_strbuf_puts(sb, "help ");
    if (v->all)
        skep_strbuf_puts(sb, "all ");
    if (v->brief)
        skep_strbuf_puts(sb, "brief ");
    if (v->name)
        skep_strbuf_printf(sb, "name=%s ", v->name);
    if (v->list)
        skep_strbuf_printf(sb, "kinds=%s ", v->list);
    if (v->time)
        skep_strbuf_printf(sb, "time=%llu ", (unsigned long long)v->time);
    if (v->size)
        skep_strbuf_printf(sb, "size=%llu ", (unsigned long long)v->size);
    if (v->pid)
        skep_strbuf_printf(sb, "pid=%u ", v->pid);
    if (v->uid != -1)
        skep_strbuf_printf(sb, "uid=%lld ", (long long)v->uid);
    if (v->color)
        skep_strbuf_printf(sb, "color=%d ", v->color);
    if (v->mode)
        skep_strbuf_printf(sb, "mode=%d ", v->mode);
    for (size_t i = 0; i < v->files.n; i++)
        skep_strbuf_printf(sb, "file=%s ", v->files.s[i]);
    for (size_t i = 0; i < v->choices.n; i++)
        skep_strbuf_printf(sb, "choice=%s ", v->choices.s[i]);
    for (size_t i = 0; i < args->n; i++)
        skep_strbuf_printf(sb, "[%s] ", args->args[i]);
    assert_null(args->args[args->n]);
    for (char **c = args->command; c && *c; c++)
        skep_strbuf_printf(sb, "<%s> ", *c);
    if (sb->len)
        skep_strbuf_truncate(sb, sb->len - 1);
}

static void run(const struct skep_options_spec *s, const char *line, const char *want, const char *want_error)
{
    char copy[256], *argv[64];
    snprintf(copy, sizeof(copy), "%s", line);
    int argc = split(copy, argv, ARRAY_SIZE(argv));
    struct values v = {.uid = -1};
    _cleanup_args_ struct skep_args args = {0};
    _cleanup_strbuf_ struct skep_strbuf error, text;
    skep_strbuf_init(&error, 1024);
    skep_strbuf_init(&text, 1024);
    int r = skep_options_parse(s, argc, argv, &v, &args, &error);
    if (want_error) {
        if (r != -EINVAL || !skep_streq(error.s, want_error))
            fail_msg("%s\n  gives  %d %s\n  wanted %s", line, r, error.s, want_error);
        assert_null(args.args);
        return;
    }
    if (r != 0)
        fail_msg("%s: %s", line, error.s);
    describe(&v, &args, &text);
    if (!skep_streq(text.s, want))
        fail_msg("%s\n  gives  %s\n  wanted %s", line, text.s, want);
}

static void test_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *line, *want;
    } rows[] = {
        {"", ""},
        {"--all", "all"},
        {"-ab", "all brief"},
        {"-abn x", "all brief name=x"},
        {"-abnx", "all brief name=x"},
        {"-n=x", "name==x"},
        {"--name x", "name=x"},
        {"--name=x", "name=x"},
        {"--name=a=b", "name=a=b"},
        {"--name -x", "name=-x"},
        {"--name x --name y", "name=y"},
        {"-k exec,open --kinds=dns", "kinds=exec,open,dns"},
        {"-k a -k b -k c", "kinds=a,b,c"},
        {"-f a -f b --file=c", "file=a file=b file=c"},
        {"--on a --off b --on=a", "choice=+a choice=-b choice=+a"},
        {"-d 5s", "time=5000000000"},
        {"--duration=250ms", "time=250000000"},
        {"--memory 65536", "size=65536"},
        {"--memory 512K", "size=524288"},
        {"--memory 16m", "size=16777216"},
        {"--memory 1GiB", "size=1073741824"},
        {"-p 1", "pid=1"},
        {"-p 4194304", "pid=4194304"},
        {"-u 0", "uid=0"},
        {"-u root", "uid=0"},
        {"-u 4294967294", "uid=4294967294"},
        {"--color never", "color=2"},
        {"--color NEVER", "color=2"},
        {"--color No", "color=2"},
        {"--color=always", "color=1"},
        {"-j", "mode=7"},
        {"one -a two", "all [one] [two]"},
        {"one two -a", "all [one] [two]"},
        {"-", "[-]"},
        {"-a -- make -j4 --all", "all <make> <-j4> <--all>"},
        {"one -- make -- x", "[one] <make> <--> <x>"},
        {"--help", "help"},
        {"-h", "help"},
        {"-ah", "help all"},
        {"--help --nonsense", "help"},
        {"one two three --help", "help [one] [two] [three]"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        run(&spec, rows[i].line, rows[i].want, NULL);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *want;
    } rows[] = {
        {"--evnts", "unknown option --evnts (did you mean --events?)"},
        {"--evnts=3", "unknown option --evnts (did you mean --events?)"},
        {"--nmae x", "unknown option --nmae (did you mean --name?)"},
        {"--dur 5s", "unknown option --dur (did you mean --duration?)"},
        {"--hlep", "unknown option --hlep (did you mean --help?)"},
        {"--zzzzzz", "unknown option --zzzzzz"},
        {"--=x", "unknown option --"},
        {"--a\033[31m", "unknown option --a\\x1b[31m"},
        {"-x", "unknown option -x"},
        {"-ax", "unknown option -x"},
        {"-\xc3\xa4", "unknown option -\xc3\xa4"},
        {"--all=yes", "--all takes no argument"},
        {"--json=yes", "--json takes no argument"},
        {"--name", "--name needs an argument: NAME"},
        {"-n", "-n needs an argument: NAME"},
        {"-ak", "-k needs an argument: KINDS"},
        {"--name -- make", "--name needs an argument: NAME"},
        {"--name=", "--name: NAME must not be empty"},
        {"-n ''", "-n: NAME must not be empty"},
        {"--duration 5x", "--duration: '5x' is not a duration such as 250ms, 5s or 1h30m"},
        {"-d 0s", "-d: '0s' is not a duration such as 250ms, 5s or 1h30m"},
        {"--memory 5x", "--memory: '5x' is not a size such as 65536, 512K or 16M"},
        {"--memory 1KB", "--memory: '1KB' is not a size such as 65536, 512K or 16M"},
        {"--memory 0", "--memory: '0' is not a size such as 65536, 512K or 16M"},
        {"--memory -1", "--memory: '-1' is not a size such as 65536, 512K or 16M"},
        {"--memory 99999999999T", "--memory: '99999999999T' is not a size such as 65536, 512K or 16M"},
        {"--memory 18446744073709551616",
         "--memory: '18446744073709551616' is not a size such as 65536, 512K or 16M"},
        {"--pid 0", "--pid: '0' is not a process id"},
        {"--pid 4194305", "--pid: '4194305' is not a process id"},
        {"--pid 12x", "--pid: '12x' is not a process id"},
        {"--pid +1", "--pid: '+1' is not a process id"},
        {"--uid nobody-here", "--uid: 'nobody-here' is neither a user id nor a user of this host"},
        {"--uid 4294967295", "--uid: '4294967295' is neither a user id nor a user of this host"},
        {"--color maybe", "--color: 'maybe' is none of auto, always, never"},
        {"one two three", "unexpected argument 'three'"},
        {"--", "missing command after --"},
        {"-a one --", "missing command after --"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        run(&spec, rows[i].line, NULL, rows[i].want);
}

static void test_arguments(void **state)
{
    (void)state;
    struct skep_options_spec s = {.groups = groups, .min_args = 1, .max_args = 1, .arg_names = "FILE"};
    run(&s, "", NULL, "missing argument: FILE");
    run(&s, "-a", NULL, "missing argument: FILE");
    run(&s, "-- --all", "[--all]", NULL);
    run(&s, "x -- y", NULL, "unexpected argument 'y'");
    s.min_args = s.max_args = 0;
    run(&s, "x\ny", NULL, "unexpected argument 'x\\ny'");
    s.takes_command = true;
    run(&s, "make", NULL, "unexpected argument 'make' (a command to run follows --)");
    s.groups = NULL;
    run(&s, "--all", NULL, "unknown option --all");
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"run", "watch", "ps", "record", "replay", "probe"};
    static const struct {
        const char *word, *want;
    } rows[] = {
        {"rnu", "run"},     {"watc", "watch"}, {"wach", "watch"}, {"recrod", "record"}, {"reply", "replay"},
        {"porbe", "probe"}, {"x", NULL},       {"", NULL},        {"completely", NULL}, {"pss", "ps"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *got = skep_nearest(rows[i].word, names, ARRAY_SIZE(names));
        if ((got == NULL) != (rows[i].want == NULL) || (got && !skep_streq(got, rows[i].want)))
            fail_msg("%s: %s", rows[i].word, got ? got : "none");
    }
    char longest[5000];
    memset(longest, 'r', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_null(skep_nearest(longest, names, ARRAY_SIZE(names)));
}

static void test_wrap(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 4096);
    skep_options_wrap(
        &sb,
        "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg hhhhhhhhh iiiiiiiii\n\nnext",
        0, 2);
    assert_string_equal(sb.s,
                        "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg hhhhhhhhh\n"
                        "  iiiiiiiii\n\n  next\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused), cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_nearest),  cmocka_unit_test(test_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
