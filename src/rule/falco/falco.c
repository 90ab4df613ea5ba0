/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/falco/falco.h"

#include "rule/compile/compile.h"
#include "rule/falco/load.h"

#define ARENA_MAX ((size_t)2 << 30)
/* Values of all checks together, where those of a list count for each check that has it: bounds what it takes to look
 * at all of them. */
#define VALUES_MAX (32u << 20)

static void falco_clear(struct skep_falco *f)
{
    skep_textmap_clear(&f->lists.by_name);
    skep_textmap_clear(&f->macros.by_name);
    skep_textmap_clear(&f->rule_names);
    skep_textmap_clear(&f->fields);
    skep_arena_free(f->arena);
}

static int falco_init(struct skep_falco *f, struct skep_diags *diags, const struct skep_falco_options *o)
{
    *f = (struct skep_falco){.diags = diags,
                             .options = o,
                             .elements_left = SKEP_FALCO_ITEMS_MAX,
                             .literals_left = SKEP_FALCO_ITEMS_MAX,
                             .values_left = VALUES_MAX};
    int r = skep_arena_new(ARENA_MAX, &f->arena);
    if (r >= 0)
        skep_falco_names_init(f);
    return r;
}

static int read_input(struct skep_falco *f, const struct skep_falco_input *in)
{
    struct skep_rule_file *file = skep_arena_alloc(f->arena, sizeof(*file));
    if (!file)
        return -ENOMEM;
    file->name = skep_arena_text(f->arena, in->name, strlen(in->name));
    if (in->len > SKEP_FALCO_FILE_MAX) {
        struct skep_rule_source source = {.file = file, .text = ""};
        file->text = "";
        skep_rule_complain(f->diags, true, &(struct skep_rule_place){.source = &source}, "LOAD_ERR_FILE_READ",
                           "the file is larger than %u MiB", SKEP_FALCO_FILE_MAX >> 20);
        f->incomplete = true;
        return -EINVAL;
    }
    file->text = skep_arena_text(f->arena, in->text, in->len);
    file->len = in->len;
    if (skep_arena_failed(f->arena))
        return -ENOMEM;
    int r = skep_falco_collect(f, file);
    return r < 0 && skep_arena_failed(f->arena) ? -ENOMEM : r;
}

int skep_falco_load(const struct skep_falco_input *files, size_t n, const struct skep_falco_options *o,
                    struct skep_diags *diags, struct skep_policy **ret)
{
    SKEP_CLEANUP(falco_clear) struct skep_falco f = {0};
    struct skep_policy *p;
    size_t n_errors = diags->n_errors;
    int r = falco_init(&f, diags, o);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++)
        if (read_input(&f, &files[i]) == -ENOMEM)
            return -ENOMEM;
    r = skep_falco_build(&f, n, &p);
    if (r == -ENOMEM)
        return r;
    if (r >= 0 && diags->n_errors > n_errors)
        r = skep_rules_check(p, diags) == -ENOMEM ? -ENOMEM : -EINVAL; /* what else is wrong */
    if (r < 0)
        return r;
    f.arena = NULL;
    *ret = p;
    return 0;
}

/* One of the conditions; its source in ret_source. */
static int add_condition(struct skep_falco *f, const struct skep_falco_input *in, struct skep_parsed_row *all,
                         const struct skep_rule_source **ret_source)
{
    struct skep_rule_file *file = skep_arena_alloc(f->arena, sizeof(*file));
    struct skep_rule_source *source = skep_arena_alloc(f->arena, sizeof(*source));
    struct skep_parsed parsed;
    if (in->len > SKEP_FALCO_FILE_MAX) {
        skep_rule_complain(f->diags, true, NULL, SKEP_FALCO_CONDITION, "the condition is too long");
        return -EINVAL;
    }
    if (!file || !source)
        return -ENOMEM;
    *file = (struct skep_rule_file){.name = skep_arena_text(f->arena, in->name, strlen(in->name)),
                                    .text = skep_arena_text(f->arena, in->text, in->len),
                                    .len = in->len};
    if (skep_arena_failed(f->arena))
        return -ENOMEM;
    *source = (struct skep_rule_source){.file = file, .text = file->text, .len = in->len};
    struct skep_rule_piece piece = {.source = source};
    struct skep_rule_text t = {.s = file->text, .n = in->len, .pieces = &piece, .n_pieces = 1};
    int r = skep_parse_condition(&f->parse, &t, &parsed);
    if (r < 0)
        return r;
    skep_falco_report(f, &parsed, NULL);
    *ret_source = source;
    return skep_parsed_row_add(all, &parsed);
}

/* The rule that they make together. */
static int make_policy(struct skep_falco *f, const struct skep_parsed_row *all,
                       const struct skep_rule_source *source, struct skep_policy **ret)
{
    struct skep_rule_place place = {.source = source, .len = (uint32_t)source->len};
    struct skep_parsed whole;
    int r = skep_parse_make_group(&f->parse, SKEP_EXPR_AND, all->v, all->n, &place, &whole);
    if (r < 0)
        return r;
    struct skep_rule *rule = skep_arena_alloc(f->arena, sizeof(*rule));
    struct skep_policy *p = skep_arena_alloc(f->arena, sizeof(*p));
    const char **tags = skep_arena_alloc(f->arena, 0);
    if (!rule || !p || !tags)
        return -ENOMEM;
    *rule = (struct skep_rule){.name = source->file->name,
                               .desc = "",
                               .source = "syscall",
                               .priority = SKEP_PRIORITY_DEBUG,
                               .tags = tags,
                               .condition = whole.e,
                               .condition_text = source->file->text,
                               .output = "",
                               .condition_place = place};
    *p = (struct skep_policy){.rules = rule, .n_rules = 1, .arena = f->arena};
    *ret = p;
    return 0;
}

int skep_falco_conditions(const struct skep_falco_input *in, size_t n, struct skep_columns *columns,
                          struct skep_diags *diags, struct skep_policy **ret)
{
    SKEP_CLEANUP(falco_clear) struct skep_falco f = {0};
    _cleanup_parsed_row_ struct skep_parsed_row all = {0};
    const struct skep_rule_source *source = NULL;
    size_t n_errors = diags->n_errors;
    int r = falco_init(&f, diags, NULL);
    f.parse.names = NULL;
    f.parse.columns = columns;
    for (size_t i = 0; r >= 0 && i < n; i++) {
        r = add_condition(&f, &in[i], &all, &source);
        if (r == -EINVAL && i + 1 < n)
            r = 0; /* what is wrong with the others is said as well */
    }
    if (r >= 0 && diags->n_errors > n_errors)
        r = -EINVAL;
    if (r >= 0)
        r = make_policy(&f, &all, source, ret);
    if (r < 0)
        return r;
    f.arena = NULL;
    return 0;
}

int skep_falco_condition(const char *text, size_t len, struct skep_diags *diags, struct skep_policy **ret)
{
    struct skep_falco_input in = {diags->file ? diags->file : "condition", text, len};
    return skep_falco_conditions(&in, 1, NULL, diags, ret);
}
