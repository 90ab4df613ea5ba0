/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_OPERATIONS_H
#define SKEP_RULE_COMPILE_OPERATIONS_H
/*
 * Which operations of io_uring some rule can match. These events come from a tracepoint that no filter stands behind, and
 * nearly all of a busy database's are reads and writes that no rule asks for: the sensor can drop those by their
 * number, before it looks at anything else.
 *
 * For each node of the graph two sets are known: the operations with which it may be true, and those with which it may be
 * false. Both are as wide as need be; only a comparison of evt.arg.op with names makes them narrower.
 */
#include "rule/compile/unit.h"

/* ret: one bit for each operation, 1: wanted. All of a kind without rules are not. -ENOMEM. */
int skep_operations_of(const struct skep_unit *u, uint16_t kind, uint64_t ret[SKEP_URING_OPS / 64]);
#endif
