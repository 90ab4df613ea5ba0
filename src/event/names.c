/* SPDX-License-Identifier: Apache-2.0 */
#include "event/names.h"

#include <strings.h>

const char *skep_names_get(const struct skep_names *names, uint64_t value)
{
    /* most tables count up from 0 or 1 without a gap */
    if (value < names->n && names->rows[value].value == value)
        return names->rows[value].name;
    for (size_t i = 0; i < names->n; i++)
        if (names->rows[i].value == value)
            return names->rows[i].name;
    return NULL;
}

static void put_set(struct skep_strbuf *sb, const struct skep_names *names, uint64_t value)
{
    uint64_t rest = value, known = 0;
    const char *separator = "";
    for (size_t i = 0; names->all && i < names->n; i++)
        known |= names->rows[i].mask;
    if (names->all && value == known) {
        skep_strbuf_puts(sb, "all");
        return;
    }
    for (size_t i = 0; i < names->n; i++) {
        const struct skep_name *row = &names->rows[i];
        /* Compared with the whole value as well: a row for 0 must not match what another row took away. */
        if ((rest & row->mask) != row->value || (value & row->mask) != row->value)
            continue;
        skep_strbuf_puts(sb, separator);
        skep_strbuf_puts(sb, row->name);
        rest &= ~row->mask;
        separator = "|";
    }
    if (rest)
        skep_strbuf_printf(sb, "%s0x%llx", separator, (unsigned long long)rest);
}

void skep_names_put(struct skep_strbuf *sb, const struct skep_names *names, uint64_t value)
{
    if (names->set) {
        put_set(sb, names, value);
        return;
    }
    const char *name = skep_names_get(names, value);
    if (name) {
        skep_strbuf_puts(sb, name);
        return;
    }
    skep_strbuf_puts(sb, names->unknown ? names->unknown : "#");
    skep_strbuf_i64(sb, (int64_t)value);
}

static size_t shared_prefix(const struct skep_names *names)
{
    const char *first = names->rows[0].name;
    size_t n = strlen(first);
    for (size_t i = 1; i < names->n; i++) {
        size_t same = 0;
        while (same < n && names->rows[i].name[same] == first[same])
            same++;
        n = same;
    }
    size_t word = n;
    while (word > 0 && first[word - 1] != '_')
        word--;
    return word > 0 ? word : n >= 3 ? n : 0; /* SIG stands without a _ */
}

const struct skep_name *skep_names_find(const struct skep_names *names, const char *s, size_t n)
{
    size_t prefix = names->n > 1 ? shared_prefix(names) : 0;
    for (size_t i = 0; i < names->n; i++) {
        const char *name = names->rows[i].name;
        size_t len = strlen(name);
        if (len == n && strncasecmp(name, s, n) == 0)
            return &names->rows[i];
        if (prefix && len - prefix == n && strncasecmp(name + prefix, s, n) == 0)
            return &names->rows[i];
    }
    return NULL;
}
