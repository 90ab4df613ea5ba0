/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "cli/shared.h"

static const struct skep_option output[] = {
    {"json", 'j', NULL, SKEP_OPTION_FLAG, offsetof(struct skep_probe_options, json),
     .help = "one JSON document"},
    {"color", 0, "WHEN", SKEP_OPTION_CHOICE, offsetof(struct skep_probe_options, color),
     .choices = skep_color_names, .help = "auto (on a terminal), always or never"},
    {0},
};

static const struct skep_option_group groups[] = {{"Output", output}, {0}};

static const struct skep_exit_meaning statuses[] = {
    {SKEP_EXIT_OK, "every event can be seen on this kernel"},
    {SKEP_EXIT_FAILED, "some sensor has no implementation that works here"},
    {SKEP_EXIT_USAGE, "the command was used wrongly, or nothing could be tried at all"},
    {0},
};

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    (void)self;
    (void)args;
    return skep_probe_run(options);
}

static const struct skep_probe_options defaults;

const struct skep_command skep_command_probe = {
    .description =
        "Tries each feature and hook by using it, and prints what works, which implementation each sensor "
        "gets, which guarantee follows (seen, killed, denied), and for each failure the reason and what can "
        "be done about it. Nothing stays attached.",
    .groups = groups,
    .statuses = statuses,
    .options_size = sizeof(struct skep_probe_options),
    .defaults = &defaults,
    .run = run,
};
