/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as assembly: it gives diagnostics that lie within the text, or slots whose disassembly gives the same ones. */
#include <assert.h>

#include "isa/asm.h"
#include "isa/disasm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct skep_insn *insns, size_t n, enum skep_syntax syntax, bool labels)
{
    const struct skep_disasm_options o = {.syntax = syntax, .labels = labels};
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_diags_ struct skep_diags d;
    _cleanup_free_ struct skep_insn *again = NULL;
    size_t n_again = 0;
    skep_strbuf_init(&sb, SKEP_ASM_TEXT_MAX);
    skep_diags_init(&d, "fuzz");
    assert(skep_disasm(insns, n, &o, &sb) == 0 && !sb.failed);
    assert(skep_asm(sb.s, sb.len, NULL, &d, &again, &n_again) == 0);
    assert(n == n_again && (n == 0 || memcmp(insns, again, n * sizeof(*insns)) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_free_ struct skep_insn *insns = NULL;
    size_t n = 0;
    skep_diags_init(&d, "fuzz");
    skep_strbuf_init(&sb, 1 << 20);
    if (skep_asm(text, size, NULL, &d, &insns, &n) < 0) {
        assert(d.n > 0 && !insns);
        for (size_t i = 0; i < d.n; i++)
            assert(d.list[i].message && d.list[i].line >= 1 && d.list[i].column <= size + 1);
        skep_diags_put_text(&d, text, &sb);
        return 0;
    }
    assert(d.n == 0);
    for (unsigned i = 0; i < 4; i++)
        check_text(insns, n, (enum skep_syntax)(i & 1), i & 2);
    return 0;
}
