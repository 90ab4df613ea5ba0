/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/helper/helpers.h"

#include "vm/program.h"
#include "vm/vm.h"

int skep_helpers_register(struct skep_vm *vm)
{
    static const struct {
        uint32_t number;
        const char *name;
        skep_vm_helper_fn fn;
    } helpers[] = {
#define SKEP_HELPER(number, name, family) {number, #name, skep_helper_##name},
#include "vm/helper/helpers.def"
#undef SKEP_HELPER
    };
    for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
        int r = skep_vm_helper_register(vm, helpers[i].number, helpers[i].name, helpers[i].fn);
        if (r < 0)
            return r;
    }
    return 0;
}

bool skep_helper_trusted(const struct skep_exec *e)
{
    return e->program && e->program->mode == SKEP_VM_MODE_TRUSTED;
}
