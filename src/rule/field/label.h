/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FIELD_LABEL_H
#define SKEP_RULE_FIELD_LABEL_H
/*
 * Labels of containers and pods, which are kept as key=value strings: one by its key, or all in one text. What
 * Kubernetes says of a container by labels (io.kubernetes.pod.name, ...) can be asked for even when the runtime
 * keeps it in another way.
 */
#include "event/container.h"
#include "rule/fact.h"

/* false: there is none of that key, or the arena is full. */
bool skep_label_put(struct skep_rule_ctx *x, const struct skep_container *c, const struct skep_bytes *labels,
                    const char *key, struct skep_fact *ret);
/* "a:b, c:d"; annotations and what Kubernetes wrote are left out. */
bool skep_labels_put(struct skep_rule_ctx *x, const struct skep_bytes *labels, struct skep_fact *ret);
#endif
