/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_COMMAND_H
#define SKEP_CLI_COMMAND_H
/*
 * The commands of skep. Each is one row in commands.def and one file, src/cli/<name>.c, that defines
 * `const struct skep_command skep_command_<name>`: its options, its explanation, and a thin body that fills the
 * options of the layer that does the work. A row without its file does not link; tools/check-commands finds a
 * file without its row.
 *
 * The frame here reads the command line into a copy of the command's defaults, answers --help, and prints
 * what was wrong, always in two lines on standard error, with exit status 2:
 *
 *     skep run: unknown option --evnts (did you mean --events?)
 *     Try 'skep run --help'.
 *
 * `skep -- COMMAND` is `skep run -- COMMAND`.
 *
 * A command may be a family: `skep vm` has a table of its own, cli/vm.def, whose entries are called "vm run" and so on
 * and whose files are src/cli/vm_<name>.c; likewise `skep rules`.
 */
#include "agent/options.h"
#include "cli/options.h"

enum skep_command_group {
    SKEP_COMMAND_GROUP_OBSERVE,
    SKEP_COMMAND_GROUP_RECORD,
    SKEP_COMMAND_GROUP_RULES,
    SKEP_COMMAND_GROUP_ENGINE,
    SKEP_COMMAND_GROUP_ABOUT,
    SKEP_COMMAND_GROUP_MAX,
};

struct skep_example {
    const char *line; /* what is typed; NULL ends a table */
    const char *what;
};

struct skep_exit_meaning {
    int status;
    const char *meaning; /* NULL ends a table */
};

struct skep_command_entry;

struct skep_command {
    const char *description;                /* a line feed ends a paragraph */
    const struct skep_option_group *groups; /* NULL: only --help */
    const struct skep_example *examples;
    const struct skep_exit_meaning *statuses; /* NULL: the usual ones */
    size_t min_args;
    size_t max_args;
    bool takes_command;
    size_t options_size;  /* of the struct that the options fill; 0: none */
    const void *defaults; /* what it holds at first */
    /* The commands below this one ("vm run" of "vm"), in the order of its --help; NULL: it is a command itself, and run
     * does its work. */
    const struct skep_command_entry *subcommands;
    size_t n_subcommands;
    /* An exit status, or -errno which the frame reports. */
    int (*run)(const struct skep_command_entry *self, const struct skep_args *args, void *options);
};

struct skep_command_entry {
    const char *name;
    const char *synopsis;
    const char *summary;
    enum skep_command_group group;
    const struct skep_command *command;
};

#define SKEP_COMMAND(name, synopsis, summary, group) extern const struct skep_command skep_command_##name;
#include "cli/commands.def"
#undef SKEP_COMMAND

const struct skep_command_entry *skep_commands(size_t *ret_n);
const struct skep_command_entry *skep_command_find(const char *name); /* NULL: there is none */
/* The same below entry; name is the second word of "vm run". */
const struct skep_command_entry *skep_command_find_below(const struct skep_command_entry *entry,
                                                         const char *name);

extern const char skep_commands_about[]; /* what skep is, in a sentence */
const char *skep_command_group_title(int group);
/* What the exit statuses of c mean (NULL: of a command without its own), ended by a row without a meaning. */
const struct skep_exit_meaning *skep_command_statuses(const struct skep_command *c);

/* The text of `skep COMMAND --help`, and of `skep --help`. */
void skep_command_explain(const struct skep_command_entry *entry, struct skep_strbuf *sb);
void skep_commands_explain(struct skep_strbuf *sb);

/* Writes text to standard output; an exit status. */
int skep_print(const struct skep_strbuf *text);
/* Reports a wrong use of a command (NULL: of skep itself); SKEP_EXIT_USAGE. */
int skep_usage_error(const struct skep_command_entry *entry, const char *fmt, ...) SKEP_PRINTF(2, 3);
/* The same for a command name that does not exist (below entry, NULL: at all), with the nearest that does. */
int skep_unknown_command(const struct skep_command_entry *entry, const char *name);
#endif
