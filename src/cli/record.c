/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "cli/shared.h"

static const struct skep_option recording[] = {
    {"output", 'o', "FILE", SKEP_OPTION_STRING, offsetof(struct skep_agent_options, record_path),
     .help = "the file to record to, - for standard output; what it held is lost"},
    {"kinds", 'k', "KINDS", SKEP_OPTION_LIST, offsetof(struct skep_agent_options, kinds),
     .help =
         "only these kinds or groups of events; without it all of them. The life cycle of processes is always recorded: the rest needs it"},
    {0},
};

static const struct skep_option_group groups[] = {
    {"Recording", recording},
    {"Filters (each given one must hold)", skep_options_filters},
    {"Limits", skep_options_live},
    {0},
};

static const struct skep_example examples[] = {
    {"skep record -o host.skep -d 1m", "everything that this host does in a minute"},
    {"skep record -o build.skep -- make", "everything that make does"},
    {"skep record -o - -d 10s | ssh host 'cat >here.skep'", "keep it somewhere else"},
    {0},
};

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    struct skep_agent_options *o = options;
    if (!o->record_path)
        return skep_usage_error(self, "missing option: -o FILE");
    int r = skep_shared_check(self, args, o);
    return r ? r : skep_agent_run(o);
}

static const struct skep_agent_options defaults = {
    .uid = -1,
    .rules = {.off = true},
    .view = SKEP_VIEW_NONE,
    .all_events = true,
};

const struct skep_command skep_command_record = {
    .description =
        "Records events to a file that 'skep replay' and 'skep watch' read: compressed, with checksums and with "
        "its own description of every kind and field. The file is readable for its owner only, since it "
        "holds the arguments of programs and the names of files. A recording that was cut off is read up to "
        "the damage. With a command behind -- only that command and its descendants are recorded, and skep ends when "
        "the command does, with its exit status. --where is kept in the recording.",
    .groups = groups,
    .examples = examples,
    .takes_command = true,
    .options_size = sizeof(struct skep_agent_options),
    .defaults = &defaults,
    .run = run,
};
