/* SPDX-License-Identifier: Apache-2.0 */
#include "export/reference.h"

#define VALUES_SHOWN 12 /* names of one table that the text lists */

static bool wanted(const struct skep_kind *kind, const bool kinds[SKEP_KIND_MAX])
{
    return kind && kind->show != SKEP_SHOW_HIDDEN && (!kinds || kinds[kind->number]);
}

static void put_field_text(const struct skep_field *f, struct skep_strbuf *sb)
{
    const struct skep_type_info *info = skep_type_info(f->type);
    skep_strbuf_printf(sb, "- `%s` (%s%s): %s", f->name, info->name, f->optional ? ", optional" : "", f->doc);
    if (info->names && info->names->n <= VALUES_SHOWN) {
        skep_strbuf_puts(sb, info->names->set ? "; any of" : "; one of");
        for (size_t i = 0; i < info->names->n; i++)
            skep_strbuf_printf(sb, "%s `%s`", i ? "," : "", info->names->rows[i].name);
    }
    skep_strbuf_putc(sb, '\n');
}

void skep_reference_put_text(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX],
                             struct skep_strbuf *sb)
{
    skep_strbuf_puts(
        sb, "# Events\n\n"
            "## Fields of every event\n\n"
            "`proc.` and `container.` may be left out in expressions and column lists: `pid`, `image`.\n"
            "An optional field is left out of JSON where it does not apply; any other is null when it is\n"
            "not known.\n\n");
    for (const struct skep_field *f = skep_common_fields(); f->name; f++)
        put_field_text(f, sb);
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        if (!wanted(kind, kinds))
            continue;
        skep_strbuf_printf(sb, "\n## %s\n\n%s\nGroup `%s`%s.\n\n", kind->name, kind->doc, kind->group,
                           kind->show == SKEP_SHOW_SHOWN ? ", shown by `skep run` without being asked" : "");
        for (size_t i = 0; i < kind->n_fields; i++)
            put_field_text(&kind->fields[i], sb);
    }
    skep_strbuf_puts(sb, "\n## Types\n\n");
    for (unsigned t = 0; t < SKEP_TYPE_MAX; t++)
        if (t != SKEP_TYPE_dnsmsg)
            skep_strbuf_printf(sb, "- %s: %s\n", skep_type_info(t)->name, skep_type_info(t)->doc);
}

static void put_field_json(const struct skep_field *f, struct skep_json *j)
{
    const struct skep_type_info *info = skep_type_info(f->type);
    skep_json_open(j, NULL, '{');
    skep_json_strz(j, "name", f->name);
    skep_json_strz(j, "type", info->name);
    skep_json_strz(j, "doc", f->doc);
    skep_json_bool(j, "optional", f->optional);
    if (info->names) {
        skep_json_bool(j, "set", info->names->set);
        skep_json_open(j, "values", '[');
        for (size_t i = 0; i < info->names->n; i++)
            skep_json_strz(j, NULL, info->names->rows[i].name);
        skep_json_close(j, ']');
    }
    skep_json_close(j, '}');
}

void skep_reference_put_json(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX],
                             struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    skep_json_open(&j, "common", '[');
    for (const struct skep_field *f = skep_common_fields(); f->name; f++)
        put_field_json(f, &j);
    skep_json_close(&j, ']');
    skep_json_open(&j, "kinds", '[');
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        if (!wanted(kind, kinds))
            continue;
        skep_json_open(&j, NULL, '{');
        skep_json_strz(&j, "name", kind->name);
        skep_json_strz(&j, "group", kind->group);
        skep_json_bool(&j, "shown", kind->show == SKEP_SHOW_SHOWN);
        skep_json_strz(&j, "doc", kind->doc);
        skep_json_open(&j, "fields", '[');
        for (size_t i = 0; i < kind->n_fields; i++)
            put_field_json(&kind->fields[i], &j);
        skep_json_close(&j, ']');
        skep_json_close(&j, '}');
    }
    skep_json_close(&j, ']');
    skep_json_open(&j, "types", '[');
    for (unsigned t = 0; t < SKEP_TYPE_MAX; t++) {
        if (t == SKEP_TYPE_dnsmsg)
            continue;
        skep_json_open(&j, NULL, '{');
        skep_json_strz(&j, "name", skep_type_info(t)->name);
        skep_json_strz(&j, "doc", skep_type_info(t)->doc);
        skep_json_close(&j, '}');
    }
    skep_json_close(&j, ']');
    skep_json_close(&j, '}');
}
