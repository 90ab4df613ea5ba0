/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_SINKS_H
#define SKEP_CLI_SINKS_H
/*
 * The options that say where alerts go, how many of them, and what they look like: --to, --rate, --suppress,
 * --iso8601 and --message, the same for every command that raises alerts. A command puts struct skep_alert_options into its own options and the rows into
 * a table:
 *
 *     static const struct skep_option alerts[] = {
 *         SKEP_ALERT_OPTIONS(offsetof(struct my_options, alerts)),
 *         {0},
 *     };
 *
 * and then makes of the texts what the agent works with:
 *
 *     _cleanup_alert_route_ struct skep_alert_route route = {0};
 *     r = skep_alert_route_open(self, &o->alerts, &route);
 *     if (r)
 *         return r;
 *
 *     --to SINK                    see export/sink.h and docs/ALERTS.md; may be repeated
 *     --rate N/INTERVAL[,burst=N]  10/1m: each rule raises at most ten alerts a minute, all ten at once if need be
 *     --suppress WINDOW[,by=FIELD,...]
 *                                  30s: the same alert is shown once in 30 s. The same is: of the same rule,
 *                                  and with the same values of these fields, SKEP_SUPPRESS_BY when none are
 *                                  named
 */
#include "cli/command.h"
#include "export/sink.h"
#include "rule/alert/alert.h"

/* Who did it, and to what, and where. Not its arguments, times and ids, in which repetitions differ; and the
 * container, since the same deed in two of them is two deeds. */
#define SKEP_SUPPRESS_BY "container.id,proc.exepath,fd.name,fs.path.name"

struct skep_alert_options {
    struct skep_strings to;
    const char *rate;     /* NULL: no limit */
    const char *suppress; /* NULL: nothing is suppressed */
    struct skep_alert_style style;
};

#define SKEP_ALERT_OPTIONS(at)                                                                               \
    {"to",                                                                                                   \
     0,                                                                                                      \
     "SINK",                                                                                                 \
     SKEP_OPTION_REPEAT,                                                                                     \
     (at) + offsetof(struct skep_alert_options, to),                                                         \
     .help = "send alerts to stdout, file:PATH, syslog, https://HOST/PATH or program:COMMAND, each with "    \
             "options behind commas, such as file:/var/log/skep.json,rotate=10M; 'skep docs sinks' lists "   \
             "them; may be repeated"},                                                                       \
        {"rate",                                                                                             \
         0,                                                                                                  \
         "N/TIME",                                                                                           \
         SKEP_OPTION_STRING,                                                                                 \
         (at) + offsetof(struct skep_alert_options, rate),                                                   \
         .help = "at most so many alerts of each rule, such as 10/1m; what is hidden is counted"},           \
        {"suppress",                                                                                         \
         0,                                                                                                  \
         "TIME",                                                                                             \
         SKEP_OPTION_STRING,                                                                                 \
         (at) + offsetof(struct skep_alert_options, suppress),                                               \
         .help = "show an alert of the same rule and the same fields once in this time, such as 1m or "      \
                 "1m,by=proc.exepath,fd.name; what is hidden is counted"},                                   \
        {"iso8601",                                                                                          \
         0,                                                                                                  \
         NULL,                                                                                               \
         SKEP_OPTION_FLAG,                                                                                   \
         (at) + offsetof(struct skep_alert_options, style.iso8601),                                          \
         .help = "the time at the head of an alert in ISO 8601, UTC, instead of the local time of day"},     \
    {                                                                                                        \
        "message", 0, NULL, SKEP_OPTION_FLAG, (at) + offsetof(struct skep_alert_options, style.message),     \
            .help = "in JSON also the output without time and priority, as \"message\""                      \
    }

struct skep_alert_route {
    struct skep_sink **sinks; /* NULL: --to was not given */
    size_t n_sinks;
    struct skep_throttle_options throttle; /* all 0: off */
    char *key; /* of a suppression: an output template (rule/alert/format.h); NULL: none */
};

/* Prints what is wrong, with its cure. SKEP_EXIT_OK; SKEP_EXIT_USAGE; SKEP_EXIT_FAILED when memory or threads
 * are short. *ret is untouched on failure. */
int skep_alert_route_open(const struct skep_command_entry *self, const struct skep_alert_options *o,
                          struct skep_alert_route *ret);
/* Ends the sinks without waiting for anybody; see skep_sink_finish(). */
void skep_alert_route_clear(struct skep_alert_route *route);
#define _cleanup_alert_route_ SKEP_CLEANUP(skep_alert_route_clear)

/* The parts, for tests and for configuration. -EINVAL with the reason in error, one line; -ENOMEM. */
int skep_rate_parse(const char *text, struct skep_throttle_options *ret, struct skep_strbuf *error);
/* *ret_key: "container.id=%container.id proc.exepath=%proc.exepath ..."; the caller's. */
int skep_suppress_parse(const char *text, struct skep_throttle_options *ret, char **ret_key,
                        struct skep_strbuf *error);
#endif
