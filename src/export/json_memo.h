/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_JSON_MEMO_H
#define SKEP_EXPORT_JSON_MEMO_H
/*
 * What a line of JSON says of the acting process (the objects proc and container) is two thirds of its bytes, and
 * the same in every event of that process until it executes, renames itself, changes its ids or directory, or its
 * parent does something of the kind. The memo keeps it as text.
 *
 * A text is found by all that it was made from. What stands in the record's header is compared by value; the rest
 * by stamps, which their owners change with every change: of the process, its image and its parent (event/proc.h) and
 * of the cgroups (skep_event.places). Stamps are a table's own, so a memo serves the events of one pipeline.
 * Events of which something bears no stamp, or whose image is not complete yet, are not remembered.
 *
 * Of the rest of the line most numbers are those of the line before: the memo also keeps the last text of each member
 * that is a number, by its value.
 *
 * Memory is bounded: SKEP_JSON_MEMO_BYTES of text in a ring, where a new text takes the room of the oldest;
 * a member takes a hundred bytes. One thread.
 */
#include "event/event.h"

#define SKEP_JSON_MEMO_BYTES (512U << 10)
#define SKEP_JSON_MEMO_SLOTS 512

struct skep_json_memo;

struct skep_json_memo_key {
    uint64_t proc, image, parent, places; /* stamps */
    uint64_t start;
    uint64_t cgroup;
    uint64_t caps;
    uint32_t pid, tid;
    uint32_t exec_id;
    uint32_t uid, gid, euid, egid;
    uint32_t hash; /* of the rest */
    char comm[SKEP_COMM_LEN];
};
SKEP_STATIC_ASSERT(sizeof(struct skep_json_memo_key) == 104, "keys are compared as bytes");

#define SKEP_JSON_MEMBER_MAX 64
#define SKEP_JSON_MEMBER_NONE 0xff /* no type */

/* A member as it was written last: what it was made from, and its text with comma and name. */
struct skep_json_member {
    uint64_t number;
    uint8_t type; /* enum skep_type; NONE: nothing is remembered */
    bool known;   /* it was not null, and not left out */
    uint8_t len;
    char text[SKEP_JSON_MEMBER_MAX + 1]; /* as much can be read behind the comma */
};

int skep_json_memo_new(struct skep_json_memo **ret); /* -ENOMEM */
struct skep_json_memo *skep_json_memo_free(struct skep_json_memo *m);
SKEP_DEFINE_CLEANUP(struct skep_json_memo, skep_json_memo_free)

/* False: what is said of this event's process cannot be remembered. */
bool skep_json_memo_key(const struct skep_event *ev, struct skep_json_memo_key *ret);
/* The text, valid until the next add; NULL: not known. */
const char *skep_json_memo_find(const struct skep_json_memo *m, const struct skep_json_memo_key *key,
                                size_t *ret_len);
/* Texts that would take more than a small part of the memory are not kept. */
void skep_json_memo_add(struct skep_json_memo *m, const struct skep_json_memo_key *key, const char *s,
                        size_t len);
/* Those of a kind, as many as were asked for first; NULL: no memory. */
struct skep_json_member *skep_json_memo_members(struct skep_json_memo *m, unsigned kind, size_t n);
#endif
