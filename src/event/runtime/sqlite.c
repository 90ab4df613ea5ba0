/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/sqlite.h"

#include <sqlite3.h>
#include <sys/stat.h>

#define HEADER_BYTES 100 /* with a counter that every change of the file moves on */
#define READ_TRIES 3
#define VALUE_MAX (8 << 20)
#define STEP_OPS 10000 /* operations of SQLite's machine between two looks at what is left */
#define STEPS_MAX 100  /* a row is found in some hundred operations */

struct skep_sqlite {
    sqlite3 *db;
    unsigned char *bytes;
    unsigned steps;
};

static int read_at(int fd, unsigned char *to, size_t n, off_t at)
{
    for (size_t done = 0; done < n;) {
        ssize_t r = pread(fd, to + done, n - done, at + (off_t)done);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? -errno : -EAGAIN; /* shorter than it was */
        done += (size_t)r;
    }
    return 0;
}

static int read_once(int fd, unsigned char **ret, size_t *ret_n)
{
    unsigned char after[HEADER_BYTES];
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_size < HEADER_BYTES)
        return -EBADMSG;
    if (st.st_size > (off_t)SKEP_SQLITE_MAX)
        return -EFBIG;
    _cleanup_free_ unsigned char *bytes = malloc((size_t)st.st_size);
    if (!bytes)
        return -ENOMEM;
    int r = read_at(fd, bytes, (size_t)st.st_size, 0);
    if (r >= 0)
        r = read_at(fd, after, sizeof(after), 0);
    if (r < 0)
        return r;
    if (memcmp(bytes, after, sizeof(after)) != 0)
        return -EAGAIN;
    *ret = TAKE_PTR(bytes);
    *ret_n = (size_t)st.st_size;
    return 0;
}

/* Anything but 0 ends the statement. */
static int count_step(void *data)
{
    struct skep_sqlite *db = data;
    return ++db->steps > STEPS_MAX;
}

static int harden(struct skep_sqlite *db)
{
    int r = sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_db_config(db->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_db_config(db->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_db_config(db->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_exec(db->db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
    sqlite3_limit(db->db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    sqlite3_limit(db->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_progress_handler(db->db, STEP_OPS, count_step, db);
    return r == SQLITE_OK ? 0 : -EBADMSG;
}

int skep_sqlite_open(int fd, struct skep_sqlite **ret)
{
    _cleanup_sqlite_ struct skep_sqlite *db = calloc(1, sizeof(*db));
    size_t n = 0;
    int r = db ? -EAGAIN : -ENOMEM;
    for (int i = 0; r == -EAGAIN && i < READ_TRIES; i++)
        r = read_once(fd, &db->bytes, &n);
    if (r < 0)
        return r;
    if (sqlite3_open_v2(":memory:", &db->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return -ENOMEM;
    if (sqlite3_deserialize(db->db, "main", db->bytes, (sqlite3_int64)n, (sqlite3_int64)n,
                            SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
        return -EBADMSG;
    r = harden(db);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(db);
    return 0;
}

struct skep_sqlite *skep_sqlite_free(struct skep_sqlite *db)
{
    if (db) {
        sqlite3_close(db->db);
        free(db->bytes); /* which the library was reading */
        free(db);
    }
    return NULL;
}

static int error_of(int r)
{
    return r == SQLITE_NOMEM ? -ENOMEM : -EBADMSG;
}

int skep_sqlite_json(struct skep_sqlite *db, const char *sql, const char *id, json_t **ret)
{
    sqlite3_stmt *statement = NULL;
    db->steps = 0;
    int r = sqlite3_prepare_v2(db->db, sql, -1, &statement, NULL);
    if (r != SQLITE_OK)
        return error_of(r);
    r = sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    if (r == SQLITE_OK)
        r = sqlite3_step(statement);
    *ret = NULL;
    if (r == SQLITE_ROW) {
        const char *text = sqlite3_column_blob(statement, 0); /* text or blob, as it was written */
        int n = sqlite3_column_bytes(statement, 0);
        if (text && n > 0)
            *ret = json_loadb(text, (size_t)n, 0, NULL);
    }
    sqlite3_finalize(statement);
    return r == SQLITE_ROW || r == SQLITE_DONE ? 0 : error_of(r);
}
