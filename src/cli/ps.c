/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "cli/shared.h"

#define TO(member) offsetof(struct skep_ps_options, member)

static const struct skep_option output[] = {
    {"tree", 't', NULL, SKEP_OPTION_FLAG, TO(tree), .help = "children below their parents"},
    {"json", 'j', NULL, SKEP_OPTION_FLAG, TO(json), .help = "one JSON object on each line"},
    {"columns", 'o', "FIELDS", SKEP_OPTION_LIST, TO(columns),
     .help = "the columns, such as pid,comm,container.name,args"},
    {"sort", 's', "FIELD", SKEP_OPTION_STRING, TO(sort),
     .help = "sort the rows by this field; with a - before it from high to low"},
    {"container", 0, "ID", SKEP_OPTION_STRING, TO(container),
     .help = "only processes in this container; the beginning of its id is enough"},
    {"color", 0, "WHEN", SKEP_OPTION_CHOICE, TO(color), .choices = skep_color_names,
     .help = "auto (on a terminal), always or never"},
    {0},
};

static const struct skep_option_group groups[] = {{"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep ps --tree", "the processes and where they come from"},
    {"skep ps --sort -start", "the youngest processes first"},
    {0},
};

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct skep_ps_options *o = options;
    (void)args;
    if (o->tree && (o->json || o->sort))
        return skep_usage_error(self, "--tree excludes --json and --sort");
    if (o->json && o->columns)
        return skep_usage_error(self, "--json and --columns exclude each other: JSON has every field");
    return skep_ps_run(o);
}

static const struct skep_ps_options defaults;

const struct skep_command skep_command_ps = {
    .description =
        "Lists the processes as the kernel's own task list has them at this moment: start time, executable, "
        "container, user and arguments.",
    .groups = groups,
    .examples = examples,
    .options_size = sizeof(struct skep_ps_options),
    .defaults = &defaults,
    .run = run,
};
