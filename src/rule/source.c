/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/source.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static unsigned utf8_len(unsigned long c)
{
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

/* The escape at s (n bytes are left) of a value in double quotes: its length in the file, and how many bytes of the
 * value that are no white space it makes. */
static size_t escape(const char *s, size_t n, size_t *ret_bytes)
{
    size_t digits = 0;
    char hex[9] = "";
    *ret_bytes = 0;
    if (n < 2)
        return n;
    switch (s[1]) {
    case 'n':
    case 't':
    case 'r':
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return 2;
    case '_':
    case 'N':
        *ret_bytes = 2;
        return 2;
    case 'L':
    case 'P':
        *ret_bytes = 3;
        return 2;
    case 'x':
        digits = 2;
        break;
    case 'u':
        digits = 4;
        break;
    case 'U':
        digits = 8;
        break;
    default:
        *ret_bytes = 1;
        return 2;
    }
    digits = MIN(digits, n - 2);
    memcpy(hex, s + 2, digits);
    unsigned long c = strtoul(hex, NULL, 16);
    *ret_bytes = c < 0x80 && is_space((char)c) ? 0 : utf8_len(c);
    return 2 + digits;
}

size_t skep_rule_source_offset(const struct skep_rule_source *s, size_t at)
{
    const char *text = s->file->text;
    size_t len = s->file->len, n = 0, i = MIN(s->at, len), behind = i;
    char quote = s->quoted && s->at && s->at <= len ? text[s->at - 1] : 0;
    bool space = at >= s->len || is_space(s->text[at]);
    for (size_t k = 0; k < at && k < s->len; k++)
        n += !is_space(s->text[k]);
    /* Of white space, and of the end, the place is behind what stands before it. */
    while (i < len && !(space && n == 0)) {
        size_t step = 1, bytes = !is_space(text[i]);
        if (quote == '"' && text[i] == '\\')
            step = escape(text + i, len - i, &bytes);
        else if (quote == '\'' && text[i] == '\'')
            step = 2; /* '' */
        if (bytes > n)
            break;
        n -= bytes;
        i += step;
        behind = bytes ? i : behind;
    }
    return MIN(space ? behind : i, len);
}

/* The item that a byte of the file stands in. */
static void add_item(struct skep_diags *d, const struct skep_rule_file *file, size_t at)
{
    size_t low = 0, high = file->n_items;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (file->items[mid].at <= at)
            low = mid + 1;
        else
            high = mid;
    }
    const struct skep_rule_item *item = low ? &file->items[low - 1] : NULL;
    if (item && item->type)
        skep_diags_item(d, item->type, item->name, file->text, file->len, item->at);
}

void skep_rule_complain(struct skep_diags *d, bool error, const struct skep_rule_place *p, const char *code,
                        const char *fmt, ...)
{
    const struct skep_rule_source *s = p ? p->source : NULL;
    const struct skep_rule_file *file = s ? s->file : NULL;
    va_list ap;
    va_start(ap, fmt);
    size_t at = file ? skep_rule_source_offset(s, p->at) : 0;
    if (file) {
        skep_diags_add_in(d, !error, file->name, file->text, file->len, at, p->len, code, fmt, ap);
        add_item(d, file, at);
    } else {
        skep_diags_add_in(d, !error, NULL, NULL, 0, 0, 0, code, fmt, ap);
    }
    va_end(ap);
}
