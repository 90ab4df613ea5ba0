/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vm_object.h"

#include "base/log.h"
#include "isa/check.h"
#include "vm/btf/btf.h"

#define LINK_MEMORY_MAX (256U << 20)

static void say(void *data, bool error, const char *text)
{
    (void)data;
    skep_log(error ? SKEP_LOG_ERROR : SKEP_LOG_WARNING, "%s", text);
}

int skep_vm_elf_read(const char *path, const void *bytes, size_t size, struct skep_elf **ret_elf)
{
    const struct skep_elf_options o = {.name = path, .log = say};
    return skep_elf_open(bytes, size, &o, ret_elf);
}

int skep_vm_object_read(const struct skep_vm_input *in, struct skep_elf **ret_elf)
{
    if (!in->elf)
        return skep_log_error(-ENOEXEC, "%s is not an ELF object", in->path);
    return skep_vm_elf_read(in->path, in->bytes, in->size, ret_elf);
}

int skep_vm_listing_init(struct skep_vm_listing *l, struct skep_elf *elf, const struct skep_vm *vm,
                         uint32_t program)
{
    *l = (struct skep_vm_listing){.elf = elf, .vm = vm};
    skep_vm_arena_init(&l->arena, NULL, LINK_MEMORY_MAX);
    return skep_elf_link(elf, program, &l->arena, &l->code);
}

void skep_vm_listing_clear(struct skep_vm_listing *l)
{
    skep_vm_arena_clear(&l->arena);
}

static const struct skep_elf_function *function_at(const struct skep_vm_listing *l, int64_t insn,
                                                   uint32_t *ret_at)
{
    if (insn < 0 || insn >= l->code.n_insns)
        return NULL;
    const struct skep_elf_part *part = skep_elf_code_part(&l->code, (uint32_t)insn);
    *ret_at = part->at;
    return &l->elf->functions[part->function];
}

const struct skep_elf_line *skep_vm_listing_line(const struct skep_vm_listing *l, size_t i)
{
    uint32_t at = 0;
    const struct skep_elf_function *f = function_at(l, (int64_t)i, &at);
    const struct skep_elf_line *line =
        f ? skep_elf_line_at(l->elf, f->section, f->start + (uint32_t)i - at) : NULL;
    /* not one of the function in front of it */
    return line && line->insn >= f->start ? line : NULL;
}

static const char *relocation(struct skep_vm_listing *l, size_t i)
{
    uint32_t at = 0;
    size_t n;
    const struct skep_elf_part *part = skep_elf_code_part(&l->code, (uint32_t)i);
    const struct skep_elf_function *f = function_at(l, (int64_t)i, &at);
    const struct skep_elf_relo *relos = skep_elf_relos(l->elf, part->function, &n);
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (relos[middle].insn < f->start + (uint32_t)i - at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == n || relos[low].insn != f->start + (uint32_t)i - at)
        return NULL;
    const struct btf_type *t = skep_btf_type(l->elf->btf, relos[low].type);
    snprintf(l->text, sizeof(l->text), "CO-RE %u: %.80s:%.40s", relos[low].kind,
             t ? skep_btf_name(l->elf->btf, t) : "", relos[low].access);
    return l->text;
}

const char *skep_vm_listing_comment(void *listing, size_t i, enum skep_opcode op,
                                    const struct skep_insn *slots)
{
    struct skep_vm_listing *l = listing;
    const struct skep_elf *elf = l->elf;
    uint32_t number = (uint32_t)slots[0].imm, at = 0;
    while (l->next_extern < l->code.n_externs && l->code.externs[l->next_extern].insn < i)
        l->next_extern++;
    if (l->next_extern < l->code.n_externs && l->code.externs[l->next_extern].insn == i) {
        snprintf(l->text, sizeof(l->text), "extern %.120s",
                 elf->symbols[l->code.externs[l->next_extern].symbol].name);
        return l->text;
    }
    switch (op) {
    case SKEP_OP_LDDW_MAP_IDX:
        return number < elf->n_maps ? elf->maps[number].name : NULL;
    case SKEP_OP_LDDW_MAP_IDX_VALUE:
        if (number >= elf->n_maps)
            return NULL;
        snprintf(l->text, sizeof(l->text), "%.120s + %u", elf->maps[number].name, (uint32_t)slots[1].imm);
        return l->text;
    case SKEP_OP_CALL_LOCAL:
    case SKEP_OP_LDDW_CODE: {
        const struct skep_elf_function *f = function_at(l, skep_insn_target(op, slots, i), &at);
        return f && f->name[0] ? f->name : NULL;
    }
    case SKEP_OP_CALL_HELPER:
        return l->vm ? skep_vm_helper_name(l->vm, number) : NULL;
    default:
        return relocation(l, i);
    }
}

void skep_vm_listing_before(void *listing, size_t i, struct skep_strbuf *sb)
{
    struct skep_vm_listing *l = listing;
    uint32_t at = 0;
    const struct skep_elf_function *f = function_at(l, (int64_t)i, &at);
    if (f && at == i && i > 0) {
        skep_strbuf_puts(sb, "# function ");
        skep_strbuf_put_visible(sb, f->name, strlen(f->name));
        skep_strbuf_putc(sb, '\n');
    }
    const struct skep_elf_line *line = l->source ? skep_vm_listing_line(l, i) : NULL;
    bool same =
        line && l->line && at != i && line->line == l->line->line && skep_streq(line->file, l->line->file);
    if (!line || same)
        return;
    l->line = line;
    const char *text = line->text + strspn(line->text, " \t");
    skep_strbuf_puts(sb, "# ");
    skep_strbuf_put_visible(sb, line->file, strlen(line->file));
    skep_strbuf_printf(sb, ":%u: ", line->line);
    skep_strbuf_put_visible(sb, text, strlen(text));
    skep_strbuf_putc(sb, '\n');
}
