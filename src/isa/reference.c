/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/reference.h"

#include "isa/disasm.h"

static const char *const uses[] = {
    [SKEP_FIELD_FIXED] = NULL,
    [SKEP_FIELD_READ] = "read",
    [SKEP_FIELD_WRITE] = "written",
    [SKEP_FIELD_READ_WRITE] = "read and written",
    [SKEP_FIELD_MEMORY] = "added to the address",
    [SKEP_FIELD_NUMBER] = "number",
    [SKEP_FIELD_HELPER] = "helper",
    [SKEP_FIELD_ID] = "id",
    [SKEP_FIELD_JUMP] = "distance",
    [SKEP_FIELD_FUNCTION] = "distance to a function",
};

static void put_example(struct skep_strbuf *sb, enum skep_opcode op, enum skep_syntax syntax)
{
    const struct skep_insn slots[2] = {skep_insn_make(op, 1, 2, 8, 5), skep_insn_make_wide(0)};
    skep_disasm_insn(slots, ARRAY_SIZE(slots), 0, syntax, sb);
}

/* Blanks up to column, counted from start. */
static void pad(struct skep_strbuf *sb, size_t start, size_t column)
{
    do {
        skep_strbuf_putc(sb, ' ');
    } while (sb->len - start < column && !sb->failed);
}

/* The field that tells the operation from others of the same code. */
static void put_selector(struct skep_strbuf *sb, const struct skep_opcode_info *info)
{
    switch (info->select) {
    case SKEP_SELECT_SRC:
        skep_strbuf_printf(sb, " src %d", info->src.value);
        break;
    case SKEP_SELECT_OFF:
        skep_strbuf_printf(sb, " off %d", info->off.value);
        break;
    case SKEP_SELECT_IMM:
        skep_strbuf_printf(sb, " imm 0x%x", (unsigned)info->imm.value);
        break;
    case SKEP_SELECT_NONE:
        break;
    }
}

void skep_instructions_put_text(struct skep_strbuf *sb)
{
    skep_strbuf_puts(
        sb,
        "Every operation: how it is encoded, its group, an example in both syntaxes (dst r1, src r2, offset "
        "or\ndistance 8, number 5), and what it does. Fields that are not used must be 0.\n\n"
        "code             group     C syntax                                    mnemonics"
        "                        meaning\n");
    for (unsigned i = 1; i < SKEP_OP_MAX; i++) {
        enum skep_opcode op = (enum skep_opcode)i;
        const struct skep_opcode_info *info = skep_opcode_info(op);
        size_t start = sb->len;
        skep_strbuf_printf(sb, "0x%02x", info->code);
        put_selector(sb, info);
        pad(sb, start, 17);
        skep_strbuf_puts(sb, skep_group_name(info->group));
        pad(sb, start, 27);
        put_example(sb, op, SKEP_SYNTAX_C);
        pad(sb, start, 71);
        put_example(sb, op, SKEP_SYNTAX_MNEMONIC);
        pad(sb, start, 104);
        skep_strbuf_puts(sb, info->doc);
        skep_strbuf_putc(sb, '\n');
    }
}

static void put_field(struct skep_json *j, const char *name, const struct skep_insn_field *field)
{
    if (uses[field->use])
        skep_json_strz(j, name, uses[field->use]);
    else
        skep_json_i64(j, name, field->value);
}

static void put_json_example(struct skep_json *j, const char *name, enum skep_opcode op,
                             enum skep_syntax syntax)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 256);
    put_example(&sb, op, syntax);
    skep_json_strz(j, name, sb.s);
}

void skep_instructions_put_json(struct skep_json *j, const char *name)
{
    skep_json_open(j, name, '[');
    for (unsigned i = 1; i < SKEP_OP_MAX; i++) {
        enum skep_opcode op = (enum skep_opcode)i;
        const struct skep_opcode_info *info = skep_opcode_info(op);
        skep_json_open(j, NULL, '{');
        skep_json_strz(j, "name", info->name);
        skep_json_u64(j, "code", info->code);
        skep_json_strz(j, "group", skep_group_name(info->group));
        skep_json_u64(j, "bits", info->bits);
        skep_json_u64(j, "slots", info->flags & SKEP_OPF_WIDE ? 2 : 1);
        skep_json_open(j, "fields", '{');
        put_field(j, "dst", &info->dst);
        put_field(j, "src", &info->src);
        put_field(j, "off", &info->off);
        put_field(j, "imm", &info->imm);
        skep_json_close(j, '}');
        put_json_example(j, "c", op, SKEP_SYNTAX_C);
        put_json_example(j, "mnemonic", op, SKEP_SYNTAX_MNEMONIC);
        skep_json_strz(j, "doc", info->doc);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
}
