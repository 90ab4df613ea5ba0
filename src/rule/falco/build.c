/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/falco/load.h"

#include <fnmatch.h>

#include "rule/evtset.h"

/* Tags of all parts, each once. */
static int make_tags(struct skep_falco *f, const struct skep_falco_rule *from, struct skep_rule *to)
{
    _cleanup_textmap_ struct skep_textmap seen = {0};
    size_t n = 0;
    for (const struct skep_falco_part *p = from->tags.first; p; p = p->next)
        n += p->y->n_items;
    to->tags = skep_arena_array(f->arena, n, sizeof(*to->tags));
    if (!to->tags)
        return -ENOMEM;
    for (const struct skep_falco_part *p = from->tags.first; p; p = p->next)
        for (size_t i = 0; i < p->y->n_items; i++) {
            const struct skep_rule_source *s = &p->y->items[i]->source;
            if (skep_textmap_get(&seen, s->text, s->len))
                continue;
            if (skep_textmap_put(&seen, s->text, s->len, to) < 0)
                return -ENOMEM;
            to->tags[to->n_tags++] = s->text;
        }
    return 0;
}

/* A rule that wants every type of event, or none. */
static void check_types(struct skep_falco *f, const struct skep_falco_rule *from, const struct skep_expr *e)
{
    struct skep_evtsets s = skep_evtsets_of(e);
    struct skep_evtset all = skep_evtset_all();
    unsigned n = skep_evtset_count(&s.yes), n_all = skep_evtset_count(&all);
    if (!from->warn_evttypes || (n && n <= n_all / 2))
        return;
    if (!n) {
        skep_falco_warn(f, "LOAD_NO_EVTTYPE", from->name,
                        "the rule matches no type of event that skep observes");
        return;
    }
    skep_falco_warn(f, "LOAD_NO_EVTTYPE", from->name,
                    "the rule is tried for %u of %u types of event, which costs time", n, n_all);
    skep_diags_hint(f->diags, "begin its condition with `evt.type in (...) and`");
}

static int skip_rule(struct skep_falco *f, struct skep_rule *to, const struct skep_rule_issue *unknown)
{
    to->state = SKEP_RULE_SKIPPED;
    to->condition = NULL;
    skep_rule_complain(f->diags, false, &unknown->place, "LOAD_UNKNOWN_FILTER",
                       "the rule `%.100s` is left out: %s", to->name, unknown->message);
    return 0;
}

static int make_condition(struct skep_falco *f, const struct skep_falco_rule *from, struct skep_rule *to)
{
    struct skep_rule_text text;
    struct skep_parsed parsed = {0}, output = {0};
    f->uses = NULL;
    int r = skep_falco_join(f, &from->condition, &text);
    if (r < 0)
        return r;
    to->condition_text = text.s;
    r = skep_parse_condition(&f->parse, &text, &parsed);
    if (r >= 0)
        r = skep_falco_except(f, from, &parsed);
    int r_output = r == -ENOMEM ? r : skep_falco_output(f, from, &output, &to->output);
    if (r == -ENOMEM || r_output == -ENOMEM || skep_arena_failed(f->arena))
        return -ENOMEM;
    if (r < 0 || r_output < 0)
        return -EINVAL;
    const struct skep_rule_issue *unknown = skep_falco_unknown(&parsed, f->uses);
    if (!unknown)
        unknown = skep_falco_unknown(&output, NULL);
    if (unknown && from->skip_unknown)
        return skip_rule(f, to, unknown);
    skep_falco_report(f, &parsed, f->uses);
    skep_falco_report(f, &output, NULL);
    if (!unknown) /* what a condition wants of an event is not known then */
        check_types(f, from, parsed.e);
    /* of one that is wrong all has been said */
    to->condition = skep_falco_wrong(&parsed, f->uses) ? NULL : parsed.e;
    return 0;
}

static int make_rule(struct skep_falco *f, const struct skep_falco_rule *from, struct skep_rule *to)
{
    struct skep_rule_text desc;
    int r = skep_falco_join(f, &from->desc, &desc);
    if (r < 0)
        return r;
    *to = (struct skep_rule){.name = from->name->source.text,
                             .desc = desc.s,
                             .source = from->source ? from->source->source.text : "syscall",
                             .priority = from->priority,
                             .state = from->enabled ? SKEP_RULE_ENABLED : SKEP_RULE_DISABLED,
                             .warn_evttypes = from->warn_evttypes,
                             .skip_unknown = from->skip_unknown,
                             .output = "",
                             .condition_text = "",
                             .name_place = skep_yaml_place(from->name),
                             .condition_place = skep_yaml_place(from->condition.first->y),
                             .output_place = skep_yaml_place(from->output.first->y)};
    r = make_tags(f, from, to);
    if (r < 0)
        return r;
    if (!from->other_source)
        return make_condition(f, from, to);
    struct skep_rule_text condition, output;
    to->state = SKEP_RULE_OTHER_SOURCE;
    if (skep_falco_join(f, &from->condition, &condition) < 0 ||
        skep_falco_join(f, &from->output, &output) < 0)
        return -ENOMEM;
    to->condition_text = condition.s;
    to->output = output.s;
    return 0;
}

bool skep_rule_choice_fits(const struct skep_rule_choice *c, const struct skep_rule *rule)
{
    for (size_t i = 0; c->tag && i < rule->n_tags; i++)
        if (skep_streq(rule->tags[i], c->pattern))
            return true;
    return !c->tag && (skep_streq(rule->name, c->pattern) || fnmatch(c->pattern, rule->name, 0) == 0);
}

static void choose(const struct skep_falco_options *o, struct skep_rule *rule)
{
    if (!o || (rule->state != SKEP_RULE_ENABLED && rule->state != SKEP_RULE_DISABLED))
        return;
    for (size_t i = 0; i < o->n_choices; i++)
        if (skep_rule_choice_fits(&o->choices[i], rule))
            rule->state = o->choices[i].enable ? SKEP_RULE_ENABLED : SKEP_RULE_DISABLED;
    if (rule->state == SKEP_RULE_ENABLED && rule->priority > o->min_priority)
        rule->state = SKEP_RULE_BELOW;
}

int skep_falco_build(struct skep_falco *f, size_t n_files, struct skep_policy **ret)
{
    struct skep_policy *p = skep_arena_alloc(f->arena, sizeof(*p));
    struct skep_rule *rules = skep_arena_array(f->arena, f->n_rules, sizeof(*rules));
    size_t n = 0;
    if (!p || !rules)
        return -ENOMEM;
    int r = skep_falco_build_macros(f);
    if (r == -ENOMEM)
        return r;
    for (const struct skep_falco_rule *rule = f->rules; rule; rule = rule->next) {
        if (rule->broken)
            continue;
        r = make_rule(f, rule, &rules[n]);
        if (r == -ENOMEM)
            return r;
        if (r >= 0)
            choose(f->options, &rules[n++]);
    }
    /* What only a rule uses that could not be read would seem to be unused. */
    if (f->diags->n_errors == 0)
        skep_falco_warn_unused(f);
    if (skep_arena_failed(f->arena))
        return -ENOMEM;
    *p = (struct skep_policy){.rules = rules,
                              .n_rules = n,
                              .n_macros = f->macros.n,
                              .n_lists = f->lists.n,
                              .n_files = n_files,
                              .arena = f->arena};
    *ret = p;
    return 0;
}
