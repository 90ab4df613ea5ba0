/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_PROFILE_H
#define SKEP_RULE_COMPILE_PROFILE_H
/*
 * Instead of its rules, the atoms of a policy, each by itself: a program that tells for an event which of them are true.
 * Run over a sample of what really happens, it measures how often each is, and the next compilation orders
 * comparisons by that (struct skep_atom_weight).
 *
 * "Rule" n of such a program is atom n. At most SKEP_RULE_MATCHES_MAX atoms are told; of others nothing is known.
 */
#include "rule/compile/unit.h"

/* Puts atoms in the place of rules, for each kind that has some. -ENOMEM. */
int skep_profile_make(struct skep_unit *u, struct skep_compiled *c);
#endif
