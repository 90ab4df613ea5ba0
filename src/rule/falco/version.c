/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/falco/load.h"

/* What other programs get from plugins and skep has built in, and the version of the plugin whose fields it offers. */
static const struct plugin {
    const char *name, *version;
} plugins[] = {
    {"container", "0.7.0"},
    {"k8smeta", "0.4.0"},
};

struct version {
    unsigned long part[3];
};

/* MAJOR.MINOR.PATCH, with what may follow a - or +. */
static bool parse_version(const char *s, struct version *ret)
{
    for (int i = 0; i < 3; i++) {
        size_t n = strspn(s, "0123456789");
        if (n == 0 || n > 9)
            return false;
        ret->part[i] = strtoul(s, NULL, 10);
        s += n;
        if (i < 2 && *s++ != '.')
            return false;
    }
    return !*s || *s == '-' || *s == '+';
}

/* Whether what has version `have` does what was written for `want`: same major version and not older. */
static bool serves(const struct version *have, const struct version *want)
{
    if (have->part[0] != want->part[0])
        return false;
    if (have->part[1] != want->part[1])
        return have->part[1] > want->part[1];
    return have->part[2] >= want->part[2];
}

int skep_falco_engine_version(struct skep_falco *f, const struct skep_yaml *y)
{
    struct version have, want = {0};
    int r = skep_falco_check_text(f, y, "required_engine_version");
    if (r < 0)
        return r;
    const char *s = y->source.text;
    size_t digits = strspn(s, "0123456789");
    if (!s[digits] && digits && digits < 10) {
        want.part[1] = strtoul(s, NULL, 10);
    } else if (!parse_version(s, &want)) {
        return skep_falco_error(f, SKEP_FALCO_FORM, y,
                                "`%.60s` is no version: it is a number or MAJOR.MINOR.PATCH", s);
    }
    parse_version(SKEP_FALCO_ENGINE_VERSION, &have);
    if (serves(&have, &want))
        return 0;
    return skep_falco_error(
        f, SKEP_FALCO_WRONG, y,
        "the rules want version %lu.%lu.%lu of the rule language, and skep has " SKEP_FALCO_ENGINE_VERSION,
        want.part[0], want.part[1], want.part[2]);
}

/* One {name, version}. *ret_met: skep has it. */
static int read_plugin(struct skep_falco *f, const struct skep_yaml *y, bool *ret_met)
{
    *ret_met = false;
    if (y->kind != SKEP_YAML_MAP)
        return skep_falco_error(f, SKEP_FALCO_FORM, y, "a plugin is a map with `name` and `version`");
    const struct skep_yaml *name = skep_yaml_get(y, "name"), *version = skep_yaml_get(y, "version");
    if (!name || !version)
        return skep_falco_error(f, SKEP_FALCO_FORM, y, "a plugin has a `name` and a `version`");
    int r = skep_falco_check_text(f, name, "name");
    if (r >= 0)
        r = skep_falco_check_text(f, version, "version");
    if (r < 0)
        return r;
    struct version want, have;
    if (!parse_version(version->source.text, &want))
        return skep_falco_error(f, SKEP_FALCO_WRONG, version,
                                "`%.60s` is no version: it is MAJOR.MINOR.PATCH", version->source.text);
    for (size_t i = 0; i < ARRAY_SIZE(plugins); i++) {
        if (!skep_yaml_is(name, plugins[i].name))
            continue;
        parse_version(plugins[i].version, &have);
        *ret_met = serves(&have, &want);
    }
    return 0;
}

/* A plugin or one of its alternatives. */
static int read_demand(struct skep_falco *f, const struct skep_yaml *y)
{
    bool met, any;
    int r = read_plugin(f, y, &any);
    const struct skep_yaml *others = r >= 0 ? skep_yaml_get(y, "alternatives") : NULL;
    if (others && others->kind != SKEP_YAML_SEQUENCE)
        return skep_falco_error(f, SKEP_FALCO_FORM, others, "`alternatives` is a list of plugins");
    if (others)
        r = skep_falco_count(f, others, others->n_items);
    for (size_t i = 0; others && i < others->n_items && r >= 0; i++) {
        r = read_plugin(f, others->items[i], &met);
        any = any || met;
    }
    if (r < 0 || any)
        return r;
    const struct skep_yaml *name = skep_yaml_get(y, "name");
    for (size_t i = 0; i < ARRAY_SIZE(plugins); i++)
        if (skep_yaml_is(name, plugins[i].name))
            return skep_falco_error(f, SKEP_FALCO_WRONG, skep_yaml_get(y, "version"),
                                    "the rules want version %.40s of `%s`, and skep has %s",
                                    skep_yaml_get(y, "version")->source.text, plugins[i].name,
                                    plugins[i].version);
    r = skep_falco_error(f, SKEP_FALCO_WRONG, name,
                         "the rules want the plugin `%.60s`, which skep does not replace", name->source.text);
    skep_diags_hint(f->diags, "leave the file out: rules about that plugin's events or fields cannot work");
    return r;
}

int skep_falco_plugin_versions(struct skep_falco *f, const struct skep_yaml *y)
{
    if (y->kind != SKEP_YAML_SEQUENCE)
        return skep_falco_error(f, SKEP_FALCO_FORM, y, "`required_plugin_versions` is a list of plugins");
    int r = skep_falco_count(f, y, y->n_items);
    for (size_t i = 0; i < y->n_items; i++)
        if (read_demand(f, y->items[i]) < 0)
            r = -EINVAL;
    return r;
}
