/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/match.h"

#include <inttypes.h>

#include "base/spell.h"

enum {
    EXPECT_REG64 = 1 << 0,
    EXPECT_REG32 = 1 << 1,
    EXPECT_SAME = 1 << 2,
    EXPECT_NUMBER = 1 << 3,
    EXPECT_LABEL = 1 << 4,
    EXPECT_HELPER = 1 << 5,
    EXPECT_OPERATOR = 1 << 6,
    EXPECT_TYPE = 1 << 7,
    EXPECT_END = 1 << 8,
};
static const char *const expectations[] = {
    "a register of 64 bits",         "a register of 32 bits (w0 to w9)",
    "the same register again",       "a number",
    "a label or a distance like +3", "the number of a helper",
    "an operator of this statement", "a type such as u32",
    "the end of the statement",
};

#define LITERALS 6
#define SHOWN 5 /* of what was expected */

/* Where the attempt that came farthest got stuck. */
struct failure {
    const struct skep_token *token;
    unsigned expected;
    const char *literals[LITERALS]; /* not terminated: they lie in patterns */
    size_t literal_lengths[LITERALS];
    size_t n_literals;
    bool range; /* a number that does not fit */
    bool c;     /* in C syntax */
    int64_t low;
    uint64_t high;
};

struct match {
    const char *text;
    const struct skep_token *token; /* the next to match */
    const struct skep_pattern *pattern;
    const struct skep_opcode_info *info;
    const struct skep_asm_options *options;
    struct skep_statement s;
    bool has_dst, has_src;
    struct failure *failure;
};

/* ---- patterns by first token ---- */

static const char *begin_of(const struct skep_pattern *p)
{
    const struct skep_opcode_info *info = skep_opcode_info(p->op);
    if (p->text[0] != '$')
        return p->text;
    return p->text[1] == 'M' ? info->mnemonic : p->text[1] == 'Y' ? info->symbol : NULL;
}

/* The keys of a pattern: one, or two where either name of a register is taken. */
static unsigned keys_of(const struct skep_pattern *p, unsigned char keys[2])
{
    const char *begin = begin_of(p);
    if (begin && begin[0] == 'r' && begin[1] == '0') {
        keys[0] = 'R';
        return 1;
    }
    if (begin) {
        keys[0] = (unsigned char)begin[0];
        return 1;
    }
    keys[0] = 'R';
    keys[1] = 'W';
    return 2;
}

static unsigned char key_of(const char *text, const struct skep_token *t)
{
    if (t->kind == SKEP_TOKEN_REGISTER)
        return t->narrow ? 'W' : 'R';
    return (unsigned char)text[t->at];
}

static void pattern_at(size_t i, struct skep_pattern *ret)
{
    size_t n = SKEP_OP_MAX - 1;
    if (i < 2 * n) {
        enum skep_opcode op = (enum skep_opcode)(1 + i % n);
        enum skep_syntax syntax = i < n ? SKEP_SYNTAX_C : SKEP_SYNTAX_MNEMONIC;
        *ret = (struct skep_pattern){op, syntax, skep_syntax_pattern(syntax, op)};
    } else {
        const struct skep_syntax_alias *a = &skep_syntax_aliases[i - 2 * n];
        *ret = (struct skep_pattern){a->op, a->syntax, a->pattern};
    }
}

int skep_patterns_init(struct skep_patterns *p)
{
    size_t n = 2 * (SKEP_OP_MAX - 1) + skep_n_syntax_aliases;
    *p = (struct skep_patterns){.list = calloc(2 * n, sizeof(*p->list))};
    if (!p->list)
        return -ENOMEM;
    struct skep_pattern pattern;
    unsigned char keys[2];
    for (size_t i = 0; i < n; i++) {
        pattern_at(i, &pattern);
        for (unsigned k = keys_of(&pattern, keys); k-- > 0;)
            p->first[keys[k] + 1]++;
    }
    for (unsigned k = 0; k < 256; k++)
        p->first[k + 1] += p->first[k];
    uint32_t next[256];
    memcpy(next, p->first, sizeof(next));
    for (size_t i = 0; i < n; i++) {
        pattern_at(i, &pattern);
        for (unsigned k = keys_of(&pattern, keys); k-- > 0;)
            p->list[next[keys[k]]++] = pattern;
    }
    return 0;
}

void skep_patterns_clear(struct skep_patterns *p)
{
    free(p->list);
    p->list = NULL;
}

/* ---- failures ---- */

/* The failure to write to when an attempt is stuck at token, NULL when another one came farther. */
static struct failure *farthest(struct match *m, const struct skep_token *token)
{
    struct failure *f = m->failure;
    if (token < f->token)
        return NULL;
    if (token > f->token)
        *f = (struct failure){.token = token};
    return f;
}

static bool expect(struct match *m, unsigned what)
{
    struct failure *f = farthest(m, m->token);
    if (f)
        f->expected |= what;
    return false;
}

static bool expect_literal(struct match *m, const char *s)
{
    struct failure *f = farthest(m, m->token);
    if (!f)
        return false;
    size_t len = MAX(strcspn(s, " $("), (size_t)1);
    for (size_t i = 0; i < f->n_literals; i++) {
        if (f->literal_lengths[i] == len && memcmp(f->literals[i], s, len) == 0)
            return false;
    }
    if (f->n_literals < LITERALS) {
        f->literals[f->n_literals] = s;
        f->literal_lengths[f->n_literals++] = len;
    }
    return false;
}

static bool out_of_range(struct match *m, const struct skep_token *at, int64_t low, uint64_t high)
{
    struct failure *f = farthest(m, at);
    if (f && !f->range) {
        f->range = true;
        f->c = m->pattern->syntax == SKEP_SYNTAX_C;
        f->low = low;
        f->high = high;
    }
    return false;
}

/* ---- pieces ---- */

static bool is_operator(const struct match *m, char c)
{
    return m->token->kind == SKEP_TOKEN_OPERATOR && m->token->len == 1 && m->text[m->token->at] == c;
}

static bool is_word(const struct match *m, const char *word)
{
    return m->token->kind == SKEP_TOKEN_WORD && m->token->len == strlen(word) &&
           memcmp(m->text + m->token->at, word, m->token->len) == 0;
}

static bool continues_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* One token against the beginning of the n bytes at s; returns how many of them it is, 0: it is another. */
static size_t literal_token(const struct match *m, const char *s, size_t n)
{
    const struct skep_token *t = m->token;
    if (t->kind == SKEP_TOKEN_END || t->len > n || memcmp(m->text + t->at, s, t->len) != 0)
        return 0;
    /* go is not the beginning of goto, nor + that of += */
    if (t->len < n && (s[t->len] == '=' || (continues_word(s[0]) && continues_word(s[t->len]))))
        return 0;
    return t->len;
}

/* The first n bytes of s, which may be several tokens. */
static bool match_text(struct match *m, const char *s, size_t n)
{
    for (size_t at = 0; at < n;) {
        if (s[at] == ' ') {
            at++;
            continue;
        }
        size_t taken = literal_token(m, s + at, n - at);
        if (taken == 0)
            return expect_literal(m, s + at);
        at += taken;
        m->token++;
    }
    return true;
}

/* Whether what follows a mnemonic in its token is the width that it has anyway: add64. */
static bool says_width(const struct match *m, const char *rest, size_t n)
{
    enum skep_form form = m->info->form;
    bool has_narrow_twin = form == SKEP_FORM_ALU_IMM || form == SKEP_FORM_ALU_REG || form == SKEP_FORM_NEG ||
                           form == SKEP_FORM_ATOMIC || form == SKEP_FORM_FETCH || form == SKEP_FORM_XCHG ||
                           form == SKEP_FORM_CMPXCHG;
    return has_narrow_twin && m->info->bits == 64 && n == 2 && memcmp(rest, "64", 2) == 0;
}

/* A mnemonic; its words may also be joined by _. */
static bool match_mnemonic(struct match *m)
{
    const struct skep_token *begin = m->token;
    const char *s = m->info->mnemonic, *word = s;
    for (; m->token->kind == SKEP_TOKEN_WORD; m->token++, word = ++s) {
        const char *t = m->text + m->token->at;
        size_t n = 0;
        while (n < m->token->len && s[n] && (s[n] == t[n] || (s[n] == ' ' && t[n] == '_')))
            n++;
        s += n;
        size_t rest = m->token->len - n;
        if (rest && !(*s == '\0' && says_width(m, t + n, rest)))
            break;
        if (*s == '\0') {
            m->token++;
            return true;
        }
        if (*s != ' ')
            break;
    }
    return m->token == begin ? false : expect_literal(m, word);
}

static bool match_symbol(struct match *m)
{
    const char *s = m->info->symbol;
    size_t n = strlen(s);
    if (literal_token(m, s, n))
        return match_text(m, s, n);
    /* dozens of patterns differ in their operators alone */
    if ((s[0] == 'u' || s[0] == 's') && s[1] >= '0' && s[1] <= '9')
        return expect(m, EXPECT_TYPE);
    if (!continues_word(s[0]) || s[1] == '>' || s[1] == '<' || s[1] == '/' || s[1] == '%')
        return expect(m, EXPECT_OPERATOR);
    return expect_literal(m, s);
}

static bool match_type(struct match *m)
{
    if (!is_word(m, m->info->bits == 64 ? "u64" : "u32"))
        return expect(m, EXPECT_TYPE);
    m->token++;
    return true;
}

/* A number with an optional sign; unsigned up to high, negative down to low. *at stays when there is none. */
static bool take_number(struct match *m, int64_t low, uint64_t high, uint64_t *ret)
{
    const struct skep_token *begin = m->token, *t = m->token;
    bool minus = is_operator(m, '-');
    if (minus || is_operator(m, '+'))
        t++;
    if (t->kind != SKEP_TOKEN_NUMBER)
        return expect(m, EXPECT_NUMBER);
    uint64_t most = minus ? 0 - (uint64_t)low : high;
    if (t->overflow || t->number > most)
        return out_of_range(m, begin, low, high);
    *ret = minus ? 0 - t->number : t->number;
    m->token = t + 1;
    return true;
}

/* Whether the number that comes is a pattern of bits, which may set the highest one, rather than a value. */
static bool is_pattern_of_bits(const struct match *m)
{
    const struct skep_token *t = m->token;
    if (is_operator(m, '-') || is_operator(m, '+'))
        t++;
    return t->kind == SKEP_TOKEN_NUMBER && t->hex;
}

static bool match_imm(struct match *m)
{
    /* A number means what it says: one that would come out negative has to be written so, in C syntax; in mnemonics
     * or in hex. */
    const bool number = m->info->imm.use == SKEP_FIELD_NUMBER;
    const bool as_is = m->pattern->syntax == SKEP_SYNTAX_C ? m->info->bits == 64 && number
                                                           : number && !is_pattern_of_bits(m);
    uint64_t value;
    if (!take_number(m, INT32_MIN, as_is ? INT32_MAX : UINT32_MAX, &value))
        return false;
    m->s.imm = (int32_t)(uint32_t)value;
    return true;
}

static bool match_imm64(struct match *m)
{
    uint64_t value;
    if (!take_number(m, INT64_MIN, UINT64_MAX, &value))
        return false;
    m->s.imm = (int32_t)(uint32_t)value;
    m->s.next_imm = (int32_t)(uint32_t)(value >> 32);
    return true;
}

static bool match_next_imm(struct match *m)
{
    uint64_t value;
    if (!is_operator(m, '+') && !is_operator(m, '-'))
        return true;
    if (!take_number(m, INT32_MIN, UINT32_MAX, &value))
        return false;
    m->s.next_imm = (int32_t)(uint32_t)value;
    return true;
}

static bool match_off(struct match *m, bool after_comma)
{
    uint64_t value;
    if (after_comma) {
        if (!is_operator(m, ','))
            return true;
        m->token++;
    } else if (!is_operator(m, '+') && !is_operator(m, '-')) {
        return true;
    }
    const bool bits = m->pattern->syntax != SKEP_SYNTAX_C && is_operator(m, '+') && is_pattern_of_bits(m);
    if (!take_number(m, INT16_MIN, bits ? UINT16_MAX : INT16_MAX, &value))
        return false;
    m->s.off = (int16_t)value;
    return true;
}

static bool match_target(struct match *m, bool jump)
{
    const struct skep_token *begin = m->token;
    if (jump && is_word(m, "pc") && begin[1].kind == SKEP_TOKEN_OPERATOR)
        m->token++;
    if (is_operator(m, '+') || is_operator(m, '-')) {
        uint64_t value;
        if (!take_number(m, INT32_MIN, INT32_MAX, &value))
            return false;
        m->s.distance = (int64_t)value;
        return true;
    }
    if (m->token->kind != SKEP_TOKEN_WORD)
        return expect(m, EXPECT_LABEL);
    m->s.label = m->token++;
    return true;
}

static bool match_helper(struct match *m)
{
    const struct skep_token *t = m->token;
    uint32_t number;
    if (t->kind == SKEP_TOKEN_WORD && m->options->helper &&
        m->options->helper(m->options->data, m->text + t->at, t->len, &number)) {
        m->s.imm = (int32_t)number;
        m->token++;
        return true;
    }
    if (t->kind != SKEP_TOKEN_NUMBER)
        return expect(m, EXPECT_HELPER);
    if (t->overflow || t->number > UINT32_MAX)
        return out_of_range(m, t, 0, UINT32_MAX);
    m->s.imm = (int32_t)(uint32_t)t->number;
    m->token++;
    return true;
}

static bool match_register(struct match *m, char part)
{
    const struct skep_token *t = m->token;
    bool c = m->pattern->syntax == SKEP_SYNTAX_C, less = m->info->bits < 64;
    bool wide = true, narrow = false; /* the names that are taken */
    if (c && (part == 'D' || part == 'S')) {
        wide = !less;
        narrow = less;
    } else if (c && (part == 'V' || part == 'v' || part == 'X')) {
        narrow = less;
    } else if (c && (part == 'P' || part == 'p')) {
        narrow = less && m->info->symbol[0] == 'u';
    }
    if (t->kind != SKEP_TOKEN_REGISTER || !(t->narrow ? narrow : wide))
        return expect(m, (wide ? EXPECT_REG64 : 0) | (narrow ? EXPECT_REG32 : 0));
    unsigned reg = (unsigned)t->number;
    if (part == 'X') {
        if (reg != 0)
            return expect_literal(m, narrow ? "w0" : "r0");
    } else if (strchr("DdPV", part)) {
        if (m->has_dst && m->s.dst != reg)
            return expect(m, EXPECT_SAME);
        m->has_dst = true;
        m->s.dst = reg;
    } else {
        if (m->has_src && m->s.src != reg)
            return expect(m, EXPECT_SAME);
        m->has_src = true;
        m->s.src = reg;
    }
    m->token++;
    return true;
}

static bool match_part(struct match *m, char part)
{
    switch (part) {
    case 'M':
        return match_mnemonic(m);
    case 'Y':
        return match_symbol(m);
    case 'T':
        return match_type(m);
    case 'I':
        return match_imm(m);
    case 'Q':
        return match_imm64(m);
    case 'N':
        return match_next_imm(m);
    case 'O':
        return match_off(m, false);
    case 'K':
        return match_off(m, true);
    case 'J':
        return match_target(m, true);
    case 'F':
        return match_target(m, false);
    case 'H':
        return match_helper(m);
    case 'L':
        return match_text(m, "ll", 2);
    case 'l':
        m->token += is_word(m, "ll");
        return true;
    default:
        return match_register(m, part);
    }
}

static bool match_pattern(struct match *m)
{
    const char *s = m->pattern->text;
    while (*s) {
        if (*s == '$') {
            if (!match_part(m, s[1]))
                return false;
            s += 2;
            continue;
        }
        size_t n = strcspn(s, "$");
        if (!match_text(m, s, n))
            return false;
        s += n;
    }
    return m->token->kind == SKEP_TOKEN_END ? true : expect(m, EXPECT_END);
}

/* ---- reports ---- */

static void offer_first_words(struct skep_spell *sp, char *copies, size_t size)
{
    size_t used = 0;
    for (unsigned op = 1; op < SKEP_OP_MAX; op++) {
        const char *mnemonic = skep_opcode_info((enum skep_opcode)op)->mnemonic;
        size_t n = strcspn(mnemonic, " ");
        if (used + n + 1 > size)
            return;
        memcpy(copies + used, mnemonic, n);
        copies[used + n] = '\0';
        skep_spell_offer(sp, copies + used);
        used += n + 1;
    }
    static const char *const more[] = {"goto",   "gotol",  "if",     "lock",
                                       "swap16", "swap32", "swap64", "store_release"};
    for (size_t i = 0; i < ARRAY_SIZE(more); i++)
        skep_spell_offer(sp, more[i]);
}

/* Appends the i-th of things that one could have gone on with; there are n, of which SHOWN are told. */
static void put_alternative(struct skep_strbuf *sb, size_t i, size_t n, const char *s, size_t len,
                            bool quoted)
{
    if (i >= SHOWN)
        return;
    skep_strbuf_puts(sb, i == 0 ? "" : i + 1 == n ? " or " : ", ");
    skep_strbuf_puts(sb, quoted ? "`" : "");
    skep_strbuf_put(sb, s, len);
    skep_strbuf_puts(sb, quoted ? "`" : "");
    if (i + 1 == SHOWN && n > SHOWN)
        skep_strbuf_puts(sb, ", ...");
}

static void put_expected(const struct failure *f, struct skep_strbuf *sb)
{
    size_t i = 0, n = f->n_literals + (size_t)__builtin_popcount(f->expected);
    for (size_t k = 0; k < ARRAY_SIZE(expectations); k++) {
        if (f->expected >> k & 1)
            put_alternative(sb, i++, n, expectations[k], strlen(expectations[k]), false);
    }
    for (size_t k = 0; k < f->n_literals; k++)
        put_alternative(sb, i++, n, f->literals[k], f->literal_lengths[k], true);
}

static void hint_literals(const struct failure *f, const char *text, struct skep_diags *d)
{
    if (d->more) /* nobody would see it */
        return;
    char copies[LITERALS][SKEP_SPELL_MAX];
    struct skep_spell sp;
    skep_spell_init(&sp, text + f->token->at, f->token->len);
    for (size_t i = 0; i < f->n_literals; i++) {
        if (f->literal_lengths[i] >= SKEP_SPELL_MAX)
            continue;
        memcpy(copies[i], f->literals[i], f->literal_lengths[i]);
        copies[i][f->literal_lengths[i]] = '\0';
        skep_spell_offer(&sp, copies[i]);
    }
    if (sp.best)
        skep_diags_hint(d, "did you mean `%s`?", sp.best);
}

static void report_unknown(const char *text, const struct skep_token *t, struct skep_diags *d)
{
    if (t->kind != SKEP_TOKEN_WORD) {
        skep_diags_add(d, text, t->at, t->len, "syntax", "no instruction begins like this");
        return;
    }
    skep_diags_add(d, text, t->at, t->len, "unknown-instruction", "there is no instruction `%.*s`",
                   (int)MIN(t->len, (size_t)SKEP_SPELL_MAX), text + t->at);
    if ((text[t->at] | 0x20) == 'r' || (text[t->at] | 0x20) == 'w') {
        char c = text[t->at + (t->len > 1)];
        if (c >= '0' && c <= '9') {
            skep_diags_hint(d, "registers are r0 to r10, and w0 to w10 for their lower halves");
            return;
        }
    }
    if (d->more)
        return;
    char copies[4096];
    struct skep_spell sp;
    skep_spell_init(&sp, text + t->at, t->len);
    offer_first_words(&sp, copies, sizeof(copies));
    if (sp.best)
        skep_diags_hint(d, "did you mean `%s`?", sp.best);
}

static void report(const struct failure *f, const char *text, struct skep_diags *d)
{
    const struct skep_token *t = f->token;
    if (f->range) {
        skep_diags_add(d, text, t->at, t[1].kind == SKEP_TOKEN_NUMBER ? t[1].at + t[1].len - t->at : t->len,
                       "number-out-of-range", "the number does not fit: %" PRId64 " to %" PRIu64 " does",
                       f->low, f->high);
        if (f->high == INT32_MAX && !t->overflow && t->number <= UINT32_MAX && t->kind == SKEP_TOKEN_NUMBER)
            skep_diags_hint(d,
                            f->c ? "it would be sign-extended: write %" PRId32 ", or load it with `ll`"
                                 : "its highest bit is the sign: write %" PRId32 ", or in hex",
                            (int32_t)(uint32_t)t->number);
        return;
    }
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1024);
    put_expected(f, &sb);
    if (t->kind == SKEP_TOKEN_END)
        skep_diags_add(d, text, t->at, 1, "syntax", "the statement ends early: expected %s", sb.s);
    else
        skep_diags_add(d, text, t->at, t->len, "syntax", "expected %s", sb.s);
    if (t->kind == SKEP_TOKEN_WORD)
        hint_literals(f, text, d);
}

bool skep_statement_match(const struct skep_patterns *p, const char *text, const struct skep_token *tokens,
                          const struct skep_asm_options *o, struct skep_diags *d, struct skep_statement *ret)
{
    struct failure failure = {.token = tokens};
    unsigned key = key_of(text, &tokens[0]);
    for (uint32_t i = p->first[key]; i < p->first[key + 1]; i++) {
        struct match m = {
            .text = text,
            .token = tokens,
            .pattern = &p->list[i],
            .info = skep_opcode_info(p->list[i].op),
            .options = o,
            .s = {.op = p->list[i].op},
            .failure = &failure,
        };
        if (match_pattern(&m)) {
            *ret = m.s;
            return true;
        }
    }
    if (failure.token == tokens)
        report_unknown(text, tokens, d);
    else
        report(&failure, text, d);
    return false;
}
