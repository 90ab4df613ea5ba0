/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/filter.h"

#include "event/syscalls.h"
#include "rule/match/text.h"

#include <linux/bpf.h>

#define KEY_TEXT (-SKEP_MAP_KEY_MAX) /* where the text of a key stands, below r10 */
#define KEY_BITS (KEY_TEXT - 4)      /* of a trie: how many bits, right before it */
#define OFFSET_MASK (SKEP_RECORD_MAX - 1)

/* struct skep_endpoint: AF_INET, AF_INET6. Sensors write no others. */
enum { FAMILY_IP4 = 2, FAMILY_IP6 = 10 };

static void end(struct skep_filter_emit *e, unsigned label, const struct skep_filter_ways *to)
{
    skep_emit_goto(e->b, label, to->fall);
}

/* ---- evt.type: by the number of the system call ---- */

static void emit_evttype(struct skep_filter_emit *e, const struct skep_atom *a,
                         const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 9);
    skep_build_imm(b, SKEP_OP_AND64_IMM, 1, SKEP_HDR_SYSCALL | SKEP_HDR_COMPAT);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 1, SKEP_HDR_SYSCALL, to->unknown);
    skep_build_load(b, SKEP_OP_LDXW, 1, 6, offsetof(struct skep_hdr, nr));
    for (unsigned nr = 0; nr < SKEP_SYSCALL_MAX; nr++) {
        const char *call = skep_syscall_name(nr, false);
        for (size_t i = 1; call && i < n; i++)
            if (types[i].kind == e->filter->kind && types[i].syscall && skep_streq(types[i].syscall, call))
                skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 1, (int32_t)nr,
                                    a->types[i / 64] >> (i % 64) & 1 ? to->yes : to->no);
    }
    end(e, to->unknown, to);
}

/* ---- texts ---- */

static bool is_path(const struct skep_rule_spot *s)
{
    return s->form == SKEP_SPOT_PATH || s->form == SKEP_SPOT_DIRECTORY || s->form == SKEP_SPOT_FILENAME;
}

static void load_outcome(struct skep_filter_emit *e, const struct skep_rule_spot *s, unsigned missing)
{
    if (!s->succeeded)
        return;
    skep_build_load(e->b, SKEP_OP_LDXDW, 1, 6, offsetof(struct skep_hdr, ret));
    skep_build_jump_imm(e->b, SKEP_OP_JSLT_IMM, 1, 0, missing);
}

bool skep_filter_is_late(const struct skep_rule_spot *s, uint16_t kind)
{
    return s && kind == SKEP_KIND_open && s->off == offsetof(struct skep_ev_open, raw_path);
}

/* r7 = the text, r8 = its length. */
static void load_slice(struct skep_filter_emit *e, const struct skep_rule_spot *s,
                       const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    bool known = s->off == e->loaded;
    load_outcome(e, s, to->no);
    if (!known)
        skep_build_jump_imm(b, SKEP_OP_JSET_IMM, 9, SKEP_HDR_TRUNCATED, to->unknown);
    if (!known && skep_filter_is_late(s, e->filter->kind))
        skep_frame_ask_late(e->frame, b, e->pass);
    skep_build_load(b, SKEP_OP_LDXW, 7, 6, (int16_t)(s->off + offsetof(struct skep_slice, off)));
    skep_build_load(b, SKEP_OP_LDXW, 8, 6, (int16_t)(s->off + offsetof(struct skep_slice, len)));
    if (known) {
        /* nothing is left to be asked */
    } else if (is_path(s)) {
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 7, 0, to->unknown);
        skep_build_load(b, SKEP_OP_LDXW, 1, 6, (int16_t)s->source_off);
        skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 1, SKEP_PATH_OBJECT, to->unknown);
    } else {
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 7, 0, to->no);
    }
    skep_build_imm(b, SKEP_OP_AND64_IMM, 7, OFFSET_MASK);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 7, 6);
}

/* r1 = how many bytes of the word in r1 come before its first NUL; r2, r3 are written. */
static void count_bytes(struct skep_build *b)
{
    /* r2: 0x80 in each byte that is 0 */
    skep_build_reg(b, SKEP_OP_MOV64_REG, 2, 1);
    skep_build_mov(b, 3, SKEP_EACH_BYTE(0x7f));
    skep_build_reg(b, SKEP_OP_AND64_REG, 2, 3);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 2, 3);
    skep_build_reg(b, SKEP_OP_OR64_REG, 2, 1);
    skep_build_reg(b, SKEP_OP_OR64_REG, 2, 3);
    skep_build_imm(b, SKEP_OP_XOR64_IMM, 2, -1);
    /* the lowest of them, one bit above the bytes before it; none: all bytes */
    skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 2);
    skep_build_one(b, SKEP_OP_NEG64, 1);
    skep_build_reg(b, SKEP_OP_AND64_REG, 1, 2);
    skep_build_imm(b, SKEP_OP_RSH64_IMM, 1, 7);
    skep_build_imm(b, SKEP_OP_SUB64_IMM, 1, 1);
    skep_build_mov(b, 3, SKEP_EACH_BYTE(1));
    skep_build_reg(b, SKEP_OP_AND64_REG, 1, 3);
    skep_build_reg(b, SKEP_OP_MUL64_REG, 1, 3);
    skep_build_imm(b, SKEP_OP_RSH64_IMM, 1, 56);
}

/* An array ends at its NUL, or is full. Without branches: the verifier would follow every length through all that
 * comes behind. */
static void load_chars(struct skep_filter_emit *e, const struct skep_rule_spot *s)
{
    struct skep_build *b = e->b;
    skep_build_reg(b, SKEP_OP_MOV64_REG, 7, 6);
    skep_build_imm(b, SKEP_OP_ADD64_IMM, 7, s->off);
    skep_build_mov(b, 8, 0);
    skep_build_mov(b, 5, 1); /* no NUL so far */
    for (unsigned i = 0; i < s->size; i += 8) {
        skep_build_load(b, SKEP_OP_LDXDW, 1, 7, (int16_t)i);
        count_bytes(b);
        skep_build_reg(b, SKEP_OP_MUL64_REG, 1, 5);
        skep_build_reg(b, SKEP_OP_ADD64_REG, 8, 1);
        skep_build_imm(b, SKEP_OP_RSH64_IMM, 1, 3);
        skep_build_reg(b, SKEP_OP_MOV64_REG, 5, 1);
    }
}

/* Where the text's end - n is: r1, when n bytes are there. */
static void locate_end(struct skep_filter_emit *e, const struct skep_rule_spot *s, size_t n)
{
    struct skep_build *b = e->b;
    if (s->form == SKEP_SPOT_CHARS) {
        skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 8);
        skep_build_imm(b, SKEP_OP_SUB64_IMM, 1, (int32_t)n);
        skep_build_imm(b, SKEP_OP_AND64_IMM, 1, 0xff);
        skep_build_reg(b, SKEP_OP_ADD64_REG, 1, 7);
        return;
    }
    skep_build_load(b, SKEP_OP_LDXW, 1, 6, (int16_t)s->off);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 1, 8);
    skep_build_imm(b, SKEP_OP_SUB64_IMM, 1, (int32_t)n);
    skep_build_imm(b, SKEP_OP_AND64_IMM, 1, OFFSET_MASK);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 1, 6);
}

static void emit_ends(struct skep_filter_emit *e, const struct skep_atom *a, const struct skep_rule_spot *s,
                      const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    for (size_t i = 0; i < a->n_values; i++) {
        const struct skep_constant *c = &a->values[i];
        unsigned next = skep_build_label(b);
        if (c->text.n)
            skep_build_jump_imm(b, SKEP_OP_JLT_IMM, 8, (int32_t)c->text.n, next);
        if (a->op != SKEP_ATOM_ENDSWITH) {
            skep_emit_bytes(b, 7, 0, c->text.s, c->text.n, 3, 4, next);
        } else if (c->text.n) {
            locate_end(e, s, c->text.n);
            skep_emit_exact_bytes(b, 1, c->text.s, c->text.n, 3, 4, next);
        }
        skep_build_jump(b, to->yes);
        skep_build_bind(b, next);
    }
    end(e, to->no, to);
}

/* ---- texts that are told apart by code ---- */

struct loading {
    struct skep_filter_emit *e;
    const struct skep_rule_spot *spot;
};

static void load_from_begin(void *context, size_t at)
{
    const struct loading *l = context;
    if (l->spot->form == SKEP_SPOT_CHARS)
        skep_build_load(l->e->b, SKEP_OP_LDXDW, 1, 6, (int16_t)(l->spot->off + at));
    else
        skep_build_load(l->e->b, SKEP_OP_LDXDW, 1, 7, (int16_t)at);
}

/* What stands before the text is read, too; the header comes before all of them. */
static void load_from_end(void *context, size_t at)
{
    const struct loading *l = context;
    struct skep_build *b = l->e->b;
    int32_t back = -8 - (int32_t)at;
    if (l->spot->form == SKEP_SPOT_CHARS) {
        skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 8);
        skep_build_imm(b, SKEP_OP_ADD64_IMM, 1, (int32_t)l->spot->off + back);
    } else {
        skep_build_load(b, SKEP_OP_LDXW, 1, 6, (int16_t)l->spot->off);
        skep_build_reg(b, SKEP_OP_ADD64_REG, 1, 8);
        skep_build_imm(b, SKEP_OP_ADD64_IMM, 1, back);
    }
    skep_build_imm(b, SKEP_OP_AND64_IMM, 1, OFFSET_MASK);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 1, 6);
    skep_build_load(b, SKEP_OP_LDXDW, 1, 1, 0);
}

/* The same for the text of a switch, where a path that is not an object's counts, too, when it is written as user space
 * would write it: from the root, with no slash at its end and none before a dot or a slash. */
static void load_switched(struct skep_filter_emit *e, const struct skep_filter_node *n, unsigned unknown,
                          unsigned missing)
{
    struct skep_build *b = e->b;
    const struct skep_rule_spot *s = n->spot;
    struct skep_filter_ways ways = {.no = missing, .unknown = unknown};
    if (!is_path(s) || s->off == e->loaded || e->loops + 1 >= SKEP_FILTER_LOOPS_MAX) {
        load_slice(e, s, &ways);
        return;
    }
    e->loops++;
    load_outcome(e, s, missing);
    unsigned ready = skep_build_label(b), round = skep_build_label(b);
    skep_build_jump_imm(b, SKEP_OP_JSET_IMM, 9, SKEP_HDR_TRUNCATED, unknown);
    skep_build_load(b, SKEP_OP_LDXW, 7, 6, (int16_t)(s->off + offsetof(struct skep_slice, off)));
    skep_build_load(b, SKEP_OP_LDXW, 8, 6, (int16_t)(s->off + offsetof(struct skep_slice, len)));
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 7, 0, unknown);
    skep_build_imm(b, SKEP_OP_AND64_IMM, 7, OFFSET_MASK);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 7, 6);
    skep_build_load(b, SKEP_OP_LDXW, 1, 6, (int16_t)s->source_off);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 1, SKEP_PATH_OBJECT, ready);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 1, SKEP_PATH_LEXICAL, unknown);
    skep_build_jump_imm(b, SKEP_OP_JGT_IMM, 8, SKEP_FILTER_SEARCH_MAX, unknown);
    skep_build_jump_imm(b, SKEP_OP_JLE_IMM, 8, 1, unknown);
    skep_build_load(b, SKEP_OP_LDXB, 1, 7, 0);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 1, '/', unknown);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 7);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 1, 8);
    skep_build_load(b, SKEP_OP_LDXB, 1, 1, -1);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 1, '/', unknown);
    skep_build_mov(b, 2, 0);
    skep_build_bind(b, round);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 7);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 1, 2);
    skep_build_load(b, SKEP_OP_LDXDW, 0, 1, 0);
    skep_build_load(b, SKEP_OP_LDXDW, 3, 1, 1);
    skep_build_mov(b, 4, SKEP_EACH_BYTE(1)); /* makes a slash of a dot, and of nothing else */
    skep_build_reg(b, SKEP_OP_OR64_REG, 3, 4);
    skep_build_mov(b, 4, SKEP_EACH_BYTE('/'));
    skep_build_reg(b, SKEP_OP_XOR64_REG, 0, 4);
    skep_build_reg(b, SKEP_OP_XOR64_REG, 3, 4);
    skep_build_reg(b, SKEP_OP_OR64_REG, 0, 3);
    skep_emit_any_zero(b);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 5, 0, unknown);
    skep_build_imm(b, SKEP_OP_ADD64_IMM, 2, 8);
    skep_build_jump_reg(b, SKEP_OP_JGE_REG, 2, 8, ready);
    skep_build_jump_imm(b, SKEP_OP_JLT_IMM, 2, SKEP_FILTER_SEARCH_MAX, round);
    skep_build_bind(b, ready);
}

static void emit_radix(struct skep_filter_emit *e, const struct skep_filter_node *n,
                       const struct skep_rule_spot *s, const unsigned *labels, unsigned unknown,
                       unsigned missing)
{
    struct skep_build *b = e->b;
    struct loading l = {e, s};
    struct skep_filter_ways ways = {.no = missing, .unknown = unknown};
    if (n->kind == SKEP_FILTER_SWITCH && s->form != SKEP_SPOT_CHARS)
        load_switched(e, n, unknown, missing);
    else if (s->form != SKEP_SPOT_CHARS)
        load_slice(e, s, &ways);
    else if (n->radix->array == 0)
        load_chars(e, s);
    if (n->rooted && s->form == SKEP_SPOT_CHARS) {
        skep_build_load(b, SKEP_OP_LDXB, 1, 6, (int16_t)s->off);
        skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 1, '/', unknown);
    } else if (n->rooted) {
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 8, 0, unknown);
        skep_build_load(b, SKEP_OP_LDXB, 1, 7, 0);
        skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 1, '/', unknown);
    }
    skep_radix_emit(n->radix, b, n->radix->from_end ? load_from_end : load_from_begin, &l, labels);
}

void skep_filter_emit_switch(struct skep_filter_emit *e, const struct skep_filter_node *n,
                             const unsigned *labels, unsigned unknown, unsigned missing)
{
    emit_radix(e, n, n->spot, labels, unknown, missing);
}

/* Of one atom: class 0 is no, all others are yes. */
static void emit_atom_radix(struct skep_filter_emit *e, const struct skep_filter_node *n,
                            const struct skep_rule_spot *s, const struct skep_filter_ways *to)
{
    _cleanup_free_ unsigned *labels = calloc(n->radix->n_classes, sizeof(*labels));
    if (!labels) {
        e->b->error = -ENOMEM;
        return;
    }
    labels[0] = to->no;
    for (size_t i = 1; i < n->radix->n_classes; i++)
        labels[i] = to->yes;
    emit_radix(e, n, s, labels, to->unknown, to->no);
}

static uint32_t ref_of(const struct skep_filter_emit *e, uint32_t map)
{
    for (size_t i = 0; i < e->filter->refs.n; i++)
        if (e->filter->refs.list[i] == map)
            return (uint32_t)i;
    return 0;
}

/* r0 = what the map has for the key at r10 + at. */
static void lookup(struct skep_filter_emit *e, uint32_t map, int32_t at)
{
    skep_build_wide(e->b, SKEP_OP_LDDW_MAP_IDX, 1, ref_of(e, map), 0);
    skep_build_reg(e->b, SKEP_OP_MOV64_REG, 2, SKEP_REG_FRAME);
    skep_build_imm(e->b, SKEP_OP_ADD64_IMM, 2, at);
    skep_build_call(e->b, BPF_FUNC_map_lookup_elem);
}

static void copy_words(struct skep_filter_emit *e, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        skep_build_load(e->b, SKEP_OP_LDXDW, 1, 7, (int16_t)i);
        skep_build_store(e->b, SKEP_OP_STXDW, SKEP_REG_FRAME, (int16_t)(KEY_TEXT + (int)i), 1);
    }
}

/* Texts as keys of size bytes: what is behind the text is taken out of the last word. */
static void copy_key(struct skep_filter_emit *e, size_t size)
{
    struct skep_build *b = e->b;
    copy_words(e, size - 8);
    skep_build_mov(b, 2, size);
    skep_build_reg(b, SKEP_OP_SUB64_REG, 2, 8);
    skep_build_imm(b, SKEP_OP_AND64_IMM, 2, 7);
    skep_build_imm(b, SKEP_OP_LSH64_IMM, 2, 3);
    skep_build_load(b, SKEP_OP_LDXDW, 1, 7, (int16_t)(size - 8));
    skep_build_reg(b, SKEP_OP_LSH64_REG, 1, 2);
    skep_build_reg(b, SKEP_OP_RSH64_REG, 1, 2);
    skep_build_store(b, SKEP_OP_STXDW, SKEP_REG_FRAME, (int16_t)(KEY_TEXT + (int)size - 8), 1);
}

static void emit_map(struct skep_filter_emit *e, const struct skep_map_set *set,
                     const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    unsigned found = skep_build_label(b);
    if (set->has_empty)
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 8, 0, to->yes);
    for (unsigned i = 1; i < SKEP_MAP_CLASSES; i++) {
        if (set->map[i] == UINT32_MAX)
            continue;
        unsigned next = skep_build_label(b);
        skep_build_jump_imm(b, SKEP_OP_JLE_IMM, 8, (int32_t)(i - 1) * 8, next);
        skep_build_jump_imm(b, SKEP_OP_JGT_IMM, 8, (int32_t)i * 8, next);
        copy_key(e, i * 8);
        lookup(e, set->map[i], KEY_TEXT);
        skep_build_jump(b, found);
        skep_build_bind(b, next);
    }
    skep_build_jump(b, to->no);
    skep_build_bind(b, found);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 0, 0, to->no);
    skep_build_load(b, SKEP_OP_LDXW, 1, 0, offsetof(struct skep_map_value, len));
    skep_build_jump_reg(b, SKEP_OP_JNE_REG, 1, 8, to->no);
    end(e, to->yes, to);
}

static void emit_texts(struct skep_filter_emit *e, const struct skep_filter_node *n,
                       const struct skep_filter_ways *to)
{
    const struct skep_atom *a = &n->atom;
    if (n->set) {
        emit_map(e, n->set, to);
        return;
    }
    _cleanup_free_ struct skep_emit_choice *choices = calloc(MAX(a->n_values, (size_t)1), sizeof(*choices));
    if (!choices) {
        e->b->error = -ENOMEM;
        return;
    }
    for (size_t i = 0; i < a->n_values; i++)
        choices[i] =
            (struct skep_emit_choice){.s = a->values[i].text.s, .n = a->values[i].text.n, .label = to->yes};
    struct skep_emit_text t = {.ptr = 7, .len = 8, .tmp = 3, .tmp2 = 4};
    skep_emit_choose(e->b, &t, choices, a->n_values, to->no);
}

/* Many prefixes. */
static void emit_trie(struct skep_filter_emit *e, uint32_t trie, const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    size_t size = e->unit->maps.list[trie].key_size - sizeof(uint32_t);
    unsigned fits = skep_build_label(b);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 2, 8);
    skep_build_jump_imm(b, SKEP_OP_JLE_IMM, 2, (int32_t)size, fits);
    skep_build_mov(b, 2, size);
    skep_build_bind(b, fits);
    skep_build_imm(b, SKEP_OP_LSH64_IMM, 2, 3);
    skep_build_store(b, SKEP_OP_STXW, SKEP_REG_FRAME, KEY_BITS, 2);
    copy_words(e, size);
    lookup(e, trie, KEY_BITS);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 0, 0, to->no);
    end(e, to->yes, to);
}

/* Goes to no only if the text is written as the normal forms of paths are: from the root, without slashes in a row. */
static void emit_if_plain(struct skep_filter_emit *e, const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    if (e->loops++ >= SKEP_FILTER_LOOPS_MAX) {
        end(e, to->unknown, to);
        return;
    }
    unsigned round = skep_build_label(b);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 8, 0, to->unknown);
    skep_build_jump_imm(b, SKEP_OP_JGT_IMM, 8, SKEP_FILTER_SEARCH_MAX, to->unknown);
    skep_build_load(b, SKEP_OP_LDXB, 0, 7, 0);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 0, '/', to->unknown);
    skep_build_mov(b, 2, 0);
    skep_build_bind(b, round);
    skep_build_jump_reg(b, SKEP_OP_JGE_REG, 2, 8, to->no);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 7);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 1, 2);
    /* a byte is 0 in both only where a slash follows a slash */
    skep_build_load(b, SKEP_OP_LDXDW, 0, 1, 0);
    skep_build_load(b, SKEP_OP_LDXDW, 3, 1, 1);
    skep_build_mov(b, 4, SKEP_EACH_BYTE('/'));
    skep_build_reg(b, SKEP_OP_XOR64_REG, 0, 4);
    skep_build_reg(b, SKEP_OP_XOR64_REG, 3, 4);
    skep_build_reg(b, SKEP_OP_OR64_REG, 0, 3);
    skep_emit_any_zero(b);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 5, 0, to->unknown);
    skep_build_imm(b, SKEP_OP_ADD64_IMM, 2, 8);
    skep_build_jump_imm(b, SKEP_OP_JLT_IMM, 2, SKEP_FILTER_SEARCH_MAX, round);
    end(e, to->no, to);
}

/* Paths: begins with none of them, and is written plainly: no. */
static void emit_below(struct skep_filter_emit *e, const struct skep_filter_node *n,
                       const struct skep_rule_spot *s, const struct skep_filter_ways *to)
{
    unsigned none = skep_build_label(e->b);
    struct skep_filter_ways ways = {to->unknown, none, to->unknown, none};
    if (n->trie != UINT32_MAX)
        emit_trie(e, n->trie, &ways);
    else
        emit_ends(e, &n->atom, s, &ways);
    skep_build_bind(e->b, none);
    emit_if_plain(e, to);
}

/* What is asked of each text that a number can stand for is known by now. */
static bool choice_fits(const struct skep_atom *a, const char *s)
{
    size_t n = strlen(s);
    if (a->op == SKEP_ATOM_EXISTS)
        return true;
    for (size_t i = 0; i < a->n_values; i++) {
        const char *v = a->values[i].text.s;
        size_t len = a->values[i].text.n;
        if (a->op == SKEP_ATOM_EQ           ? n == len && memcmp(s, v, n) == 0
            : a->op == SKEP_ATOM_STARTSWITH ? skep_text_begins(s, n, v, len)
            : a->op == SKEP_ATOM_ENDSWITH   ? skep_text_ends(s, n, v, len)
                                            : skep_text_contains(s, n, v, len, a->op == SKEP_ATOM_ICONTAINS))
            return true;
    }
    return false;
}

static void emit_choice(struct skep_filter_emit *e, const struct skep_atom *a, const struct skep_rule_spot *s,
                        const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    skep_build_load(b, SKEP_OP_LDXW, 1, 6, (int16_t)s->off);
    skep_build_imm(b, SKEP_OP_AND32_IMM, 1, (int32_t)s->mask);
    for (size_t i = 0; i < s->n_choices; i++) {
        bool fits = s->choices[i].text && choice_fits(a, s->choices[i].text);
        skep_build_jump_imm(b, SKEP_OP_JEQ32_IMM, 1, (int32_t)s->choices[i].value, fits ? to->yes : to->no);
    }
    end(e, to->unknown, to);
}

static void emit_text(struct skep_filter_emit *e, const struct skep_filter_node *n,
                      const struct skep_rule_spot *s, const struct skep_filter_ways *to)
{
    const struct skep_atom *a = &n->atom;
    if (s->form == SKEP_SPOT_CHOICE) {
        emit_choice(e, a, s, to);
        return;
    }
    if (s->form == SKEP_SPOT_CHARS && a->op == SKEP_ATOM_EXISTS) {
        end(e, to->yes, to);
        return;
    }
    if (n->radix) {
        emit_atom_radix(e, n, s, to);
        return;
    }
    if (s->form == SKEP_SPOT_CHARS)
        load_chars(e, s);
    else
        load_slice(e, s, to);
    switch (a->op) {
    case SKEP_ATOM_EXISTS:
        end(e, to->yes, to);
        break;
    case SKEP_ATOM_EQ:
        emit_texts(e, n, to);
        break;
    case SKEP_ATOM_STARTSWITH:
        if (n->trie != UINT32_MAX) {
            emit_trie(e, n->trie, to);
            break;
        }
        emit_ends(e, a, s, to);
        break;
    case SKEP_ATOM_ENDSWITH:
        emit_ends(e, a, s, to);
        break;
    case SKEP_ATOM_PMATCH:
        emit_below(e, n, s, to);
        break;
    default:
        skep_filter_emit_searches(e, a, to);
    }
}

/* ---- numbers and addresses ---- */

/* r1 = the number as 64 bits with sign. */
static void load_number(struct skep_filter_emit *e, const struct skep_rule_spot *s,
                        const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    int16_t off = (int16_t)s->off;
    unsigned done = skep_build_label(b);
    switch (s->form) {
    case SKEP_SPOT_U8:
        skep_build_load(b, SKEP_OP_LDXB, 1, 6, off);
        break;
    case SKEP_SPOT_U16:
        skep_build_load(b, SKEP_OP_LDXH, 1, 6, off);
        break;
    case SKEP_SPOT_U32:
        skep_build_load(b, SKEP_OP_LDXW, 1, 6, off);
        break;
    case SKEP_SPOT_S32: /* not MOVSX, which kernels before 6.6 do not know */
        skep_build_load(b, SKEP_OP_LDXW, 1, 6, off);
        skep_build_imm(b, SKEP_OP_LSH64_IMM, 1, 32);
        skep_build_imm(b, SKEP_OP_ARSH64_IMM, 1, 32);
        break;
    case SKEP_SPOT_U64:
        skep_build_load(b, SKEP_OP_LDXDW, 1, 6, off);
        break;
    case SKEP_SPOT_PORT:
        skep_build_load(b, SKEP_OP_LDXH, 2, 6, (int16_t)(s->off + offsetof(struct skep_endpoint, family)));
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 2, 0, to->no);
        skep_build_load(b, SKEP_OP_LDXH, 1, 6, (int16_t)(s->off + offsetof(struct skep_endpoint, port)));
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 2, FAMILY_IP4, done);
        skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 2, FAMILY_IP6, to->unknown);
        break;
    case SKEP_SPOT_RET:
        skep_build_reg(b, SKEP_OP_MOV64_REG, 2, 9);
        skep_build_imm(b, SKEP_OP_AND64_IMM, 2, SKEP_HDR_RET);
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 2, 0, to->no);
        skep_build_load(b, SKEP_OP_LDXDW, 1, 6, offsetof(struct skep_hdr, ret));
        break;
    case SKEP_SPOT_FD_RET:
        skep_build_load(b, SKEP_OP_LDXDW, 2, 6, offsetof(struct skep_hdr, ret));
        skep_build_mov(b, 1, (uint64_t)-1);
        skep_build_jump_imm(b, SKEP_OP_JSLT_IMM, 2, 0, done);
        skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 2);
        break;
    default: /* BITS */
        skep_build_load(b, SKEP_OP_LDXW, 2, 6, off);
        skep_build_imm(b, SKEP_OP_AND32_IMM, 2, (int32_t)s->mask);
        skep_build_mov(b, 1, 1);
        for (unsigned i = 0; i < s->n_values; i++)
            skep_build_jump_imm(b, SKEP_OP_JEQ32_IMM, 2, (int32_t)s->values[i], done);
        skep_build_mov(b, 1, 0);
    }
    skep_build_bind(b, done);
    if (s->has_missing)
        skep_emit_jump(b, SKEP_OP_JEQ_IMM, SKEP_OP_JEQ_REG, 1, (uint64_t)s->missing, 2, to->no);
}

/* Straight to where true and false lead. */
static void emit_bits(struct skep_filter_emit *e, const struct skep_atom *a, const struct skep_rule_spot *s,
                      const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    unsigned set = skep_constants_have_number(a->values, a->n_values, 1) ? to->yes : to->no;
    unsigned clear = skep_constants_have_number(a->values, a->n_values, 0) ? to->yes : to->no;
    skep_build_load(b, SKEP_OP_LDXW, 2, 6, (int16_t)s->off);
    skep_build_imm(b, SKEP_OP_AND32_IMM, 2, (int32_t)s->mask);
    for (unsigned i = 0; i < s->n_values; i++)
        skep_build_jump_imm(b, SKEP_OP_JEQ32_IMM, 2, (int32_t)s->values[i], set);
    end(e, clear, to);
}

static void emit_number(struct skep_filter_emit *e, const struct skep_atom *a, const struct skep_rule_spot *s,
                        const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    if (s->form == SKEP_SPOT_BITS && a->op == SKEP_ATOM_EQ && a->type == SKEP_RULE_BOOL) {
        emit_bits(e, a, s, to);
        return;
    }
    load_number(e, s, to);
    if (a->op == SKEP_ATOM_EXISTS) {
        end(e, to->yes, to);
        return;
    }
    if (a->type == SKEP_RULE_BOOL) { /* any number but 0 is true */
        unsigned zero = skep_build_label(b);
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 1, 0, zero);
        skep_build_mov(b, 1, 1);
        skep_build_bind(b, zero);
    }
    skep_emit_intervals(b, 1, 2, a->values, a->n_values, &(struct skep_branch){to->yes, to->no, to->fall});
}

/* Whether the address of len bytes at the record's off is in one of many networks. */
static void emit_network_trie(struct skep_filter_emit *e, uint32_t trie, int16_t off, unsigned len,
                              const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    skep_build_store_imm(b, SKEP_OP_STW, SKEP_REG_FRAME, KEY_BITS, (int32_t)len * 8);
    for (unsigned i = 0; i < len; i += 4) {
        skep_build_load(b, SKEP_OP_LDXW, 1, 6, (int16_t)(off + (int)i));
        skep_build_store(b, SKEP_OP_STXW, SKEP_REG_FRAME, (int16_t)(KEY_TEXT + (int)i), 1);
    }
    lookup(e, trie, KEY_BITS);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 0, 0, to->no);
    end(e, to->yes, to);
}

static void emit_ip(struct skep_filter_emit *e, const struct skep_filter_node *n,
                    const struct skep_rule_spot *s, const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    const struct skep_atom *a = &n->atom;
    struct skep_branch branch = {to->yes, to->no, to->fall};
    int16_t ip = (int16_t)(s->off + offsetof(struct skep_endpoint, ip));
    unsigned six = skep_build_label(b);
    skep_build_load(b, SKEP_OP_LDXH, 5, 6, (int16_t)(s->off + offsetof(struct skep_endpoint, family)));
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 5, 0, to->no);
    if (a->op == SKEP_ATOM_EXISTS) {
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 5, FAMILY_IP4, to->yes);
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 5, FAMILY_IP6, to->yes);
        end(e, to->unknown, to);
        skep_build_bind(b, six);
        return;
    }
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 5, FAMILY_IP4, six);
    if (n->trie != UINT32_MAX)
        emit_network_trie(e, n->trie, ip, 4, &(struct skep_filter_ways){to->yes, to->no, to->unknown, six});
    else
        skep_emit_networks(b, 6, ip, 4, a->values, a->n_values, &(struct skep_branch){to->yes, to->no, six});
    skep_build_bind(b, six);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 5, FAMILY_IP6, to->unknown);
    if (n->trie6 != UINT32_MAX)
        emit_network_trie(e, n->trie6, ip, 16, to);
    else
        skep_emit_networks(b, 6, ip, 16, a->values, a->n_values, &branch);
}

void skep_filter_emit_atom(struct skep_filter_emit *e, const struct skep_filter_node *n,
                           const struct skep_filter_ways *to)
{
    const struct skep_atom *a = &n->atom;
    if (a->on_evttype) {
        emit_evttype(e, a, to);
        return;
    }
    const struct skep_rule_spot *s = skep_filter_spot(e->unit, a, e->filter->kind);
    if (a->type == SKEP_RULE_TEXT)
        emit_text(e, n, s, to);
    else if (a->type == SKEP_RULE_IP)
        emit_ip(e, n, s, to);
    else
        emit_number(e, a, s, to);
}
