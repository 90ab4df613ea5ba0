/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "cli/rules_options.h"
#include "cli/shared.h"
#include "cli/sinks.h"

struct run_options {
    struct skep_agent_options agent; /* first: the shared tables of options fill it */
    struct skep_alert_options alerts;
};

static const struct skep_option alerts[] = {
    SKEP_ALERT_OPTIONS(offsetof(struct run_options, alerts)),
    {0},
};

static const struct skep_option rules[] = {
    SKEP_RULES_SOURCE_OPTION(struct skep_agent_options, rules),
    SKEP_RULES_OPTIONS(struct skep_agent_options, rules),
    {"no-rules", 0, NULL, SKEP_OPTION_FLAG, offsetof(struct skep_agent_options, rules.off),
     .help = "judge nothing: show events that matter to a person instead of alerts"},
    SKEP_RULES_ENGINE_OPTIONS(struct skep_agent_options, rules),
    {0},
};

static const struct skep_option_group groups[] = {
    {"Rules", rules},
    {"Alerts", alerts},
    {"What to show besides alerts", skep_options_kinds},
    {"Filters (each given one must hold)", skep_options_filters},
    {"Output", skep_options_outputs},
    {"Recording", skep_options_keep},
    {"Limits", skep_options_live},
    {0},
};

static const struct skep_example examples[] = {
    {"skep run", "alerts of the rules of this host, else of the built-in ones"},
    {"skep run --rules falco_rules.yaml --rules mine.yaml --json",
     "rules of these files, alerts as Falco writes them"},
    {"skep run --to file:/var/log/skep.json,rotate=10M --to syslog",
     "alerts to a file and to the system's log"},
    {"skep run --no-rules", "no rules: programs started, connections, changes of privilege"},
    {"skep run --events --kinds file --comm nginx", "every file operation of nginx, and alerts"},
    {"skep run -- make -j4", "what make and its descendants do, until make ends"},
    {0},
};

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    struct run_options *o = options;
    _cleanup_alert_route_ struct skep_alert_route route = {0};
    const struct skep_rules_options *wanted = &o->agent.rules;
    if (wanted->off && (wanted->paths.n || wanted->choices.n))
        return skep_usage_error(self, "--no-rules excludes --rules, --disable and --enable");
    if (wanted->off && (o->alerts.to.n || o->alerts.rate || o->alerts.suppress || o->alerts.style.iso8601 ||
                        o->alerts.style.message))
        return skep_usage_error(self, "without rules there are no alerts: --no-rules excludes --to, --rate, "
                                      "--suppress, --iso8601 and --message; --output FILE takes events");
    int r = skep_shared_check(self, args, &o->agent);
    if (r == SKEP_EXIT_OK)
        r = skep_alert_route_open(self, &o->alerts, &route);
    if (r)
        return r;
    o->agent.alerts = (struct skep_alerts_options){.sinks = route.sinks,
                                                   .n_sinks = route.n_sinks,
                                                   .throttle = route.throttle,
                                                   .key = route.key,
                                                   .style = o->alerts.style};
    return skep_agent_run(&o->agent);
}

static const struct run_options defaults = {
    .agent = {.uid = -1, .view = SKEP_VIEW_TEXT, .rules = SKEP_RULES_OPTIONS_INIT},
};

const struct skep_command skep_command_run = {
    .description =
        "Attaches the sensors that this kernel allows, tells in one line what they can see, judges every event by "
        "rules, and prints alerts as they come, a line each, until it is interrupted. At the end the ledger accounts "
        "for every event of every kind: told, filtered out, or lost and why.\n"
        "\n"
        "Rules are those of --rules, else of /etc/skep/rules.d, else the built-in ones. SIGHUP, or a change of the "
        "files, puts new rules in force without missing an event; SIGUSR1 opens files of alerts again.\n"
        "\n"
        "--events and --kinds show events, too; with --no-rules those that matter to a person. With a "
        "command behind -- only that command and its descendants are followed, and skep ends when the command "
        "does, with its exit status. The command runs as the user who runs skep.",
    .groups = groups,
    .examples = examples,
    .takes_command = true,
    .options_size = sizeof(struct run_options),
    .defaults = &defaults,
    .run = run,
};
