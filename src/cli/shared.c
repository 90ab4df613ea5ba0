/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shared.h"

#include <unistd.h>

#define TO(member) offsetof(struct skep_agent_options, member)

const char *const skep_color_names[] = {
    [SKEP_COLOR_AUTO] = "auto",
    [SKEP_COLOR_ALWAYS] = "always",
    [SKEP_COLOR_NEVER] = "never",
    NULL,
};

const struct skep_option skep_options_kinds[] = {
    {"kinds", 'k', "KINDS", SKEP_OPTION_LIST, TO(kinds),
     .help =
         "only these kinds or groups of events, such as exec,open or file,net; 'skep docs events' lists them"},
    {"events", 'e', NULL, SKEP_OPTION_FLAG, TO(all_events),
     .help = "every event of every kind, or of those in --kinds"},
    {0},
};

const struct skep_option skep_options_filters[] = {
    {"pid", 'p', "PID", SKEP_OPTION_PID, TO(pid), .help = "only this process and its descendants"},
    {"uid", 'u', "USER", SKEP_OPTION_UID, TO(uid), .help = "only processes of this user: a name or a number"},
    {"comm", 'c', "NAME", SKEP_OPTION_STRING, TO(comm), .help = "only processes with this short name"},
    {"container", 0, "ID", SKEP_OPTION_STRING, TO(container),
     .help = "only processes in this container; the beginning of its id is enough"},
    {"host-only", 0, NULL, SKEP_OPTION_FLAG, TO(host_only), .help = "only processes outside of containers"},
    {"where", 'w', "EXPR", SKEP_OPTION_REPEAT, TO(where),
     .help = "only events for which this holds, such as 'path startswith /etc and uid != 0': a condition of "
             "rules, over their fields ('skep docs fields') and those of events ('skep docs events')"},
    {0},
};

const struct skep_option skep_options_outputs[] = {
    {"json", 'j', NULL, SKEP_OPTION_VALUE, TO(view), .value = SKEP_VIEW_JSON,
     .help = "one JSON object on each line"},
    {"output", 0, "FILE", SKEP_OPTION_STRING, TO(output_path),
     .help = "append events to FILE, made readable for its owner only, instead of printing them"},
    {"color", 0, "WHEN", SKEP_OPTION_CHOICE, TO(color), .choices = skep_color_names,
     .help = "auto (on a terminal), always or never"},
    {0},
};

const struct skep_option skep_options_live[] = {
    {"duration", 'd', "TIME", SKEP_OPTION_DURATION, TO(duration_ns),
     .help = "end after this time, such as 500ms, 5s or 1h30m"},
    {"memory", 0, "SIZE", SKEP_OPTION_SIZE, TO(ring_bytes),
     .help =
         "memory for events on their way out of the kernel, such as 16M: more of it bridges longer bursts"},
    {0},
};

const struct skep_option skep_options_keep[] = {
    {"record", 0, "FILE", SKEP_OPTION_STRING, TO(record_path),
     .help = "record the events to FILE as well, for 'skep replay'"},
    {0},
};

const struct skep_agent_options skep_agent_defaults = SKEP_AGENT_OPTIONS_INIT;

int skep_shared_check(const struct skep_command_entry *self, const struct skep_args *args,
                      struct skep_agent_options *o)
{
    o->command = args->command;
    if (o->command && o->pid)
        return skep_usage_error(self, "--pid and a command exclude each other");
    if (o->command && o->replay_path)
        return skep_usage_error(self, "a recording and a command exclude each other");
    if (o->host_only && o->container)
        return skep_usage_error(self, "--host-only and --container exclude each other");
    if (!o->record_path || !skep_streq(o->record_path, "-"))
        return SKEP_EXIT_OK;
    /* a recording that goes there has it alone */
    if (o->command)
        return skep_usage_error(self, "a command and a recording to standard output exclude each other");
    if (o->view != SKEP_VIEW_NONE && (!o->output_path || skep_streq(o->output_path, "-")))
        return skep_usage_error(
            self, "events and the recording would both go to standard output: give --output FILE");
    if (isatty(STDOUT_FILENO))
        return skep_usage_error(self,
                                "standard output is a terminal: a recording goes to a file or into a pipe");
    return SKEP_EXIT_OK;
}
