/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_VM_RECORDS_H
#define SKEP_CLI_VM_RECORDS_H
/*
 * Runs a program over the records of a recording (skep record): r1 is the address of the record, which begins with a
 * struct skep_hdr (src/abi/event.h) and is in this build's layout, r2 its length. A program in a section skep/KIND sees
 * only records of that kind.
 */
#include "base/macro.h"
#include <skep/vm.h>

/* Prints a line for each record that the program saw. An exit status. */
int skep_vm_run_records(struct skep_vm_thread *t, const struct skep_vm_program *p, const char *path,
                        bool json);
#endif
