/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/condition/parse.h"

#include "base/array.h"
#include "base/spell.h"
#include "rule/column/column.h"
#include "rule/condition/parse_state.h"
#include "rule/evttype.h"
#include "rule/falco/falco.h"
#include "rule/transform.h"

static const struct op {
    const char *text;
    bool list, quantified; /* quantified: may be followed by oneof, anyof, allof */
} ops[SKEP_RULE_OP_MAX] = {
#define NONE .list = false
#define NUMBER .list = false
#define TEXT .quantified = true
#define LIST .list = true
#define SKEP_RULE_OP(name, op_text, args, doc) [SKEP_RULE_OP_##name] = {.text = op_text, args},
#include "rule/ops.def"
#undef SKEP_RULE_OP
#undef NONE
#undef NUMBER
#undef TEXT
#undef LIST
};

static const char *const quantifiers[] = {
    [SKEP_RULE_ONEOF] = "oneof", [SKEP_RULE_ANYOF] = "anyof", [SKEP_RULE_ALLOF] = "allof"};

struct skep_rule_place skep_rule_text_place(const struct skep_rule_text *t, size_t at, size_t len)
{
    size_t low = 0, high = t->n_pieces;
    if (!high)
        return (struct skep_rule_place){0};
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        *(t->pieces[mid].at <= at ? &low : &high) = mid;
    }
    const struct skep_rule_piece *piece = &t->pieces[low];
    size_t in = MIN(at - MIN(at, piece->at), piece->source->len);
    return (struct skep_rule_place){piece->source, (uint32_t)in, (uint32_t)MIN(len, (size_t)UINT32_MAX)};
}

struct skep_rule_place skep_parser_place(const struct skep_parser *ps, size_t at, size_t len)
{
    return skep_rule_text_place(ps->t, at, len);
}

int skep_parser_error(struct skep_parser *ps, size_t at, size_t len, const char *fmt, ...)
{
    struct skep_rule_place place = skep_parser_place(ps, at, len);
    va_list ap;
    va_start(ap, fmt);
    char text[512];
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    skep_rule_complain(ps->p->diags, true, &place, ps->p->code, "%s", text);
    return -EINVAL;
}

void skep_parser_hint_quotes(struct skep_parser *ps)
{
    char c = skep_lex_peek(&ps->l);
    if (c && strchr("=(\"'", c) && ps->l.at && !strchr(" \t\r\n)", ps->l.s[ps->l.at - 1]))
        skep_diags_hint(ps->p->diags, "a value with such characters is written in quotes");
}

/* After an error: && is what other languages have for `and`. */
static void hint_words(struct skep_parser *ps)
{
    static const char *const words[][2] = {{"&&", "and"}, {"||", "or"}, {"!", "not"}};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t n = strlen(words[i][0]);
        if (ps->l.n - ps->l.at < n || memcmp(ps->l.s + ps->l.at, words[i][0], n) != 0)
            continue;
        skep_diags_hint(ps->p->diags, "`%s` is written `%s`", words[i][0], words[i][1]);
        return;
    }
}

const char *skep_parser_here(const struct skep_parser *ps, char *buf, size_t size)
{
    struct skep_lex l = ps->l;
    size_t n = skep_lex_bare(&l);
    if (l.at >= l.n)
        return "the end";
    snprintf(buf, size, "`%.*s`", (int)MIN(MAX(n, (size_t)1), (size_t)40), l.s + l.at);
    return buf;
}

struct skep_rule_issue *skep_parse_issue(const struct skep_parse *p, struct skep_parsed *into, bool error,
                                         const char *code, const struct skep_rule_place *place,
                                         const char *fmt, ...)
{
    if (into->n_issues >= (error ? SKEP_RULE_ISSUES_MAX : SKEP_RULE_ISSUES_MAX / 2))
        return NULL;
    into->n_issues++;
    struct skep_rule_issue *issue = skep_arena_alloc(p->arena, sizeof(*issue));
    if (!issue)
        return NULL;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    issue->error = error;
    issue->code = code;
    issue->place = *place;
    issue->message = skep_arena_text(p->arena, text, strlen(text));
    if (into->last_issue)
        into->last_issue->next = issue;
    else
        into->issues = issue;
    into->last_issue = issue;
    return issue;
}

void skep_rule_issue_report(const struct skep_rule_issue *issue, struct skep_diags *d)
{
    skep_rule_complain(d, issue->error, &issue->place, issue->code, "%s", issue->message);
    if (!issue->hint || !d->last)
        return;
    size_t len = strlen(issue->hint);
    const char *near = issue->kind == SKEP_ISSUE_FIELD  ? skep_rule_field_nearest(issue->hint, len)
                       : issue->kind == SKEP_ISSUE_TYPE ? skep_evttype_nearest(issue->hint, len)
                                                        : NULL;
    if (near)
        skep_diags_hint(d, "did you mean `%s`?", near);
    else if (issue->kind == SKEP_ISSUE_OTHER)
        skep_diags_hint(d, "%s", issue->hint);
}

const char *skep_rule_op_text(enum skep_rule_op op)
{
    return ops[op].text;
}

bool skep_rule_op_takes_list(enum skep_rule_op op)
{
    return ops[op].list;
}

static enum skep_rule_op find_op(const char *s, size_t n)
{
    if (n == 2 && memcmp(s, "==", 2) == 0)
        return SKEP_RULE_OP_EQ;
    for (int i = 0; i < SKEP_RULE_OP_MAX; i++)
        if (strlen(ops[i].text) == n && memcmp(ops[i].text, s, n) == 0)
            return i;
    return SKEP_RULE_OP_INVALID;
}

bool skep_parse_op(const char *s, size_t n, enum skep_rule_op *ret, enum skep_rule_quantifier *ret_quantifier)
{
    const char *space = memchr(s, ' ', n);
    size_t len = space ? (size_t)(space - s) : n;
    enum skep_rule_op op = find_op(s, len);
    enum skep_rule_quantifier q = SKEP_RULE_SINGLE;
    if (op < 0)
        return false;
    if (space) {
        while (len < n && s[len] == ' ')
            len++;
        for (int i = SKEP_RULE_ONEOF; i <= SKEP_RULE_ALLOF; i++)
            if (strlen(quantifiers[i]) == n - len && memcmp(quantifiers[i], s + len, n - len) == 0)
                q = i;
        if (q == SKEP_RULE_SINGLE || !ops[op].quantified)
            return false;
    }
    *ret = op;
    *ret_quantifier = q;
    return true;
}

/* The operator that comes next, and its length; INVALID: none. */
static enum skep_rule_op peek_op(const struct skep_lex *l, size_t *ret_len)
{
    const char *s = l->s + l->at;
    size_t left = l->n - l->at, n = skep_lex_name(l);
    if (!n && left && strchr("<>=!", s[0]))
        n = left > 1 && s[1] == '=' ? 2 : 1;
    *ret_len = n;
    return n ? find_op(s, n) : SKEP_RULE_OP_INVALID;
}

static int next_op(struct skep_parser *ps, struct skep_check *c)
{
    skep_lex_blank(&ps->l);
    size_t len;
    c->op = peek_op(&ps->l, &len);
    if (c->op >= 0) {
        ps->l.at += len;
        return 0;
    }
    char buf[64];
    skep_parser_error(ps, ps->l.at, len,
                      "a comparison (=, in, contains, exists, ...) is expected instead of %s",
                      skep_parser_here(ps, buf, sizeof(buf)));
    struct skep_spell sp;
    skep_spell_init(&sp, ps->l.s + ps->l.at, len);
    for (int i = 0; i < SKEP_RULE_OP_MAX && len; i++)
        skep_spell_offer(&sp, ops[i].text);
    if (len && sp.best)
        skep_diags_hint(ps->p->diags, "did you mean `%s`?", sp.best);
    return -EINVAL;
}

/* Whether a quantifier and its list come next. */
static enum skep_rule_quantifier peek_quantifier(struct skep_parser *ps)
{
    for (int i = SKEP_RULE_ONEOF; i <= SKEP_RULE_ALLOF; i++) {
        struct skep_lex l = ps->l;
        if (!skep_lex_is(&l, quantifiers[i]))
            continue;
        l.at += strlen(quantifiers[i]);
        skep_lex_blank(&l);
        if (!skep_lex_char(&l, '('))
            break;
        ps->l = l;
        return i;
    }
    return SKEP_RULE_SINGLE;
}

static int parse_check(struct skep_parser *ps, struct skep_parsed *ret)
{
    size_t at = ps->l.at;
    struct skep_check c = {0};
    int r = skep_parser_operand(ps, &c.left);
    if (r >= 0)
        r = next_op(ps, &c);
    if (r < 0)
        return r;
    if (c.op != SKEP_RULE_OP_EXISTS) {
        skep_lex_blank(&ps->l);
        if (ops[c.op].quantified)
            c.quantifier = peek_quantifier(ps);
        r = c.quantifier ? skep_parser_list(ps, &c) : skep_parser_right(ps, &c);
        if (r < 0)
            return r;
    }
    struct skep_rule_place place = skep_parser_place(ps, at, ps->l.at - at);
    return ps->p->columns ? skep_columns_check(ps->p->columns, ps->p, &c, &place, ps->into, ret)
                          : skep_parse_make_check(ps->p, &c, &place, ps->into, ret);
}

static int parse_macro(struct skep_parser *ps, size_t len, struct skep_parsed *ret)
{
    const char *name = ps->l.s + ps->l.at;
    struct skep_rule_place place = skep_parser_place(ps, ps->l.at, len);
    struct skep_lex after = ps->l;
    after.at += len;
    skep_lex_blank(&after);
    size_t op_len;
    if (memchr(name, '.', len) || peek_op(&after, &op_len) >= 0 || skep_lex_peek(&after) == '[') {
        /* It is compared with something, so it was meant to be a field; the operand's parser knows what to say. */
        return parse_check(ps, ret);
    }
    ps->l.at += len;
    const struct skep_parse_names *names = ps->p->names;
    if (!names || !names->macro)
        return skep_parser_error(ps, ps->l.at - len, len,
                                 "`%.*s` is no comparison, and there are no macros here",
                                 (int)MIN(len, (size_t)60), name);
    const struct skep_parsed *macro = names->macro(names->data, name, len, &place);
    if (!macro)
        return -EINVAL;
    *ret = (struct skep_parsed){.e = macro->e, .depth = macro->depth, .n_checks = macro->n_checks};
    return 0;
}

static int parse_or(struct skep_parser *ps, struct skep_parsed *ret);

static int parse_primary(struct skep_parser *ps, struct skep_parsed *ret)
{
    char buf[64];
    if (skep_lex_char(&ps->l, '(')) {
        int r = parse_or(ps, ret);
        if (r < 0)
            return r;
        if (skep_lex_char(&ps->l, ')'))
            return 0;
        skep_parser_error(ps, ps->l.at, 1, "`and`, `or` or `)` is expected instead of %s",
                          skep_parser_here(ps, buf, sizeof(buf)));
        skep_parser_hint_quotes(ps);
        hint_words(ps);
        if (ps->l.at >= ps->l.n)
            skep_diags_hint(ps->p->diags, "a parenthesis is not closed");
        return -EINVAL;
    }
    size_t len = skep_lex_name(&ps->l);
    if (!len || skep_lex_is(&ps->l, "and") || skep_lex_is(&ps->l, "or")) {
        skep_parser_error(ps, ps->l.at, MAX(skep_lex_bare(&ps->l), (size_t)1),
                          "a field, a macro or `(` is expected instead of %s",
                          skep_parser_here(ps, buf, sizeof(buf)));
        hint_words(ps);
        return -EINVAL;
    }
    if (ps->l.at + len < ps->l.n && ps->l.s[ps->l.at + len] == '(')
        return parse_check(ps, ret);
    return parse_macro(ps, len, ret);
}

static int parse_not(struct skep_parser *ps, struct skep_parsed *ret)
{
    size_t at = ps->l.at;
    bool negate = false;
    while (skep_lex_is(&ps->l, "not")) {
        ps->l.at += 3;
        negate = !negate;
        skep_lex_blank(&ps->l);
    }
    struct skep_parsed kid;
    int r = parse_primary(ps, &kid);
    if (r < 0)
        return r;
    skep_lex_blank(&ps->l);
    if (!negate) {
        *ret = kid;
        return 0;
    }
    struct skep_rule_place place = skep_parser_place(ps, at, 3);
    return skep_parse_make_group(ps->p, SKEP_EXPR_NOT, &kid, 1, &place, ret);
}

void skep_parsed_row_clear(struct skep_parsed_row *row)
{
    free(row->v);
    *row = (struct skep_parsed_row){0};
}

int skep_parsed_row_add(struct skep_parsed_row *row, const struct skep_parsed *p)
{
    if (SKEP_ARRAY_RESERVE(row->v, row->n, 1, row->room) < 0)
        return -ENOMEM;
    row->v[row->n++] = *p;
    return 0;
}

/* Expressions with word between them; next reads one. */
static int parse_row(struct skep_parser *ps, const char *word, enum skep_expr_kind kind,
                     int (*next)(struct skep_parser *ps, struct skep_parsed *ret), struct skep_parsed *ret)
{
    _cleanup_parsed_row_ struct skep_parsed_row kids = {0};
    size_t at = ps->l.at;
    for (;;) {
        struct skep_parsed kid;
        skep_lex_blank(&ps->l);
        int r = next(ps, &kid);
        if (r >= 0)
            r = skep_parsed_row_add(&kids, &kid);
        if (r < 0)
            return r;
        skep_lex_blank(&ps->l);
        if (!skep_lex_is(&ps->l, word))
            break;
        ps->l.at += strlen(word);
    }
    struct skep_rule_place place = skep_parser_place(ps, at, ps->l.at - at);
    return skep_parse_make_group(ps->p, kind, kids.v, kids.n, &place, ret);
}

static int parse_and(struct skep_parser *ps, struct skep_parsed *ret)
{
    return parse_row(ps, "and", SKEP_EXPR_AND, parse_not, ret);
}

static int parse_or(struct skep_parser *ps, struct skep_parsed *ret)
{
    if (ps->depth == SKEP_RULE_DEPTH_MAX)
        return skep_parser_error(ps, ps->l.at, 1, "parentheses are nested too deeply (more than %d)",
                                 SKEP_RULE_DEPTH_MAX);
    ps->depth++;
    int r = parse_row(ps, "or", SKEP_EXPR_OR, parse_and, ret);
    ps->depth--;
    return r;
}

int skep_parse_condition(const struct skep_parse *p, const struct skep_rule_text *t, struct skep_parsed *ret)
{
    struct skep_parsed out = {0}, tree;
    struct skep_parser ps = {.p = p, .t = t, .l = {.s = t->s, .n = t->n}, .into = &out};
    char buf[64];
    int r = parse_or(&ps, &tree);
    if (r >= 0 && ps.l.at < ps.l.n) {
        r = skep_parser_error(&ps, ps.l.at, MAX(skep_lex_bare(&ps.l), (size_t)1),
                              "`and`, `or` or the end is expected instead of %s",
                              skep_parser_here(&ps, buf, sizeof(buf)));
        skep_parser_hint_quotes(&ps);
        hint_words(&ps);
        if (skep_lex_peek(&ps.l) == ')')
            skep_diags_hint(p->diags, "there is no open parenthesis for it");
    }
    if (skep_arena_failed(p->arena))
        return -ENOMEM;
    if (r < 0)
        return r;
    out.e = tree.e;
    out.depth = tree.depth;
    out.n_checks = tree.n_checks;
    *ret = out;
    return 0;
}

/* A comparison of evt.type with a type that nobody makes, or that there is not. */
static void check_types(const struct skep_parse *p, const struct skep_check *c, struct skep_parsed *into)
{
    if (c->op != SKEP_RULE_OP_EQ && c->op != SKEP_RULE_OP_NE && c->op != SKEP_RULE_OP_IN)
        return;
    for (size_t i = 0; i < c->n_values; i++) {
        const struct skep_literal *v = &c->values[i];
        if (skep_evttype_find(v->s, v->n))
            continue;
        bool exists = skep_evttype_exists(v->s, v->n);
        struct skep_rule_issue *issue = skep_parse_issue(
            p, into, !exists, exists ? "LOAD_COMPILE_CONDITION" : p->code, &v->place,
            exists ? "skep does not observe events of type `%.100s`" : "there is no type of event `%.100s`",
            v->s);
        if (!issue)
            return;
        issue->kind = SKEP_ISSUE_TYPE;
        issue->hint = v->s;
    }
}

/* What is equal to <NA> where Falco has a process without a name is missing here, and missing is equal to nothing: with
 * != that is what was meant. Some fields do have that value. */
static void check_no_value(const struct skep_parse *p, const struct skep_check *c, struct skep_parsed *into)
{
    const struct skep_rule_field *f = c->left->field;
    if ((c->op != SKEP_RULE_OP_EQ && !ops[c->op].list) || (f && f->flags & SKEP_FIELD_NA))
        return;
    for (const struct skep_rule_issue *i = into->issues; i; i = i->next)
        if (skep_streq(i->code, "LOAD_UNSAFE_NA_CHECK"))
            return; /* once for a condition, as in Falco: some have a dozen of them */
    for (size_t i = 0; i < c->n_values; i++) {
        if (c->values[i].n != 4 || memcmp(c->values[i].s, "<NA>", 4) != 0)
            continue;
        struct skep_rule_issue *issue = skep_parse_issue(
            p, into, false, "LOAD_UNSAFE_NA_CHECK", &c->values[i].place,
            "a field without a value is never equal to <NA>: every comparison of it is false");
        if (issue)
            issue->hint = "`exists` asks whether a field has a value";
        return;
    }
}

/* Rules from when there were events of the beginning of a call, too. */
static void check_direction(const struct skep_parse *p, const struct skep_check *c, struct skep_parsed *into)
{
    if (c->op != SKEP_RULE_OP_EQ || !c->n_values || !skep_streq(c->values[0].s, ">"))
        return;
    struct skep_rule_issue *issue =
        skep_parse_issue(p, into, false, "LOAD_COMPILE_CONDITION", &c->values[0].place,
                         "this is never true: all events are of calls that have returned");
    if (issue)
        issue->hint = "leave it out: an event of the end of a call has all that was known at its beginning";
}

/* /proc/self and what is below it, which a canonical path has by number */
static bool is_own_process(const struct skep_literal *v)
{
    static const char *const names[] = {"/proc/self", "/proc/thread-self"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t n = strlen(names[i]);
        if (v->n >= n && memcmp(v->s, names[i], n) == 0 && (v->n == n || v->s[n] == '/'))
            return true;
    }
    return false;
}

static void check_canonical(const struct skep_parse *p, const struct skep_check *c, struct skep_parsed *into)
{
    static const enum skep_rule_op looked_for[] = {SKEP_RULE_OP_EQ, SKEP_RULE_OP_IN, SKEP_RULE_OP_STARTSWITH,
                                                   SKEP_RULE_OP_GLOB, SKEP_RULE_OP_PMATCH};
    bool looks = false;
    for (size_t i = 0; i < ARRAY_SIZE(looked_for); i++)
        looks = looks || c->op == looked_for[i];
    for (size_t i = 0; looks && i < c->n_values; i++) {
        if (!is_own_process(&c->values[i]))
            continue;
        struct skep_rule_issue *issue = skep_parse_issue(
            p, into, false, "LOAD_COMPILE_CONDITION", &c->values[i].place,
            "`%s` is the path that the kernel found: /proc/self is /proc/PID there, and links are followed",
            c->left->field->name);
        if (issue)
            issue->hint = "`fd.nameraw` is the path as it was given";
        return;
    }
}

#define MISUSES_MAX 64 /* values of a check that look like fields and are looked up */

/* proc.pname or toupper(proc.pname), with blanks around, where a text stands. */
static bool is_misused(const char *s, size_t n)
{
    while (n && strchr(" \t\r\n", s[0])) {
        s++;
        n--;
    }
    while (n && strchr(" \t\r\n", s[n - 1]))
        n--;
    struct skep_lex l = {.s = s, .n = n};
    size_t at, len = skep_lex_name(&l);
    if (len && len < n && s[len] == '(')
        return s[n - 1] == ')' && skep_transform_find(s, len) >= 0;
    return len && (len == n || (s[len] == '[' && s[n - 1] == ']')) &&
           skep_rule_field_find_dotted(s, len, &at);
}

static void check_misuse(const struct skep_parse *p, const struct skep_check *c, struct skep_parsed *into)
{
    size_t left = MISUSES_MAX;
    for (size_t i = 0; i < c->n_values && left; i++) {
        const struct skep_literal *v = &c->values[i];
        size_t blanks = strspn(v->s, " \t\r\n");
        if (!skep_rule_field_may_be(v->s + blanks, v->n - blanks) && !memchr(v->s, '(', v->n))
            continue;
        left--;
        if (!is_misused(v->s, v->n))
            continue;
        struct skep_rule_issue *issue =
            skep_parse_issue(p, into, false, "LOAD_COMPILE_CONDITION", &v->place,
                             "`%.100s` is a text here, not the field or function of this name", v->s);
        if (issue && !strpbrk(v->s, "( \t\r\n"))
            issue->hint = skep_arena_printf(p->arena, "the field's value is val(%.100s)", v->s);
    }
}

/* Values are looked at again for each check that has them, those of evt.type one by one among all types. */
static int charge_values(const struct skep_parse *p, size_t n, bool type, const struct skep_rule_place *place)
{
    size_t cost = type && n > SKEP_EVTTYPE_MAX ? n * 32 : n;
    if (!p->values_left)
        return 0;
    if (*p->values_left < cost) {
        skep_rule_complain(p->diags, true, place, p->code,
                           "all conditions together compare with too many values");
        return -EINVAL;
    }
    *p->values_left -= cost;
    return 0;
}

int skep_parse_make_check(const struct skep_parse *p, const struct skep_check *c,
                          const struct skep_rule_place *place, struct skep_parsed *into,
                          struct skep_parsed *ret)
{
    struct skep_expr *e = skep_arena_alloc(p->arena, sizeof(*e));
    const char *field = c->left->field && !c->left->arg ? c->left->field->name : "";
    bool type = skep_streq(field, "evt.type");
    if (!e)
        return -ENOMEM;
    int r = charge_values(p, c->n_values, type, place);
    if (r < 0)
        return r;
    *e = (struct skep_expr){.kind = SKEP_EXPR_CHECK, .check = *c, .place = *place};
    if (type)
        check_types(p, c, into);
    if (skep_streq(field, "evt.dir"))
        check_direction(p, c, into);
    if (skep_streq(field, "fd.name") || skep_streq(field, "fd.directory"))
        check_canonical(p, c, into);
    check_no_value(p, c, into);
    check_misuse(p, c, into);
    *ret = (struct skep_parsed){.e = e, .depth = 1, .n_checks = 1};
    return skep_arena_failed(p->arena) ? -ENOMEM : 0;
}

int skep_parse_make_group(const struct skep_parse *p, enum skep_expr_kind kind,
                          const struct skep_parsed *kids, size_t n, const struct skep_rule_place *place,
                          struct skep_parsed *ret)
{
    if (n == 1 && kind != SKEP_EXPR_NOT) {
        *ret = kids[0];
        return 0;
    }
    struct skep_expr *e = skep_arena_alloc(p->arena, sizeof(*e));
    const struct skep_expr **list = skep_arena_array(p->arena, n, sizeof(*list));
    if (!e || !list)
        return -ENOMEM;
    uint64_t depth = 0, n_checks = 0;
    for (size_t i = 0; i < n; i++) {
        list[i] = kids[i].e;
        depth = MAX(depth, kids[i].depth);
        n_checks += kids[i].n_checks;
    }
    if (depth >= SKEP_RULE_DEPTH_MAX || n_checks > SKEP_FALCO_NODES_MAX) {
        if (depth >= SKEP_RULE_DEPTH_MAX)
            skep_rule_complain(p->diags, true, place, p->code,
                               "the condition is nested too deeply, macros included (more than %d)",
                               SKEP_RULE_DEPTH_MAX);
        else
            skep_rule_complain(p->diags, true, place, p->code,
                               "the condition is too large, macros included (more than %d comparisons)",
                               SKEP_FALCO_NODES_MAX);
        return -EINVAL;
    }
    *e = (struct skep_expr){.kind = kind, .kids = list, .n_kids = n, .place = *place};
    *ret = (struct skep_parsed){.e = e, .depth = (uint32_t)depth + 1, .n_checks = (uint32_t)n_checks};
    return 0;
}
