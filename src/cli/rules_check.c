/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/ruleset.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "rule/falco/files.h"

#define TEXT_MAX (64U << 20)
#define DIAGS_MAX 1000

struct check_options {
    bool json, strict;
};

#define TO(member) offsetof(struct check_options, member)

static const struct skep_option checks[] = {
    {"strict", 0, NULL, SKEP_OPTION_FLAG, TO(strict), .help = "take warnings for errors"},
    {0},
};

static const struct skep_option output[] = {
    {"json", 'j', NULL, SKEP_OPTION_FLAG, TO(json), .help = "one JSON document, with a result for each file"},
    {0},
};

static const struct skep_option_group groups[] = {{"Checks", checks}, {"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep rules check falco_rules.yaml local.yaml", "two files, of which the second changes the first"},
    {"skep rules check --strict rules.d", "all rule files of a directory; also warnings make it fail"},
    {0},
};

static const struct skep_exit_meaning statuses[] = {
    {SKEP_EXIT_OK, "the rules can be used; there may be warnings"},
    {SKEP_EXIT_FAILED, "there are errors, or with --strict warnings"},
    {SKEP_EXIT_USAGE, "the command was used wrongly"},
    {0},
};

struct place {
    const char *type, *name, *file;
    unsigned line, column;
    size_t offset;
};

static void put_place(const struct place *p, unsigned length, struct skep_json *j)
{
    skep_json_open(j, NULL, '{');
    skep_json_strz(j, "item_type", p->type);
    skep_json_strz(j, "item_name", p->name);
    skep_json_open(j, "position", '{');
    skep_json_strz(j, "name", p->file);
    skep_json_u64(j, "line", p->line);
    skep_json_u64(j, "column", p->column);
    skep_json_u64(j, "offset", p->offset);
    if (length)
        skep_json_u64(j, "length", length);
    skep_json_close(j, '}');
    skep_json_close(j, '}');
}

static void put_diag(const struct skep_diag *d, struct skep_json *j)
{
    const char *doc = skep_falco_code_doc(d->code);
    struct place item = {d->item_type, d->item_name, d->file, d->item_line, d->item_column, d->item_offset};
    struct place place = {"place", "", d->file, d->line, d->column, d->offset};
    skep_json_open(j, NULL, '{');
    skep_json_strz(j, "code", d->code);
    skep_json_strz(j, "codedesc", doc);
    skep_json_strz(j, "message", d->message ? d->message : "out of memory");
    skep_json_strz(j, "hint", d->hint);
    skep_json_open(j, "context", '{');
    skep_json_open(j, "locations", '[');
    if (d->item_type)
        put_place(&item, 0, j);
    if (d->line)
        put_place(&place, d->length, j);
    skep_json_close(j, ']');
    skep_json_strz(j, "snippet", d->text ? d->text : "");
    skep_json_close(j, '}');
    skep_json_close(j, '}');
}

/* Those about a file (NULL: about none). */
static void put_diags(const struct skep_diags *d, const char *file, bool warnings, struct skep_json *j)
{
    skep_json_open(j, warnings ? "warnings" : "errors", '[');
    for (size_t i = 0; i < d->n; i++) {
        const char *of = d->list[i].file;
        if (d->list[i].warning == warnings && (file && of ? skep_streq(of, file) : of == file))
            put_diag(&d->list[i], j);
    }
    skep_json_close(j, ']');
}

static bool has_errors(const struct skep_diags *d, const char *file)
{
    for (size_t i = 0; i < d->n; i++)
        if (!d->list[i].warning && d->list[i].file && skep_streq(d->list[i].file, file))
            return true;
    return false;
}

static void put_result(const struct skep_diags *d, const char *file, struct skep_json *j)
{
    skep_json_open(j, NULL, '{');
    skep_json_strz(j, "name", file);
    skep_json_bool(j, "successful", !has_errors(d, file));
    put_diags(d, file, false, j);
    put_diags(d, file, true, j);
    skep_json_close(j, '}');
}

static bool is_input(const struct skep_falco_files *files, const char *name)
{
    for (size_t i = 0; i < files->n; i++)
        if (skep_streq(files->list[i].name, name))
            return true;
    return false;
}

/* A result for each file that was read, and for each that could not be. */
static void put_json(const struct skep_diags *d, const struct skep_falco_files *files,
                     const struct skep_policy *p, struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    skep_json_open(&j, "falco_load_results", '[');
    for (size_t i = 0; i < d->n; i++)
        if (d->list[i].file && !is_input(files, d->list[i].file))
            put_result(d, d->list[i].file, &j);
    for (size_t i = 0; i < files->n; i++)
        put_result(d, files->list[i].name, &j);
    skep_json_close(&j, ']');
    skep_json_bool(&j, "successful", p != NULL);
    skep_json_u64(&j, "rules", p ? p->n_rules : 0);
    skep_json_u64(&j, "more", d->more);
    skep_json_close(&j, '}');
    skep_strbuf_putc(sb, '\n');
}

/* The end of a noun that n is said of. */
static const char *s(size_t n)
{
    return n == 1 ? "" : "s";
}

static void put_text(const struct skep_diags *d, const struct skep_policy *p, struct skep_strbuf *sb)
{
    size_t n_warnings = d->n + d->more - MIN(d->n_errors, d->n + d->more);
    skep_diags_put_text(d, NULL, sb);
    if (p)
        skep_strbuf_printf(sb, "%zu rule%s, %zu macro%s, %zu list%s in %zu file%s; %zu warning%s\n",
                           p->n_rules, s(p->n_rules), p->n_macros, s(p->n_macros), p->n_lists, s(p->n_lists),
                           p->n_files, s(p->n_files), n_warnings, s(n_warnings));
    else
        skep_strbuf_printf(sb, "%zu error%s, %zu warning%s\n", d->n_errors, s(d->n_errors), n_warnings,
                           s(n_warnings));
}

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct check_options *o = options;
    (void)self;
    _cleanup_diags_ struct skep_diags d;
    _cleanup_falco_files_ struct skep_falco_files files = {0};
    _cleanup_ruleset_ struct skep_ruleset *rs = NULL;
    struct skep_policy *p = NULL;
    skep_diags_init(&d, NULL);
    d.max = DIAGS_MAX;
    d.codes = true;
    int r = skep_falco_files_read((const char *const *)args->args, args->n, NULL, &d, &files);
    if (r == -ENOMEM)
        return r;
    struct skep_falco_options all = {.min_priority = SKEP_PRIORITY_DEBUG};
    int r_load = skep_falco_load(files.list, files.n, &all, &d, &p);
    if (r_load == -ENOMEM)
        return r_load;
    if (r < 0)
        p = skep_policy_free(p);
    /* compiled as for a run */
    struct skep_ruleset_options ro = {.min_priority = SKEP_PRIORITY_DEBUG};
    if (p && skep_ruleset_make(&ro, p, &d, &rs) == -ENOMEM)
        return -ENOMEM;
    p = rs ? rs->policy : NULL;
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, TEXT_MAX);
    if (o->json)
        put_json(&d, &files, p, &text);
    else
        put_text(&d, p, &text);
    r = skep_print(&text);
    return r == SKEP_EXIT_OK && (!p || (o->strict && d.n + d.more)) ? SKEP_EXIT_FAILED : r;
}

static const struct check_options defaults;

const struct skep_command skep_command_rules_check = {
    .description =
        "Reads files of rules as `skep run` does and prints what is wrong: file, line and column, the line "
        "itself, and what may have been meant. Errors and warnings have the codes that Falco gives them.",
    .groups = groups,
    .examples = examples,
    .statuses = statuses,
    .min_args = 1,
    .max_args = SKEP_FALCO_FILES_MAX,
    .options_size = sizeof(struct check_options),
    .defaults = &defaults,
    .run = run,
};
