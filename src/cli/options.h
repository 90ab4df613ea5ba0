/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_OPTIONS_H
#define SKEP_CLI_OPTIONS_H
/*
 * Command lines, read by tables. A command has groups of options; an option is one row that says its names,
 * what its argument looks like, where the value goes in the command's own struct, and what --help says. The
 * rows are all there is: the parser, --help and the tests read them.
 *
 *     static const struct skep_option filters[] = {
 *         {"pid", 'p', "PID", SKEP_OPTION_PID, offsetof(struct skep_agent_options, pid), .help = "..."},
 *         {0},
 *     };
 *
 * The forms are those of GNU getopt: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, -abc for flags; options may stand
 * after other arguments; what follows "--" is taken as it is. A name must be written in full: an abbreviation
 * that works today would change its meaning with the next option.
 *
 * An option that takes one value and is given again takes the later one, so that an alias can be overridden;
 * a list grows.
 */
#include "base/strbuf.h"
#include "base/strings.h"

enum skep_option_kind {
    SKEP_OPTION_FLAG,   /* bool: true */
    SKEP_OPTION_STRING, /* const char *; not empty */
    SKEP_OPTION_LIST,   /* const char *: a,b; given again it is joined with a comma */
    SKEP_OPTION_REPEAT, /* struct skep_strings; given again it grows. With a value, this letter stands before each:
                             options that share a list keep their order */
    SKEP_OPTION_DURATION, /* uint64_t ns, not 0: 250ms, 5s, 1h30m */
    SKEP_OPTION_SIZE,     /* uint64_t bytes, not 0: 4096, 512K, 16M, 1G */
    SKEP_OPTION_NUMBER,   /* uint64_t, not 0: 7, 1000000 */
    SKEP_OPTION_PID,      /* uint32_t, not 0 */
    SKEP_OPTION_UID,      /* int64_t; a number or a user's name */
    SKEP_OPTION_CHOICE, /* an int-sized enum: the index in choices, which are written in any case; a choice may have
                             a second name: informational|info */
    SKEP_OPTION_VALUE, /* an int-sized enum: value, without an argument */
};

struct skep_option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* 0: none */
    const char *arg;  /* what --help calls the argument; NULL for flags */
    enum skep_option_kind kind;
    size_t offset; /* in the command's struct */
    const char *help;
    const char *const *choices; /* ended by NULL */
    int value;
};

struct skep_option_group {
    const char *title;                 /* heading in --help; NULL ends a list of groups */
    const struct skep_option *options; /* ended by a row without a name */
};

/* What may stand on a command line. */
struct skep_options_spec {
    const char *command;                    /* for messages: "skep run" */
    const struct skep_option_group *groups; /* ended by a row without a title; may be NULL */
    size_t min_args;                        /* arguments that are no options */
    size_t max_args;
    const char *arg_names; /* "KIND[,KIND...] [RECORDING]"; for messages */
    bool takes_command;    /* what follows "--" is a command, kept apart */
};

struct skep_args {
    char **args; /* argv's own strings; ended by NULL */
    size_t n;
    char **command; /* what follows "--", ended by NULL; NULL: no "--" */
    bool help;      /* --help was asked for; nothing else was checked */
    /* private: what joined values and lists are kept in */
    void **joined;
    size_t n_joined;
};

/* Reads argv[1] and what follows (argv[0] is the command's name) and stores values in target. 0; or -EINVAL with
 * the reason in error, one line without the command's name; -ENOMEM. Values point into argv and ret; ret must
 * outlive target. */
int skep_options_parse(const struct skep_options_spec *spec, int argc, char **argv, void *target,
                       struct skep_args *ret, struct skep_strbuf *error);
void skep_args_clear(struct skep_args *args);
#define _cleanup_args_ SKEP_CLEANUP(skep_args_clear)

/* The part of --help that lists the options. */
void skep_options_help(const struct skep_option_group *groups, struct skep_strbuf *sb);
/* Appends text, broken between words at column 80, each line after the first indented; the first starts in column
 * at. A line feed in text ends a paragraph. */
void skep_options_wrap(struct skep_strbuf *sb, const char *text, size_t at, size_t indent);

/* Which of n names word was probably meant to be: few enough letters differ. NULL: none. */
const char *skep_nearest(const char *word, const char *const *names, size_t n);
#endif
