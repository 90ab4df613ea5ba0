/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile.h"

int skep_rule_filter_build(const struct skep_compiled *c, uint16_t kind, const struct skep_frame *frame,
                           struct skep_insn **ret_insns, size_t *ret_n)
{
    (void)c, (void)kind, (void)frame, (void)ret_insns, (void)ret_n;
    return -EOPNOTSUPP;
}
