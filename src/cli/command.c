/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <stdarg.h>

#include "base/log.h"
#include "cli/cli.h"

#define TEXT_MAX (64U << 10)

static const struct skep_command_entry entries[] = {
#define SKEP_COMMAND(name, synopsis, summary, group)                                                         \
    {#name, synopsis, summary, SKEP_COMMAND_GROUP_##group, &skep_command_##name},
#include "cli/commands.def"
#undef SKEP_COMMAND
};

const char skep_commands_about[] =
    "skep shows what a Linux host does, seen by the kernel itself: programs started, files opened, connections made, "
    "privileges used, by which process and in which container.";

static const char *const group_titles[] = {
    [SKEP_COMMAND_GROUP_OBSERVE] = "See the host",
    [SKEP_COMMAND_GROUP_RECORD] = "Keep what was seen",
    [SKEP_COMMAND_GROUP_RULES] = "Detect",
    [SKEP_COMMAND_GROUP_ENGINE] = "Run BPF programs without the kernel",
    [SKEP_COMMAND_GROUP_ABOUT] = "About skep",
};
_Static_assert(ARRAY_SIZE(group_titles) == SKEP_COMMAND_GROUP_MAX, "each group has a title");

static const struct skep_exit_meaning usual_statuses[] = {
    {SKEP_EXIT_OK, "all went well"},
    {SKEP_EXIT_FAILED, "something failed; standard error says what"},
    {SKEP_EXIT_USAGE, "the command was used wrongly, or lacks what it needs to run at all"},
    {0},
};

const char *skep_command_group_title(int group)
{
    return group_titles[group];
}

const struct skep_exit_meaning *skep_command_statuses(const struct skep_command *c)
{
    return c && c->statuses ? c->statuses : usual_statuses;
}

const struct skep_command_entry *skep_commands(size_t *ret_n)
{
    *ret_n = ARRAY_SIZE(entries);
    return entries;
}

const struct skep_command_entry *skep_command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
        if (skep_streq(entries[i].name, name))
            return &entries[i];
    return NULL;
}

const struct skep_command_entry *skep_command_find_below(const struct skep_command_entry *entry,
                                                         const char *name)
{
    for (size_t i = 0; i < entry->command->n_subcommands; i++) {
        const struct skep_command_entry *below = &entry->command->subcommands[i];
        if (skep_streq(strchr(below->name, ' ') + 1, name))
            return below;
    }
    return NULL;
}

static void put_subcommands(const struct skep_command *c, struct skep_strbuf *sb)
{
    if (c->n_subcommands)
        skep_strbuf_puts(sb, "\nCommands:\n");
    for (size_t i = 0; i < c->n_subcommands; i++)
        skep_strbuf_printf(sb, "  %-9s%s\n", strchr(c->subcommands[i].name, ' ') + 1,
                           c->subcommands[i].summary);
}

static void put_examples(const struct skep_example *e, struct skep_strbuf *sb)
{
    skep_strbuf_puts(sb, "\nExamples:\n");
    for (; e->line; e++) {
        skep_strbuf_printf(sb, "  %s\n      ", e->line);
        skep_options_wrap(sb, e->what, 6, 6);
    }
}

void skep_command_explain(const struct skep_command_entry *entry, struct skep_strbuf *sb)
{
    const struct skep_command *c = entry->command;
    skep_strbuf_printf(sb, "Usage: skep %s", entry->name);
    skep_strbuf_printf(sb, "%s%s\n\n", entry->synopsis[0] ? " " : "", entry->synopsis);
    skep_options_wrap(sb, c->description, 0, 0);
    put_subcommands(c, sb);
    if (c->groups)
        skep_options_help(c->groups, sb);
    if (c->examples)
        put_examples(c->examples, sb);
    skep_strbuf_puts(sb, "\nExit status:\n");
    for (const struct skep_exit_meaning *m = skep_command_statuses(c); m->meaning; m++) {
        skep_strbuf_printf(sb, "  %d  ", m->status);
        skep_options_wrap(sb, m->meaning, 5, 5);
    }
    if (c->takes_command) {
        skep_strbuf_puts(sb, "  N  ");
        skep_options_wrap(
            sb,
            "all went well with skep, and the command behind -- ended with N; 128 and the number of "
            "the signal that ended it",
            5, 5);
    }
}

void skep_commands_explain(struct skep_strbuf *sb)
{
    skep_strbuf_puts(sb, "Usage: skep COMMAND [OPTIONS]\n"
                         "       skep -- COMMAND ARGS...   run a command and show what it does\n\n");
    skep_options_wrap(sb, skep_commands_about, 0, 0);
    for (int g = 0; g < SKEP_COMMAND_GROUP_MAX; g++) {
        skep_strbuf_printf(sb, "\n%s:\n", group_titles[g]);
        for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
            if ((int)entries[i].group == g)
                skep_strbuf_printf(sb, "  %-9s%s\n", entries[i].name, entries[i].summary);
    }
    skep_strbuf_puts(sb,
                     "\n'skep COMMAND --help' explains a command; 'skep --version' prints the version. With\n"
                     "SKEP_DEBUG=1 in the environment it also says what it tried, and what libbpf says.\n");
}

int skep_print(const struct skep_strbuf *text)
{
    if (text->failed)
        return -ENOMEM;
    if (fwrite(text->s, 1, text->len, stdout) != text->len || fflush(stdout) != 0)
        return skep_log_error(SKEP_EXIT_FAILED, "cannot write to standard output: %s", strerror(errno));
    return SKEP_EXIT_OK;
}

static int usage_error(const struct skep_command_entry *entry, const char *text)
{
    const char *space = entry ? " " : "", *name = entry ? entry->name : "";
    fprintf(stderr, "skep%s%s: %s\nTry 'skep%s%s --help'.\n", space, name, text, space, name);
    return SKEP_EXIT_USAGE;
}

int skep_usage_error(const struct skep_command_entry *entry, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return usage_error(entry, text);
}

int skep_unknown_command(const struct skep_command_entry *entry, const char *name)
{
    const struct skep_command_entry *list = entry ? entry->command->subcommands : entries;
    const char *names[32];
    size_t n = MIN(entry ? entry->command->n_subcommands : ARRAY_SIZE(entries), ARRAY_SIZE(names));
    for (size_t i = 0; i < n; i++)
        names[i] = entry ? strchr(list[i].name, ' ') + 1 : list[i].name;
    const char *near = skep_nearest(name, names, n);
    _cleanup_strbuf_ struct skep_strbuf shown;
    skep_strbuf_init(&shown, TEXT_MAX);
    skep_strbuf_put_visible(&shown, name, strlen(name));
    if (near)
        return skep_usage_error(entry, "unknown command '%s' (did you mean %s?)", shown.s, near);
    return skep_usage_error(entry, "unknown command '%s'", shown.s);
}

static int run_command(const struct skep_command_entry *entry, int argc, char **argv)
{
    const struct skep_command *c = entry->command;
    struct skep_options_spec spec = {
        .groups = c->groups,
        .min_args = c->min_args,
        .max_args = c->max_args,
        .arg_names = entry->synopsis,
        .takes_command = c->takes_command,
    };
    _cleanup_free_ void *options = calloc(1, MAX(c->options_size, (size_t)1));
    if (!options)
        return -ENOMEM;
    if (c->options_size)
        memcpy(options, c->defaults, c->options_size);

    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, TEXT_MAX);
    _cleanup_args_ struct skep_args args = {0};
    int r = skep_options_parse(&spec, argc, argv, options, &args, &text);
    if (r == -EINVAL)
        return usage_error(entry, text.s);
    if (r < 0)
        return r;
    if (args.help) {
        skep_command_explain(entry, &text);
        return skep_print(&text);
    }
    return c->run(entry, &args, options);
}

/* skep vm [COMMAND] ... */
static int run_family(const struct skep_command_entry *entry, int argc, char **argv)
{
    bool help = argc > 1 && (skep_streq(argv[1], "--help") || skep_streq(argv[1], "-h"));
    if (argc < 2 || help) {
        _cleanup_strbuf_ struct skep_strbuf text;
        skep_strbuf_init(&text, TEXT_MAX);
        skep_command_explain(entry, &text);
        if (help)
            return skep_print(&text);
        fputs(text.s, stderr);
        return SKEP_EXIT_USAGE;
    }
    if (argv[1][0] == '-')
        return skep_usage_error(entry, "unknown option %s: options follow the command", argv[1]);
    const struct skep_command_entry *below = skep_command_find_below(entry, argv[1]);
    if (!below)
        return skep_unknown_command(entry, argv[1]);
    return run_command(below, argc - 1, argv + 1);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        _cleanup_strbuf_ struct skep_strbuf text;
        skep_strbuf_init(&text, TEXT_MAX);
        skep_commands_explain(&text);
        fputs(text.s, stderr);
        return SKEP_EXIT_USAGE;
    }
    const char *name = argv[1];
    /* the command's own parser sees the "--" behind its name */
    if (skep_streq(name, "--"))
        return run_command(skep_command_find("run"), argc, argv);
    if (skep_streq(name, "--help") || skep_streq(name, "-h"))
        name = "help";
    else if (skep_streq(name, "--version"))
        name = "version";
    else if (name[0] == '-')
        return skep_usage_error(NULL, "unknown option %s: options follow the command", name);
    const struct skep_command_entry *entry = skep_command_find(name);
    if (!entry)
        return skep_unknown_command(NULL, name);
    if (entry->command->n_subcommands)
        return run_family(entry, argc - 1, argv + 1);
    return run_command(entry, argc - 1, argv + 1);
}

/* Whatever was printed, and by whom: what did not get out is an error. */
static int check_output(int status)
{
    errno = 0; /* a write that failed long ago has no reason any more */
    bool failed = ferror(stdout);
    failed |= fflush(stdout) != 0;
    if (!failed || status != SKEP_EXIT_OK)
        return status;
    return skep_log_error(SKEP_EXIT_FAILED, "cannot write to standard output%s%s", errno ? ": " : "",
                          errno ? strerror(errno) : "");
}

int skep_cli_main(int argc, char **argv)
{
    const char *debug = getenv("SKEP_DEBUG");
    if (debug && *debug && !skep_streq(debug, "0"))
        skep_log_set_level(SKEP_LOG_DEBUG);
    int r = dispatch(argc, argv);
    if (r >= 0)
        return check_output(r);
    return skep_log_error(SKEP_EXIT_FAILED, "%s", strerror(-r));
}
