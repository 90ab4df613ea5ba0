/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a program: what decodes is made of its fields again, the marks of what passes the check are true, and
 * the text of anything assembles to the same bytes. */
#include <assert.h>

#include "isa/asm.h"
#include "isa/check.h"
#include "isa/disasm.h"

#define INSNS_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_decode(const struct skep_insn *insn)
{
    enum skep_opcode op;
    const char *reason = NULL;
    int r = skep_insn_decode(insn, &op, &reason);
    assert(r == 0 || ((r == -EINVAL || r == -EOPNOTSUPP) && reason));
    if (r < 0)
        return;
    struct skep_insn same =
        skep_insn_make(op, skep_insn_dst(insn), skep_insn_src(insn), insn->off, insn->imm);
    assert(memcmp(&same, insn, sizeof(same)) == 0);
}

/* What those who run the program rely on. */
static void check_marks(const struct skep_insn *insns, size_t n, const uint16_t *ops, const uint8_t *marks,
                        const uint32_t *costs)
{
    uint64_t sum = 0, count = 0;
    bool falls = false; /* from the instruction before */
    for (size_t i = 0; i < n; i++) {
        const struct skep_opcode_info *info = skep_opcode_info(ops[i]);
        assert((ops[i] == SKEP_OP_INVALID) == !!(marks[i] & SKEP_MARK_WIDE));
        assert((costs[i] > 0) == !!(marks[i] & SKEP_MARK_BLOCK));
        sum += costs[i];
        if (ops[i] == SKEP_OP_INVALID)
            continue;
        count++;
        assert(!(marks[i] & SKEP_MARK_FUNC) || !falls);
        falls = info->flags & SKEP_OPF_FALLS;
        size_t next = i + (info->flags & SKEP_OPF_WIDE ? 2 : 1);
        assert(!falls || next < n);
        if (info->flags & SKEP_OPF_ENDS_BLOCK && next < n)
            assert(marks[next] & SKEP_MARK_BLOCK);
        if (info->flags & SKEP_OPF_JUMP || info->imm.use == SKEP_FIELD_FUNCTION) {
            int64_t target = skep_insn_target(ops[i], &insns[i], i);
            assert(target >= 0 && target < (int64_t)n && marks[target] & SKEP_MARK_BLOCK);
            assert(info->flags & SKEP_OPF_JUMP || marks[target] & SKEP_MARK_FUNC);
        }
    }
    assert(sum == count && !falls);
}

static void check_text(const struct skep_insn *insns, size_t n, unsigned way)
{
    const struct skep_disasm_options o = {
        .syntax = (enum skep_syntax)(way & 1), .labels = way & 2, .numbers = way & 4};
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_diags_ struct skep_diags d;
    _cleanup_free_ struct skep_insn *again = NULL;
    size_t n_again = 0;
    skep_strbuf_init(&sb, 1 << 20);
    skep_diags_init(&d, "fuzz");
    assert(skep_disasm(insns, n, &o, &sb) == 0 && !sb.failed);
    assert(skep_asm(sb.s, sb.len, NULL, &d, &again, &n_again) == 0);
    assert(n == n_again && (n == 0 || memcmp(insns, again, n * sizeof(*insns)) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct skep_insn insns[INSNS_MAX];
    static uint16_t ops[INSNS_MAX];
    static uint8_t marks[INSNS_MAX];
    static uint32_t costs[INSNS_MAX];
    if (size < 1)
        return 0;
    unsigned way = data[0];
    size_t n = MIN((size - 1) / sizeof(*insns), (size_t)INSNS_MAX);
    memcpy(insns, data + 1, n * sizeof(*insns));
    for (size_t i = 0; i < n; i++)
        check_decode(&insns[i]);
    struct skep_insns_error error = {.insn = UINT32_MAX};
    if (skep_insns_check(insns, n, way >> 3, ops, marks, costs, &error) == 0)
        check_marks(insns, n, ops, marks, costs);
    else
        assert(error.message[0] && error.fault < SKEP_INSNS_FAULT_MAX && error.insn <= MAX(n, (size_t)31));
    check_text(insns, n, way);
    return 0;
}
