/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"
#include "rule/alert/format.h"
#include "rule/falco/load.h"

#define DEPRECATED "container.info"

/* The field behind a % and a width at *at, which is then behind it. */
static int check_field(struct skep_falco *f, const struct skep_parse *parse,
                       const struct skep_rule_text *text, size_t *at, struct skep_parsed *into)
{
    const struct skep_operand *o;
    size_t percent = *at - 1;
    while (*at < text->n && text->s[*at] >= '0' && text->s[*at] <= '9')
        ++*at;
    struct skep_lex l = {.s = text->s, .n = text->n, .at = *at};
    if (!skep_lex_name(&l)) {
        struct skep_rule_place place = skep_rule_text_place(text, percent, *at - percent);
        skep_rule_complain(f->diags, true, &place, SKEP_FALCO_OUTPUT, "a field is expected behind `%%`");
        skep_diags_hint(f->diags, "the character itself is written %%%%");
        return -EINVAL;
    }
    size_t from = *at;
    int r = skep_parse_operand(parse, text, at, SKEP_OPERAND_IN_TEXT, into, &o);
    if (r < 0)
        return r;
    if (o->field && o->field->flags & SKEP_FIELD_FILTER_ONLY) {
        struct skep_rule_place place = skep_rule_text_place(text, from, *at - from);
        skep_rule_complain(f->diags, true, &place, SKEP_FALCO_OUTPUT,
                           "the field `%s` is for conditions only: it has several values", o->field->name);
        return -EINVAL;
    }
    return 0;
}

static bool is_deprecated(const struct skep_rule_text *t, size_t at)
{
    struct skep_lex l = {.s = t->s, .n = t->n, .at = at};
    return skep_lex_is(&l, DEPRECATED) && !skep_rule_field_find(DEPRECATED, strlen(DEPRECATED));
}

int skep_falco_output(struct skep_falco *f, const struct skep_falco_rule *rule, struct skep_parsed *into,
                      const char **ret)
{
    struct skep_rule_text text;
    struct skep_parse parse = f->parse;
    int r = skep_falco_join(f, &rule->output, &text);
    if (r < 0)
        return r;
    if (text.n > SKEP_FORMAT_TEXT_MAX)
        return skep_falco_error(f, SKEP_FALCO_OUTPUT, rule->output.first->y,
                                "the output is too long (more than %u KiB)", SKEP_FORMAT_TEXT_MAX >> 10);
    parse.code = SKEP_FALCO_OUTPUT;
    parse.names = NULL;
    _cleanup_strbuf_ struct skep_strbuf out;
    skep_strbuf_init(&out, text.n);
    for (size_t i = 0; i < text.n;) {
        const char *percent = memchr(text.s + i, '%', text.n - i);
        size_t at = percent ? (size_t)(percent - text.s) : text.n, from = at;
        skep_strbuf_put(&out, text.s + i, at - i);
        if (at++ == text.n)
            break;
        if (is_deprecated(&text, at)) {
            struct skep_rule_place place = skep_rule_text_place(&text, at, strlen(DEPRECATED));
            skep_rule_complain(f->diags, false, &place, "LOAD_DEPRECATED_ITEM",
                               "%%container.info is deprecated and stands for nothing");
            i = at + strlen(DEPRECATED);
            continue;
        }
        bool percent_sign = at < text.n && text.s[at] == '%';
        at += percent_sign;
        int r_field = percent_sign ? 0 : check_field(f, &parse, &text, &at, into);
        if (r_field == -ENOMEM)
            return r_field;
        r = r_field < 0 ? r_field : r;
        skep_strbuf_put(&out, text.s + from, at - from);
        i = at;
    }
    size_t skip = strspn(out.s, " \t\r\n"), n = out.len;
    while (n > skip && strchr(" \t\r\n", out.s[n - 1]))
        n--;
    *ret = skep_arena_text(f->arena, out.s + MIN(skip, n), n - MIN(skip, n));
    return out.failed || !*ret ? -ENOMEM : r;
}
