/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/syntax.h"

static const char *const patterns[SKEP_FORM_MAX][SKEP_SYNTAX_MAX] = {
    [SKEP_FORM_ALU_IMM] = {"$D $Y $I", "$M $D, $I"},
    [SKEP_FORM_ALU_REG] = {"$D $Y $S", "$M $D, $S"},
    [SKEP_FORM_NEG] = {"$D = -$D", "$M $D"},
    [SKEP_FORM_MOVSX] = {"$D = $Y$S", "$M $D, $S"},
    [SKEP_FORM_SWAP] = {"$d = $Y $d", "$M $d"},
    [SKEP_FORM_JUMP] = {"$Y $J", "$M $J"},
    [SKEP_FORM_JUMP_IMM] = {"if $D $Y $I goto $J", "$M $D, $I, $J"},
    [SKEP_FORM_JUMP_REG] = {"if $D $Y $S goto $J", "$M $D, $S, $J"},
    [SKEP_FORM_MAY_GOTO] = {"$Y $J", "$M $J"},
    [SKEP_FORM_CALL_HELPER] = {"call $H", "call $H"},
    [SKEP_FORM_CALL_LOCAL] = {"call local $F", "call local $F"},
    [SKEP_FORM_CALL_KFUNC] = {"call kfunc $I$K", "call runtime $I$K"},
    [SKEP_FORM_CALLX] = {"callx $d", "call $d"},
    [SKEP_FORM_EXIT] = {"exit", "exit"},
    [SKEP_FORM_LDDW] = {"$d = $Q $L", "$M $d, $Q"},
    [SKEP_FORM_LDDW_ID] = {"$d = $Y $I$l", "$M $d, $Y $I"},
    [SKEP_FORM_LDDW_CODE] = {"$d = $Y $F$l", "$M $d, $Y $F"},
    [SKEP_FORM_LDDW_PAIR] = {"$d = $Y $I$N$l", "$M $d, $Y $I$N"},
    [SKEP_FORM_LOAD] = {"$P = *($Y *)($s$O)", "$M $d, [$s$O]"},
    [SKEP_FORM_STORE_IMM] = {"*($Y *)($d$O) = $I", "$M [$d$O], $I"},
    [SKEP_FORM_STORE_REG] = {"*($Y *)($d$O) = $p", "$M [$d$O], $s"},
    [SKEP_FORM_ATOMIC] = {"lock *($T *)($d$O) $Y $v", "$M [$d$O], $s"},
    [SKEP_FORM_FETCH] = {"$v = $Y(($T *)($d$O), $v)", "$M [$d$O], $s"},
    [SKEP_FORM_XCHG] = {"$v = $Y($d$O, $v)", "$M [$d$O], $s"},
    [SKEP_FORM_CMPXCHG] = {"$X = $Y($d$O, $X, $v)", "$M [$d$O], $s"},
    [SKEP_FORM_LOAD_ACQ] = {"$V = load_acquire(($Y *)($s$O))", "$M $d, [$s$O]"},
    [SKEP_FORM_STORE_REL] = {"store_release(($Y *)($d$O), $v)", "$M [$d$O], $s"},
    [SKEP_FORM_LDABS] = {"r0 = *($Y *)skb[$I]", "$M $I"},
    [SKEP_FORM_LDIND] = {"r0 = *($Y *)skb[$s + $I]", "$M $s, $I"},
};

const struct skep_syntax_alias skep_syntax_aliases[] = {
    {SKEP_OP_CALL_HELPER, SKEP_SYNTAX_C, "call helper $H"},
    {SKEP_OP_CALL_LOCAL, SKEP_SYNTAX_C, "call $F"},
    {SKEP_OP_CALLX, SKEP_SYNTAX_C, "call helper $d"},
    {SKEP_OP_BSWAP16, SKEP_SYNTAX_MNEMONIC, "swap16 $d"},
    {SKEP_OP_BSWAP32, SKEP_SYNTAX_MNEMONIC, "swap32 $d"},
    {SKEP_OP_BSWAP64, SKEP_SYNTAX_MNEMONIC, "swap64 $d"},
    {SKEP_OP_LDIND_B, SKEP_SYNTAX_C, "r0 = *(u8 *)skb[$s]"},
    {SKEP_OP_LDIND_H, SKEP_SYNTAX_C, "r0 = *(u16 *)skb[$s]"},
    {SKEP_OP_LDIND_W, SKEP_SYNTAX_C, "r0 = *(u32 *)skb[$s]"},
};
const size_t skep_n_syntax_aliases = ARRAY_SIZE(skep_syntax_aliases);

const char *skep_syntax_pattern(enum skep_syntax syntax, enum skep_opcode op)
{
    return patterns[skep_opcode_info(op)->form][syntax];
}
