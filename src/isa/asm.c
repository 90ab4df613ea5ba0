/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/asm.h"

#include <inttypes.h>

#include "base/array.h"
#include "base/spell.h"
#include "isa/match.h"

#define TOKENS_MAX 64 /* of one statement */

struct label {
    size_t at, len; /* in the text */
    size_t insn;
};

/* An instruction whose target is a label. */
struct fixup {
    size_t insn;
    enum skep_opcode op;
    size_t at, len; /* of the name */
};

struct assembler {
    const char *text;
    const struct skep_asm_options *options;
    struct skep_diags *d;
    struct skep_patterns patterns;
    struct skep_tokens lexer;
    struct skep_token tokens[TOKENS_MAX];
    struct skep_insn *insns;
    uint32_t *offsets; /* in the text, of each slot; NULL: nobody asked */
    size_t n_insns, cap_insns, cap_offsets;
    struct label *labels;
    size_t n_labels, cap_labels;
    struct fixup *fixups;
    size_t n_fixups, cap_fixups;
    size_t first_exit; /* SIZE_MAX: none */
    bool failed;
};

static void assembler_clear(struct assembler *a)
{
    skep_patterns_clear(&a->patterns);
    free(a->insns);
    free(a->offsets);
    free(a->labels);
    free(a->fixups);
}

static int add_slot(struct assembler *a, struct skep_insn insn, const struct skep_token *t)
{
    if (a->n_insns == SKEP_ISA_INSNS_MAX) {
        skep_diags_add(a->d, a->text, t->at, t->len, "program-too-long",
                       "a program has at most %u instructions", (unsigned)SKEP_ISA_INSNS_MAX);
        return -E2BIG;
    }
    int r = SKEP_ARRAY_RESERVE(a->insns, a->n_insns, 1, a->cap_insns);
    if (r == 0 && a->options->ret_offsets)
        r = SKEP_ARRAY_RESERVE(a->offsets, a->n_insns, 1, a->cap_offsets);
    if (r < 0)
        return r;
    if (a->offsets)
        a->offsets[a->n_insns] = (uint32_t)t->at;
    a->insns[a->n_insns++] = insn;
    return 0;
}

static void complain(struct assembler *a, const struct skep_token *t, const char *code, const char *message)
{
    skep_diags_add(a->d, a->text, t->at, t->len, code, "%s", message);
    a->failed = true;
}

/* Puts the distance into the field that op has for it. */
static bool set_distance(struct assembler *a, struct skep_insn *insn, enum skep_opcode op, int64_t distance,
                         size_t at, size_t len)
{
    if (skep_opcode_info(op)->off.use != SKEP_FIELD_JUMP) {
        insn->imm = (int32_t)distance;
        return true;
    }
    if (distance < INT16_MIN || distance > INT16_MAX) {
        skep_diags_add(a->d, a->text, at, len, "jump-too-far",
                       "the target is %" PRId64 " instructions away; this jump reaches 32767", distance);
        skep_diags_hint(a->d, "gotol (ja32) reaches any");
        a->failed = true;
        return false;
    }
    insn->off = (int16_t)distance;
    return true;
}

/* t: its first token. */
static int add_statement(struct assembler *a, const struct skep_statement *s, const struct skep_token *t)
{
    const struct skep_opcode_info *info = skep_opcode_info(s->op);
    struct skep_insn insn = skep_insn_make(s->op, s->dst, s->src, s->off, s->imm);
    size_t at = a->n_insns;
    int r;
    if (s->label) {
        r = SKEP_ARRAY_RESERVE(a->fixups, a->n_fixups, 1, a->cap_fixups);
        if (r < 0)
            return r;
        a->fixups[a->n_fixups++] = (struct fixup){at, s->op, s->label->at, s->label->len};
    } else if (info->flags & SKEP_OPF_JUMP || info->imm.use == SKEP_FIELD_FUNCTION) {
        set_distance(a, &insn, s->op, s->distance, t->at, t->len);
    }
    if (s->op == SKEP_OP_EXIT && a->first_exit == SIZE_MAX)
        a->first_exit = at;
    r = add_slot(a, insn, t);
    if (r == 0 && info->flags & SKEP_OPF_WIDE)
        r = add_slot(a, skep_insn_make_wide(s->next_imm), t);
    return r;
}

/* .word NUMBER [, NUMBER]... */
static int add_words(struct assembler *a, const struct skep_token *t)
{
    for (;; t += 2) {
        if (t->kind != SKEP_TOKEN_NUMBER || t->overflow) {
            complain(a, t, "syntax", ".word takes numbers of 64 bits, with a comma between them");
            return 0;
        }
        struct skep_insn slot;
        memcpy(&slot, &t->number, sizeof(slot));
        int r = add_slot(a, slot, t);
        if (r < 0)
            return r;
        if (t[1].kind == SKEP_TOKEN_END)
            return 0;
        if (t[1].len != 1 || a->text[t[1].at] != ',') {
            complain(a, &t[1], "syntax", "expected a comma");
            return 0;
        }
    }
}

static bool is_colon(const struct assembler *a, const struct skep_token *t)
{
    return t->kind == SKEP_TOKEN_OPERATOR && t->len == 1 && a->text[t->at] == ':';
}

/* "name:" and "12:" in front of an instruction; *t moves behind them. */
static int take_labels(struct assembler *a, const struct skep_token **t)
{
    for (; (*t)->kind != SKEP_TOKEN_END && is_colon(a, *t + 1); *t += 2) {
        const struct skep_token *name = *t;
        if (name->kind == SKEP_TOKEN_NUMBER) {
            if (name->number != a->n_insns && !a->failed) {
                skep_diags_add(a->d, a->text, name->at, name->len, "wrong-number", "this is instruction %zu",
                               a->n_insns);
                a->failed = true;
            }
        } else if (name->kind == SKEP_TOKEN_WORD) {
            int r = SKEP_ARRAY_RESERVE(a->labels, a->n_labels, 1, a->cap_labels);
            if (r < 0)
                return r;
            a->labels[a->n_labels++] = (struct label){name->at, name->len, a->n_insns};
        } else {
            complain(a, name, "syntax", "this cannot be the name of a label");
        }
    }
    return 0;
}

/* Reads a statement into tokens. Returns 0 at the end of the text, 1 for a statement, -EINVAL for one that
 * cannot be cut into tokens. */
static int read_statement(struct assembler *a)
{
    bool bad = false, long_ = false;
    for (size_t n = 0;;) {
        struct skep_token *t = &a->tokens[n];
        skep_tokens_next(&a->lexer, t);
        if (t->kind == SKEP_TOKEN_EOF && n == 0)
            return 0;
        if (t->kind == SKEP_TOKEN_EOF || t->kind == SKEP_TOKEN_END) {
            t->kind = SKEP_TOKEN_END;
            return bad ? -EINVAL : 1;
        }
        if (t->kind == SKEP_TOKEN_BAD && !bad) {
            char c = a->text[t->at];
            complain(a, t, "syntax",
                     c >= '0' && c <= '9' ? "this is not a number" : "this character means nothing here");
            bad = true;
        }
        if (n + 2 < TOKENS_MAX) {
            n++;
        } else if (!long_ && !bad) {
            complain(a, t, "syntax", "the statement is too long");
            bad = long_ = true;
        }
    }
}

static int assemble_statement(struct assembler *a)
{
    const struct skep_token *t = a->tokens;
    if (t->kind == SKEP_TOKEN_END)
        return 0;
    int r = take_labels(a, &t);
    if (r < 0 || t->kind == SKEP_TOKEN_END)
        return r;
    if (t->kind == SKEP_TOKEN_WORD && t->len == 5 && memcmp(a->text + t->at, ".word", 5) == 0)
        return add_words(a, t + 1);
    struct skep_statement s;
    if (!skep_statement_match(&a->patterns, a->text, t, a->options, a->d, &s)) {
        a->failed = true;
        return 0;
    }
    return add_statement(a, &s, t);
}

/* ---- labels ---- */

static int compare_names(const char *a, size_t n_a, const char *b, size_t n_b)
{
    int c = memcmp(a, b, MIN(n_a, n_b));
    return c ? c : (n_a > n_b) - (n_a < n_b);
}

static int compare_labels(const void *x, const void *y, void *text)
{
    const struct label *a = x, *b = y;
    const char *s = text;
    int c = compare_names(s + a->at, a->len, s + b->at, b->len);
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

static void sort_labels(struct assembler *a)
{
    if (a->n_labels == 0)
        return;
    qsort_r(a->labels, a->n_labels, sizeof(*a->labels), compare_labels, (void *)(uintptr_t)a->text);
    for (size_t i = 1; i < a->n_labels; i++) {
        const struct label *one = &a->labels[i - 1], *two = &a->labels[i];
        if (compare_names(a->text + one->at, one->len, a->text + two->at, two->len) != 0)
            continue;
        skep_diags_add(a->d, a->text, two->at, two->len, "duplicate-label",
                       "the label `%.*s` is there already", (int)MIN(two->len, (size_t)SKEP_SPELL_MAX),
                       a->text + two->at);
        a->failed = true;
    }
}

static const struct label *find_label(const struct assembler *a, size_t at, size_t len)
{
    size_t low = 0, high = a->n_labels;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct label *l = &a->labels[middle];
        int c = compare_names(a->text + at, len, a->text + l->at, l->len);
        if (c == 0)
            return l;
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void undefined_label(struct assembler *a, const struct fixup *f)
{
    a->failed = true;
    skep_diags_add(a->d, a->text, f->at, f->len, "undefined-label", "there is no label `%.*s`",
                   (int)MIN(f->len, (size_t)SKEP_SPELL_MAX), a->text + f->at);
    if (a->d->more)
        return;
    struct skep_spell sp;
    char best[SKEP_SPELL_MAX + 1], name[SKEP_SPELL_MAX + 1];
    unsigned distance = UINT32_MAX;
    skep_spell_init(&sp, a->text + f->at, f->len);
    for (size_t i = 0; i < MIN(a->n_labels, (size_t)1000); i++) {
        const struct label *l = &a->labels[i];
        if (l->len > SKEP_SPELL_MAX)
            continue;
        memcpy(name, a->text + l->at, l->len);
        name[l->len] = '\0';
        skep_spell_offer(&sp, name);
        if (sp.best == name && sp.distance < distance) {
            distance = sp.distance;
            memcpy(best, name, l->len + 1);
        }
    }
    if (distance != UINT32_MAX)
        skep_diags_hint(a->d, "did you mean `%s`?", best);
}

static void resolve(struct assembler *a)
{
    sort_labels(a);
    for (size_t i = 0; i < a->n_fixups; i++) {
        const struct fixup *f = &a->fixups[i];
        const struct label *l = find_label(a, f->at, f->len);
        size_t target;
        if (l) {
            target = l->insn;
        } else if (a->first_exit != SIZE_MAX && f->len == 4 && memcmp(a->text + f->at, "exit", 4) == 0) {
            target = a->first_exit;
        } else {
            undefined_label(a, f);
            continue;
        }
        /* what was not assembled is missing from the distances */
        if (!a->failed)
            set_distance(a, &a->insns[f->insn], f->op, (int64_t)target - (int64_t)f->insn - 1, f->at, f->len);
    }
}

int skep_asm(const char *text, size_t len, const struct skep_asm_options *o, struct skep_diags *d,
             struct skep_insn **ret_insns, size_t *ret_n)
{
    static const struct skep_asm_options plain = {0};
    if (len > SKEP_ASM_TEXT_MAX) {
        skep_diags_add(d, text, 0, 1, "text-too-long", "the text has %zu bytes; %u are allowed", len,
                       SKEP_ASM_TEXT_MAX);
        return -E2BIG;
    }
    SKEP_CLEANUP(assembler_clear)
    struct assembler a = {.text = text, .options = o ? o : &plain, .d = d, .first_exit = SIZE_MAX};
    int r = skep_patterns_init(&a.patterns);
    if (r < 0)
        return r;
    skep_tokens_init(&a.lexer, text, len);
    while ((r = read_statement(&a)) != 0) {
        if (r < 0)
            continue;
        r = assemble_statement(&a);
        if (r < 0)
            return r;
    }
    resolve(&a);
    if (a.failed)
        return -EINVAL;
    if (a.options->ret_offsets)
        *a.options->ret_offsets = TAKE_PTR(a.offsets);
    *ret_insns = TAKE_PTR(a.insns);
    *ret_n = a.n_insns;
    return 0;
}
