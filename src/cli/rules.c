/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#define SKEP_RULES_COMMAND(name, ...) extern const struct skep_command skep_command_rules_##name;
#include "cli/rules.def"
#undef SKEP_RULES_COMMAND

static const struct skep_command_entry entries[] = {
#define SKEP_RULES_COMMAND(name, synopsis, summary)                                                          \
    {"rules " #name, synopsis, summary, SKEP_COMMAND_GROUP_RULES, &skep_command_rules_##name},
#include "cli/rules.def"
#undef SKEP_RULES_COMMAND
};

static const struct skep_example examples[] = {
    {"skep rules check /etc/skep/rules.d", "what is wrong with the rules of this host"},
    {"skep rules list falco_rules.yaml --tag network",
     "rules about the network, with the events that they want"},
    {0},
};

const struct skep_command skep_command_rules = {
    .description =
        "Rules say what is worth an alert, in the language of Falco: files of rules, macros and lists in "
        "YAML. Files are read in order, directories by the names of their files; a later file may change what "
        "an earlier one says.",
    .subcommands = entries,
    .n_subcommands = ARRAY_SIZE(entries),
    .examples = examples,
};
