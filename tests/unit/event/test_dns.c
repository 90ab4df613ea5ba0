/* SPDX-License-Identifier: Apache-2.0 */
#include "event/dns.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1
#define QUESTION_A "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"
/* a response with one question, and n answers to follow */
#define RESPONSE(n) "\x12\x34\x81\x80\0\1\0" n "\0\0\0\0\7example\3com\0\0\1\0\1"
#define TTL "\0\0\1\x2c"

static const struct {
    const char *what;
    const uint8_t *bytes;
    size_t n;
    int r;
    bool is_response, truncated;
    unsigned rcode, qtype;
    const char *question;
    const char *answers; /* joined by | */
} messages[] = {
    {"a question", BYTES(QUESTION_A), 0, false, false, 0, 1, "example.com", ""},
    {"answers A and AAAA, names compressed",
     BYTES(RESPONSE("\2") "\xc0\x0c\0\1\0\1" TTL "\0\4\x5d\xb8\xd8\x22"
                          "\xc0\x0c\0\x1c\0\1" TTL
                          "\0\x10\x26\x06\x28\0\2\x20\0\1\2\x48\x18\x93\x25\xc8\x19\x46"),
     0, true, false, 0, 1, "example.com", "93.184.216.34|2606:2800:220:1:248:1893:25c8:1946"},
    {"CNAME into the question's name", BYTES(RESPONSE("\1") "\xc0\x0c\0\5\0\1" TTL "\0\6\3www\xc0\x0c"), 0,
     true, false, 0, 1, "example.com", "www.example.com"},
    {"MX, SRV, TXT of two strings, HTTPS, an unknown type",
     BYTES(RESPONSE("\5") "\xc0\x0c\0\x0f\0\1" TTL "\0\7\0\x0a\2mx\xc0\x0c"
                          "\xc0\x0c\0\x21\0\1" TTL "\0\x0b\0\1\0\2\x01\xbb\2s1\xc0\x0c"
                          "\xc0\x0c\0\x10\0\1" TTL "\0\x08\3a\"b\3c\\d"
                          "\xc0\x0c\0\x41\0\1" TTL "\0\3\0\1\0"
                          "\xc0\x0c\1\1\0\1" TTL "\0\1x"),
     0, true, false, 0, 1, "example.com", "mx.example.com|s1.example.com|\"a\\\"bc\\\\d\"|.|TYPE257"},
    {"NXDOMAIN", BYTES("\0\7\x81\x83\0\1\0\0\0\0\0\0\4nope\0\0\x1c\0\1"), 0, true, false, 3, 28, "nope", ""},
    {"the root", BYTES("\0\7\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1"), 0, false, false, 0, 2, ".", ""},
    {"EDNS options are not an answer",
     BYTES("\0\7\1\0\0\1\0\1\0\0\0\0\1x\0\0\1\0\1"
           "\0\0\x29\x10\0\0\0\0\0\0\0"),
     0, false, false, 0, 1, "x", ""},
    {"odd bytes in a label",
     BYTES("\0\7\1\0\0\1\0\0\0\0\0\0\6"
           "a.\n\\\xff "
           "\0\0\1\0\1"),
     0, false, false, 0, 1, "a\\.\\010\\\\\\255 ", ""},
    {"an announcement without a question",
     BYTES("\0\0\x84\0\0\0\0\1\0\0\0\0\4host\5local\0\0\1\x80\1" TTL "\0\4\x0a\0\0\1"), 0, true, false, 0, 0,
     "host.local", "10.0.0.1"},
    {"cut behind the first of two answers",
     BYTES(RESPONSE("\2") "\xc0\x0c\0\1\0\1" TTL "\0\4\1\2\3\4"
                          "\xc0\x0c\0\1\0\1" TTL "\0\4\1\2"),
     0, true, true, 0, 1, "example.com", "1.2.3.4"},
    {"answers promised and not there", BYTES(RESPONSE("\xff")), 0, true, true, 0, 1, "example.com", ""},
    {"TC bit", BYTES("\0\7\x83\x80\0\1\0\0\0\0\0\0\1x\0\0\1\0\1"), 0, true, true, 0, 1, "x", ""},
    {"an address of the wrong size", BYTES(RESPONSE("\1") "\xc0\x0c\0\1\0\1" TTL "\0\3\1\2\3"), 0, true,
     false, 0, 1, "example.com", "TYPE1"},
    {"nothing", BYTES(""), .r = -EBADMSG},
    {"a header cut short", BYTES("\0\7\1\0\0\1\0\0\0\0\0"), .r = -EBADMSG},
    {"neither question nor answer", BYTES("\0\7\1\0\0\0\0\0\0\0\0\0"), .r = -EBADMSG},
    {"the question's type is missing", BYTES("\0\7\1\0\0\1\0\0\0\0\0\0\1x\0\0\1\0"), .r = -EBADMSG},
    {"a pointer to itself", BYTES("\0\7\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"), .r = -EBADMSG},
    {"a pointer forwards", BYTES("\0\7\1\0\0\1\0\0\0\0\0\0\xc0\x0e\0\0\0\0\1\0\1"), .r = -EBADMSG},
    {"a label with a pointer back to it: a loop", BYTES("\0\7\1\0\0\1\0\0\0\0\0\0\1a\xc0\x0c\0\1\0\1"),
     .r = -EBADMSG},
    {"a pointer cut in half", BYTES("\0\7\1\0\0\1\0\0\0\0\0\0\xc0"), .r = -EBADMSG},
    {"a label longer than the message",
     BYTES("\0\7\1\0\0\1\0\0\0\0\0\0\x3f"
           "abc"),
     .r = -EBADMSG},
    {"a reserved kind of label",
     BYTES("\0\7\1\0\0\1\0\0\0\0\0\0\x41"
           "a\0\0\1\0\1"),
     .r = -EBADMSG},
    {"a CNAME that loops ends the list",
     BYTES(RESPONSE("\2") "\xc0\x0c\0\5\0\1" TTL "\0\2\xc0\x29"
                          "\xc0\x0c\0\1\0\1" TTL "\0\4\1\2\3\4"),
     0, true, true, 0, 1, "example.com", ""},
};

static void check_answers(const struct skep_dns *d, const char *want, const char *what)
{
    char joined[SKEP_DNS_ANSWERS_MAX + 1] = "";
    unsigned n = 0;
    assert_true(d->answers_len <= sizeof(d->answers));
    for (size_t i = 0; i < d->answers_len; i++) {
        n += d->answers[i] == '\0';
        joined[i] = d->answers[i] ? d->answers[i] : '|';
    }
    joined[d->answers_len ? d->answers_len - 1 : 0] = '\0';
    if (!skep_streq(joined, want))
        fail_msg("%s: answers %s", what, joined);
    assert_int_equal(n, d->n_answers);
}

/* A copy of exactly that size, so that a read behind the end is seen. */
static int parse(const uint8_t *bytes, size_t n, struct skep_dns *ret)
{
    _cleanup_free_ uint8_t *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    memset(ret, 0xa5, sizeof(*ret));
    return skep_dns_parse(copy, n, ret);
}

static void test_messages(void **state)
{
    struct skep_dns d;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        int r = parse(messages[i].bytes, messages[i].n, &d);
        if (r != messages[i].r)
            fail_msg("%s: %d", messages[i].what, r);
        if (r < 0)
            continue;
        if (!skep_streq(d.question, messages[i].question) || d.truncated != messages[i].truncated)
            fail_msg("%s: question %s, truncated %d", messages[i].what, d.question, d.truncated);
        assert_int_equal(d.is_response, messages[i].is_response);
        assert_int_equal(d.rcode, messages[i].rcode);
        assert_int_equal(d.qtype, messages[i].qtype);
        check_answers(&d, messages[i].answers, messages[i].what);
    }
}

static void test_every_prefix(void **state)
{
    struct skep_dns d;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        for (size_t n = 0; n < messages[i].n; n++) {
            int r = parse(messages[i].bytes, n, &d);
            assert_true(r == 0 || r == -EBADMSG);
            if (r == 0)
                assert_true(d.question[0] != '\0');
        }
    }
}

/* The longest name there may be, each byte written as four characters, fits; one byte more is refused. */
static void test_longest_name(void **state)
{
    uint8_t m[400] = {0, 1, 1, 0, 0, 1};
    struct skep_dns d;
    size_t at = 12;
    (void)state;
    static const uint8_t labels[] = {63, 63, 63, 61};
    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        m[at++] = labels[i];
        memset(m + at, 0xff, labels[i]);
        at += labels[i];
    }
    m[at] = 0;
    m[at + 2] = m[at + 4] = 1;
    assert_int_equal(parse(m, at + 5, &d), 0);
    assert_int_equal(strlen(d.question), (63 * 3 + 61) * 4 + 3);

    m[12 + 3 * 64] = 62;
    m[at] = 0xff;
    m[at + 1] = 0;
    assert_int_equal(parse(m, at + 6, &d), -EBADMSG);
}

/* More answers than the list holds: what fits is whole. */
static void test_many_answers(void **state)
{
    uint8_t m[12 + 7 + 600 * 28] = {0, 1, 0x81, 0x80, 0, 1, 600 >> 8, 600 & 0xff, 0, 0,
                                    0, 0, 1,    'x',  0, 0, 28,       0,          1};
    static const uint8_t answer[12] = {0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 0, 0, 16};
    struct skep_dns d;
    (void)state;
    for (size_t i = 0; i < 600; i++) {
        memcpy(m + 19 + i * 28, answer, sizeof(answer));
        memset(m + 19 + i * 28 + 12, 0x11, 16);
    }
    assert_int_equal(parse(m, sizeof(m), &d), 0);
    assert_true(d.truncated);
    assert_int_equal(d.n_answers, SKEP_DNS_ANSWERS_MAX / sizeof("1111:1111:1111:1111:1111:1111:1111:1111"));
    assert_int_equal(d.answers_len, d.n_answers * sizeof("1111:1111:1111:1111:1111:1111:1111:1111"));
}

/* A text that is longer written than the room for one answer is cut, and marked so. */
static void test_long_text(void **state)
{
    uint8_t m[12 + 7 + 12 + 1024] = {0,  1, 0x81, 0x80, 0,  1, 0,  1, 0, 0, 0, 0, 1, 'x', 0, 0,
                                     16, 0, 1,    0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 4,   0};
    struct skep_dns d;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        m[31 + i * 256] = 255;
        memset(m + 32 + i * 256, 1, 255);
    }
    assert_int_equal(parse(m, sizeof(m), &d), 0);
    assert_true(d.truncated);
    assert_int_equal(d.n_answers, 1);
    assert_true(d.answers_len > 1000 && d.answers_len <= SKEP_DNS_NAME_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),     cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_longest_name), cmocka_unit_test(test_many_answers),
        cmocka_unit_test(test_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
