/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/compile/compile.h"
#include "rule/falco/falco.h"

#define OP(n) (1ULL << (n))
#define ANY (~0ULL)

static const struct {
    const char *condition;
    uint64_t uring, uring_done; /* of operations 0 to 63 */
} rows[] = {
    {"evt.type = open", 0, 0},
    {"evt.type = io_uring", ANY, 0},
    {"evt.type = io_uring and evt.arg.op = IORING_OP_OPENAT", OP(18), 0},
    {"evt.type = io_uring and evt.arg[op] in (IORING_OP_OPENAT, IORING_OP_CONNECT)", OP(18) | OP(16), 0},
    {"evt.type in (io_uring, io_uring_done) and evt.arg.op = IORING_OP_NOP", OP(0), OP(0)},
    {"evt.type = io_uring and evt.arg.op = IORING_OP_NOP and proc.name = x", OP(0), 0},
    {"evt.type = io_uring and (evt.arg.op = IORING_OP_NOP or proc.name = x)", ANY, 0},
    {"evt.type = io_uring and evt.arg.op = IORING_OP_NOP and evt.arg.op = IORING_OP_READ", 0, 0},
    {"evt.type = io_uring and not evt.arg.op = IORING_OP_NOP", ANY, 0},
    {"evt.type = io_uring and evt.arg.op != IORING_OP_NOP", ANY, 0},
    {"evt.type = io_uring and not (not evt.arg.op = IORING_OP_NOP)", OP(0), 0},
    {"evt.type = io_uring and not (evt.arg.op = IORING_OP_NOP and proc.name = x)", ANY, 0},
    {"evt.type = io_uring and evt.arg.op contains OPENAT", ANY, 0},
    {"evt.type = io_uring and tolower(evt.arg.op) = ioring_op_nop", ANY, 0},
    {"evt.type = io_uring and evt.arg.op = openat", 0, 0},
    {"evt.type = io_uring_done and evt.arg.op = IORING_OP_RENAMEAT and evt.rawres >= 0", 0, OP(35)},
    {"evt.arg.op = IORING_OP_NOP", OP(0), OP(0)},
    {"proc.name = x", ANY, ANY},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct skep_diags diags;
        struct skep_policy *policy;
        struct skep_compiled *c;
        const char *condition = rows[i].condition;
        skep_diags_init(&diags, "condition");
        assert_int_equal(skep_falco_condition(condition, strlen(condition), &diags, &policy), 0);
        assert_int_equal(skep_rules_compile(policy, &(struct skep_compile_options){0}, &diags, &c), 0);
        if (c->uring_ops[0] != rows[i].uring || c->uring_done_ops[0] != rows[i].uring_done)
            fail_msg("%s: %llx and %llx", condition, (unsigned long long)c->uring_ops[0],
                     (unsigned long long)c->uring_done_ops[0]);
        /* those that no name is known of: all, when there is a rule that may match others */
        if (rows[i].uring && c->uring_ops[1] >> 60 != 0xf)
            fail_msg("%s drops unknown operations", condition);
        skep_compiled_free(c);
        skep_policy_free(policy);
        skep_diags_clear(&diags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
