/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/load.h"
#include "base/log.h"
#include "base/spell.h"
#include "cli/command.h"
#include "cli/rules_options.h"
#include "isa/disasm.h"

#define TEXT_MAX (256u << 20)

struct explain_options {
    struct skep_rules_options rules;
    const char *rule;
    bool selection;
    bool code;
    bool json;
};

static const struct skep_option rules[] = {
    SKEP_RULES_OPTIONS(struct explain_options, rules),
    {0},
};

static const struct skep_option shown[] = {
    {"rule", 0, "NAME", SKEP_OPTION_STRING, offsetof(struct explain_options, rule), .help = "only this rule"},
    {"selection", 0, NULL, SKEP_OPTION_FLAG, offsetof(struct explain_options, selection),
     .help = "only what has to be observed for all rules together"},
    {"asm", 0, NULL, SKEP_OPTION_FLAG, offsetof(struct explain_options, code),
     .help =
         "the programs as well: the filter in the kernel and the exact one in user space, by kind of event"},
    {"json", 'j', NULL, SKEP_OPTION_FLAG, offsetof(struct explain_options, json),
     .help = "one JSON document"},
    {0},
};

static const struct skep_option_group groups[] = {{"Rules", rules}, {"Output", shown}, {0}};

static const struct skep_example examples[] = {
    {"skep rules explain rules.yaml --rule 'Shell in container'", "how one rule is decided"},
    {"skep rules explain rules.yaml --selection", "which system calls are watched for these rules"},
    {0},
};

/* ---- what is observed ---- */

static void put_types(const bool types[SKEP_EVTTYPE_MAX], struct skep_strbuf *sb)
{
    const char *names[SKEP_EVTTYPE_MAX];
    bool all;
    size_t n = skep_evttype_names(types, names, &all);
    if (all) {
        skep_strbuf_puts(sb, "every type of event");
        return;
    }
    for (size_t i = 0; i < n; i++)
        skep_strbuf_printf(sb, "%s%s", i ? ", " : "", names[i]);
    if (!n)
        skep_strbuf_puts(sb, "none");
}

static void put_types_json(const bool types[SKEP_EVTTYPE_MAX], struct skep_json *j, const char *name)
{
    const char *names[SKEP_EVTTYPE_MAX];
    bool all;
    size_t n = skep_evttype_names(types, names, &all);
    skep_json_open(j, name, '[');
    for (size_t i = 0; i < n; i++)
        skep_json_strz(j, NULL, names[i]);
    skep_json_close(j, ']');
}

/* ---- rules ---- */

static const char *const states[] = {
    [SKEP_RULE_ENABLED] = "on",
    [SKEP_RULE_DISABLED] = "off",
    [SKEP_RULE_OTHER_SOURCE] = "off: of another source",
    [SKEP_RULE_SKIPPED] = "off: a field is unknown",
    [SKEP_RULE_BELOW] = "off: below the minimum priority",
};

static void put_note(const struct skep_atom_note *note, struct skep_strbuf *sb)
{
    skep_strbuf_puts(sb, note->where == SKEP_ATOM_KERNEL ? "    kernel  " : "    user    ");
    skep_strbuf_put_visible(sb, note->text, strlen(note->text));
    if (note->reason)
        skep_strbuf_printf(sb, "  (%s)", note->reason);
    skep_strbuf_putc(sb, '\n');
}

/* The name of a kind, by any type of event that it has. */
static const char *kind_name(uint16_t kind)
{
    static const char *const names[SKEP_KIND_MAX] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) [number] = #name,
#include "abi/events.def"
#undef SKEP_EVENT
    };
    return kind < SKEP_KIND_MAX && names[kind] ? names[kind] : "?";
}

static void put_rule(const struct skep_compiled *c, uint32_t rule, struct skep_strbuf *sb)
{
    const struct skep_rule *r = &c->policy->rules[rule];
    skep_strbuf_put_visible(sb, r->name, strlen(r->name));
    skep_strbuf_printf(sb, " (%s, %s)\n", skep_priority_name(r->priority), states[r->state]);
    if (r->state != SKEP_RULE_ENABLED)
        return;
    skep_strbuf_puts(sb, "  needs ");
    put_types(c->rule_types[rule], sb);
    skep_strbuf_putc(sb, '\n');
    uint16_t kind = 0;
    for (size_t i = 0; i < c->n_notes; i++) {
        if (c->notes[i].rule != rule)
            continue;
        if (c->notes[i].kind != kind) {
            kind = c->notes[i].kind;
            skep_strbuf_printf(sb, "  %s\n", kind_name(kind));
        }
        put_note(&c->notes[i], sb);
    }
}

static void put_rule_json(const struct skep_compiled *c, uint32_t rule, struct skep_json *j)
{
    const struct skep_rule *r = &c->policy->rules[rule];
    skep_json_open(j, NULL, '{');
    skep_json_strz(j, "rule", r->name);
    skep_json_strz(j, "priority", skep_priority_name(r->priority));
    skep_json_bool(j, "enabled", r->state == SKEP_RULE_ENABLED);
    if (r->state == SKEP_RULE_ENABLED)
        put_types_json(c->rule_types[rule], j, "types");
    skep_json_open(j, "atoms", '[');
    for (size_t i = 0; i < c->n_notes; i++) {
        if (c->notes[i].rule != rule)
            continue;
        skep_json_open(j, NULL, '{');
        skep_json_strz(j, "kind", kind_name(c->notes[i].kind));
        skep_json_strz(j, "where", c->notes[i].where == SKEP_ATOM_KERNEL ? "kernel" : "user");
        skep_json_strz(j, "atom", c->notes[i].text);
        skep_json_strz(j, "reason", c->notes[i].reason);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
    skep_json_close(j, '}');
}

/* ---- programs ---- */

struct naming {
    const struct skep_compiled *c;
    const struct skep_rule_program *p;
};

static const char *comment(void *data, size_t i, enum skep_opcode op, const struct skep_insn *slots)
{
    const struct naming *n = data;
    (void)i;
    if (op == SKEP_OP_CALL_HELPER && slots->imm == SKEP_RULE_HELPER_FETCH)
        return "fetch a fact";
    if (op == SKEP_OP_CALL_HELPER && slots->imm == SKEP_RULE_HELPER_MATCH)
        return "ask a matcher";
    if (op == SKEP_OP_CALL_HELPER && slots->imm == SKEP_RULE_HELPER_FIND)
        return "find rules by what they demand";
    if (op == SKEP_OP_CALL_HELPER && slots->imm == SKEP_RULE_HELPER_NEXT)
        return "the next of them";
    if (slots->code == 0x18 && slots->regs >> 4 == 5 && (uint32_t)slots->imm < n->p->n_maps)
        return n->c->maps[n->p->maps[slots->imm]].name;
    return NULL;
}

static void put_program(const struct skep_compiled *c, const struct skep_rule_program *p, const char *what,
                        uint16_t kind, struct skep_strbuf *sb)
{
    struct naming names = {c, p};
    struct skep_disasm_options o = {
        .syntax = SKEP_SYNTAX_C, .labels = true, .comment = comment, .data = &names};
    if (!p->insns)
        return;
    skep_strbuf_printf(sb, "\n# %s, %s: %zu instructions\n", kind_name(kind), what, p->n_insns);
    skep_disasm(p->insns, p->n_insns, &o, sb);
}

static void put_programs(const struct skep_compiled *c, struct skep_strbuf *sb)
{
    for (uint16_t kind = 0; kind < SKEP_KIND_MAX; kind++) {
        put_program(c, &c->filter[kind], "filter in the kernel", kind, sb);
        put_program(c, &c->exact[kind], "exact program in user space", kind, sb);
    }
}

static void put_program_json(const struct skep_rule_program *p, const char *what, uint16_t kind,
                             struct skep_json *j)
{
    if (!p->insns)
        return;
    _cleanup_strbuf_ struct skep_strbuf text;
    struct skep_disasm_options o = {.syntax = SKEP_SYNTAX_C, .labels = true};
    skep_strbuf_init(&text, TEXT_MAX);
    skep_disasm(p->insns, p->n_insns, &o, &text);
    skep_json_open(j, NULL, '{');
    skep_json_strz(j, "kind", kind_name(kind));
    skep_json_strz(j, "program", what);
    skep_json_u64(j, "instructions", p->n_insns);
    skep_json_str(j, "asm", text.s, text.len);
    skep_json_close(j, '}');
}

/* ---- the command ---- */

static bool wanted(const struct explain_options *o, const struct skep_rule *r)
{
    return !o->rule || skep_streq(o->rule, r->name);
}

static void put_json(const struct explain_options *o, const struct skep_compiled *c, struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    put_types_json(c->wanted, &j, "selection");
    if (!o->selection) {
        skep_json_open(&j, "rules", '[');
        for (uint32_t i = 0; i < c->policy->n_rules; i++)
            if (wanted(o, &c->policy->rules[i]))
                put_rule_json(c, i, &j);
        skep_json_close(&j, ']');
    }
    if (o->code) {
        skep_json_open(&j, "programs", '[');
        for (uint16_t kind = 0; kind < SKEP_KIND_MAX; kind++) {
            put_program_json(&c->filter[kind], "filter", kind, &j);
            put_program_json(&c->exact[kind], "exact", kind, &j);
        }
        skep_json_close(&j, ']');
    }
    skep_json_close(&j, '}');
    skep_strbuf_putc(sb, '\n');
}

static void put_text(const struct explain_options *o, const struct skep_compiled *c, struct skep_strbuf *sb)
{
    for (uint32_t i = 0; !o->selection && i < c->policy->n_rules; i++)
        if (wanted(o, &c->policy->rules[i]))
            put_rule(c, i, sb);
    if (o->selection) {
        put_types(c->wanted, sb);
        skep_strbuf_putc(sb, '\n');
    }
    if (o->code)
        put_programs(c, sb);
}

/* The number of the rule that was asked for; 0: all. */
static int find_rule(const struct explain_options *o, const struct skep_ruleset *rs, uint32_t *ret)
{
    struct skep_spell sp;
    *ret = 0;
    if (!o->rule)
        return 0;
    skep_spell_init(&sp, o->rule, strlen(o->rule));
    for (uint32_t i = 0; i < rs->policy->n_rules; i++) {
        skep_spell_offer(&sp, rs->policy->rules[i].name);
        if (wanted(o, &rs->policy->rules[i])) {
            *ret = i + 1;
            return 0;
        }
    }
    skep_log(SKEP_LOG_ERROR, "there is no rule '%s'%s%s%s", o->rule, sp.best ? " (did you mean '" : "",
             sp.best ? sp.best : "", sp.best ? "'?)" : ": 'skep rules list' shows them");
    return -ENOENT;
}

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    struct explain_options *o = options;
    _cleanup_ruleset_ struct skep_ruleset *rs = NULL, *one = NULL;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_rules_load load;
    uint32_t only;
    (void)self;
    o->rules.paths = (struct skep_strings){(const char *const *)args->args, args->n};
    skep_strbuf_init(&sb, TEXT_MAX);
    int r = skep_rules_load_options(&o->rules, &load);
    if (r < 0)
        return r;
    load.options.notes = true;
    r = skep_rules_load(&load.options, &rs);
    if (r >= 0)
        r = find_rule(o, rs, &only);
    /* the programs of one rule are those that it would have alone */
    if (r >= 0 && only && o->code) {
        load.options.only = only;
        r = skep_rules_load(&load.options, &one);
    }
    skep_rules_load_clear(&load);
    if (r < 0)
        return r == -ENOMEM ? r : SKEP_EXIT_FAILED;
    const struct skep_compiled *c = (one ? one : rs)->compiled;
    if (o->json)
        put_json(o, c, &sb);
    else
        put_text(o, c, &sb);
    return skep_print(&sb);
}

static const struct explain_options defaults = {.rules = SKEP_RULES_OPTIONS_INIT};

const struct skep_command skep_command_rules_explain = {
    .description =
        "Shows for each rule which events it needs, which of its comparisons the kernel decides on the spot, and which "
        "are left to user space and why.",
    .groups = groups,
    .examples = examples,
    .max_args = SIZE_MAX,
    .options_size = sizeof(struct explain_options),
    .defaults = &defaults,
    .run = run,
};
