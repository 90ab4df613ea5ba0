/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#define SKEP_VM_COMMAND(name, ...) extern const struct skep_command skep_command_vm_##name;
#include "cli/vm.def"
#undef SKEP_VM_COMMAND

static const struct skep_command_entry entries[] = {
#define SKEP_VM_COMMAND(name, synopsis, summary)                                                             \
    {"vm " #name, synopsis, summary, SKEP_COMMAND_GROUP_ENGINE, &skep_command_vm_##name},
#include "cli/vm.def"
#undef SKEP_VM_COMMAND
};

static const struct skep_example examples[] = {
    {"skep vm run filter.o:xdp_drop --mem 00112233", "run a program of an object over four bytes"},
    {"skep vm asm sum.s", "the instructions of a program as hex"},
    {0},
};

const struct skep_command skep_command_vm = {
    .description =
        "An eBPF machine of its own, without the kernel and without privileges. Programs come as ELF "
        "objects, as "
        "instructions (bytes, or hex text) or as assembly (files that end in .s). Whatever a program does, "
        "it ends "
        "with a result or with an error that names the instruction.",
    .subcommands = entries,
    .n_subcommands = ARRAY_SIZE(entries),
    .examples = examples,
};
