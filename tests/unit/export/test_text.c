/* SPDX-License-Identifier: Apache-2.0 */
#include "export/text.h"

#include "../event/record.h"

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

static void line(const struct skep_schema *s, const struct test_record *t, bool colour,
                 struct skep_strbuf *sb)
{
    SKEP_CLEANUP(skep_text_writer_freep) struct skep_text_writer *w = NULL;
    assert_int_equal(skep_text_writer_new(s, colour, &w), 0);
    skep_strbuf_reset(sb);
    skep_text_writer_put(w, sb, &t->ev);
}

static void test_lines(void **state)
{
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);

    struct skep_ev_open *o = test_open(&t, *state);
    line(*state, &t, false, &sb);
    assert_string_equal(
        sb.s, "22:13:21.500 open     bash[4711] uid=1000 /etc/passwd O_RDWR|O_CREAT|O_CLOEXEC created=true");
    o->created = 0;
    o->path = (struct skep_slice){0, 0};
    test_ret(&t, -13);
    t.h.flags |= SKEP_HDR_TRUNCATED;
    line(*state, &t, false, &sb);
    assert_string_equal(
        sb.s, "22:13:21.500 open     bash[4711] uid=1000 - O_RDWR|O_CREAT|O_CLOEXEC = EACCES (truncated)");

    struct skep_ev_connect *c = test_connect(&t, *state);
    test_process(&t);
    line(*state, &t, false, &sb);
    assert_string_equal(sb.s, "22:13:21.500 connect  bash[4711] uid=1000 container=web tcp 10.0.0.7:40000 -> "
                              "93.184.216.34:443 = ECONNREFUSED");
    t.container.name = NULL;
    c->family = AF_UNIX;
    c->proto = 0;
    c->local.family = c->remote.family = 0;
    c->path = test_text(&t, "/run/x.sock");
    test_ret(&t, 0);
    line(*state, &t, false, &sb);
    assert_string_equal(sb.s,
                        "22:13:21.500 connect  bash[4711] uid=1000 container=0123456789ab unix /run/x.sock");

    struct skep_ev_exit *e = test_begin(&t, *state, SKEP_KIND_exit);
    e->code = 1;
    e->duration = 2500000;
    line(*state, &t, false, &sb);
    assert_string_equal(sb.s, "22:13:21.500 exit     bash[4711] uid=1000 code=1 after 2.50ms");

    test_begin(&t, *state, SKEP_KIND_tcp);
    t.h.flags |= SKEP_HDR_NO_TASK;
    line(*state, &t, false, &sb);
    assert_non_null(strstr(sb.s, "tcp      - "));
}

/* Names that want to steer the terminal, or to look like another line, do not get there. */
static void test_hostile_names(void **state)
{
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    struct skep_ev_open *o = test_open(&t, *state);
    test_process(&t);
    o->path = test_text(&t, "/tmp/\x1b[2J\n12:00:00.000 exec\r\x9b\xc2\x9b");
    memcpy(t.h.comm, "\x1b]0;x\x07\n", 8);
    t.container.name = (char *)"\x1b[31m";
    line(*state, &t, false, &sb);
    for (size_t i = 0; i < sb.len; i++)
        assert_true((unsigned char)sb.s[i] >= 0x20 && sb.s[i] != 0x7f);
    assert_null(strstr(sb.s, "\xc2\x9b"));
    line(*state, &t, true, &sb);
    assert_null(strchr(sb.s, '\n'));
    assert_null(strstr(sb.s, "\x1b[2J"));
}

/* Every template compiles; with colour and without a line says the same. */
static void test_every_kind(void **state)
{
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf plain, coloured, stripped;
    skep_strbuf_init(&plain, 65536);
    skep_strbuf_init(&coloured, 65536);
    skep_strbuf_init(&stripped, 65536);
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        if (!skep_schema_kind(*state, k))
            continue;
        test_begin(&t, *state, k);
        test_process(&t);
        test_ret(&t, -1);
        line(*state, &t, false, &plain);
        line(*state, &t, true, &coloured);
        assert_true(coloured.len > plain.len);
        assert_non_null(strstr(plain.s, " bash["));
        assert_null(strchr(plain.s, '%'));
        skep_strbuf_reset(&stripped);
        for (size_t i = 0; i < coloured.len; i++) {
            if (coloured.s[i] == '\033')
                while (coloured.s[i] != 'm')
                    i++;
            else
                skep_strbuf_putc(&stripped, coloured.s[i]);
        }
        assert_string_equal(stripped.s, plain.s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_every_kind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
