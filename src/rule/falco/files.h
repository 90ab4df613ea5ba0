/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FALCO_FILES_H
#define SKEP_RULE_FALCO_FILES_H
/*
 * The files of rules that somebody named, for skep_falco_load(). A directory stands for its files *.yaml and *.yml, in
 * the order of their names; hidden ones and what is no regular file are left out. "-" is standard input.
 *
 *     _cleanup_falco_files_ struct skep_falco_files files = {0};
 *     r = skep_falco_files_read(paths, n, NULL, &diags, &files);
 *     if (r >= 0)
 *         r = skep_falco_load(files.list, files.n, &options, &diags, &policy);
 */
#include "rule/falco/falco.h"

#define SKEP_FALCO_FILES_MAX 4096
#define SKEP_FALCO_FILES_SIZE_MAX (256u << 20) /* of all together */

struct skep_falco_files {
    struct skep_falco_input *list; /* names and texts are owned */
    size_t n, room;
    size_t size;
};

/* -EINVAL: some could not be read, as diags say (LOAD_ERR_FILE_READ); the others are there. -ENOMEM.
 * kept: what can be read only once, standard input and pipes, is put there under the path that was given, and taken from
 * there another time; NULL: it is not wanted again. */
int skep_falco_files_read(const char *const *paths, size_t n, struct skep_falco_files *kept,
                          struct skep_diags *diags, struct skep_falco_files *ret);
void skep_falco_files_clear(struct skep_falco_files *f);
#define _cleanup_falco_files_ SKEP_CLEANUP(skep_falco_files_clear)

/* What a code is about; NULL: it is none of Falco's. */
const char *skep_falco_code_doc(const char *code);
#endif
