/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_BTF_H
#define SKEP_LOAD_BTF_H
/*
 * The type information of the embedded BPF object: what the schema of events is made from. Needs neither
 * privileges nor a kernel with BPF.
 */
#include <stddef.h>

/* The bytes of the .BTF section; static storage. -EBADMSG. */
int skep_object_btf(const void **ret, size_t *ret_size);
#endif
