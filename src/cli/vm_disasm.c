/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/vm_input.h"
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
    {"numbers", 'n', NULL, SKEP_OPTION_FLAG, TO(numbers), .help = "the number in front of each instruction"},
    {0},
};

static const struct skep_option_group groups[] = {{"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep vm disasm filter.o:xdp_drop", "one program of an object"},
    {"skep vm disasm sum.bin --syntax mnemonic", "instructions from a file"},
    {0},
};

struct listing {
    const char *name, *section; /* NULL: none */
    const struct skep_insn *insns;
    size_t n;
};

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
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
    skep_json_close(j, '}');
}

static void put_listing(const struct listing *l, const struct disasm_options *o, struct skep_strbuf *sb)
{
    const struct skep_disasm_options d = {.syntax = o->syntax, .labels = o->labels, .numbers = o->numbers};
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

static struct listing listing_of(const struct skep_vm_program *p)
{
    struct listing l = {.name = skep_vm_program_name(p), .section = skep_vm_program_section(p)};
    l.insns = skep_vm_program_insns(p, &l.n);
    return l;
}

/* The programs of an object, or the one that was asked for. */
static int list_object(const struct skep_vm_input *in, struct skep_vm *vm, const struct disasm_options *o,
                       struct skep_strbuf *sb)
{
    struct skep_vm_object *object;
    struct skep_vm_program *p;
    if (skep_vm_input_load(in, vm, SKEP_VM_MODE_INTERPRET, &object, &p) < 0)
        return SKEP_EXIT_FAILED;
    size_t n = 0, all = 0;
    while (!in->program && skep_vm_object_program(object, NULL, all))
        all++;
    _cleanup_free_ struct listing *lists = calloc(all + 1, sizeof(*lists));
    if (lists && in->program)
        lists[n++] = listing_of(p);
    for (; lists && n < all; n++)
        lists[n] = listing_of(skep_vm_object_program(object, NULL, n));
    if (lists)
        put_all(lists, n, o, sb);
    skep_vm_object_free(object);
    return lists ? SKEP_EXIT_OK : -ENOMEM;
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
        struct skep_vm *vm;
        r = skep_vm_new(NULL, &vm);
        if (r < 0)
            return r;
        r = list_object(&in, vm, o, &text);
        skep_vm_free(vm);
    } else {
        const struct listing l = {.insns = in.insns, .n = in.n};
        put_all(&l, 1, o, &text);
    }
    return r == SKEP_EXIT_OK ? skep_print(&text) : r;
}

static const struct disasm_options defaults;

const struct skep_command skep_command_vm_disasm = {
    .description =
        "Prints the instructions of the programs of an object, after relocation, or those in a file of bytes, hex "
        "text or assembly. What it prints can be assembled again.",
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .options_size = sizeof(struct disasm_options),
    .defaults = &defaults,
    .run = run,
};
