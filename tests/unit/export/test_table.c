/* SPDX-License-Identifier: Apache-2.0 */
#include "export/table.h"

#include "../event/record.h"
#include "export/sort.h"

#include <time.h>

static int setup(void **state)
{
    setenv("TZ", "UTC", 1);
    tzset();
    *state = test_schema();
    return 0;
}

static int teardown(void **state)
{
    skep_schema_free(*state);
    return 0;
}

static struct skep_table *table(const struct skep_schema *s, unsigned kind, const char *columns,
                                unsigned width)
{
    bool kinds[SKEP_KIND_MAX] = {[0] = false};
    kinds[kind] = true;
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, "-o");
    struct skep_table *t = NULL;
    struct skep_table_options options = {.size = sizeof(options), .columns = columns, .width = width};
    int r = skep_table_new(s, kinds, &options, &d, &t);
    if (r < 0)
        fail_msg("%s", d.n ? d.list[0].message : "no memory");
    return t;
}

static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void test_columns(void **state)
{
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    SKEP_CLEANUP(skep_table_freep)
    struct skep_table *tab = table(*state, SKEP_KIND_connect, "time,pid,comm,remote,path,error", 0);
    test_connect(&t, *state);
    skep_table_put_header(tab, &sb);
    assert_string_equal(sb.s,
                        "TIME          PID      COMM             REMOTE                 PATH          ERROR");
    skep_strbuf_reset(&sb);
    skep_table_put_row(tab, &sb, &t.ev);
    assert_string_equal(
        sb.s, "22:13:21.500  4711     bash             93.184.216.34:443      -             ECONNREFUSED");
}

/* A terminal row is never wider than the terminal; in a pipe nothing is cut. */
static void test_widths(void **state)
{
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    struct skep_ev_open *o = test_open(&t, *state);
    char path[301];
    for (size_t i = 0; i < 300; i += 2)
        memcpy(path + i, "\xc3\xa4", 2);
    path[300] = '\0';
    o->path = test_text(&t, path);
    for (unsigned width = 1; width < 400; width++) {
        SKEP_CLEANUP(skep_table_freep)
        struct skep_table *tab = table(*state, SKEP_KIND_open, "pid,path,comm,raw_path", width);
        skep_strbuf_reset(&sb);
        skep_table_put_row(tab, &sb, &t.ev);
        assert_true(width_of(sb.s) <= width);
        for (size_t i = 0; i < sb.len;) {
            size_t len = skep_utf8_len((const uint8_t *)sb.s + i, sb.len - i);
            assert_true(len > 0); /* nothing is cut inside a character */
            i += len;
        }
        if (width < 150)
            assert_true(width < 10 || strstr(sb.s, "\xe2\x80\xa6") != NULL);
        skep_strbuf_reset(&sb);
        skep_table_put_header(tab, &sb);
        assert_true(width_of(sb.s) <= width);
    }
    SKEP_CLEANUP(skep_table_freep) struct skep_table *tab = table(*state, SKEP_KIND_open, "path,pid", 0);
    skep_strbuf_reset(&sb);
    skep_table_put_row(tab, &sb, &t.ev);
    assert_non_null(strstr(sb.s, path));
    assert_non_null(strstr(sb.s, "  4711"));
    /* as long as the column and the space behind it, and about as long */
    for (size_t n = 1; n < 40; n++) {
        char name[41] = "";
        memset(name, 'p', n);
        test_open(&t, *state)->path = test_text(&t, name);
        skep_strbuf_reset(&sb);
        skep_table_put_row(tab, &sb, &t.ev);
        assert_non_null(strstr(sb.s, "p "));
    }
}

static void test_default_columns(void **state)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    SKEP_CLEANUP(skep_table_freep) struct skep_table *open_table = table(*state, SKEP_KIND_open, NULL, 0);
    skep_table_put_header(open_table, &sb);
    assert_string_equal(sb.s,
                        "TIME          PID      COMM             PATH          FLAGS         CREATED  ERROR");
    struct skep_table_options options = {.size = sizeof(options)};
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, "-o");
    SKEP_CLEANUP(skep_table_freep) struct skep_table *all = NULL;
    assert_int_equal(skep_table_new(*state, NULL, &options, &d, &all), 0);
    skep_strbuf_reset(&sb);
    skep_table_put_header(all, &sb);
    assert_string_equal(sb.s, "TIME          KIND       PID      COMM             EVENT");
}

/* What we chose gives way on a narrow terminal, what the user chose does not. */
static void test_narrow(void **state)
{
    static const struct {
        unsigned width;
        const char *chosen, *asked;
    } rows[] = {
        {0, "PATH FLAGS CREATED ERROR", "PATH FLAGS ERROR"},
        {110, "PATH FLAGS CREATED ERROR", "PATH FLAGS ERROR"},
        {98, "PATH FLAGS ERROR", "PATH FLAGS ERROR"},
        {80, "PATH ERROR", "PATH FLAGS ERROR"},
        {52, "PATH", "PATH"},
    };
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    SKEP_CLEANUP(skep_table_freep) struct skep_table *chosen = table(*state, SKEP_KIND_open, NULL, 0);
    SKEP_CLEANUP(skep_table_freep)
    struct skep_table *asked = table(*state, SKEP_KIND_open, "time,pid,comm,path,flags,error", 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (int own = 0; own < 2; own++) {
            char words[256] = "";
            struct skep_table *t = own ? asked : chosen;
            skep_strbuf_reset(&sb);
            skep_table_set_width(t, rows[i].width);
            skep_table_put_header(t, &sb);
            for (char *save = NULL, *w = strtok_r(sb.s, " ", &save); w; w = strtok_r(NULL, " ", &save))
                if (!skep_streq(w, "TIME") && !skep_streq(w, "PID") && !skep_streq(w, "COMM"))
                    snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s", *words ? " " : "",
                             w);
            assert_string_equal(words, own ? rows[i].asked : rows[i].chosen);
        }
    }
}

/* What happened comes before when and who. */
static void test_narrowest(void **state)
{
    static struct test_record t;
    static const struct {
        unsigned width;
        const char *header, *row;
    } rows[] = {
        {40, "PID      COMM             PATH", "4711     bash             /etc/motd"},
        {30, "COMM             PATH", "bash             /etc/motd"},
        {20, "PATH", "/etc/motd"},
        {4, "PATH", "/et\xe2\x80\xa6"},
    };
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    SKEP_CLEANUP(skep_table_freep) struct skep_table *tab = table(*state, SKEP_KIND_open, NULL, 0);
    test_open(&t, *state)->path = test_text(&t, "/etc/motd");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        skep_table_set_width(tab, rows[i].width);
        skep_strbuf_reset(&sb);
        skep_table_put_header(tab, &sb);
        assert_string_equal(sb.s, rows[i].header);
        skep_strbuf_reset(&sb);
        skep_table_put_row(tab, &sb, &t.ev);
        assert_string_equal(sb.s, rows[i].row);
    }
}

/* The last column of events of several kinds is what their lines say. */
static void test_event_column(void **state)
{
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    SKEP_CLEANUP(skep_table_freep) struct skep_table *tab = table(*state, SKEP_KIND_connect, "pid,event", 0);
    test_connect(&t, *state);
    skep_table_put_row(tab, &sb, &t.ev);
    assert_string_equal(sb.s, "4711     tcp 10.0.0.7:40000 -> 93.184.216.34:443 = ECONNREFUSED");
}

static void test_bad_columns(void **state)
{
    static const char *const lists[] = {"pid,,comm", "pid,pathh", "", "remote", "pid,"};
    bool kinds[SKEP_KIND_MAX] = {[SKEP_KIND_open] = true};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        _cleanup_diags_ struct skep_diags d;
        skep_diags_init(&d, "-o");
        struct skep_table *t = NULL;
        struct skep_table_options options = {.size = sizeof(options), .columns = lists[i]};
        assert_int_equal(skep_table_new(*state, kinds, &options, &d, &t), -EINVAL);
        assert_null(t);
        assert_int_equal(d.n, 1);
        if (i == 1)
            assert_string_equal(d.list[0].hint, "did you mean `path`?");
    }
}

static void check_order(const struct skep_schema *s, const char *by, const char *expected)
{
    static const struct {
        uint32_t pid;
        const char *path;
    } events[] = {{10, "/b"}, {2, "/a"}, {33, NULL}, {4, "/b"}};
    static struct test_record t;
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, "--sort");
    SKEP_CLEANUP(skep_sort_freep) struct skep_sort *sort = NULL;
    assert_int_equal(skep_sort_new(s, NULL, by, &d, &sort), 0);
    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        struct skep_ev_open *o = test_open(&t, s);
        t.h.pid = events[i].pid;
        o->path = (struct skep_slice){0, 0};
        if (events[i].path)
            o->path = test_text(&t, events[i].path);
        char name = (char)('0' + i);
        assert_int_equal(skep_sort_add(sort, &t.ev, &name, 1), 0);
    }
    memset(&t, 0xaa, sizeof(t)); /* nothing is borrowed from events that are gone */
    skep_sort_finish(sort);
    char got[8] = "";
    size_t at = 0, n;
    for (const char *l; (l = skep_sort_next(sort, &at, &n));)
        strncat(got, l, n);
    assert_string_equal(got, expected);
}

static void test_sort(void **state)
{
    check_order(*state, "pid", "1302");
    check_order(*state, "pid,desc", "2031");
    check_order(*state, "path", "1032");
    check_order(*state, "path,desc", "0312"); /* what is missing stays last */
    check_order(*state, "path,asc", "1032");
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, "--sort");
    struct skep_sort *sort = NULL;
    assert_int_equal(skep_sort_new(*state, NULL, "pid,down", &d, &sort), -EINVAL);
    assert_int_equal(skep_sort_new(*state, NULL, "pidd", &d, &sort), -EINVAL);
    assert_int_equal(d.n, 2);
    assert_null(sort);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),         cmocka_unit_test(test_widths),
        cmocka_unit_test(test_default_columns), cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_narrowest),       cmocka_unit_test(test_event_column),
        cmocka_unit_test(test_bad_columns),     cmocka_unit_test(test_sort),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
