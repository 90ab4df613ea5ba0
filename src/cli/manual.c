/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/manual.h"

#include "cli/command.h"

#define TABLES_MAX 128

/* The options tables that were described so far, and by which command. */
struct described {
    struct {
        const struct skep_option *options;
        const char *title, *command;
    } rows[TABLES_MAX];
    size_t n;
};

struct item {
    const char *name, *doc;
};

static const struct item files[] = {
    {"/etc/skep/rules.d",
     "Rules of this host, read by 'skep run' when no --rules are given: all files in it that end in "
     ".yaml or .yml, by name."},
    {"/etc/default/skep", "SKEP_OPTIONS: the options of the service that systemd runs, skep.service."},
    {"/sys/kernel/btf/vmlinux", "The types of the running kernel, without which nothing can be observed."},
};

static const struct item variables[] = {
    {"NO_COLOR", "When it is set and not empty, there is no colour unless --color=always asks for it."},
    {"TERM", "'dumb', or none at all: no colour and no status line."},
    {"SKEP_DEBUG", "When it is 1, skep also says what it tried, and what libbpf says."},
    {"NOTIFY_SOCKET", "Where systemd wants to be told that skep is ready, reloads its rules, or stops."},
};

/* Text that roff takes as it is: no character of it is a request, an escape, or turned into a typographic one, so that
 * what stands there can be copied. */
static void put_text(struct skep_strbuf *sb, const char *text)
{
    bool begin = true;
    for (; *text; text++) {
        static const struct {
            char c;
            const char *roff;
        } escapes[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"},
                       {'`', "\\(ga"}, {'^', "\\(ha"}, {'~', "\\(ti"}};
        const char *roff = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(escapes); i++)
            if (escapes[i].c == *text)
                roff = escapes[i].roff;
        if (begin && *text == '.')
            skep_strbuf_puts(sb, "\\&");
        if (roff)
            skep_strbuf_puts(sb, roff);
        else
            skep_strbuf_putc(sb, *text);
        begin = *text == '\n';
    }
}

/* Paragraphs are parted by empty lines; a single line feed is a line break. */
static void put_paragraphs(struct skep_strbuf *sb, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (n) {
            _cleanup_free_ char *line = strndup(text, n);
            if (!line) {
                skep_strbuf_fail(sb);
                return;
            }
            put_text(sb, line);
            skep_strbuf_putc(sb, '\n');
        }
        text += n;
        if (!*text)
            return;
        skep_strbuf_puts(sb, text[1] == '\n' ? ".PP\n" : ".br\n");
        text += strspn(text, "\n");
    }
}

static void put_option(struct skep_strbuf *sb, const struct skep_option *o)
{
    skep_strbuf_puts(sb, ".TP\n");
    if (o->letter)
        skep_strbuf_printf(sb, "\\fB\\-%c\\fR, ", o->letter);
    skep_strbuf_puts(sb, "\\fB\\-\\-");
    put_text(sb, o->name);
    skep_strbuf_puts(sb, "\\fR");
    if (o->arg) {
        skep_strbuf_puts(sb, " \\fI");
        put_text(sb, o->arg);
        skep_strbuf_puts(sb, "\\fR");
    }
    skep_strbuf_putc(sb, '\n');
    put_text(sb, o->help);
    skep_strbuf_puts(sb, ".\n");
}

static void put_options(struct skep_strbuf *sb, struct described *d, const struct skep_command_entry *e)
{
    for (const struct skep_option_group *g = e->command->groups; g && g->title; g++) {
        const char *same = NULL;
        skep_strbuf_puts(sb, ".PP\n\\fI");
        put_text(sb, g->title);
        skep_strbuf_puts(sb, "\\fR:");
        for (size_t i = 0; i < d->n && !same; i++)
            if (d->rows[i].options == g->options && skep_streq(d->rows[i].title, g->title))
                same = d->rows[i].command;
        if (same) {
            skep_strbuf_printf(sb, " those of \\fBskep %s\\fR.\n", same);
            continue;
        }
        skep_strbuf_putc(sb, '\n');
        if (d->n < TABLES_MAX) {
            d->rows[d->n].options = g->options;
            d->rows[d->n].title = g->title;
            d->rows[d->n++].command = e->name;
        }
        for (const struct skep_option *o = g->options; o->name; o++)
            put_option(sb, o);
    }
}

static void put_statuses(struct skep_strbuf *sb, const struct skep_exit_meaning *m)
{
    for (; m->meaning; m++) {
        skep_strbuf_printf(sb, ".TP\n%d\n", m->status);
        put_text(sb, m->meaning);
        skep_strbuf_puts(sb, ".\n");
    }
}

static void put_command(struct skep_strbuf *sb, struct described *d, const struct skep_command_entry *e)
{
    const struct skep_command *c = e->command;
    skep_strbuf_printf(sb, ".SS \"skep %s%s", e->name, e->synopsis[0] ? " " : "");
    put_text(sb, e->synopsis);
    skep_strbuf_puts(sb, "\"\n");
    put_paragraphs(sb, c->description);
    put_options(sb, d, e);
    if (c->examples)
        skep_strbuf_puts(sb, ".PP\n\\fIExamples\\fR:\n");
    for (const struct skep_example *x = c->examples; x && x->line; x++) {
        skep_strbuf_puts(sb, ".TP\n\\fB");
        put_text(sb, x->line);
        skep_strbuf_puts(sb, "\\fR\n");
        put_text(sb, x->what);
        skep_strbuf_puts(sb, ".\n");
    }
    if (c->statuses) {
        skep_strbuf_puts(sb, ".PP\n\\fIExit status\\fR:\n");
        put_statuses(sb, c->statuses);
    }
}

static void put_items(struct skep_strbuf *sb, const char *title, const struct item *items, size_t n)
{
    skep_strbuf_printf(sb, ".SH %s\n", title);
    for (size_t i = 0; i < n; i++) {
        skep_strbuf_puts(sb, ".TP\n\\fB");
        put_text(sb, items[i].name);
        skep_strbuf_puts(sb, "\\fR\n");
        put_text(sb, items[i].doc);
        skep_strbuf_putc(sb, '\n');
    }
}

static void put_groups(struct skep_strbuf *sb)
{
    struct described d = {.n = 0};
    size_t n;
    const struct skep_command_entry *entries = skep_commands(&n);
    for (int g = 0; g < SKEP_COMMAND_GROUP_MAX; g++) {
        skep_strbuf_printf(sb, ".SH \"%s\"\n", skep_command_group_title(g));
        for (size_t i = 0; i < n; i++) {
            const struct skep_command_entry *e = &entries[i];
            if ((int)e->group != g)
                continue;
            put_command(sb, &d, e);
            for (size_t k = 0; k < e->command->n_subcommands; k++)
                put_command(sb, &d, &e->command->subcommands[k]);
        }
    }
}

void skep_manual_put(struct skep_strbuf *sb)
{
    skep_strbuf_puts(
        sb, ".\\\" Made by 'skep docs manual' from the program's own tables.\n"
            ".TH SKEP 8 \"\" \"skep " SKEP_VERSION "\" \"System administration\"\n"
            ".nh\n.ad l\n"
            ".SH NAME\nskep \\- see what a Linux host does, and be told of attacks\n"
            ".SH SYNOPSIS\n.B skep\n.I COMMAND\n.RI [ OPTIONS ]\n.br\n.B skep \\-\\-\n.I COMMAND ARGS...\n"
            ".SH DESCRIPTION\n");
    put_text(sb, skep_commands_about);
    skep_strbuf_puts(
        sb, "\n.PP\nEvery command explains itself: \\fBskep\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR.\n");
    put_groups(sb);
    skep_strbuf_puts(sb, ".SH \"EXIT STATUS\"\n");
    put_statuses(sb, skep_command_statuses(NULL));
    skep_strbuf_puts(
        sb,
        ".PP\nWith a command behind \\fB\\-\\-\\fR it is the command\\(aqs own; 128 and the number of the "
        "signal that ended it.\n");
    put_items(sb, "FILES", files, ARRAY_SIZE(files));
    put_items(sb, "ENVIRONMENT", variables, ARRAY_SIZE(variables));
    skep_strbuf_puts(sb, ".SH \"SEE ALSO\"\n.BR bpf (2),\n.BR systemd.service (5)\n");
}
