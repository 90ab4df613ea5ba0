/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_TYPES_H
#define SKEP_LOAD_TYPES_H
/*
 * The types of the running kernel, as far as an object asks for them. For each type that a program reads, libbpf goes
 * through all types of the kernel in search of those with its name: a hundred times 130,000, which used to be the larger
 * part of what a start takes in user space. The types that sensors ask for stand in the first third. So libbpf is given
 * (btf_custom_path) the beginning of the kernel's types: up to the last one that has a name that occurs in the object, or
 * that one of those is built of. Numbers of types are the same in it, so that numbers that end up in programs are right, and
 * what libbpf finds is the same.
 *
 * It is not the same where a type that the kernel itself does not have could be in a module, where libbpf looks next
 * when it has no such file: then there is none.
 */
#include "base/macro.h"

#include <bpf/btf.h>

/* The beginning of kernel as a file in memory, for an object with these types. -EOPNOTSUPP: libbpf cannot read it. */
int skep_types_cut(const struct btf *kernel, const struct btf *object, int *ret_fd);
/* Has any module types of its own? */
bool skep_types_in_modules(void);
#endif
