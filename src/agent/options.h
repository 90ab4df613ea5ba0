/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_OPTIONS_H
#define SKEP_AGENT_OPTIONS_H
/*
 * What a command asks of the agent: the one thing that passes between the command line and the engine. run,
 * watch, record and replay are four fillings of struct skep_agent_options; the agent does not know which command
 * made it.
 *
 * Texts are borrowed and not yet checked where only the schema can: kinds, where, columns, sort and count_by
 * name kinds and fields. The agent reports what it does not know and returns SKEP_EXIT_USAGE.
 *
 *     source   the live kernel, or the recording replay_path
 *     filters  every given one must hold; pid and command mean the process and its descendants
 *     sinks    view, to output_path or standard output; and record_path
 */
#include "base/strings.h"
#include "export/sink.h"
#include "export/terminal.h"
#include "rule/alert/alert.h"
#include "rule/policy.h"

/* Exit statuses of every command. */
enum skep_exit {
    SKEP_EXIT_OK = 0,
    SKEP_EXIT_FAILED = 1, /* found something, or failed */
    SKEP_EXIT_USAGE = 2,  /* used wrongly, or lacking what it needs to run at all */
};

enum skep_view {
    SKEP_VIEW_NONE,  /* only the status line and the summary */
    SKEP_VIEW_TEXT,  /* a readable line for each event */
    SKEP_VIEW_JSON,  /* an object on a line for each event, a ledger record at the end */
    SKEP_VIEW_TABLE, /* columns */
};

/* Which rules judge the events. */
struct skep_rules_options {
    bool off; /* none */
    struct skep_strings
        paths; /* files and directories in order; none: /etc/skep/rules.d, else the built-in ones */
    struct skep_strings
        choices; /* "+NAME" on, "-NAME" off, in order; NAME is a rule's name, a glob, or tag:NAME */
    enum skep_priority priority; /* least important that is still judged */
    enum skep_matching { SKEP_MATCHING_FIRST, SKEP_MATCHING_ALL } matching;
    bool no_pushdown; /* the kernel drops nothing on behalf of rules */
    bool interpret;   /* no machine code */
};

/* Where alerts go, which are held back, and what they look like. */
struct skep_alerts_options {
    struct skep_sink *const *sinks; /* open, borrowed; without any they go to the output */
    size_t n_sinks;
    struct skep_throttle_options throttle; /* all 0: nothing is held back */
    const char *key; /* template of what makes two alerts of a rule the same; NULL: the rule alone */
    struct skep_alert_style style;
};

#define SKEP_RULES_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        .priority = SKEP_PRIORITY_DEBUG                                                                      \
    }

struct skep_agent_options {
    const char *replay_path; /* NULL: the live kernel */

    const char *kinds;          /* kinds and groups, comma-separated; NULL: those that matter to a person */
    bool all_events;            /* every kind when kinds is NULL */
    uint32_t pid;               /* 0: any */
    int64_t uid;                /* -1: any */
    const char *comm;           /* NULL: any */
    const char *container;      /* id or the beginning of one; NULL: any */
    bool host_only;             /* only processes outside of containers */
    struct skep_strings where;  /* conditions, all of which must hold; none: any */
    const char *where_recorded; /* and that of the recording; NULL: none */
    char *const *command;       /* to start and follow, ended by NULL; NULL: none */

    struct skep_rules_options rules;
    struct skep_alerts_options alerts;

    uint64_t duration_ns; /* 0: until interrupted, or until command or recording ends */
    uint64_t ring_bytes;  /* memory for the kernel's event rings; 0: the default */

    enum skep_view view;
    const char *output_path; /* NULL or "-": standard output */
    const char *record_path; /* NULL: no recording is made */
    enum skep_color color;
    const char *columns;  /* of SKEP_VIEW_TABLE, comma-separated; NULL: those of the kinds */
    const char *sort;     /* field, with a leading "-" for descending; NULL: as they come */
    const char *count_by; /* field(s) to count by; NULL: single events */
};

#define SKEP_AGENT_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        .uid = -1, .view = SKEP_VIEW_TEXT, .rules = {.off = true, .priority = SKEP_PRIORITY_DEBUG }          \
    }

struct skep_ps_options {
    bool tree;
    bool json;
    const char *columns;
    const char *sort;
    const char *container;
    enum skep_color color;
};

struct skep_probe_options {
    bool json;
    enum skep_color color;
};
#endif
