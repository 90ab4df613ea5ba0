/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ledger.h"

#include <inttypes.h>
#include <jansson.h>

static const char *const reasons[SKEP_REASON_MAX] = {
#define SKEP_REASON(number, name, side, doc) [number] = #name,
#include "abi/reasons.def"
#undef SKEP_REASON
};

const char *skep_reason_name(unsigned reason)
{
    return reason < SKEP_REASON_MAX ? reasons[reason] : NULL;
}

uint64_t skep_ledger_lost(const struct skep_ledger_row *row)
{
    uint64_t n = 0;
    for (size_t i = 0; i < SKEP_REASON_MAX; i++)
        n += row->lost[i];
    return n;
}

int64_t skep_ledger_difference(const struct skep_ledger_row *row)
{
    return (int64_t)(row->seen - row->emitted - row->filtered - skep_ledger_lost(row));
}

void skep_ledger_add_kernel(struct skep_ledger *l, const struct skep_counters sum[SKEP_KIND_MAX])
{
    for (size_t i = 0; i < SKEP_KIND_MAX; i++) {
        l->rows[i].seen += sum[i].seen;
        l->rows[i].filtered += sum[i].filtered;
        for (size_t j = 0; j < SKEP_REASON_MAX; j++)
            l->rows[i].lost[j] += sum[i].lost[j];
    }
}

void skep_ledger_narrow(struct skep_ledger *l, const struct skep_ledger *replayed)
{
    for (size_t i = 0; i < SKEP_KIND_MAX; i++) {
        struct skep_ledger_row *row = &l->rows[i];
        const struct skep_ledger_row *by = &replayed->rows[i];
        /* less may have been emitted for other reasons: records that are missing, a reader that went away */
        uint64_t less = row->emitted > by->emitted ? row->emitted - by->emitted : 0;
        uint64_t n = MIN(less, by->filtered);
        row->emitted -= n;
        row->filtered += n;
    }
}

static bool row_is_empty(const struct skep_ledger_row *row)
{
    return !row->seen && !row->emitted && !row->filtered && !skep_ledger_lost(row);
}

void skep_ledger_put_json(const struct skep_ledger *l, const char *const names[SKEP_KIND_MAX],
                          struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    skep_json_strz(&j, "kind", "ledger");
    skep_json_open(&j, "kinds", '{');
    for (size_t i = 0; i < SKEP_KIND_MAX; i++) {
        const struct skep_ledger_row *row = &l->rows[i];
        if (!names[i] || row_is_empty(row))
            continue;
        skep_json_open(&j, names[i], '{');
        skep_json_u64(&j, "seen", row->seen);
        skep_json_u64(&j, "emitted", row->emitted);
        skep_json_u64(&j, "filtered", row->filtered);
        skep_json_open(&j, "lost", '{');
        for (unsigned r = 0; r < SKEP_REASON_MAX; r++)
            if (row->lost[r])
                skep_json_u64(&j, reasons[r], row->lost[r]);
        skep_json_close(&j, '}');
        skep_json_close(&j, '}');
    }
    skep_json_close(&j, '}');
    skep_json_u64(&j, "missed", l->missed);
    skep_json_close(&j, '}');
}

static int find_name(const char *const names[], size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (names[i] && skep_streq(names[i], name))
            return (int)i;
    return -ENOENT;
}

static int find_reason(const char *name)
{
    for (int i = 0; i < SKEP_REASON_MAX; i++)
        if (reasons[i] && skep_streq(reasons[i], name))
            return i;
    return -ENOENT;
}

static int parse_count(const json_t *object, const char *name, uint64_t *ret)
{
    json_t *v = json_object_get(object, name);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return -EBADMSG;
    *ret = (uint64_t)json_integer_value(v);
    return 0;
}

static int parse_row(const json_t *object, struct skep_ledger_row *row)
{
    if (parse_count(object, "seen", &row->seen) < 0 || parse_count(object, "emitted", &row->emitted) < 0 ||
        parse_count(object, "filtered", &row->filtered) < 0)
        return -EBADMSG;
    const char *name;
    json_t *value, *lost = json_object_get(object, "lost");
    if (!json_is_object(lost))
        return -EBADMSG;
    json_object_foreach(lost, name, value)
    {
        int reason = find_reason(name);
        if (reason < 0 || parse_count(lost, name, &row->lost[reason]) < 0)
            return -EBADMSG;
    }
    return 0;
}

int skep_ledger_parse_json(struct skep_ledger *l, const char *const names[SKEP_KIND_MAX], const char *s,
                           size_t n)
{
    struct skep_ledger parsed = {0};
    json_error_t error;
    json_t *root = json_loadb(s, n, 0, &error);
    json_t *kinds = json_object_get(root, "kinds"), *value;
    const char *name;
    int r = json_is_object(kinds) ? parse_count(root, "missed", &parsed.missed) : -EBADMSG;
    if (r >= 0) {
        json_object_foreach(kinds, name, value)
        {
            int kind = find_name(names, SKEP_KIND_MAX, name);
            if (kind < 0 || parse_row(value, &parsed.rows[kind]) < 0) {
                r = -EBADMSG;
                break;
            }
        }
    }
    json_decref(root);
    if (r >= 0)
        *l = parsed;
    return r;
}

static void put_lost(const struct skep_ledger_row *row, struct skep_strbuf *sb)
{
    const char *separator = "";
    for (unsigned r = 0; r < SKEP_REASON_MAX; r++) {
        if (!row->lost[r])
            continue;
        skep_strbuf_printf(sb, "%s%s %" PRIu64, separator, reasons[r], row->lost[r]);
        separator = ", ";
    }
}

void skep_ledger_put_text(const struct skep_ledger *l, const char *const names[SKEP_KIND_MAX],
                          struct skep_strbuf *sb)
{
    skep_strbuf_printf(sb, "%-16s %12s %12s %12s %12s\n", "ledger", "seen", "emitted", "filtered", "lost");
    for (size_t i = 0; i < SKEP_KIND_MAX; i++) {
        const struct skep_ledger_row *row = &l->rows[i];
        if (!names[i] || row_is_empty(row))
            continue;
        uint64_t lost = skep_ledger_lost(row);
        skep_strbuf_printf(sb, "%-16s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64, names[i],
                           row->seen, row->emitted, row->filtered, lost);
        if (lost) {
            skep_strbuf_puts(sb, "  ");
            put_lost(row, sb);
        }
        if (skep_ledger_difference(row))
            skep_strbuf_printf(sb, "  UNACCOUNTED %" PRId64, skep_ledger_difference(row));
        skep_strbuf_putc(sb, '\n');
    }
    if (l->missed)
        skep_strbuf_printf(
            sb,
            "%" PRIu64 " calls of sensors were skipped by the kernel because they interrupted themselves\n",
            l->missed);
}
