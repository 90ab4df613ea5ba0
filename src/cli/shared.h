/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_SHARED_H
#define SKEP_CLI_SHARED_H
/*
 * The options that several commands have in common, one table each: they mean the same everywhere and are
 * explained once. The tables fill struct skep_agent_options.
 */
#include "cli/command.h"

extern const struct skep_option skep_options_kinds[];   /* --kinds, --events: which kinds are shown */
extern const struct skep_option skep_options_filters[]; /* --pid, --uid, ... */
extern const struct skep_option skep_options_outputs[]; /* --json, --output, --color */
extern const struct skep_option skep_options_live[];    /* --duration, --memory: only with the live kernel */
extern const struct skep_option skep_options_keep[];    /* --record */

/* Of enum skep_color, ended by NULL: the choices of --color. */
extern const char *const skep_color_names[];

extern const struct skep_agent_options skep_agent_defaults;

/* Takes the command behind "--" over and reports options that exclude each other: SKEP_EXIT_OK or
 * SKEP_EXIT_USAGE. */
int skep_shared_check(const struct skep_command_entry *self, const struct skep_args *args,
                      struct skep_agent_options *o);
#endif
