/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_VM_KERNEL_H
#define SKEP_CLI_VM_KERNEL_H
/*
 * What `skep vm run` tells an object of the kernel: the values of the running kernel's configuration, from
 * /proc/config.gz or /boot/config-RELEASE, whichever is there. Read when it is first asked for.
 *
 *     _cleanup_vm_kernel_ struct skep_vm_kernel kernel = {0};
 *     struct skep_vm_object_options o = {.resolve = skep_vm_kernel_resolve, .resolve_data = &kernel};
 */
#include "base/strbuf.h"
#include <skep/vm.h>

struct skep_vm_kernel {
    bool tried;
    struct skep_strbuf config; /* its lines; empty: there is none */
};

void skep_vm_kernel_clear(struct skep_vm_kernel *k);
#define _cleanup_vm_kernel_ SKEP_CLEANUP(skep_vm_kernel_clear)

/* A skep_vm_resolve_fn. y and m are 1 and 2. */
int skep_vm_kernel_resolve(void *kernel, enum skep_vm_extern kind, const char *name, uint64_t *ret,
                           char *text, size_t size);
/* The value of name in the lines of a configuration, as above; -ENOENT: it is not set. */
int skep_vm_config_value(const char *config, const char *name, uint64_t *ret, char *text, size_t size);
#endif
