/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_RUNTIME_SQLITE_H
#define SKEP_EVENT_RUNTIME_SQLITE_H
/*
 * JSON out of a SQLite database that somebody else writes, by libsqlite3.
 *
 * The file is read whole into memory, at most SKEP_SQLITE_MAX bytes, and the library sees only that: no path, no lock, no
 * journal beside it, nothing that the writer would have to wait for. A file that was written meanwhile is read again; what
 * is half written all the same is a damaged database, which has nothing for us this time.
 *
 * The file may be an ordinary user's. The schema is not trusted, and a question may do only so much work.
 *
 *     struct skep_sqlite *db = NULL;
 *     r = skep_sqlite_open(fd, &db);
 *     r = skep_sqlite_json(db, "SELECT JSON FROM PodConfig WHERE ID = ?", id, &json);
 */
#include "base/macro.h"

#include <jansson.h>

#define SKEP_SQLITE_MAX (32U << 20)

struct skep_sqlite;

/* -EBADMSG: no such database; -EFBIG, -EAGAIN (it changes all the time), -ENOMEM, or why it cannot be read. fd is not kept. */
int skep_sqlite_open(int fd, struct skep_sqlite **ret);
struct skep_sqlite *skep_sqlite_free(struct skep_sqlite *db);
SKEP_DEFINE_CLEANUP(struct skep_sqlite, skep_sqlite_free)
#define _cleanup_sqlite_ SKEP_CLEANUP(skep_sqlite_freep)

/* The first column of the first row, with id for the parameter of the statement. *ret NULL: no row, or no JSON. -EBADMSG: the
 * database is damaged, or has no such table; -ENOMEM. */
int skep_sqlite_json(struct skep_sqlite *db, const char *sql, const char *id, json_t **ret);
#endif
