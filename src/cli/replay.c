/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "cli/shared.h"

static const struct skep_option_group groups[] = {
    {"What to show", skep_options_kinds},
    {"Filters (each given one must hold)", skep_options_filters},
    {"Output", skep_options_outputs},
    {0},
};

static const struct skep_example examples[] = {
    {"skep replay host.skep", "what 'skep run' would have shown"},
    {"skep replay host.skep --events --pid 4711 --json", "all that process 4711 and its descendants did"},
    {0},
};

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    struct skep_agent_options *o = options;
    o->replay_path = args->args[0];
    int r = skep_shared_check(self, args, o);
    return r ? r : skep_agent_run(o);
}

const struct skep_command skep_command_replay = {
    .description =
        "Prints the events of a recording exactly as 'skep run' with the same options printed them live. Needs no "
        "privileges and no sensors. A file that is damaged is read up to the damage, which is reported.",
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .options_size = sizeof(struct skep_agent_options),
    .defaults = &skep_agent_defaults,
    .run = run,
};
