/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/source.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t skep_rule_source_offset(const struct skep_rule_source *s, size_t at)
{
    size_t n = 0, i = s->at;
    for (size_t k = 0; k < at && k < s->len; k++)
        n += !is_space(s->text[k]);
    for (; i < s->file->len; i++) {
        if (is_space(s->file->text[i]))
            continue;
        if (n-- == 0)
            break;
    }
    return MIN(i, s->file->len);
}

void skep_rule_complain(struct skep_diags *d, bool error, const struct skep_rule_place *p, const char *code,
                        const char *fmt, ...)
{
    const struct skep_rule_source *s = p ? p->source : NULL;
    const struct skep_rule_file *file = s ? s->file : NULL;
    va_list ap;
    va_start(ap, fmt);
    if (file)
        skep_diags_add_in(d, !error, file->name, file->text, file->len, skep_rule_source_offset(s, p->at),
                          p->len, code, fmt, ap);
    else
        skep_diags_add_in(d, !error, NULL, NULL, 0, 0, 0, code, fmt, ap);
    va_end(ap);
}
