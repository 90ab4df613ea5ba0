/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_CLI_H
#define SKEP_CLI_CLI_H
/*
 * The command line of skep, for main(): nothing else of the program is visible there.
 */

/* Runs the command that argv names; the exit status of skep. */
int skep_cli_main(int argc, char **argv);
#endif
