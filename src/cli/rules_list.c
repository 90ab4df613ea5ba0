/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/load.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/rules_options.h"
#include "rule/evtset.h"

#define TEXT_MAX (256U << 20)
#define NAME_WIDTH_MAX 60

struct list_options {
    bool json, details;
    const char *tag;
    enum skep_priority priority;
};

#define TO(member) offsetof(struct list_options, member)

static const struct skep_option choice[] = {
    {"tag", 't', "TAG", SKEP_OPTION_STRING, TO(tag), .help = "only rules with this tag"},
    {"priority", 'p', "PRIORITY", SKEP_OPTION_CHOICE, TO(priority), .choices = skep_priority_choices,
     .help = "only rules of this priority and above"},
    {0},
};

static const struct skep_option output[] = {
    {"long", 'L', NULL, SKEP_OPTION_FLAG, TO(details), .help = "also what each rule is about"},
    {"json", 'j', NULL, SKEP_OPTION_FLAG, TO(json), .help = "one JSON document"},
    {0},
};

static const struct skep_option_group groups[] = {{"Which rules", choice}, {"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep rules list falco_rules.yaml", "the rules of a file, one on each line"},
    {"skep rules list -L --priority critical", "the gravest of this host's, with what they are about"},
    {0},
};

static bool is_wanted(const struct list_options *o, const struct skep_rule *rule)
{
    bool tagged = !o->tag;
    for (size_t i = 0; i < rule->n_tags && !tagged; i++)
        tagged = skep_streq(rule->tags[i], o->tag);
    return tagged && rule->priority <= o->priority;
}

/* The types of event that a rule is about, NULL at the end: their names; *ret_all: it is every one of them. */
static size_t types_of(const struct skep_rule *rule, const char *names[SKEP_EVTTYPE_MAX], bool *ret_all)
{
    bool set[SKEP_EVTTYPE_MAX] = {false};
    if (rule->condition)
        skep_rule_evttypes(rule->condition, set, NULL);
    return skep_evttype_names(set, names, ret_all);
}

static void put_json(const struct list_options *o, const struct skep_policy *p, struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '[');
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct skep_rule *rule = &p->rules[i];
        const char *names[SKEP_EVTTYPE_MAX];
        bool all;
        if (!is_wanted(o, rule))
            continue;
        skep_json_open(&j, NULL, '{');
        skep_json_strz(&j, "name", rule->name);
        skep_json_strz(&j, "priority", skep_priority_name(rule->priority));
        skep_json_strz(&j, "state", skep_rule_state_name(rule->state));
        skep_json_strz(&j, "source", rule->source);
        skep_json_open(&j, "tags", '[');
        for (size_t k = 0; k < rule->n_tags; k++)
            skep_json_strz(&j, NULL, rule->tags[k]);
        skep_json_close(&j, ']');
        skep_json_open(&j, "evttypes", '[');
        size_t n = types_of(rule, names, &all);
        for (size_t k = 0; k < n; k++)
            skep_json_strz(&j, NULL, names[k]);
        skep_json_close(&j, ']');
        if (o->details) {
            skep_json_strz(&j, "desc", rule->desc);
            skep_json_strz(&j, "condition", rule->condition_text);
            skep_json_strz(&j, "output", rule->output);
        }
        skep_json_close(&j, '}');
    }
    skep_json_close(&j, ']');
    skep_strbuf_putc(sb, '\n');
}

/* Columns of what is visible of a text: its characters. */
static size_t columns_of(const char *visible, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)visible[i] & 0xc0) != 0x80;
    return n;
}

static size_t width_of_names(const struct list_options *o, const struct skep_policy *p)
{
    _cleanup_strbuf_ struct skep_strbuf name;
    size_t width = 4;
    skep_strbuf_init(&name, TEXT_MAX);
    for (size_t i = 0; i < p->n_rules; i++) {
        if (!is_wanted(o, &p->rules[i]))
            continue;
        skep_strbuf_reset(&name);
        skep_strbuf_put_visible(&name, p->rules[i].name, strlen(p->rules[i].name));
        width = MAX(width, columns_of(name.s, name.len));
    }
    return MIN(width, (size_t)NAME_WIDTH_MAX);
}

static void put_types(const struct skep_rule *rule, struct skep_strbuf *sb)
{
    const char *names[SKEP_EVTTYPE_MAX];
    bool all;
    size_t n = types_of(rule, names, &all);
    for (size_t i = 0; i < n && !all; i++)
        skep_strbuf_printf(sb, "%s%s", i ? "," : "", names[i]);
    if (all || !n)
        skep_strbuf_puts(sb, all ? "all" : "-");
}

static void put_padded(struct skep_strbuf *sb, const char *s, size_t width)
{
    size_t from = sb->len;
    skep_strbuf_put_visible(sb, s, strlen(s));
    for (size_t n = columns_of(sb->s + from, sb->len - from); n < width + 2; n++)
        skep_strbuf_putc(sb, ' ');
}

static void put_details(const struct skep_rule *rule, struct skep_strbuf *sb)
{
    _cleanup_strbuf_ struct skep_strbuf desc;
    skep_strbuf_init(&desc, TEXT_MAX);
    size_t n = strlen(rule->desc);
    while (n && strchr(" \t\r\n", rule->desc[n - 1]))
        n--;
    skep_strbuf_put_visible(&desc, rule->desc, n);
    skep_strbuf_puts(sb, "    ");
    skep_options_wrap(sb, desc.s, 4, 4);
    if (rule->n_tags)
        skep_strbuf_puts(sb, "    tags: ");
    for (size_t i = 0; i < rule->n_tags; i++) {
        skep_strbuf_puts(sb, i ? ", " : "");
        skep_strbuf_put_visible(sb, rule->tags[i], strlen(rule->tags[i]));
    }
    skep_strbuf_puts(sb, rule->n_tags ? "\n\n" : "\n");
}

static void put_text(const struct list_options *o, const struct skep_policy *p, struct skep_strbuf *sb)
{
    size_t width = width_of_names(o, p);
    put_padded(sb, "NAME", width);
    put_padded(sb, "PRIORITY", 13);
    put_padded(sb, "STATE", 12);
    skep_strbuf_puts(sb, "EVENTS\n");
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct skep_rule *rule = &p->rules[i];
        if (!is_wanted(o, rule))
            continue;
        put_padded(sb, rule->name, width);
        put_padded(sb, skep_priority_name(rule->priority), 13);
        put_padded(sb, skep_rule_state_name(rule->state), 12);
        put_types(rule, sb);
        skep_strbuf_putc(sb, '\n');
        if (o->details)
            put_details(rule, sb);
    }
}

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct list_options *o = options;
    struct skep_ruleset_options load = {
        .paths = (const char *const *)args->args, .n_paths = args->n, .min_priority = SKEP_PRIORITY_DEBUG};
    _cleanup_ruleset_ struct skep_ruleset *rs = NULL;
    (void)self;
    int r = skep_rules_load(&load, &rs);
    if (r < 0)
        return r == -ENOMEM ? r : SKEP_EXIT_FAILED;
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, TEXT_MAX);
    if (o->json)
        put_json(o, rs->policy, &text);
    else
        put_text(o, rs->policy, &text);
    return skep_print(&text);
}

static const struct list_options defaults = {.priority = SKEP_PRIORITY_DEBUG};

const struct skep_command skep_command_rules_list = {
    .description =
        "Prints the rules that files make together, in their order: name, priority, state, and the types of "
        "event that each is tried for. Without files those of /etc/skep/rules.d, else the built-in ones.\n"
        "A rule is enabled, disabled, of another source than system calls, or skipped because it asks to be when "
        "a field is not known.",
    .groups = groups,
    .examples = examples,
    .max_args = SIZE_MAX,
    .options_size = sizeof(struct list_options),
    .defaults = &defaults,
    .run = run,
};
