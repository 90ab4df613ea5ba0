/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

#include <fcntl.h>
#include <sqlite3.h>

#include "../bolt_file.h"
#include "../state_root.h"

#define A "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define B "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d"
#define C "1d34ffeaf190be23d3de5a8de0a436676b758f48f835c3a2d4768b798c15a7f1"
#define STORAGE "/home/me/st"

static const struct bolt_node of_a[] = {
    BOLT_VALUE(
        "config",
        "{\"spec\":{},\"id\":\"" A "\",\"name\":\"web\",\"pod\":\"" B "\",\"rootfsImageID\":\"" C
        "\",\"rootfsImageName\":\"reg/app:2\",\"privileged\":true,\"labels\":{\"tier\":\"front\","
        "\"io.kubernetes.pod.namespace\":\"prod\"},\"healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl x\"]}}"),
    BOLT_VALUE("state", "{\"startedTime\":\"2023-11-14T22:13:20.000000007Z\",\"networkStatus\":{\"podman\":{"
                        "\"interfaces\":{\"eth0\":{\"subnets\":[{\"ipnet\":\"10.88.0.2/16\"}]}}}}}"),
};
static const struct bolt_node of_c[] = {
    BOLT_VALUE("config", "{\"id\":\"" C "\",\"name\":\"alone\",\"privileged\":false}"),
    BOLT_VALUE("state", "{\"startedTime\":\"0001-01-01T00:00:00Z\"}"),
};
static const struct bolt_node of_other[] = {BOLT_VALUE("config", "{\"id\":\"" A "\"}")};
static const struct bolt_node containers[] = {BOLT_BUCKET(A, of_a), BOLT_BUCKET(B, of_other),
                                              BOLT_BUCKET(C, of_c)};
static const struct bolt_node of_pod[] = {
    BOLT_VALUE("config", "{\"id\":\"" B "\",\"name\":\"shop\",\"labels\":{\"app\":\"shop\"}}"),
    BOLT_VALUE("state", "{}"),
};
static const struct bolt_node pods[] = {BOLT_BUCKET(B, of_pod)};
static const struct bolt_node top[] = {BOLT_BUCKET("ctr", containers), BOLT_BUCKET("pod", pods)};

struct fixture {
    char root[STATE_ROOT_MAX];
    int fd;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f || !state_root_make(f->root))
        return -1;
    f->fd = open(f->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    *state = f;
    return f->fd < 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close(f->fd);
    state_root_remove(f->root);
    free(f);
    return 0;
}

static void put_bolt(const struct fixture *f)
{
    struct bolt_file file = {.per_page = 4, .inside_max = 0};
    bolt_make(&file, top, ARRAY_SIZE(top));
    state_root_put(f->root, STORAGE "/libpod/bolt_state.db", file.s, file.pages * BOLT_PAGE);
    free(file.s);
}

static void run(sqlite3 *db, const char *sql, const char *id, const char *json)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    if (id)
        assert_int_equal(sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC), SQLITE_OK);
    if (json) /* podman writes it as a blob */
        assert_int_equal(sqlite3_bind_blob(statement, 2, json, (int)strlen(json), SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
}

static void put_row(sqlite3 *db, const char *table, const struct bolt_node *row, const char *key)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "INSERT INTO %s (ID, JSON) VALUES (?, ?)", table);
    for (size_t i = 0; i < row->n; i++)
        if (strcmp(row->below[i].key, key) == 0)
            run(db, sql, row->key, row->below[i].value);
}

static void save(const struct fixture *f, sqlite3 *db)
{
    sqlite3_int64 n;
    unsigned char *bytes = sqlite3_serialize(db, "main", &n, 0);
    assert_non_null(bytes);
    state_root_put(f->root, STORAGE "/db.sql", (const char *)bytes, (size_t)n);
    sqlite3_free(bytes);
    sqlite3_close(db);
}

static sqlite3 *make_sqlite(void)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    return db;
}

/* The same containers in the tables of podman 4.8 and newer. */
static void put_sqlite(const struct fixture *f)
{
    sqlite3 *db = make_sqlite();
    run(db,
        "CREATE TABLE ContainerConfig (ID TEXT PRIMARY KEY NOT NULL, Name TEXT, PodID TEXT, JSON TEXT NOT NULL)",
        NULL, NULL);
    run(db, "CREATE TABLE ContainerState (ID TEXT PRIMARY KEY NOT NULL, State INTEGER, JSON TEXT NOT NULL)",
        NULL, NULL);
    run(db, "CREATE TABLE PodConfig (ID TEXT PRIMARY KEY NOT NULL, Name TEXT, JSON TEXT NOT NULL)", NULL,
        NULL);
    for (size_t i = 0; i < ARRAY_SIZE(containers); i++) {
        put_row(db, "ContainerConfig", &containers[i], "config");
        put_row(db, "ContainerState", &containers[i], "state");
    }
    put_row(db, "PodConfig", &pods[0], "config");
    save(f, db);
}

static void check_all(const struct fixture *f)
{
    _cleanup_state_info_ struct skep_state_info info = {0};
    assert_int_equal(skep_libpod_find_in(f->fd, SKEP_STATE_NO_UID, STORAGE, A, &info), 1);
    assert_int_equal(info.runtime, SKEP_RUNTIME_PODMAN);
    assert_string_equal(info.name, "web");
    assert_string_equal(info.image, "reg/app:2");
    assert_string_equal(info.image_id, C);
    assert_string_equal(info.pod, "shop");
    assert_string_equal(info.pod_uid, B);
    assert_string_equal(info.namespace_, "prod");
    assert_string_equal(info.ip, "10.88.0.2");
    assert_int_equal(info.started, 1700000000000000007ULL);
    static const char labels[] = "tier=front\0io.kubernetes.pod.namespace=prod";
    assert_int_equal(info.labels.len, sizeof(labels));
    assert_memory_equal(info.labels.s, labels, sizeof(labels));
    assert_int_equal(info.pod_labels.len, strlen("app=shop") + 1);
    assert_string_equal(info.pod_labels.s, "app=shop");
    static const char check[] = "/bin/sh\0-c\0curl x";
    assert_int_equal(info.healthcheck.len, sizeof(check));
    assert_memory_equal(info.healthcheck.s, check, sizeof(check));
    assert_int_equal(info.traits, SKEP_CONTAINER_KNOWN_LABELS | SKEP_CONTAINER_KNOWN_HEALTHCHECK |
                                      SKEP_CONTAINER_KNOWN_PRIVILEGES | SKEP_CONTAINER_PRIVILEGED);
}

static void in_bolt(void **state)
{
    struct fixture *f = *state;
    put_bolt(f);
    check_all(f);
    _cleanup_state_info_ struct skep_state_info info = {0};
    assert_int_equal(skep_libpod_find_in(f->fd, SKEP_STATE_NO_UID, STORAGE, C, &info), 1);
    assert_string_equal(info.name, "alone");
    assert_null(info.pod);
    assert_null(info.healthcheck.s);
    assert_int_equal(info.started, 0);
    assert_int_equal(info.traits, SKEP_CONTAINER_KNOWN_LABELS | SKEP_CONTAINER_KNOWN_HEALTHCHECK |
                                      SKEP_CONTAINER_KNOWN_PRIVILEGES);
}

static void in_sqlite(void **state)
{
    struct fixture *f = *state;
    put_sqlite(f);
    check_all(f);
    /* after an upgrade: not in the one, but in the other */
    put_bolt(f);
    sqlite3 *db = make_sqlite();
    run(db, "CREATE TABLE ContainerConfig (ID TEXT PRIMARY KEY NOT NULL, JSON TEXT NOT NULL)", NULL, NULL);
    save(f, db);
    check_all(f);
}

/* A database of somebody who means ill: work without end, a view for a table, half of a file. */
static void hostile(void **state)
{
    struct fixture *f = *state;
    _cleanup_state_info_ struct skep_state_info info = {0};
    sqlite3 *db = make_sqlite();
    run(db, "CREATE TABLE ContainerConfig (ID TEXT, JSON TEXT AS (hex(zeroblob(20000000))) VIRTUAL)", NULL,
        NULL);
    run(db, "INSERT INTO ContainerConfig (ID) VALUES (?)", A, NULL);
    save(f, db);
    assert_int_equal(skep_libpod_find_in(f->fd, SKEP_STATE_NO_UID, STORAGE, A, &info), 0);
    db = make_sqlite();
    run(db, "CREATE TABLE t (ID TEXT)", NULL, NULL);
    run(db,
        "CREATE VIEW ContainerConfig AS WITH RECURSIVE c (ID) AS (SELECT 1 UNION ALL SELECT ID + 1 FROM c) SELECT ID, ID AS "
        "JSON FROM c",
        NULL, NULL);
    save(f, db);
    assert_int_equal(skep_libpod_find_in(f->fd, SKEP_STATE_NO_UID, STORAGE, A, &info), 0);
    put_sqlite(f);
    char path[256], half[6000];
    state_root_path(f->root, STORAGE "/db.sql", path, sizeof(path));
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
    ssize_t n = pread(fd, half, sizeof(half), 0);
    assert_int_equal(n, sizeof(half));
    assert_int_equal(ftruncate(fd, sizeof(half)), 0);
    assert_int_equal(skep_libpod_find_in(f->fd, SKEP_STATE_NO_UID, STORAGE, A, &info), 0);
    assert_int_equal(ftruncate(fd, 1 << 30), 0); /* more than is read */
    assert_int_equal(skep_libpod_find_in(f->fd, SKEP_STATE_NO_UID, STORAGE, A, &info), 0);
    assert_null(info.name);
}

static void nothing(void **state)
{
    struct fixture *f = *state;
    _cleanup_state_info_ struct skep_state_info info = {0};
    assert_int_equal(skep_libpod_find_in(f->fd, SKEP_STATE_NO_UID, STORAGE, A, &info), 0);
    put_bolt(f);
    /* whoever is not the owner is not believed, nor is a row that is of another container */
    assert_int_equal(skep_libpod_find_in(f->fd, getuid() + 1, STORAGE, A, &info), 0);
    assert_int_equal(skep_libpod_find_in(f->fd, getuid(), STORAGE, B, &info), 0);
    assert_int_equal(skep_libpod_find_in(f->fd, getuid(), STORAGE, "x", &info), 0);
    assert_null(info.name);
    state_root_put(f->root, STORAGE "/libpod/bolt_state.db", "no database", 11);
    assert_int_equal(skep_libpod_find_in(f->fd, SKEP_STATE_NO_UID, STORAGE, A, &info), 0);
    put_sqlite(f);
    assert_int_equal(skep_libpod_find_in(f->fd, getuid() + 1, STORAGE, A, &info), 0);
    assert_int_equal(skep_libpod_find_in(f->fd, getuid(), STORAGE, B, &info), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(in_bolt, setup, teardown),
        cmocka_unit_test_setup_teardown(in_sqlite, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
