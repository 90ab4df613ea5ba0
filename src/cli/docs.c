/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "cli/command.h"

struct docs_options {
    bool json;
};

static const struct skep_option output[] = {
    {"json", 'j', NULL, SKEP_OPTION_FLAG, offsetof(struct docs_options, json), .help = "one JSON document"},
    {0},
};

static const struct skep_option_group groups[] = {{"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep docs events | less", "every kind of event and its fields"},
    {0},
};

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct docs_options *o = options;
    if (!skep_streq(args->args[0], "events"))
        return skep_usage_error(self, "unknown topic: there is only 'events'");
    return skep_docs_events(o->json);
}

static const struct docs_options defaults;

const struct skep_command skep_command_docs = {
    .description =
        "Prints the reference of every kind of event and every field, from the tables that skep itself works "
        "with: what --kinds, --where, --columns and --count-by accept, and what JSON contains.",
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .options_size = sizeof(struct docs_options),
    .defaults = &defaults,
    .run = run,
};
