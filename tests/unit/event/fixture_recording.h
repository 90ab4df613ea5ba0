/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_FIXTURE_RECORDING_H
#define SKEP_TEST_FIXTURE_RECORDING_H
/*
 * Layouts and records for the tests of recordings: this build's header, and two kinds made up here.
 */
#include "abi/event.h"
#include "event/layout.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FIXTURE_HEADER                                                                                       \
    "\"header\":{\"size\":112,\"members\":[{\"name\":\"len\",\"type\":\"u32\",\"offset\":0},"                \
    "{\"name\":\"kind\",\"type\":\"u16\",\"offset\":4},{\"name\":\"flags\",\"type\":\"u16\",\"offset\":6},"  \
    "{\"name\":\"seq\",\"type\":\"u64\",\"offset\":8},{\"name\":\"time\",\"type\":\"u64\",\"offset\":16},"   \
    "{\"name\":\"pid\",\"type\":\"u32\",\"offset\":32},{\"name\":\"ret\",\"type\":\"s64\",\"offset\":48},"   \
    "{\"name\":\"comm\",\"type\":\"bytes\",\"offset\":96,\"size\":16}]}"

#define FIXTURE_KIND_A 16
#define FIXTURE_KIND_B 17
struct fixture_a {
    struct skep_hdr h;
    struct skep_slice path;
    __u64 inode;
};
#define FIXTURE_A                                                                                            \
    "{\"number\":16,\"name\":\"a\",\"size\":128,\"members\":[{\"name\":\"path\",\"type\":\"slice\","         \
    "\"meaning\":\"text\",\"offset\":112},{\"name\":\"inode\",\"type\":\"u64\",\"offset\":120}]}"
#define FIXTURE_B                                                                                            \
    "{\"number\":17,\"name\":\"b\",\"size\":120,\"members\":[{\"name\":\"code\",\"type\":\"u32\","           \
    "\"offset\":112}]}"

#define FIXTURE_LAYOUTS "{" FIXTURE_HEADER ",\"kinds\":[" FIXTURE_A "," FIXTURE_B "]}"

static inline struct skep_layouts *fixture_layouts(const char *text)
{
    struct skep_layouts *l = NULL;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_int_equal(skep_layouts_new_json(json, &l), 0);
    json_decref(json);
    return l;
}

struct fixture_record {
    union {
        struct skep_hdr h;
        struct fixture_a a;
        char bytes[4096];
    };
};

/* A record of kind a whose path has n bytes, all derived from seq. */
static inline const struct skep_hdr *fixture_record(struct fixture_record *rec, uint64_t seq, uint32_t n)
{
    memset(rec, 0, sizeof(*rec));
    rec->a = (struct fixture_a){
        .h = {.len = (uint32_t)ROUND_UP(sizeof(rec->a) + n, 8),
              .kind = FIXTURE_KIND_A,
              .seq = seq,
              .time = 1000 + seq,
              .pid = (uint32_t)seq * 7,
              .ret = -(int64_t)seq,
              .comm = "fixture"},
        .path = {sizeof(rec->a), n},
        .inode = seq << 32,
    };
    for (uint32_t i = 0; i < n; i++)
        rec->bytes[sizeof(rec->a) + i] = (char)('a' + (seq * 31 + i * 17) % 26);
    return &rec->h;
}
#endif
