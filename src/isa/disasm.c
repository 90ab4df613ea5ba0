/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/disasm.h"

#include <inttypes.h>

#include "isa/check.h"

enum { TARGET = 1 << 0, FUNCTION = 1 << 1, INSIDE = 1 << 2 };

struct printer {
    struct skep_strbuf *sb;
    enum skep_syntax syntax;
    const struct skep_insn *insns;
    size_t n, i;
    enum skep_opcode op;
    const struct skep_opcode_info *info;
    const uint8_t *targets; /* NULL: distances */
};

/* Whether i is an instruction that can be written. */
static bool writable(const struct printer *p, const char **ret_reason, enum skep_opcode *ret_op)
{
    const struct skep_insn *insn = &p->insns[p->i];
    enum skep_opcode op;
    if (skep_insn_decode(insn, &op, ret_reason) < 0)
        return false;
    const struct skep_opcode_info *info = skep_opcode_info(op);
    if ((info->dst.use != SKEP_FIELD_FIXED && skep_insn_dst(insn) >= SKEP_REGS) ||
        (info->src.use != SKEP_FIELD_FIXED && skep_insn_src(insn) >= SKEP_REGS)) {
        *ret_reason = "there is no such register";
        return false;
    }
    if (info->flags & SKEP_OPF_WIDE) {
        *ret_reason = "half of a wide instruction";
        if (p->i + 1 == p->n || skep_insn_decode_wide(op, insn + 1, ret_reason) < 0)
            return false;
    }
    *ret_op = op;
    return true;
}

static void put_register(const struct printer *p, unsigned reg, bool by_width)
{
    if (p->syntax == SKEP_SYNTAX_MNEMONIC)
        skep_strbuf_putc(p->sb, '%');
    skep_strbuf_putc(p->sb, by_width && p->info->bits < 64 && p->syntax == SKEP_SYNTAX_C ? 'w' : 'r');
    skep_strbuf_u64(p->sb, reg);
}

static void put_target(const struct printer *p)
{
    int64_t target = skep_insn_target(p->op, &p->insns[p->i], p->i);
    uint8_t marks = p->targets && target >= 0 && target < (int64_t)p->n ? p->targets[target] : INSIDE;
    if (marks & INSIDE)
        skep_strbuf_printf(p->sb, "%+" PRId64, target - (int64_t)p->i - 1);
    else
        skep_strbuf_printf(p->sb, "%c%" PRId64, marks & FUNCTION ? 'F' : 'L', target);
}

static void put_offset(const struct printer *p, int off)
{
    if (p->syntax == SKEP_SYNTAX_C)
        skep_strbuf_printf(p->sb, " %c %d", off < 0 ? '-' : '+', off < 0 ? -off : off);
    else if (off)
        skep_strbuf_printf(p->sb, "%+d", off);
}

static void put_part(const struct printer *p, char part)
{
    const struct skep_insn *insn = &p->insns[p->i];
    struct skep_strbuf *sb = p->sb;
    switch (part) {
    case 'M':
        skep_strbuf_puts(sb, p->info->mnemonic);
        break;
    case 'Y':
        skep_strbuf_puts(sb, p->info->symbol);
        break;
    case 'T':
        skep_strbuf_printf(sb, "u%u", p->info->bits);
        break;
    case 'D':
    case 'V':
        put_register(p, skep_insn_dst(insn), true);
        break;
    case 'S':
    case 'v':
        put_register(p, skep_insn_src(insn), true);
        break;
    case 'd':
    case 'P':
        put_register(p, skep_insn_dst(insn), false);
        break;
    case 's':
    case 'p':
        put_register(p, skep_insn_src(insn), false);
        break;
    case 'X':
        put_register(p, 0, true);
        break;
    case 'I':
        skep_strbuf_i64(sb, insn->imm);
        break;
    case 'H':
        skep_strbuf_u64(sb, (uint32_t)insn->imm); /* call -1 is a distance */
        break;
    case 'Q':
        skep_strbuf_printf(sb, "0x%" PRIx64, skep_insn_imm64(insn));
        break;
    case 'N':
        if (insn[1].imm)
            skep_strbuf_printf(sb, " + %u", (uint32_t)insn[1].imm);
        break;
    case 'O':
        put_offset(p, insn->off);
        break;
    case 'K':
        if (insn->off)
            skep_strbuf_printf(sb, ", %d", insn->off);
        break;
    case 'J':
    case 'F':
        put_target(p);
        break;
    case 'L':
        skep_strbuf_puts(sb, "ll");
        break;
    default: /* 'l': not printed */
        break;
    }
}

/* Returns the number of slots. */
static size_t put_insn(struct printer *p, size_t i, const char **ret_reason)
{
    p->i = i;
    *ret_reason = NULL;
    if (!writable(p, ret_reason, &p->op)) {
        uint64_t slot;
        memcpy(&slot, &p->insns[i], sizeof(slot));
        skep_strbuf_printf(p->sb, ".word 0x%016" PRIx64, slot);
        return 1;
    }
    *ret_reason = NULL;
    p->info = skep_opcode_info(p->op);
    for (const char *s = skep_syntax_pattern(p->syntax, p->op); *s; s++) {
        if (*s == '$')
            put_part(p, *++s);
        else
            skep_strbuf_putc(p->sb, *s);
    }
    return p->info->flags & SKEP_OPF_WIDE ? 2 : 1;
}

size_t skep_disasm_insn(const struct skep_insn *insns, size_t n, size_t i, enum skep_syntax syntax,
                        struct skep_strbuf *sb)
{
    struct printer p = {.sb = sb, .syntax = syntax, .insns = insns, .n = n};
    const char *reason;
    return put_insn(&p, i, &reason);
}

/* Which slots need a label. Targets outside of the program and inside of wide instructions get none. */
static void find_targets(struct printer *p, uint8_t *targets)
{
    const char *reason;
    enum skep_opcode op;
    for (p->i = 0; p->i < p->n; p->i++) {
        if (!writable(p, &reason, &op))
            continue;
        const struct skep_opcode_info *info = skep_opcode_info(op);
        bool function = info->imm.use == SKEP_FIELD_FUNCTION;
        if (function || info->flags & SKEP_OPF_JUMP) {
            int64_t target = skep_insn_target(op, &p->insns[p->i], p->i);
            if (target >= 0 && target < (int64_t)p->n)
                targets[target] |= function ? FUNCTION : TARGET;
        }
        if (info->flags & SKEP_OPF_WIDE)
            targets[++p->i] |= INSIDE;
    }
}

static void put_comment(struct skep_strbuf *sb, const char *comment)
{
    skep_strbuf_puts(sb, "  # ");
    skep_strbuf_put_visible(sb, comment, strlen(comment));
}

int skep_disasm(const struct skep_insn *insns, size_t n, const struct skep_disasm_options *o,
                struct skep_strbuf *sb)
{
    static const struct skep_disasm_options plain = {0};
    if (!o)
        o = &plain;
    _cleanup_free_ uint8_t *targets = NULL;
    struct printer p = {.sb = sb, .syntax = o->syntax, .insns = insns, .n = n};
    if (o->labels) {
        targets = calloc(MAX(n, (size_t)1), 1);
        if (!targets)
            return -ENOMEM;
        find_targets(&p, targets);
        p.targets = targets;
    }
    for (size_t i = 0, slots; i < n && !sb->failed; i += slots) {
        if (o->before)
            o->before(o->data, i, sb);
        if (targets && targets[i] && !(targets[i] & INSIDE))
            skep_strbuf_printf(sb, "%c%zu:\n", targets[i] & FUNCTION ? 'F' : 'L', i);
        if (o->numbers)
            skep_strbuf_printf(sb, "%4zu: ", i);
        else if (targets)
            skep_strbuf_puts(sb, "    ");
        const char *reason;
        slots = put_insn(&p, i, &reason);
        const char *comment = reason ? reason : o->comment ? o->comment(o->data, i, p.op, &insns[i]) : NULL;
        if (comment)
            put_comment(sb, comment);
        skep_strbuf_putc(sb, '\n');
    }
    return 0;
}
