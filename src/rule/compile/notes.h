/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_NOTES_H
#define SKEP_RULE_COMPILE_NOTES_H
/*
 * For people: which atoms of each rule the kernel decides, for each kind of event, and why not the others.
 */
#include "rule/compile/filter.h"

/* filters: by kind. Fills in c->notes. -ENOMEM. */
int skep_notes_make(struct skep_unit *u, const struct skep_filter *filters, struct skep_compiled *c);
#endif
