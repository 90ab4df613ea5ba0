/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/spell.h"
#include "rule/column/column.h"
#include "rule/condition/parse_state.h"
#include "rule/transform.h"

#include <ctype.h>

static const unsigned char n_args[SKEP_TRANSFORM_MAX] = {
#define SKEP_TRANSFORM(name, args, doc) [SKEP_TRANSFORM_##name] = args,
#include "rule/transforms.def"
#undef SKEP_TRANSFORM
};

int skep_parser_quoted(struct skep_parser *ps, const char **ret, size_t *ret_n)
{
    size_t at = ps->l.at, n = skep_lex_quoted(&ps->l), bad;
    if (!n)
        return skep_parser_error(ps, at, 1, "the text that begins here has no closing quote");
    char *s = skep_arena_text(ps->p->arena, NULL, 0);
    s = s && n > 2 ? skep_arena_alloc(ps->p->arena, n) : s;
    if (!s)
        return -ENOMEM;
    if (n > 2 && !skep_lex_unquote(ps->l.s + at, n, s, ret_n, &bad)) {
        skep_parser_error(ps, at + bad, 2, "there is no escape `%.2s` in quotes like these",
                          ps->l.s + at + bad);
        skep_diags_hint(ps->p->diags, "a backslash is written \\\\");
        return -EINVAL;
    }
    if (n == 2)
        *ret_n = 0;
    ps->l.at += n;
    *ret = s;
    return 0;
}

static int unknown_field(struct skep_parser *ps, const char *name, size_t n,
                         const struct skep_rule_place *place)
{
    struct skep_columns *columns = ps->p->columns;
    bool elsewhere = columns && skep_columns_elsewhere(columns, name, n);
    struct skep_rule_issue *issue =
        skep_parse_issue(ps->p, ps->into, true, ps->p->code, place,
                         elsewhere ? "the chosen kinds of event have no `%.*s`" : "there is no field `%.*s`",
                         (int)MIN(n, (size_t)100), name);
    if (!issue)
        return skep_arena_failed(ps->p->arena) ? -ENOMEM : 0;
    if (columns) {
        const char *near = skep_columns_nearest(columns, name, n);
        issue->hint = near ? skep_arena_printf(ps->p->arena, "did you mean `%s`?", near)
                           : "`skep docs fields` and `skep docs events` list the fields";
        return 0;
    }
    issue->kind = SKEP_ISSUE_FIELD;
    issue->hint = skep_arena_text(ps->p->arena, name, MIN(n, (size_t)100));
    return 0;
}

static const struct skep_rule_field *find_field(struct skep_parser *ps, const char *name, size_t n)
{
    static const struct skep_rule_field none;
    struct skep_textmap *known = ps->p->fields;
    const struct skep_rule_field *f = known ? skep_textmap_get(known, name, n) : NULL;
    if (f)
        return f == &none ? NULL : f;
    size_t arg_at;
    f = skep_rule_field_find_dotted(name, n, &arg_at);
    if (!f && ps->p->columns)
        f = skep_columns_find(ps->p->columns, name, n);
    /* Without memory it is looked for again. */
    const char *key = f && strlen(f->name) == n ? f->name : name;
    if (known)
        (void)skep_textmap_put(known, key, n, (void *)(uintptr_t)(f ? f : &none));
    return f;
}

/* The argument between brackets; *ret stays NULL when there is none. */
static int parse_arg(struct skep_parser *ps, const char **ret)
{
    if (!skep_lex_char(&ps->l, '['))
        return 0;
    size_t at = ps->l.at, n = skep_lex_arg(&ps->l), len;
    char c = skep_lex_peek(&ps->l);
    if (c == '"' || c == '\'') {
        int r = skep_parser_quoted(ps, ret, &len);
        if (r < 0)
            return r;
    } else if (n) {
        *ret = skep_arena_text(ps->p->arena, ps->l.s + at, n);
        ps->l.at += n;
        if (!*ret)
            return -ENOMEM;
    } else {
        return skep_parser_error(ps, at, 1, "an argument is expected between the brackets");
    }
    if (!skep_lex_char(&ps->l, ']'))
        return skep_parser_error(ps, ps->l.at, 1, "`]` is expected here");
    return 0;
}

/* Whether field and argument go together. */
static void check_arg(struct skep_parser *ps, const struct skep_operand *o)
{
    const struct skep_rule_field *f = o->field;
    bool takes = f->flags & (SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ARG_REQUIRED);
    const char *wrong = NULL, *hint = NULL;
    if (o->arg && !takes)
        wrong = "takes no argument";
    else if (!o->arg && f->flags & SKEP_FIELD_ARG_REQUIRED) {
        wrong = "needs an argument";
        hint = f->flags & SKEP_FIELD_ARG_INDEX ? "%s[1]" : "%s[NAME]";
    } else if (o->arg && f->flags & SKEP_FIELD_ARG_INDEX) {
        char *end;
        size_t n = strspn(o->arg, "0123456789");
        unsigned long v = n && n < 10 && !o->arg[n] ? strtoul(o->arg, &end, 10) : SKEP_FIELD_INDEX_MAX + 1;
        if (v > SKEP_FIELD_INDEX_MAX)
            wrong = "takes a number from 0 to 1023 as its argument";
        _Static_assert(SKEP_FIELD_INDEX_MAX == 1023, "the message says so");
    }
    if (!wrong && o->arg && !skep_rule_field_arg_known(f, o->arg, strlen(o->arg))) {
        struct skep_rule_issue *issue = skep_parse_issue(ps->p, ps->into, true, ps->p->code, &o->place,
                                                         "there is no field `%s.%.100s`", f->name, o->arg);
        if (issue) {
            issue->kind = SKEP_ISSUE_FIELD;
            issue->hint = f->name;
        }
        return;
    }
    if (!wrong)
        return;
    struct skep_rule_issue *issue =
        skep_parse_issue(ps->p, ps->into, true, ps->p->code, &o->place, "the field `%s` %s", f->name, wrong);
    if (issue && hint)
        issue->hint = skep_arena_printf(ps->p->arena, hint[3] == '1' ? "%s[1]" : "%s[NAME]", f->name);
}

/* Of a name in a text: how much may be a field, with its argument and without. */
#define PREFIX_MAX 512
#define NAME_MAX_LEN 64

/* Where text may follow at once, a full stop behind a field may end a sentence: how much of the name is a field. */
static size_t prefix_length(struct skep_parser *ps, const char *name, size_t n)
{
    for (size_t len = MIN(n, (size_t)PREFIX_MAX); len > 0;) {
        const struct skep_rule_field *f = name[len - 1] != '.' ? find_field(ps, name, len) : NULL;
        /* evt.arg alone would be wrong: what stands behind it was meant to be its argument. */
        bool alone = f && (f->flags & SKEP_FIELD_ARG_REQUIRED) && strlen(f->name) == len && len < n;
        if (f && !alone)
            return len;
        while (len > 0 && name[len - 1] != '.')
            len--;
        len -= len > 0;
    }
    /* Else the longest beginning that is a field, as in %proc.name_%proc.pid. */
    for (size_t len = MIN(n - 1, (size_t)NAME_MAX_LEN); len > 1; len--) {
        const struct skep_rule_field *f = skep_rule_field_find(name, len);
        if (f && !(f->flags & SKEP_FIELD_ARG_REQUIRED))
            return len;
    }
    while (n > 1 && name[n - 1] == '.')
        n--;
    return n;
}

static int parse_field(struct skep_parser *ps, struct skep_operand *o)
{
    size_t at = ps->l.at, n = skep_lex_name(&ps->l);
    const char *name = ps->l.s + at;
    if (ps->prefix)
        n = prefix_length(ps, name, n);
    ps->l.at += n;
    o->transform = SKEP_TRANSFORM_INVALID;
    o->field = find_field(ps, name, n);
    size_t own = o->field ? strlen(o->field->name) : n;
    if (own < n) {
        o->arg = skep_arena_text(ps->p->arena, name + own + 1, n - own - 1);
        if (!o->arg)
            return -ENOMEM;
    }
    bool takes = !o->field || o->field->flags & (SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ARG_REQUIRED);
    int r = own < n || (ps->prefix && !takes) ? 0 : parse_arg(ps, &o->arg);
    if (r < 0)
        return r;
    o->place = skep_parser_place(ps, at, ps->l.at - at);
    if (o->field && ps->prefix && !o->arg && isalnum((unsigned char)skep_lex_peek(&ps->l)) &&
        ps->l.at == at + n)
        skep_parse_issue(ps->p, ps->into, false, "LOAD_COMPILE_CONDITION", &o->place,
                         "the text behind the field `%s` begins with a letter or digit", o->field->name);
    if (!o->field) {
        struct skep_rule_place place = skep_parser_place(ps, at, n);
        return unknown_field(ps, name, n, &place);
    }
    check_arg(ps, o);
    if (o->field->flags & SKEP_FIELD_DEPRECATED)
        skep_parse_issue(ps->p, ps->into, false, "LOAD_DEPRECATED_ITEM", &o->place,
                         "the field `%s` is deprecated", o->field->name);
    return 0;
}

struct operands {
    const struct skep_operand **v;
    size_t n, room;
};

static void operands_clear(struct operands *l)
{
    free(l->v);
}

static int operands_add(struct operands *l, const struct skep_operand *o)
{
    if (SKEP_ARRAY_RESERVE(l->v, l->n, 1, l->room) < 0)
        return -ENOMEM;
    l->v[l->n++] = o;
    return 0;
}

static int parse_literal(struct skep_parser *ps, struct skep_operand *o)
{
    size_t at = ps->l.at, n = skep_lex_number(&ps->l);
    o->transform = SKEP_TRANSFORM_INVALID;
    if (n) {
        o->literal = skep_arena_text(ps->p->arena, ps->l.s + at, n);
        ps->l.at += n;
    } else {
        int r = skep_parser_quoted(ps, &o->literal, &n);
        if (r < 0)
            return r;
    }
    o->place = skep_parser_place(ps, at, ps->l.at - at);
    return o->literal ? 0 : -ENOMEM;
}

static int parse_function(struct skep_parser *ps, size_t len, struct skep_operand *o);

/* Arguments up to the closing parenthesis; a list in parentheses counts as so many of them. */
static int parse_arguments(struct skep_parser *ps, struct operands *l, bool nested)
{
    for (;;) {
        skep_lex_blank(&ps->l);
        size_t len = skep_lex_name(&ps->l);
        char buf[64], c = skep_lex_peek(&ps->l);
        int r;
        if (c == '(' && !nested) {
            ps->l.at++;
            r = parse_arguments(ps, l, true);
        } else if (nested && c == ')' && l->n == 0) {
            ps->l.at++;
            return 0;
        } else {
            struct skep_operand *o = skep_arena_alloc(ps->p->arena, sizeof(*o));
            if (!o)
                return -ENOMEM;
            if (c == '"' || c == '\'' || skep_lex_number(&ps->l))
                r = parse_literal(ps, o);
            else if (len && ps->l.at + len < ps->l.n && ps->l.s[ps->l.at + len] == '(')
                r = parse_function(ps, len, o);
            else if (len)
                r = parse_field(ps, o);
            else
                r = skep_parser_error(ps, ps->l.at, 1,
                                      "a field, a function or a quoted text is expected instead of %s",
                                      skep_parser_here(ps, buf, sizeof(buf)));
            if (r >= 0)
                r = operands_add(l, o);
        }
        if (r < 0)
            return r;
        skep_lex_blank(&ps->l);
        if (skep_lex_char(&ps->l, ')'))
            return 0;
        if (!skep_lex_char(&ps->l, ','))
            return skep_parser_error(ps, ps->l.at, 1, "`,` or `)` is expected instead of %s",
                                     skep_parser_here(ps, buf, sizeof(buf)));
    }
}

static int unknown_function(struct skep_parser *ps, size_t at, size_t len)
{
    const char *name = ps->l.s + at;
    skep_parser_error(ps, at, len, "there is no function `%.*s`", (int)MIN(len, (size_t)60), name);
    struct skep_spell sp;
    skep_spell_init(&sp, name, len);
    for (int i = 0; i < SKEP_TRANSFORM_MAX; i++)
        skep_spell_offer(&sp, skep_transform_name(i));
    if (sp.best)
        skep_diags_hint(ps->p->diags, "did you mean `%s`?", sp.best);
    return -EINVAL;
}

static int parse_function(struct skep_parser *ps, size_t len, struct skep_operand *o)
{
    SKEP_CLEANUP(operands_clear) struct operands l = {0};
    size_t at = ps->l.at;
    enum skep_transform_id id = skep_transform_find(ps->l.s + at, len);
    if (id < 0)
        return unknown_function(ps, at, len);
    bool val = id == SKEP_TRANSFORM_val;
    bool right = ps->right;
    ps->right = false;
    if (val && !right) {
        skep_parser_error(ps, at, len,
                          "val() only tells a field from a text, on the right side of a comparison");
        skep_diags_hint(ps->p->diags, "here a field is written as it is");
        return -EINVAL;
    }
    if (ps->depth == SKEP_RULE_DEPTH_MAX)
        return skep_parser_error(ps, at, len, "functions are nested too deeply (more than %d)",
                                 SKEP_RULE_DEPTH_MAX);
    ps->l.at += len + 1;
    ps->depth++;
    int r = parse_arguments(ps, &l, false);
    ps->depth--;
    if (r < 0)
        return r;
    if (n_args[id] ? l.n != n_args[id] : l.n == 0)
        return skep_parser_error(ps, at, ps->l.at - at, "%s() takes %s, not %zu", skep_transform_name(id),
                                 n_args[id] == 0   ? "arguments"
                                 : n_args[id] == 1 ? "one argument"
                                                   : "two arguments",
                                 l.n);
    struct skep_rule_place place = skep_parser_place(ps, at, ps->l.at - at);
    if (val) {
        if (l.v[0]->transform >= 0 || l.v[0]->literal)
            return skep_parser_error(ps, at, ps->l.at - at, "val() takes a field");
        *o = *l.v[0];
        o->place = place;
        return 0;
    }
    o->operands = skep_arena_array(ps->p->arena, l.n, sizeof(*o->operands));
    if (!o->operands)
        return -ENOMEM;
    memcpy(o->operands, l.v, l.n * sizeof(*l.v));
    o->n_operands = l.n;
    o->transform = id;
    o->place = place;
    return 0;
}

int skep_parser_operand(struct skep_parser *ps, const struct skep_operand **ret)
{
    size_t at = ps->l.at, len = skep_lex_name(&ps->l);
    char buf[64];
    if (!len)
        return skep_parser_error(ps, at, 1, "a field is expected instead of %s",
                                 skep_parser_here(ps, buf, sizeof(buf)));
    struct skep_operand *o = skep_arena_alloc(ps->p->arena, sizeof(*o));
    if (!o)
        return -ENOMEM;
    bool function = at + len < ps->l.n && ps->l.s[at + len] == '(';
    /* %user.name(%user.uid): the text goes on with a parenthesis */
    if (function && ps->prefix && skep_transform_find(ps->l.s + at, len) < 0)
        function = !memchr(ps->l.s + at, '.', len) &&
                   !find_field(ps, ps->l.s + at, prefix_length(ps, ps->l.s + at, len));
    int r = function ? parse_function(ps, len, o) : parse_field(ps, o);
    if (r < 0)
        return r;
    *ret = o;
    return 0;
}

int skep_parse_operand(const struct skep_parse *p, const struct skep_rule_text *t, size_t *at,
                       enum skep_operand_place where, struct skep_parsed *into,
                       const struct skep_operand **ret)
{
    bool prefix = where == SKEP_OPERAND_IN_TEXT;
    struct skep_parser ps = {.p = p,
                             .t = t,
                             .l = {.s = t->s, .n = t->n, .at = *at},
                             .prefix = prefix,
                             .right = where == SKEP_OPERAND_RIGHT,
                             .into = into};
    char buf[64];
    int r = skep_parser_operand(&ps, ret);
    if (r >= 0 && !prefix && ps.l.at < ps.l.n)
        r = skep_parser_error(&ps, ps.l.at, 1, "the end is expected instead of %s",
                              skep_parser_here(&ps, buf, sizeof(buf)));
    if (skep_arena_failed(p->arena))
        return -ENOMEM;
    if (r < 0)
        return r;
    *at = ps.l.at;
    return 0;
}
