/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "cli/shared.h"

static const struct skep_option_group groups[] = {
    {"What to show", skep_options_kinds}, {"Filters (each given one must hold)", skep_options_filters},
    {"Output", skep_options_outputs},     {"Recording", skep_options_keep},
    {"Limits", skep_options_live},        {0},
};

static const struct skep_example examples[] = {
    {"skep run", "what matters to a person: programs started, connections, changes of privilege"},
    {"skep run --events --kinds file --comm nginx", "every file operation of nginx"},
    {"skep run --json --duration 1m --output events.json", "a minute of this host as JSON lines"},
    {"skep run -- make -j4", "what make and its descendants do, until make ends"},
    {0},
};

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    struct skep_agent_options *o = options;
    int r = skep_shared_check(self, args, o);
    return r ? r : skep_agent_run(o);
}

const struct skep_command skep_command_run = {
    .description =
        "Attaches the sensors that this kernel allows, tells in one line what they can see, and prints events "
        "as they happen, a line each, until it is interrupted. At the end the ledger accounts for every event "
        "of every kind: printed, filtered out, or lost and why.\n"
        "\n"
        "Without options only events that matter to a person are shown; --kinds and --events show more. With a "
        "command behind -- only that command and its descendants are followed, and skep ends when the command "
        "does. The command runs as the user who runs skep; its exit status is in the summary and is not skep's.",
    .groups = groups,
    .examples = examples,
    .takes_command = true,
    .options_size = sizeof(struct skep_agent_options),
    .defaults = &skep_agent_defaults,
    .run = run,
};
