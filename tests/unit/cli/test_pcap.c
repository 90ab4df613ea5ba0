/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pcap.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A capture of two packets in either byte order. */
static size_t capture(uint8_t *to, uint32_t magic, bool swapped)
{
    const uint32_t words[] = {magic,      0x00040002, 0,  0, 65535, SKEP_PCAP_ETHERNET, 10, 20, 4, 9,
                              0x44332211, 11,         21, 0, 0};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        /* neither the packet nor the version is such a number */
        uint32_t word = swapped && i != 10 && i != 1 ? __builtin_bswap32(words[i]) : words[i];
        memcpy(to + i * sizeof(word), &word, sizeof(word));
    }
    return sizeof(words);
}

static void captures_are_read(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        uint8_t bytes[128];
        size_t n = capture(bytes, kind & 1 ? 0xa1b23c4dU : 0xa1b2c3d4U, kind & 2);
        struct skep_pcap p;
        struct skep_pcap_packet packet;
        assert_int_equal(skep_pcap_open(bytes, n, &p), 0);
        assert_int_equal(p.link, SKEP_PCAP_ETHERNET);
        assert_int_equal(skep_pcap_next(&p, &packet), 1);
        assert_int_equal(packet.seconds, 10);
        assert_int_equal(packet.fraction, 20);
        assert_int_equal(packet.size, 4);
        assert_int_equal(packet.original, 9);
        assert_memory_equal(packet.data, "\x11\x22\x33\x44", 4);
        assert_int_equal(skep_pcap_next(&p, &packet), 1);
        assert_int_equal(packet.size, 0);
        assert_int_equal(skep_pcap_next(&p, &packet), 0);
    }
}

static void bad_captures_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[128];
    size_t n = capture(bytes, 0xa1b2c3d4U, false);
    struct skep_pcap p;
    struct skep_pcap_packet packet;
    /* cut off anywhere: never more packets than there are, and an error unless it is between two */
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        int r = skep_pcap_open(copy, cut, &p);
        assert_int_equal(r, cut < 24 ? -EINVAL : 0);
        int packets = 0;
        while (r == 0 && (r = skep_pcap_next(&p, &packet)) > 0) {
            packets++;
            r = 0;
        }
        assert_true(packets <= 1);
        assert_int_equal(r, cut == 24 || cut == 44 ? 0 : -EINVAL);
        free(copy);
    }
    bytes[0] ^= 1;
    assert_int_equal(skep_pcap_open(bytes, n, &p), -EINVAL);
    bytes[0] ^= 1;
    /* longer than the file */
    bytes[24 + 8 + 3] = 0xff;
    assert_int_equal(skep_pcap_open(bytes, n, &p), 0);
    assert_int_equal(skep_pcap_next(&p, &packet), -EINVAL);
}

static void captures_are_written(void **state)
{
    (void)state;
    uint8_t bytes[128];
    size_t n = capture(bytes, 0xa1b23c4dU, true);
    struct skep_pcap p, again;
    struct skep_pcap_packet packet, got;
    assert_int_equal(skep_pcap_open(bytes, n, &p), 0);
    assert_int_equal(skep_pcap_next(&p, &packet), 1);
    struct skep_strbuf sb;
    skep_strbuf_init(&sb, 4096);
    skep_pcap_put_header(&p, &sb);
    skep_pcap_put_packet(&packet, "abcdef", 6, &sb);
    assert_int_equal(skep_pcap_open(sb.s, sb.len, &again), 0);
    assert_int_equal(again.magic, p.magic);
    assert_int_equal(skep_pcap_next(&again, &got), 1);
    assert_int_equal(got.seconds, 10);
    assert_int_equal(got.fraction, 20);
    assert_int_equal(got.size, 6);
    assert_int_equal(got.original, 11);
    assert_memory_equal(got.data, "abcdef", 6);
    assert_int_equal(skep_pcap_next(&again, &got), 0);
    skep_strbuf_clear(&sb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_are_read),
        cmocka_unit_test(bad_captures_are_refused),
        cmocka_unit_test(captures_are_written),
    };
    return cmocka_run_group_tests_name("cli/pcap", tests, NULL, NULL);
}
