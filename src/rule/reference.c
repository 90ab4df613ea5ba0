/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/reference.h"

#include "rule/evttype.h"
#include "rule/field.h"
#include "rule/field/args.h"

#define EXCEPTIONS_MAX 8 /* "all events but" so many */

enum { RING_LIFE, RING_DATA };

static const struct kind {
    const char *name;
    uint16_t number;
    uint8_t ring;
} kinds[] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) {#name, number, RING_##ring},
#include "abi/events.def"
#undef SKEP_EVENT
};

static bool is_supplied(const struct skep_rule_field *f, const struct kind *k)
{
    return skep_rule_field_of_kind(f, k->name);
}

static bool is_known_in_kernel(const struct skep_rule_field *f, const struct kind *k)
{
    return k->ring == RING_DATA && is_supplied(f, k) && skep_rule_field_spot(f, k->number);
}

typedef bool is_fn(const struct skep_rule_field *f, const struct kind *k);

/* What stands between the brackets; NULL: nothing may. */
static const char *argument_of(const struct skep_rule_field *f)
{
    if (!(f->flags & (SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ARG_REQUIRED)))
        return NULL;
    return f->flags & SKEP_FIELD_ARG_INDEX ? "N" : "NAME";
}

/* Which kinds, as words: all, all but a few, or a list. */
static void put_kinds(struct skep_strbuf *sb, const struct skep_rule_field *f, is_fn *is, bool data_only)
{
    size_t n = 0, all = 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        all += !data_only || kinds[i].ring == RING_DATA;
        n += is(f, &kinds[i]);
    }
    bool but = n + EXCEPTIONS_MAX >= all;
    const char *separator = n == all ? "all events" : but ? "all events but " : "";
    if (n == all)
        skep_strbuf_puts(sb, separator);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if ((data_only && kinds[i].ring != RING_DATA) || is(f, &kinds[i]) == but)
            continue;
        skep_strbuf_puts(sb, separator);
        skep_strbuf_puts(sb, kinds[i].name);
        separator = ", ";
    }
}

static bool is_ever_known_in_kernel(const struct skep_rule_field *f)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (is_known_in_kernel(f, &kinds[i]))
            return true;
    return false;
}

static void put_field_text(struct skep_strbuf *sb, const struct skep_rule_field *f)
{
    const char *argument = argument_of(f);
    bool several = f->flags & (SKEP_FIELD_LIST | SKEP_FIELD_ANY);
    skep_strbuf_printf(sb, "- `%s", f->name);
    if (f->flags & SKEP_FIELD_ARG_OPTIONAL)
        skep_strbuf_printf(sb, "`, `%s", f->name);
    if (argument)
        skep_strbuf_printf(sb, "[%s]", argument);
    if (f->flags & SKEP_FIELD_ARG_DOT)
        skep_strbuf_printf(sb, "`, `%s.%s", f->name, argument);
    skep_strbuf_printf(sb, "` (%s%s", skep_rule_type_name(f->type), several ? ", several" : "");
    if (f->flags & SKEP_FIELD_TIME && f->type == SKEP_RULE_NUMBER)
        skep_strbuf_puts(sb, ", ns since 1970");
    if (f->flags & SKEP_FIELD_DURATION)
        skep_strbuf_puts(sb, ", ns");
    if (f->flags & SKEP_FIELD_FILTER_ONLY)
        skep_strbuf_puts(sb, ", only in conditions");
    if (f->flags & SKEP_FIELD_DEPRECATED)
        skep_strbuf_puts(sb, ", deprecated");
    skep_strbuf_printf(sb, "): %s. Of ", f->doc);
    put_kinds(sb, f, is_supplied, false);
    if (f->flags & SKEP_FIELD_ARG_EVENT) {
        skep_strbuf_puts(
            sb, "; the kernel knows numbers and paths that stand at one place for all calls of a kind.\n");
    } else if (is_ever_known_in_kernel(f)) {
        skep_strbuf_puts(sb, "; known in the kernel for ");
        put_kinds(sb, f, is_known_in_kernel, true);
        skep_strbuf_puts(sb, ".\n");
    } else {
        skep_strbuf_puts(sb, ".\n");
    }
}

void skep_rule_reference_put_text(struct skep_strbuf *sb)
{
    size_t n, n_types;
    const struct skep_rule_family *const *families = skep_rule_families(&n);
    const struct skep_evttype *types = skep_evttypes(&n_types);
    skep_strbuf_puts(
        sb,
        "# Fields of rules\n\n"
        "A field that has no value for an event makes every comparison with it false. Of a field with several\n"
        "values one that fits is enough; with `!=`, none may be equal. Conditions on what is known in\n"
        "the kernel are decided there, all others in user space.\n");
    for (size_t i = 0; i < n; i++) {
        skep_strbuf_printf(sb, "\n## %s: %s\n\n", families[i]->name, families[i]->doc);
        for (size_t k = 0; k < families[i]->n_fields; k++)
            put_field_text(sb, &families[i]->fields[k]);
    }
    skep_strbuf_puts(
        sb,
        "\n## Arguments of events\n\nFor `evt.arg`, `evt.rawarg` and `evt.args`, by `evt.type`. An execution that "
        "failed\nhas fewer of them.\n\n");
    for (uint32_t t = 1; t < n_types; t++) {
        if (skep_evttype_find(types[t].name, strlen(types[t].name)) != t)
            continue; /* another kind of event by the same call, with some of its arguments */
        for (size_t i = 0; skep_rule_args_of(t, i); i++) {
            if (i == 0)
                skep_strbuf_printf(sb, "- %s: ", types[t].name);
            skep_strbuf_printf(sb, "%s`%s`", i ? ", " : "", skep_rule_args_of(t, i));
        }
        if (skep_rule_args_of(t, 0))
            skep_strbuf_putc(sb, '\n');
    }
}

static void put_kinds_json(struct skep_json *j, const char *name, const struct skep_rule_field *f, is_fn *is)
{
    skep_json_open(j, name, '[');
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (is(f, &kinds[i]))
            skep_json_strz(j, NULL, kinds[i].name);
    skep_json_close(j, ']');
}

static void put_field_json(struct skep_json *j, const struct skep_rule_field *f)
{
    skep_json_open(j, NULL, '{');
    skep_json_strz(j, "name", f->name);
    skep_json_strz(j, "argument", argument_of(f));
    skep_json_bool(j, "argument_required", f->flags & SKEP_FIELD_ARG_REQUIRED);
    skep_json_strz(j, "type", skep_rule_type_name(f->type));
    skep_json_bool(j, "list", f->flags & (SKEP_FIELD_LIST | SKEP_FIELD_ANY));
    skep_json_bool(j, "filter_only", f->flags & SKEP_FIELD_FILTER_ONLY);
    skep_json_bool(j, "deprecated", f->flags & SKEP_FIELD_DEPRECATED);
    put_kinds_json(j, "kinds", f, is_supplied);
    put_kinds_json(j, "kernel", f, is_known_in_kernel);
    skep_json_strz(j, "doc", f->doc);
    skep_json_close(j, '}');
}

void skep_rule_reference_put_json(struct skep_json *j, const char *name)
{
    size_t n, n_types;
    const struct skep_rule_family *const *families = skep_rule_families(&n);
    const struct skep_evttype *types = skep_evttypes(&n_types);
    skep_json_open(j, name, '{');
    skep_json_open(j, "families", '[');
    for (size_t i = 0; i < n; i++) {
        skep_json_open(j, NULL, '{');
        skep_json_strz(j, "name", families[i]->name);
        skep_json_strz(j, "doc", families[i]->doc);
        skep_json_open(j, "fields", '[');
        for (size_t k = 0; k < families[i]->n_fields; k++)
            put_field_json(j, &families[i]->fields[k]);
        skep_json_close(j, ']');
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
    skep_json_open(j, "arguments", '{');
    for (uint32_t t = 1; t < n_types; t++) {
        if (!skep_rule_args_of(t, 0) || skep_evttype_find(types[t].name, strlen(types[t].name)) != t)
            continue;
        skep_json_open(j, types[t].name, '[');
        for (size_t i = 0; skep_rule_args_of(t, i); i++)
            skep_json_strz(j, NULL, skep_rule_args_of(t, i));
        skep_json_close(j, ']');
    }
    skep_json_close(j, '}');
    skep_json_close(j, '}');
}
