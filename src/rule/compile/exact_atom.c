/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/exact.h"

#include "abi/config.h"

#include <linux/bpf.h>

#define CODE_VALUES_MAX 16     /* texts that are always compared by code ... */
#define CODE_VALUES_MORE 256   /* ... or, while the program has few of them, so many */
#define CODE_CHOICES_MAX 20000 /* in the whole program */
#define CODE_INTERVALS_MAX 512
#define CODE_NETWORKS_MAX 64
#define CODE_PREFIXES_MAX 6

#define FACT(member) offsetof(struct skep_fact, member)

/* Loads a part of a fact. */
static void load_fact(struct skep_exact *x, enum skep_opcode op, unsigned dst, uint32_t request, size_t part)
{
    size_t off = offsetof(struct skep_rule_ctx, facts) + request * sizeof(struct skep_fact) + part;
    if (off <= INT16_MAX) {
        skep_build_load(&x->b, op, dst, 6, (int16_t)off);
        return;
    }
    skep_build_reg(&x->b, SKEP_OP_MOV64_REG, dst, 6);
    skep_build_imm(&x->b, SKEP_OP_ADD64_IMM, dst, (int32_t)off);
    skep_build_load(&x->b, op, dst, dst, 0);
}

void skep_exact_call(struct skep_exact *x, uint32_t helper, uint32_t number)
{
    skep_build_reg(&x->b, SKEP_OP_MOV64_REG, 1, 6);
    skep_build_mov(&x->b, 2, number);
    skep_build_call(&x->b, helper);
}

/* Fetches a fact; goes to missing, or falls through. */
static void fetch(struct skep_exact *x, uint32_t request, unsigned missing)
{
    unsigned known = skep_build_label(&x->b);
    load_fact(x, SKEP_OP_LDXW, 0, request, FACT(state));
    skep_build_jump_imm(&x->b, SKEP_OP_JNE_IMM, 0, SKEP_FACT_UNASKED, known);
    skep_exact_call(x, SKEP_RULE_HELPER_FETCH, request);
    skep_build_bind(&x->b, known);
    skep_build_jump_imm(&x->b, SKEP_OP_JNE_IMM, 0, SKEP_FACT_THERE, missing);
}

/* After a condition of which only yes needs to be gone to. */
static void end_yes(struct skep_exact *x, const struct skep_branch *to)
{
    skep_emit_goto(&x->b, to->yes, to->fall);
}

static void emit_matcher(struct skep_exact *x, uint32_t atom, const struct skep_branch *to)
{
    skep_exact_call(x, SKEP_RULE_HELPER_MATCH, atom);
    if (to->fall == to->yes) {
        skep_build_jump_imm(&x->b, SKEP_OP_JEQ_IMM, 0, 0, to->no);
        return;
    }
    skep_build_jump_imm(&x->b, SKEP_OP_JNE_IMM, 0, 0, to->yes);
    skep_emit_goto(&x->b, to->no, to->fall);
}

/* ---- evt.type ---- */

static void emit_evttype(struct skep_exact *x, const struct skep_atom *a, const struct skep_branch *to)
{
    struct skep_evtset all = skep_evtset_of_kind(x->plan.kind);
    skep_build_load(&x->b, SKEP_OP_LDXW, 1, 6, offsetof(struct skep_rule_ctx, evttype));
    for (unsigned i = 1; i < SKEP_EVTTYPE_MAX; i++) {
        if (!skep_evtset_has(&all, i) || !(a->types[i / 64] >> (i % 64) & 1))
            continue;
        skep_build_jump_imm(&x->b, SKEP_OP_JEQ_IMM, 1, (int32_t)i, to->yes);
    }
    skep_emit_goto(&x->b, to->no, to->fall);
}

/* ---- texts ---- */

/* Looks the text of a fact up in a set: falls through, goes to no, or with the empty text to empty. The fact is there. r7
 * is written. */
static void emit_lookup(struct skep_exact *x, uint32_t request, const struct skep_map_set *set,
                        unsigned empty, unsigned no)
{
    struct skep_build *b = &x->b;
    unsigned call = skep_build_label(b);
    load_fact(x, SKEP_OP_LDXDW, 2, request, FACT(value));
    load_fact(x, SKEP_OP_LDXW, 7, request, FACT(n));
    if (set->has_empty)
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 7, 0, empty);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 3, 7);
    skep_build_imm(b, SKEP_OP_ADD64_IMM, 3, 7);
    skep_build_imm(b, SKEP_OP_RSH64_IMM, 3, 3);
    for (unsigned i = 1; i < SKEP_MAP_CLASSES; i++) {
        if (set->map[i] == UINT32_MAX)
            continue;
        unsigned next = skep_build_label(b);
        uint32_t ref;
        int r = skep_map_refs_add(&x->refs, set->map[i], &ref);
        if (r < 0)
            skep_exact_fail(x, r);
        skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 3, (int32_t)i, next);
        skep_build_wide(b, SKEP_OP_LDDW_MAP_IDX, 1, ref, 0);
        skep_build_jump(b, call);
        skep_build_bind(b, next);
    }
    skep_build_jump(b, no);
    skep_build_bind(b, call);
    skep_build_call(b, BPF_FUNC_map_lookup_elem);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 0, 0, no);
    skep_build_load(b, SKEP_OP_LDXW, 1, 0, offsetof(struct skep_map_value, len));
    skep_build_jump_reg(b, SKEP_OP_JNE_REG, 1, 7, no);
}

static void emit_text_map(struct skep_exact *x, const struct skep_atom *a, uint32_t atom,
                          const struct skep_branch *to)
{
    struct skep_map_set *set;
    int r = skep_maps_of_atom(&x->unit->maps, a, atom, &set);
    if (r < 0) {
        skep_exact_fail(x, r);
        return;
    }
    fetch(x, a->request, to->no);
    emit_lookup(x, a->request, set, to->yes, to->no);
    end_yes(x, to);
}

static void load_text(struct skep_exact *x, uint32_t request, unsigned ptr, unsigned len)
{
    load_fact(x, SKEP_OP_LDXW, len, request, FACT(n));
    load_fact(x, SKEP_OP_LDXDW, ptr, request, FACT(value));
}

static void emit_text_code(struct skep_exact *x, const struct skep_atom *a, const struct skep_branch *to)
{
    fetch(x, a->request, to->no);
    if (a->n_values == 1) {
        const struct skep_constant *c = &a->values[0];
        char padded[SKEP_PATH_MAX + 8] = {0};
        memcpy(padded, c->text.s, c->text.n);
        load_fact(x, SKEP_OP_LDXW, 2, a->request, FACT(n));
        skep_build_jump_imm(&x->b, SKEP_OP_JNE_IMM, 2, (int32_t)c->text.n, to->no);
        if (c->text.n)
            load_fact(x, SKEP_OP_LDXDW, 1, a->request, FACT(value));
        /* what is behind the text is known: whole words are cheaper than pieces of 3, 5, 6 or 7 */
        size_t n = c->text.n, rest = n % 8;
        n = rest == 3 || rest > 4 ? ROUND_UP(n, (size_t)8) : n;
        skep_emit_bytes(&x->b, 1, 0, padded, n, 3, 4, to->no);
        end_yes(x, to);
        return;
    }
    _cleanup_free_ struct skep_emit_choice *choices = calloc(a->n_values, sizeof(*choices));
    if (!choices) {
        skep_exact_fail(x, -ENOMEM);
        return;
    }
    for (size_t i = 0; i < a->n_values; i++)
        choices[i] =
            (struct skep_emit_choice){.s = a->values[i].text.s, .n = a->values[i].text.n, .label = to->yes};
    load_text(x, a->request, 1, 2);
    struct skep_emit_text t = {.ptr = 1, .len = 2, .tmp = 3, .tmp2 = 4, .padded = true};
    skep_emit_choose(&x->b, &t, choices, a->n_values, to->no);
    x->choices += a->n_values;
}

static bool too_long(const struct skep_atom *a)
{
    for (size_t i = 0; i < a->n_values; i++)
        if (a->values[i].text.n > SKEP_PATH_MAX)
            return true;
    return false;
}

static void emit_text_set(struct skep_exact *x, const struct skep_atom *a, uint32_t atom,
                          const struct skep_branch *to)
{
    bool few = a->n_values <= CODE_VALUES_MAX ||
               (a->n_values <= CODE_VALUES_MORE && x->choices + a->n_values <= CODE_CHOICES_MAX);
    if (few && !too_long(a))
        emit_text_code(x, a, to);
    else if (a->n_values > CODE_VALUES_MAX && skep_maps_can_hold(&x->unit->maps, a->values, a->n_values))
        emit_text_map(x, a, atom, to);
    else
        emit_matcher(x, atom, to);
}

/* startswith, endswith */
static void emit_ends(struct skep_exact *x, const struct skep_atom *a, const struct skep_branch *to)
{
    fetch(x, a->request, to->no);
    load_text(x, a->request, 1, 2);
    for (size_t i = 0; i < a->n_values; i++) {
        const struct skep_constant *c = &a->values[i];
        bool last = i + 1 == a->n_values;
        unsigned next = last ? to->no : skep_build_label(&x->b);
        if (c->text.n)
            skep_build_jump_imm(&x->b, SKEP_OP_JLT_IMM, 2, (int32_t)c->text.n, next);
        if (a->op == SKEP_ATOM_STARTSWITH) {
            skep_emit_bytes(&x->b, 1, 0, c->text.s, c->text.n, 3, 4, next);
        } else if (c->text.n) {
            skep_build_reg(&x->b, SKEP_OP_MOV64_REG, 5, 1);
            skep_build_reg(&x->b, SKEP_OP_ADD64_REG, 5, 2);
            skep_build_imm(&x->b, SKEP_OP_SUB64_IMM, 5, (int32_t)c->text.n);
            skep_emit_exact_bytes(&x->b, 5, c->text.s, c->text.n, 3, 4, next);
        }
        if (last) {
            end_yes(x, to);
        } else {
            skep_build_jump(&x->b, to->yes);
            skep_build_bind(&x->b, next);
        }
    }
}

/* ---- numbers and addresses ---- */

static void emit_number(struct skep_exact *x, const struct skep_atom *a, const struct skep_branch *to)
{
    fetch(x, a->request, to->no);
    load_fact(x, SKEP_OP_LDXDW, 1, a->request, FACT(value));
    skep_emit_intervals(&x->b, 1, 2, a->values, a->n_values, to);
}

static void emit_ip(struct skep_exact *x, const struct skep_atom *a, const struct skep_branch *to)
{
    struct skep_build *b = &x->b;
    unsigned six = skep_build_label(b);
    fetch(x, a->request, to->no);
    load_text(x, a->request, 4, 5);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 5, 4, six);
    skep_emit_networks(b, 4, 0, 4, a->values, a->n_values, &(struct skep_branch){to->yes, to->no, six});
    skep_build_bind(b, six);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 5, 16, to->no);
    skep_emit_networks(b, 4, 0, 16, a->values, a->n_values, to);
}

/* ---- any ---- */

static void emit_set(struct skep_exact *x, const struct skep_atom *a, uint32_t atom,
                     const struct skep_branch *to)
{
    if (a->type == SKEP_RULE_TEXT)
        emit_text_set(x, a, atom, to);
    else if (a->type == SKEP_RULE_IP && a->n_values <= CODE_NETWORKS_MAX)
        emit_ip(x, a, to);
    else if (a->type != SKEP_RULE_IP && a->n_values <= CODE_INTERVALS_MAX)
        emit_number(x, a, to);
    else
        emit_matcher(x, atom, to);
}

void skep_exact_atom(struct skep_exact *x, uint32_t atom, const struct skep_branch *to)
{
    const struct skep_atom *a = &x->unit->atoms.list[atom];
    if (a->on_evttype) {
        emit_evttype(x, a, to);
    } else if (a->op == SKEP_ATOM_EXISTS) {
        fetch(x, a->request, to->no);
        end_yes(x, to);
    } else if (a->mode != SKEP_ATOM_ONE || a->oneof || a->right != SKEP_ATOM_NO_RIGHT) {
        emit_matcher(x, atom, to);
    } else if (a->op == SKEP_ATOM_EQ) {
        emit_set(x, a, atom, to);
    } else if ((a->op == SKEP_ATOM_STARTSWITH || a->op == SKEP_ATOM_ENDSWITH) &&
               a->n_values <= CODE_PREFIXES_MAX && !too_long(a)) {
        emit_ends(x, a, to);
    } else {
        emit_matcher(x, atom, to);
    }
}
