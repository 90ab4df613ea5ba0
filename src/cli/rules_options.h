/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_RULES_OPTIONS_H
#define SKEP_CLI_RULES_OPTIONS_H
/*
 * The options that say which rules are meant, for every command that has to do with rules: rows for an option table of
 * a command whose struct `type` has a struct skep_rules_options as `member`.
 *
 *     static const struct skep_option rules[] = {
 *         SKEP_RULES_OPTIONS(struct skep_agent_options, rules),
 *         {0},
 *     };
 */
#include "cli/options.h"

extern const char *const skep_priority_choices[]; /* by enum skep_priority, ended by NULL */
extern const char *const skep_matching_choices[];

#define SKEP_RULES_OPTION(type, member, part) offsetof(type, member.part)

#define SKEP_RULES_SOURCE_OPTION(type, member)                                                               \
    {                                                                                                        \
        "rules", 'r', "FILE", SKEP_OPTION_REPEAT, SKEP_RULES_OPTION(type, member, paths),                    \
            .help = "rules of this file, or of the files of this directory; may be given again, later ones " \
                    "override. Without it those of /etc/skep/rules.d, else the built-in ones"                \
    }

#define SKEP_RULES_OPTIONS(type, member)                                                                     \
    {"disable",                                                                                              \
     0,                                                                                                      \
     "RULE",                                                                                                 \
     SKEP_OPTION_REPEAT,                                                                                     \
     SKEP_RULES_OPTION(type, member, choices),                                                               \
     .value = '-',                                                                                           \
     .help = "turn rules off: a name, a pattern such as '*ssh*', or tag:NAME; --disable and --enable apply " \
             "in their order"},                                                                              \
        {"enable",                                                                                           \
         0,                                                                                                  \
         "RULE",                                                                                             \
         SKEP_OPTION_REPEAT,                                                                                 \
         SKEP_RULES_OPTION(type, member, choices),                                                           \
         .value = '+',                                                                                       \
         .help = "turn rules on that are off"},                                                              \
        {"priority",                                                                                         \
         0,                                                                                                  \
         "LEVEL",                                                                                            \
         SKEP_OPTION_CHOICE,                                                                                 \
         SKEP_RULES_OPTION(type, member, priority),                                                          \
         .choices = skep_priority_choices,                                                                   \
         .help = "only rules of this priority or a more urgent one: emergency, alert, critical, error, "     \
                 "warning, notice, informational, debug"},                                                   \
    {                                                                                                        \
        "matching", 0, "HOW", SKEP_OPTION_CHOICE, SKEP_RULES_OPTION(type, member, matching),                 \
            .choices = skep_matching_choices,                                                                \
            .help = "first: an event stops at the first rule that it matches; all: every rule is told"       \
    }

#define SKEP_RULES_ENGINE_OPTIONS(type, member)                                                              \
    {"no-pushdown",                                                                                          \
     0,                                                                                                      \
     NULL,                                                                                                   \
     SKEP_OPTION_FLAG,                                                                                       \
     SKEP_RULES_OPTION(type, member, no_pushdown),                                                           \
     .help = "judge every event in user space, drop none in the kernel"},                                    \
    {                                                                                                        \
        "interpret", 0, NULL, SKEP_OPTION_FLAG, SKEP_RULES_OPTION(type, member, interpret),                  \
            .help = "judge without machine code"                                                             \
    }
#endif
