/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/falco/load.h"

static int set_text(struct skep_falco *f, struct skep_falco_parts *parts, const struct skep_yaml *y,
                    const char *key, bool append)
{
    int r = skep_falco_check_text(f, y, key);
    if (r < 0)
        return r;
    if (!append)
        *parts = (struct skep_falco_parts){0};
    return skep_falco_add_part(f, parts, y);
}

static int set_condition(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                         bool append)
{
    return set_text(f, &rule->condition, y, "condition", append);
}

static int set_output(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                      bool append)
{
    return set_text(f, &rule->output, y, "output", append);
}

static int set_desc(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                    bool append)
{
    return set_text(f, &rule->desc, y, "desc", append);
}

static int set_tags(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                    bool append)
{
    int r = skep_falco_check_texts(f, y, "tags");
    if (r < 0)
        return r;
    if (!append)
        rule->tags = (struct skep_falco_parts){0};
    return skep_falco_add_part(f, &rule->tags, y);
}

static int set_exceptions(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                          bool append)
{
    return skep_falco_read_exceptions(f, rule, y, append);
}

static int set_priority(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                        bool append)
{
    (void)append;
    int r = skep_falco_check_text(f, y, "priority");
    if (r < 0)
        return r;
    enum skep_priority p = skep_priority_find(y->source.text, y->source.len);
    if (p < 0) {
        skep_falco_error(f, SKEP_FALCO_FORM, y, "there is no priority `%.60s`", y->source.text);
        skep_diags_hint(f->diags, "priorities are emergency, alert, critical, error, warning, notice, "
                                  "informational and debug");
        return -EINVAL;
    }
    rule->priority = p;
    return 0;
}

static int set_enabled(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                       bool append)
{
    (void)append;
    return skep_falco_check_bool(f, y, "enabled", &rule->enabled);
}

static int set_warn_evttypes(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                             bool append)
{
    (void)append;
    return skep_falco_check_bool(f, y, "warn_evttypes", &rule->warn_evttypes);
}

static int set_skip_unknown(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                            bool append)
{
    (void)append;
    return skep_falco_check_bool(f, y, "skip-if-unknown-filter", &rule->skip_unknown);
}

static int set_capture(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                       bool append)
{
    bool capture;
    (void)rule, (void)append;
    int r = skep_falco_check_bool(f, y, "capture", &capture);
    if (r < 0 || !capture)
        return r;
    skep_falco_warn(f, "LOAD_WARNING_EXTENSION", y, "skep does not write a capture when a rule matches");
    skep_diags_hint(f->diags, "`skep record` keeps what happens");
    return 0;
}

static int set_capture_duration(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                                bool append)
{
    (void)rule, (void)append;
    int r = skep_falco_check_text(f, y, "capture_duration");
    if (r >= 0 && strspn(y->source.text, "0123456789") != y->source.len)
        r = skep_falco_error(f, SKEP_FALCO_FORM, y, "`capture_duration` is a number of milliseconds");
    return r;
}

static const struct member {
    const char *key;
    bool required; /* of a new rule */
    int (*set)(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y, bool append);
} members[] = {
    {"condition", true, set_condition},
    {"output", true, set_output},
    {"desc", true, set_desc},
    {"priority", true, set_priority},
    {"tags", false, set_tags},
    {"exceptions", false, set_exceptions},
    {"enabled", false, set_enabled},
    {"warn_evttypes", false, set_warn_evttypes},
    {"skip-if-unknown-filter", false, set_skip_unknown},
    {"capture", false, set_capture},
    {"capture_duration", false, set_capture_duration},
};

static struct skep_falco_rule *find_rule(struct skep_falco *f, const struct skep_yaml *name)
{
    return skep_textmap_get(&f->rule_names, name->source.text, name->source.len);
}

/* Finds or makes the rule. */
static struct skep_falco_rule *get_rule(struct skep_falco *f, const struct skep_yaml *name)
{
    struct skep_falco_rule *rule = find_rule(f, name);
    if (rule)
        return rule;
    rule = skep_arena_alloc(f->arena, sizeof(*rule));
    if (!rule || skep_textmap_put(&f->rule_names, name->source.text, name->source.len, rule) < 0)
        return NULL;
    rule->name = name;
    *(f->last_rule ? &f->last_rule->next : &f->rules) = rule;
    f->last_rule = rule;
    f->n_rules++;
    return rule;
}

static bool same_source(const struct skep_yaml *a, const struct skep_yaml *b)
{
    const char *s = a ? a->source.text : "syscall", *t = b ? b->source.text : "syscall";
    return skep_streq(s, t);
}

static int set_source(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *item)
{
    const struct skep_yaml *y = skep_yaml_get(item, "source");
    int r = y ? skep_falco_check_text(f, y, "source") : 0;
    if (r < 0)
        return r;
    rule->source = y;
    rule->other_source = y && !skep_yaml_is(y, "syscall");
    if (rule->other_source)
        skep_falco_warn(f, "LOAD_UNKNOWN_SOURCE", y, "the rule is left out: skep has no source `%.60s`",
                        y->source.text);
    return 0;
}

static int define_rule(struct skep_falco *f, const struct skep_yaml *item, const struct skep_yaml *name)
{
    struct skep_falco_rule new = {.name = name, .enabled = true, .warn_evttypes = true};
    int r = set_source(f, &new, item);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const struct skep_yaml *y = skep_yaml_get(item, members[i].key);
        int r_member = 0;
        if (y)
            r_member = members[i].set(f, &new, y, false);
        else if (members[i].required)
            r_member = skep_falco_error(f, SKEP_FALCO_FORM, name, "the rule has no `%s`", members[i].key);
        if (r_member == -ENOMEM)
            return r_member;
        r = r_member < 0 ? r_member : r;
    }
    struct skep_falco_rule *old = find_rule(f, name);
    if (old && !old->broken && r >= 0 && !same_source(old->source, new.source))
        r = skep_falco_error(f, SKEP_FALCO_WRONG, new.source ? new.source : name,
                             "the rule was defined before with another source");
    struct skep_falco_rule *rule = get_rule(f, name);
    if (!rule)
        return -ENOMEM;
    new.next = rule->next;
    new.broken = r < 0;
    *rule = new;
    f->index++;
    return r;
}

/* The rule that the item changes. 0 and NULL: one that was not read, or is broken. */
static int find_changed(struct skep_falco *f, const struct skep_yaml *name, const char *to,
                        struct skep_falco_rule **ret)
{
    *ret = find_rule(f, name);
    if (!*ret && !f->incomplete)
        return skep_falco_error(f, SKEP_FALCO_WRONG, name, "there is no rule of this name to %s", to);
    if (*ret && (*ret)->broken)
        *ret = NULL;
    return 0;
}

/* With the deprecated `append: true`, which knows of conditions and exceptions only. */
static int append_rule(struct skep_falco *f, const struct skep_yaml *item, const struct skep_yaml *name)
{
    const struct skep_yaml *condition = skep_yaml_get(item, "condition");
    const struct skep_yaml *exceptions = skep_yaml_get(item, "exceptions");
    struct skep_falco_rule *rule;
    int r = find_changed(f, name, "append to", &rule);
    if (r >= 0 && !condition && !exceptions)
        r = skep_falco_error(f, SKEP_FALCO_WRONG, name,
                             "there is neither a `condition` nor `exceptions` to append");
    if (r < 0 || !rule)
        return r;
    f->index++;
    if (condition)
        r = set_condition(f, rule, condition, true);
    int r_exceptions = exceptions && r != -ENOMEM ? set_exceptions(f, rule, exceptions, true) : 0;
    r = r_exceptions < 0 ? r_exceptions : r;
    rule->broken = rule->broken || r < 0;
    return r;
}

static int override_rule(struct skep_falco *f, const struct skep_yaml *item, const struct skep_yaml *name,
                         uint32_t append)
{
    struct skep_falco_rule *rule;
    int r = find_changed(f, name, "override", &rule);
    if (r < 0 || !rule)
        return r;
    f->index++;
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const struct skep_yaml *y = skep_yaml_get(item, members[i].key);
        if (!y)
            continue;
        int r_member = members[i].set(f, rule, y, append & skep_falco_key(SKEP_FALCO_RULE, members[i].key));
        if (r_member == -ENOMEM)
            return r_member;
        r = r_member < 0 ? r_member : r;
    }
    rule->broken = rule->broken || r < 0;
    return r;
}

static int toggle_rule(struct skep_falco *f, const struct skep_yaml *item, const struct skep_yaml *name)
{
    const struct skep_yaml *enabled = skep_yaml_get(item, "enabled");
    struct skep_falco_rule *rule;
    if (!enabled) {
        skep_falco_error(f, SKEP_FALCO_FORM, name,
                         "the rule has no `condition`, `output`, `desc` and `priority`");
        skep_diags_hint(f->diags, "to change another rule, say how with `override`");
        return -EINVAL;
    }
    int r = find_changed(f, name, "enable or disable", &rule);
    skep_falco_warn(f, "LOAD_DEPRECATED_ITEM", skep_yaml_key(item, "enabled"),
                    "a rule with nothing but `enabled` is deprecated");
    skep_diags_hint(f->diags, "add `override: {enabled: replace}`");
    bool on;
    int r_bool = skep_falco_check_bool(f, enabled, "enabled", &on);
    if (r < 0 || r_bool < 0)
        return -EINVAL;
    if (rule)
        rule->enabled = on;
    return 0;
}

int skep_falco_read_rule(struct skep_falco *f, const struct skep_yaml *item)
{
    const struct skep_yaml *name = skep_yaml_get(item, "rule");
    uint32_t to_append, to_replace;
    bool append, new = false;
    int r = skep_falco_check_text(f, name, "rule");
    if (r < 0)
        return r;
    r = skep_falco_read_append(f, item, &append);
    int r_override = skep_falco_overrides(f, SKEP_FALCO_RULE, item, &to_append, &to_replace);
    if (r < 0 || r_override < 0)
        return -EINVAL;
    if (append && (to_append | to_replace))
        return skep_falco_error(f, SKEP_FALCO_FORM, skep_yaml_key(item, "override"),
                                "`append` and `override` exclude each other");
    if (to_append | to_replace)
        return override_rule(f, item, name, to_append);
    if (append)
        return append_rule(f, item, name);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        new = new || (members[i].required && skep_yaml_get(item, members[i].key));
    return new ? define_rule(f, item, name) : toggle_rule(f, item, name);
}
