/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/vm_object.h"
#include "isa/disasm.h"

#define TEXT_MAX (256U << 20)

struct disasm_options {
    enum skep_syntax syntax;
    bool json, labels, numbers, source;
};

#define TO(member) offsetof(struct disasm_options, member)

static const char *const syntaxes[] = {[SKEP_SYNTAX_C] = "c", [SKEP_SYNTAX_MNEMONIC] = "mnemonic", NULL};

static const struct skep_option output[] = {
    {"json", 'j', NULL, SKEP_OPTION_FLAG, TO(json), .help = "one JSON document"},
    {"syntax", 0, "NAME", SKEP_OPTION_CHOICE, TO(syntax), .help = "c (r0 += 1) or mnemonic (add %r0, 1)",
     .choices = syntaxes},
    {"labels", 0, NULL, SKEP_OPTION_FLAG, TO(labels), .help = "targets of jumps as labels"},
    {"source", 's', NULL, SKEP_OPTION_FLAG, TO(source),
     .help = "lines of the source in front of their instructions"},
    {"numbers", 'n', NULL, SKEP_OPTION_FLAG, TO(numbers), .help = "the number in front of each instruction"},
    {0},
};

static const struct skep_option_group groups[] = {{"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep vm disasm filter.o:xdp_drop", "one program of an object"},
    {"skep vm disasm filter.o --source --labels", "all of them, with the C lines they come from"},
    {"skep vm disasm sum.bin --syntax mnemonic", "instructions from a file"},
    {0},
};

struct listing {
    const char *name, *section; /* NULL: none */
    struct skep_vm_listing *of; /* names and lines, NULL: not known */
    const struct skep_insn *insns;
    size_t n;
};

static void put_origin_json(const struct listing *l, size_t i, const struct disasm_options *o,
                            struct skep_json *j)
{
    enum skep_opcode op;
    const char *reason;
    if (!l->of)
        return;
    const char *comment = skep_insn_decode(&l->insns[i], &op, &reason) == 0 &&
                                  (!(skep_opcode_info(op)->flags & SKEP_OPF_WIDE) || i + 1 < l->n)
                              ? skep_vm_listing_comment(l->of, i, op, &l->insns[i])
                              : NULL;
    if (comment)
        skep_json_strz(j, "names", comment);
    const struct skep_elf_line *line = o->source ? skep_vm_listing_line(l->of, i) : NULL;
    if (line) {
        skep_json_strz(j, "file", line->file);
        skep_json_u64(j, "line", line->line);
        skep_json_strz(j, "source", line->text);
    }
}

static void put_listing_json(const struct listing *l, const struct disasm_options *o, struct skep_json *j)
{
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, 1024);
    skep_json_open(j, NULL, '{');
    skep_json_strz(j, "name", l->name);
    skep_json_strz(j, "section", l->section);
    skep_json_open(j, "instructions", '[');
    for (size_t i = 0, slots; i < l->n; i += slots) {
        skep_strbuf_reset(&text);
        slots = skep_disasm_insn(l->insns, l->n, i, o->syntax, &text);
        skep_json_open(j, NULL, '{');
        skep_json_u64(j, "number", i);
        skep_json_u64(j, "slots", slots);
        skep_json_str(j, "text", text.s, text.len);
        put_origin_json(l, i, o, j);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
    skep_json_close(j, '}');
}

static void put_listing(const struct listing *l, const struct disasm_options *o, struct skep_strbuf *sb)
{
    struct skep_disasm_options d = {.syntax = o->syntax, .labels = o->labels, .numbers = o->numbers};
    if (l->of) {
        l->of->source = o->source;
        d.comment = skep_vm_listing_comment;
        d.before = skep_vm_listing_before;
        d.data = l->of;
    }
    if (l->name) {
        skep_strbuf_puts(sb, "# ");
        skep_strbuf_put_visible(sb, l->name, strlen(l->name));
        if (l->section) {
            skep_strbuf_puts(sb, " in section ");
            skep_strbuf_put_visible(sb, l->section, strlen(l->section));
        }
        skep_strbuf_putc(sb, '\n');
    }
    skep_disasm(l->insns, l->n, &d, sb);
}

static void put_all(const struct listing *lists, size_t n, const struct disasm_options *o,
                    struct skep_strbuf *sb)
{
    if (!o->json) {
        for (size_t i = 0; i < n; i++) {
            if (i)
                skep_strbuf_putc(sb, '\n');
            put_listing(&lists[i], o, sb);
        }
        return;
    }
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    skep_json_open(&j, "programs", '[');
    for (size_t i = 0; i < n; i++)
        put_listing_json(&lists[i], o, &j);
    skep_json_close(&j, ']');
    skep_json_close(&j, '}');
    skep_strbuf_putc(sb, '\n');
}

static int say_missing(const struct skep_elf *elf, const char *path, const char *program)
{
    _cleanup_strbuf_ struct skep_strbuf others;
    skep_strbuf_init(&others, 1 << 16);
    for (uint32_t i = 0; i < elf->n_programs; i++) {
        const char *name = elf->programs[i].name;
        skep_strbuf_puts(&others, i ? ", " : "; it has ");
        skep_strbuf_put_visible(&others, name, strlen(name));
    }
    return skep_log_error(SKEP_EXIT_FAILED, "%s has no program %s%s", path, program, others.s);
}

/* The programs of an object, or the one that was asked for. */
static int list_programs(struct skep_elf *elf, const struct skep_vm_input *in, const struct skep_vm *vm,
                         const struct disasm_options *o, struct skep_strbuf *sb)
{
    const char *only = in->program;
    size_t n = 0, room = MAX(elf->n_programs, 1u);
    _cleanup_free_ struct listing *lists = calloc(room, sizeof(*lists));
    _cleanup_free_ struct skep_vm_listing *listings = calloc(room, sizeof(*listings));
    int r = lists && listings ? SKEP_EXIT_OK : -ENOMEM;
    for (uint32_t i = 0; i < elf->n_programs && r != -ENOMEM; i++) {
        const struct skep_elf_program *p = &elf->programs[i];
        if (only && !skep_streq(p->name, only))
            continue;
        struct skep_vm_listing *l = &listings[n];
        if (skep_vm_listing_init(l, elf, vm, i) < 0) {
            skep_vm_listing_clear(l);
            r = SKEP_EXIT_FAILED;
            continue;
        }
        lists[n++] = (struct listing){p->name, p->section, l, l->code.insns, l->code.n_insns};
    }
    if (n)
        put_all(lists, n, o, sb);
    else if (r == SKEP_EXIT_OK && only)
        r = say_missing(elf, in->path, only);
    else if (r == SKEP_EXIT_OK)
        r = skep_log_error(SKEP_EXIT_FAILED, "%s has no program", in->path);
    for (size_t i = 0; i < n; i++)
        skep_vm_listing_clear(&listings[i]);
    return r;
}

static int list_object(const struct skep_vm_input *in, const struct disasm_options *o, struct skep_strbuf *sb)
{
    SKEP_CLEANUP(skep_elf_closep) struct skep_elf *elf = NULL;
    struct skep_vm *vm;
    if (skep_vm_object_read(in, &elf) < 0)
        return SKEP_EXIT_FAILED;
    /* for the names of helpers only */
    int r = skep_vm_new(NULL, &vm);
    if (r < 0)
        return r;
    r = list_programs(elf, in, vm, o, sb);
    skep_vm_free(vm);
    return r;
}

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct disasm_options *o = options;
    (void)self;
    _cleanup_vm_input_ struct skep_vm_input in = {0};
    if (skep_vm_input_open(args->args[0], &in) < 0)
        return SKEP_EXIT_FAILED;
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, TEXT_MAX);
    int r = SKEP_EXIT_OK;
    if (in.elf) {
        r = list_object(&in, o, &text);
    } else {
        const struct listing l = {.insns = in.insns, .n = in.n};
        put_all(&l, 1, o, &text);
    }
    int printed = r < 0 ? r : skep_print(&text);
    return printed == SKEP_EXIT_OK ? r : printed;
}

static const struct disasm_options defaults;

const struct skep_command skep_command_vm_disasm = {
    .description =
        "Prints the instructions of the programs of an object, linked but not loaded (maps are numbers, their names stand "
        "behind), or those in a file of bytes, hex "
        "text or assembly. What it prints can be assembled again.",
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .options_size = sizeof(struct disasm_options),
    .defaults = &defaults,
    .run = run,
};
