/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_MANUAL_H
#define SKEP_CLI_MANUAL_H
/*
 * What the tables of commands and options (cli/command.h) say, in two more forms than --help: the manual page skep(8), and
 * what bash needs to complete a command line. Both are made when skep is built, by `skep docs manual` and `skep docs
 * completion`, so that they cannot say anything else than the program does.
 *
 * The manual has a section for each group of commands and a part for each command. Options that several commands share
 * (one table, by its address) stand with the first that has them; the others point there.
 *
 * The completion is a bash function that needs nothing but bash. It finds the command among the words, then offers
 * the commands, the options or the values that can stand at the cursor; names of files where an argument is one.
 */
#include "base/strbuf.h"

void skep_manual_put(struct skep_strbuf *sb);
void skep_completion_put(struct skep_strbuf *sb);
#endif
