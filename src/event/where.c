/* SPDX-License-Identifier: Apache-2.0 */
#include "event/where.h"

#include "event/operand.h"

/* A place in the text that was written. */
struct span {
    size_t at, len;
};

struct word {
    struct span span;
    size_t s, n; /* the value behind quotes and escapes, in the arena */
};

/* The operands of an atom, read for one type of field. */
struct variant {
    struct skep_operand *operands;
    bool tried;
    bool ok;
};

struct atom {
    struct span field, op_span;
    enum skep_op op;
    bool negated;
    size_t first, n; /* words */
    struct variant variants[SKEP_TYPE_MAX];
    const struct skep_field
        *fields[SKEP_KIND_MAX]; /* NULL: missing there, or the operands do not fit its type */
};

struct skep_where {
    char *text;  /* a copy */
    char *arena; /* values without quotes and escapes: never longer than the text */
    size_t arena_len;
    struct atom *atoms;
    size_t n_atoms;
    struct word *words;
    size_t n_words;
    struct skep_strbuf scratch;
};

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_OP, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMA };

struct parser {
    struct skep_where *w;
    struct skep_diags *d;
    const struct skep_schema *schema;
    size_t at;
    enum token_kind token;
    struct span span;
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Words of the grammar end where an operator begins; values may hold = and < and so on. */
static bool ends_word(const char *s, bool value)
{
    if (*s == '\0' || is_space(*s) || strchr("(),", *s))
        return true;
    if (value)
        return false;
    return strchr("=!<>\"'", *s) || (s[0] == '&' && s[1] == '&') || (s[0] == '|' && s[1] == '|');
}

static void error(struct parser *p, struct span at, const char *code, const char *message)
{
    skep_diags_add(p->d, p->w->text, at.at, at.len, code, "%s", message);
}

/* value: a value is expected here. */
static int next(struct parser *p, bool value)
{
    const char *text = p->w->text;
    while (is_space(text[p->at]))
        p->at++;
    const char *s = text + p->at;
    size_t len = 1;
    if (*s == '\0') {
        p->token = TOKEN_END;
        len = 0;
    } else if (*s == '(' || *s == ')' || *s == ',') {
        p->token = *s == '(' ? TOKEN_OPEN : *s == ')' ? TOKEN_CLOSE : TOKEN_COMMA;
    } else if (*s == '"' || *s == '\'') {
        p->token = TOKEN_STRING;
        while (s[len] && s[len] != *s)
            len += s[len] == '\\' && s[len + 1] ? 2 : 1;
        if (!s[len]) {
            error(p, (struct span){p->at, 1}, "syntax", "the quote is not closed");
            return -EINVAL;
        }
        len++;
    } else if (!value && ends_word(s, false)) {
        p->token = TOKEN_OP;
        if ((strchr("=!<>", s[0]) && s[1] == '=') || (s[0] == s[1] && strchr("&|", s[0])))
            len = 2;
    } else {
        p->token = TOKEN_WORD;
        while (!ends_word(s + len, value))
            len++;
    }
    p->span = (struct span){p->at, len};
    p->at += len;
    return 0;
}

static bool token_is(const struct parser *p, const char *word)
{
    return (p->token == TOKEN_WORD || p->token == TOKEN_OP) && strlen(word) == p->span.len &&
           strncmp(p->w->text + p->span.at, word, p->span.len) == 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Appends one escape to the arena; returns the bytes that it takes, 0 when it is none. */
static size_t unescape(struct skep_where *w, const char *s)
{
    char c = s[1];
    size_t len = 2;
    if (c == 'n') {
        c = '\n';
    } else if (c == 't') {
        c = '\t';
    } else if (c == 'x') {
        int high = hex(s[2]), low = high < 0 ? -1 : hex(s[3]);
        if (low < 0)
            return 0;
        c = (char)(high << 4 | low);
        len = 4;
    } else if (c != '"' && c != '\'' && c != '\\') {
        return 0;
    }
    w->arena[w->arena_len++] = c;
    return len;
}

static int take_value(struct parser *p, struct atom *atom)
{
    struct skep_where *w = p->w;
    if (p->token != TOKEN_WORD && p->token != TOKEN_STRING) {
        error(p, p->span, "syntax", "a value is missing here");
        return -EINVAL;
    }
    if (w->n_words == SKEP_WHERE_VALUES_MAX) {
        error(p, p->span, "too-long", "too many values");
        return -EINVAL;
    }
    struct word *word = &w->words[w->n_words++];
    *word = (struct word){.span = p->span, .s = w->arena_len};
    bool quoted = p->token == TOKEN_STRING;
    size_t at = p->span.at + quoted, end = p->span.at + p->span.len - quoted;
    while (at < end) {
        if (!quoted || w->text[at] != '\\') {
            w->arena[w->arena_len++] = w->text[at++];
            continue;
        }
        size_t len = unescape(w, w->text + at);
        if (len == 0 || len > end - at) {
            error(p, (struct span){at, 2}, "syntax", "not an escape: there are \\\" \\' \\\\ \\n \\t \\xHH");
            return -EINVAL;
        }
        at += len;
    }
    word->n = w->arena_len - word->s;
    atom->n++;
    return 0;
}

static int take_list(struct parser *p, struct atom *atom)
{
    int r = next(p, true);
    if (r < 0)
        return r;
    if (p->token != TOKEN_OPEN)
        return take_value(p, atom);
    do {
        r = next(p, true);
        if (r >= 0)
            r = take_value(p, atom);
        if (r >= 0)
            r = next(p, false);
        if (r < 0)
            return r;
    } while (p->token == TOKEN_COMMA);
    if (p->token != TOKEN_CLOSE) {
        error(p, p->span, "syntax", "a list goes on with , or ends with )");
        return -EINVAL;
    }
    return 0;
}

static int take_operator(struct parser *p, struct atom *atom)
{
    static const struct {
        const char *word;
        enum skep_op op;
    } operators[] = {
        {"=", SKEP_OP_EQ},
        {"==", SKEP_OP_EQ},
        {"!=", SKEP_OP_NE},
        {"<", SKEP_OP_LT},
        {"<=", SKEP_OP_LE},
        {">", SKEP_OP_GT},
        {">=", SKEP_OP_GE},
        {"contains", SKEP_OP_CONTAINS},
        {"startswith", SKEP_OP_STARTSWITH},
        {"endswith", SKEP_OP_ENDSWITH},
        {"glob", SKEP_OP_GLOB},
        {"in", SKEP_OP_IN},
        {"exists", SKEP_OP_EXISTS},
    };
    atom->op_span = p->span;
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
        if (token_is(p, operators[i].word)) {
            atom->op = operators[i].op;
            return 0;
        }
    error(p, p->span, "syntax",
          p->token == TOKEN_END ? "an operator is missing here" : "this is not an operator");
    skep_diags_hint(p->d, "there are = != < <= > >= contains startswith endswith glob in exists");
    return -EINVAL;
}

static int take_comparison(struct parser *p)
{
    struct skep_where *w = p->w;
    if (w->n_atoms == SKEP_WHERE_ATOMS_MAX) {
        error(p, p->span, "too-long", "too many comparisons");
        return -EINVAL;
    }
    struct atom *atom = &w->atoms[w->n_atoms++];
    atom->first = w->n_words;
    int r;
    while (token_is(p, "not") || token_is(p, "!")) {
        atom->negated = !atom->negated;
        r = next(p, false);
        if (r < 0)
            return r;
    }
    if (p->token != TOKEN_WORD) {
        error(p, p->span, "syntax",
              p->token == TOKEN_OPEN ? "comparisons cannot be grouped" : "a field is missing here");
        return -EINVAL;
    }
    atom->field = p->span;
    r = next(p, false);
    if (r >= 0)
        r = take_operator(p, atom);
    if (r < 0 || atom->op == SKEP_OP_EXISTS)
        return r;
    if (atom->op == SKEP_OP_IN)
        return take_list(p, atom);
    r = next(p, true);
    return r < 0 ? r : take_value(p, atom);
}

static int parse(struct parser *p)
{
    for (;;) {
        int r = next(p, false);
        if (r >= 0)
            r = take_comparison(p);
        if (r >= 0)
            r = next(p, false);
        if (r < 0)
            return r;
        if (p->token == TOKEN_END)
            return 0;
        if (token_is(p, "and") || token_is(p, "&&"))
            continue;
        bool alternative = token_is(p, "or") || token_is(p, "||");
        error(p, p->span, "syntax",
              alternative ? "comparisons can only be joined by and" : "expected and, or the end");
        if (alternative)
            skep_diags_hint(p->d, "for one of several values write: field in (a, b)");
        return -EINVAL;
    }
}

/* ---- resolving ---- */

static int read_operands(struct parser *p, struct atom *atom, enum skep_type type, bool quiet)
{
    struct skep_where *w = p->w;
    struct variant *v = &atom->variants[type];
    v->tried = true;
    if (!skep_operand_allows(type, atom->op)) {
        if (!quiet)
            skep_diags_add(p->d, w->text, atom->op_span.at, atom->op_span.len, "bad-operator",
                           "`%.*s` makes no sense for `%.*s`, which is: %s", (int)atom->op_span.len,
                           w->text + atom->op_span.at, (int)atom->field.len, w->text + atom->field.at,
                           skep_type_info(type)->doc);
        return 0;
    }
    if (!v->operands)
        v->operands = calloc(atom->n + 1, sizeof(*v->operands));
    if (!v->operands)
        return -ENOMEM;
    bool ok = true;
    for (size_t i = 0; i < atom->n; i++) {
        const struct word *word = &w->words[atom->first + i];
        const char *expected;
        if (skep_operand_parse(type, atom->op, w->arena + word->s, word->n, &v->operands[i], &expected) >= 0)
            continue;
        ok = false;
        if (!quiet)
            skep_diags_add(p->d, w->text, word->span.at, word->span.len, "bad-value",
                           "`%.*s` cannot be compared with this: expected %s", (int)atom->field.len,
                           w->text + atom->field.at, expected);
    }
    v->ok = ok;
    return 0;
}

static int unknown_field(struct parser *p, const struct atom *atom, const bool kinds[SKEP_KIND_MAX])
{
    const char *name = p->w->text + atom->field.at;
    bool elsewhere = kinds && skep_field_find(p->schema, NULL, name, atom->field.len);
    skep_diags_add(p->d, p->w->text, atom->field.at, atom->field.len, "unknown-field",
                   elsewhere ? "the chosen kinds of event have no field `%.*s`" : "there is no field `%.*s`",
                   (int)MIN(atom->field.len, (size_t)64), name);
    const char *nearest = skep_field_nearest(p->schema, kinds, name, atom->field.len);
    if (nearest)
        skep_diags_hint(p->d, "did you mean `%s`?", nearest);
    else
        skep_diags_hint(p->d, "`skep docs events` lists the fields of every kind");
    return -EINVAL;
}

/* A field of one name may have several types (flags): it is enough when the values fit one of them. */
static int resolve(struct parser *p, struct atom *atom, const bool kinds[SKEP_KIND_MAX])
{
    const struct skep_field *some = NULL;
    bool fits = atom->op == SKEP_OP_EXISTS;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(p->schema, k);
        if (!kind || (kinds ? !kinds[k] : kind->show == SKEP_SHOW_HIDDEN))
            continue;
        const struct skep_field *f =
            skep_field_find(p->schema, kind, p->w->text + atom->field.at, atom->field.len);
        if (!f)
            continue;
        some = some ? some : f;
        struct variant *v = &atom->variants[f->type];
        int r = v->tried ? 0 : read_operands(p, atom, f->type, true);
        if (r < 0)
            return r;
        if (v->ok || atom->op == SKEP_OP_EXISTS)
            atom->fields[k] = f;
        fits |= v->ok;
    }
    if (!some)
        return unknown_field(p, atom, kinds);
    if (fits)
        return 0;
    int r = read_operands(p, atom, some->type, false);
    return r < 0 ? r : -EINVAL;
}

static int build(struct parser *p, const bool kinds[SKEP_KIND_MAX])
{
    int r = parse(p), result = 0;
    if (r < 0)
        return r;
    for (size_t i = 0; i < p->w->n_atoms; i++) {
        r = resolve(p, &p->w->atoms[i], kinds);
        if (r == -ENOMEM)
            return r;
        if (r < 0)
            result = r;
    }
    return result;
}

int skep_where_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX], const char *text,
                   struct skep_diags *d, struct skep_where **ret)
{
    if (strlen(text) > SKEP_WHERE_MAX) {
        skep_diags_add(d, text, 0, 1, "too-long", "the expression is longer than %d bytes", SKEP_WHERE_MAX);
        return -EINVAL;
    }
    _cleanup_where_ struct skep_where *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    skep_strbuf_init(&w->scratch, 4096);
    w->text = strdup(text);
    w->arena = malloc(strlen(text) + 1);
    w->atoms = calloc(SKEP_WHERE_ATOMS_MAX, sizeof(*w->atoms));
    w->words = calloc(MIN(strlen(text) + 1, (size_t)SKEP_WHERE_VALUES_MAX), sizeof(*w->words));
    if (!w->text || !w->arena || !w->atoms || !w->words)
        return -ENOMEM;
    struct parser p = {.w = w, .d = d, .schema = s};
    int r = build(&p, kinds);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(w);
    return 0;
}

struct skep_where *skep_where_free(struct skep_where *w)
{
    if (!w)
        return NULL;
    for (size_t i = 0; i < w->n_atoms; i++)
        for (size_t t = 0; t < SKEP_TYPE_MAX; t++)
            free(w->atoms[i].variants[t].operands);
    free(w->text);
    free(w->arena);
    free(w->atoms);
    free(w->words);
    skep_strbuf_clear(&w->scratch);
    free(w);
    return NULL;
}

static bool holds(struct skep_where *w, const struct atom *atom, const struct skep_event *ev)
{
    const struct skep_field *f = atom->fields[ev->kind->number];
    struct skep_value v;
    bool there = f && skep_field_get(f, ev, &v);
    if (atom->op == SKEP_OP_EXISTS)
        return there != atom->negated;
    if (!there)
        return false;
    const struct variant *variant = &atom->variants[f->type];
    return skep_operand_match(atom->op, &v, variant->operands, atom->n, &w->scratch) != atom->negated;
}

bool skep_where_match(struct skep_where *w, const struct skep_event *ev)
{
    for (size_t i = 0; i < w->n_atoms; i++)
        if (!holds(w, &w->atoms[i], ev))
            return false;
    return true;
}
