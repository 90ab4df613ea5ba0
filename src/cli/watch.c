/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "cli/shared.h"

#define TO(member) offsetof(struct skep_agent_options, member)

static const struct skep_option table[] = {
    {"columns", 'o', "FIELDS", SKEP_OPTION_LIST, TO(columns),
     .help =
         "the columns, such as time,pid,comm,path: fields ('skep docs events' lists them), or event for what happened in words"},
    {"sort", 's', "FIELD", SKEP_OPTION_STRING, TO(sort),
     .help = "sort the rows by this field; with a - before it from high to low"},
    {"count-by", 'n', "FIELD", SKEP_OPTION_LIST, TO(count_by),
     .help = "count the events for each value of this field instead of listing them"},
    {"recording", 'r', "FILE", SKEP_OPTION_STRING, TO(replay_path),
     .help = "read a recording instead of the live kernel"},
    {0},
};

static const struct skep_option_group groups[] = {
    {"Table", table},
    {"Filters (each given one must hold)", skep_options_filters},
    {"Output", skep_options_outputs},
    {"Recording", skep_options_keep},
    {"Limits", skep_options_live},
    {0},
};

static const struct skep_example examples[] = {
    {"skep watch exec,exit", "programs as they start and end"},
    {"skep watch open -o time,comm,path,error --where 'ret < 0'", "files that could not be opened"},
    {"skep watch file --where 'fd.name startswith /etc or path startswith /etc'", "what happens below /etc"},
    {"skep watch connect --count-by remote.ip -d 10s", "whom this host talked to in ten seconds"},
    {"skep watch exec,open -- make", "what make runs and reads"},
    {"skep watch dns host.skep --sort question", "the names asked for in a recording"},
    {0},
};

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    struct skep_agent_options *o = options;
    o->kinds = args->args[0];
    if (args->n > 1 && o->replay_path)
        return skep_usage_error(self, "two recordings: give one");
    if (args->n > 1)
        o->replay_path = args->args[1];
    if (o->replay_path && (o->duration_ns || o->ring_bytes || o->record_path))
        return skep_usage_error(
            self, "--duration, --memory and --record are for the live kernel, not for a recording");
    if (o->view == SKEP_VIEW_JSON && o->columns)
        return skep_usage_error(self, "--json and --columns exclude each other: JSON has every field");
    if (o->count_by && (o->columns || o->sort))
        return skep_usage_error(
            self, "--count-by excludes --columns and --sort: what is most frequent comes first");
    int r = skep_shared_check(self, args, o);
    return r ? r : skep_agent_run(o);
}

static const struct skep_agent_options defaults = {
    .uid = -1,
    .rules = {.off = true},
    .view = SKEP_VIEW_TABLE,
    .all_events = true,
};

const struct skep_command skep_command_watch = {
    .description =
        "Shows events of the kinds (exec, open, connect, ...) or groups of kinds (life, file, net, ...) in "
        "columns, as they happen or out of a recording. With a command behind -- only that command and its "
        "descendants are followed, and skep ends when the command does, with its exit status.\n"
        "\n"
        "--where takes what a rule has as its condition, such as 'proc.name = cat and not fd.name startswith "
        "/etc'. Columns are fields in it, too: 'flags contains O_CREAT or error in (ENOENT, EACCES)'.",
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 2,
    .takes_command = true,
    .options_size = sizeof(struct skep_agent_options),
    .defaults = &defaults,
    .run = run,
};
