/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/load.h"

#include "base/log.h"
#include "base/spell.h"
#include "rule/alert/alert.h"

/* "+NAME", "-NAME", "+tag:NAME", "-tag:NAME" */
static struct skep_rule_choice parse_choice(const char *text)
{
    const char *name = text + 1, *tag = skep_startswith(name, "tag:");
    return (struct skep_rule_choice){.enable = *text == '+', .tag = tag != NULL, .pattern = tag ? tag : name};
}

int skep_rules_load_options(const struct skep_rules_options *o, struct skep_rules_load *ret)
{
    struct skep_rule_choice *choices = calloc(o->choices.n + 1, sizeof(*choices));
    if (!choices)
        return -ENOMEM;
    for (size_t i = 0; i < o->choices.n; i++)
        choices[i] = parse_choice(o->choices.s[i]);
    *ret = (struct skep_rules_load){
        .options = {.paths = o->paths.s,
                    .n_paths = o->paths.n,
                    .kept = &ret->kept,
                    .choices = choices,
                    .n_choices = o->choices.n,
                    .min_priority = o->priority,
                    .all = o->matching == SKEP_MATCHING_ALL,
                    .no_pushdown = o->no_pushdown,
                    .interpret = o->interpret},
        .choices = choices,
    };
    return 0;
}

void skep_rules_load_clear(struct skep_rules_load *l)
{
    free(TAKE_PTR(l->choices));
    skep_falco_files_clear(&l->kept);
}

/* A choice that is about no rule is a typing error more often than not, and then a rule is on that was to be off. */
static void warn_of_choices(const struct skep_ruleset_options *o, const struct skep_policy *p)
{
    for (size_t i = 0; i < o->n_choices; i++) {
        const struct skep_rule_choice *c = &o->choices[i];
        struct skep_spell sp;
        bool fits = false;
        skep_spell_init(&sp, c->pattern, strlen(c->pattern));
        for (uint32_t k = 0; k < p->n_rules && !fits; k++) {
            fits = skep_rule_choice_fits(c, &p->rules[k]);
            for (size_t t = 0; c->tag && t < p->rules[k].n_tags; t++)
                skep_spell_offer(&sp, p->rules[k].tags[t]);
            if (!c->tag)
                skep_spell_offer(&sp, p->rules[k].name);
        }
        if (fits)
            continue;
        _cleanup_strbuf_ struct skep_strbuf shown;
        skep_strbuf_init(&shown, 4096);
        skep_strbuf_put_visible(&shown, c->pattern, strlen(c->pattern));
        skep_warning("--%s: there is no rule %s'%s'%s%s%s", c->enable ? "enable" : "disable",
                     c->tag ? "with the tag " : "", shown.s, sp.best ? " (did you mean '" : "",
                     sp.best ? sp.best : "", sp.best ? "'?)" : "");
    }
}

/* A directory of the wrong files says nothing by itself, and neither do rules that are all off. */
static void warn_of_none(const struct skep_policy *p)
{
    for (size_t i = 0; i < p->n_rules; i++)
        if (p->rules[i].state == SKEP_RULE_ENABLED)
            return;
    if (p->n_rules)
        skep_warning("no rule is in force: of %zu, none is on", p->n_rules);
    else
        skep_warning("no rule is in force: there are none in these files");
}

int skep_rules_load(const struct skep_ruleset_options *o, struct skep_ruleset **ret)
{
    _cleanup_diags_ struct skep_diags diags;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_diags_init(&diags, NULL);
    diags.codes = true;
    skep_strbuf_init(&sb, 1 << 20);
    int r = skep_ruleset_load(o, &diags, ret);
    skep_diags_put_text(&diags, NULL, &sb);
    fputs(sb.s, stderr);
    if (r < 0)
        return r;
    warn_of_choices(o, (*ret)->policy);
    if (!o->only)
        warn_of_none((*ret)->policy);
    return r;
}

static int64_t wall_time(const struct skep_event *ev)
{
    return (int64_t)ev->h->time + ev->session->boot_offset;
}

void skep_rules_put_output(struct skep_ruleset *rs, uint32_t rule, const struct skep_event *ev,
                           const struct skep_ruleset_world *world, struct skep_strbuf *sb)
{
    skep_format_use_hosts(rs->formats[rule], world->hosts);
    skep_format_put_text(rs->formats[rule], ev, world->users, sb);
}

void skep_rules_put_alert(struct skep_ruleset *rs, uint32_t rule, const struct skep_event *ev,
                          const struct skep_strbuf *output, bool json, const struct skep_alert_style *style,
                          struct skep_strbuf *sb)
{
    const struct skep_rule *r = &rs->policy->rules[rule];
    struct skep_alert a = {
        .time = wall_time(ev),
        .rule = r->name,
        .priority = r->priority,
        .source = r->source,
        .tags = (const char *const *)r->tags,
        .n_tags = r->n_tags,
        .hostname = ev->session->hostname,
        .output = output->s,
        .output_len = output->len,
        .format = rs->formats[rule],
    };
    if (json)
        skep_alert_put_json(&a, style, sb);
    else
        skep_alert_put_text(&a, style, sb);
}
