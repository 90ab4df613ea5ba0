/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/vm_input.h"
#include "isa/check.h"

#define TEXT_MAX (64U << 20)

struct asm_options {
    const char *output;
    bool raw, json, unchecked;
};

#define TO(member) offsetof(struct asm_options, member)

static const struct skep_option output[] = {
    {"output", 'o', "FILE", SKEP_OPTION_STRING, TO(output),
     .help = "write there instead of to standard output"},
    {"raw", 0, NULL, SKEP_OPTION_FLAG, TO(raw), .help = "the instructions as bytes instead of as hex text"},
    {"json", 'j', NULL, SKEP_OPTION_FLAG, TO(json), .help = "one JSON document"},
    {"unchecked", 0, NULL, SKEP_OPTION_FLAG, TO(unchecked), .help = "also what is no valid program"},
    {0},
};

static const struct skep_option_group groups[] = {{"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep vm asm sum.s", "the instructions as hex, one on each line"},
    {"skep vm asm sum.s --raw -o sum.bin", "as bytes, for skep vm run"},
    {0},
};

static int check(const struct skep_vm_input *in)
{
    _cleanup_free_ uint16_t *ops = calloc(in->n + 1, sizeof(uint16_t));
    _cleanup_free_ uint8_t *marks = calloc(in->n + 1, 1);
    if (!ops || !marks)
        return -ENOMEM;
    struct skep_insns_error error;
    if (skep_insns_check(in->insns, in->n, 0, ops, marks, NULL, &error) < 0)
        return skep_log_error(SKEP_EXIT_FAILED, "instruction %u: %s", error.insn, error.message);
    return SKEP_EXIT_OK;
}

static void put_hex(const struct skep_vm_input *in, struct skep_strbuf *sb)
{
    const uint8_t *bytes = (const uint8_t *)in->insns;
    for (size_t i = 0; i < in->n * sizeof(struct skep_insn); i++)
        skep_strbuf_printf(sb, "%02x%c", bytes[i], (i + 1) % sizeof(struct skep_insn) ? ' ' : '\n');
}

static void put_json(const struct skep_vm_input *in, struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    skep_json_u64(&j, "instructions", in->n);
    skep_json_open(&j, "code", '[');
    for (size_t i = 0; i < in->n; i++) {
        uint64_t slot;
        memcpy(&slot, &in->insns[i], sizeof(slot));
        char text[17];
        /* the bytes in their order */
        snprintf(text, sizeof(text), "%016llx", (unsigned long long)__builtin_bswap64(slot));
        skep_json_strz(&j, NULL, text);
    }
    skep_json_close(&j, ']');
    skep_json_close(&j, '}');
    skep_strbuf_putc(sb, '\n');
}

static int write_file(const char *path, const struct skep_strbuf *text)
{
    _cleanup_fclose_ FILE *f = fopen(path, "we");
    if (!f)
        return skep_log_error(SKEP_EXIT_FAILED, "cannot write %s: %s", path, strerror(errno));
    if (fwrite(text->s, 1, text->len, f) != text->len || fflush(f))
        return skep_log_error(SKEP_EXIT_FAILED, "cannot write %s: %s", path, strerror(errno));
    return SKEP_EXIT_OK;
}

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct asm_options *o = options;
    if (o->raw && o->json)
        return skep_usage_error(self, "--raw and --json exclude each other");
    _cleanup_vm_input_ struct skep_vm_input in = {0};
    if (skep_vm_read_file(args->args[0], &in.bytes, &in.size) < 0 ||
        skep_vm_assemble(args->args[0], in.bytes, in.size, &in.insns, &in.n) < 0)
        return SKEP_EXIT_FAILED;
    int r = o->unchecked ? SKEP_EXIT_OK : check(&in);
    if (r != SKEP_EXIT_OK)
        return r;
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, TEXT_MAX);
    if (o->raw)
        skep_strbuf_put(&text, in.insns, in.n * sizeof(struct skep_insn));
    else if (o->json)
        put_json(&in, &text);
    else
        put_hex(&in, &text);
    if (text.failed)
        return -ENOMEM;
    return o->output ? write_file(o->output, &text) : skep_print(&text);
}

static const struct asm_options defaults;

const struct skep_command skep_command_vm_asm = {
    .description =
        "Assembles a text in the syntax of the instruction set's standard or in that of the conformance "
        "suite; "
        "both may be mixed. FILE may be - for standard input.",
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .options_size = sizeof(struct asm_options),
    .defaults = &defaults,
    .run = run,
};
