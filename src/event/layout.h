/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_LAYOUT_H
#define SKEP_EVENT_LAYOUT_H
/*
 * Where every member of every kind's record lies: the header, the hidden members and the padding as well. (The
 * schema, event/schema.h, is what people see of it.) A recording carries the layouts of the skep that wrote
 * it, so that any later one, and any other program, can read it.
 *
 * There are two sources: the BTF of this build's BPF object, which is trusted, and the JSON in the head of a
 * recording, which is not. Both give the same tables:
 *
 *     {"header": {"size": 112, "members": [{"name": "len", "type": "u32", "offset": 0}, ...]},
 *      "kinds": [{"number": 16, "name": "open", "group": "file", "doc": "...", "size": 184,
 *                 "members": [{"name": "path", "type": "slice", "meaning": "text", "offset": 112}, ...]}]}
 *
 * Members of nested structs have dotted names (remote.ip). Types are u8 to u64, s8 to s64, slice, and bytes,
 * which has a "size" beside its offset. A kind's members stand behind the header, which begins every record.
 *
 * Layouts are immutable after they were made; any thread may read them.
 */
#include "abi/config.h"
#include "base/json.h"

#define SKEP_LAYOUT_MEMBERS_MAX 256 /* of one kind */

struct json_t; /* jansson */

enum skep_member_type {
    SKEP_MEMBER_UINT,
    SKEP_MEMBER_SINT,
    SKEP_MEMBER_BYTES,
    SKEP_MEMBER_SLICE, /* struct skep_slice */
};

struct skep_member {
    char *name;    /* dotted */
    char *meaning; /* name of the skep_ typedef without skep_; NULL: none */
    enum skep_member_type type;
    uint32_t off; /* in the record */
    uint32_t size;
};

struct skep_layout {
    uint16_t number;
    char *name; /* NULL: there is no such kind */
    uint32_t size;
    struct skep_member *members;
    size_t n_members;
};

struct skep_layouts {
    struct skep_layout header;
    struct skep_layout kinds[SKEP_KIND_MAX]; /* by number */
};

/* From the .BTF section of the BPF object: the kinds of abi/events.def whose struct it has. -EBADMSG: there is
 * none, or a struct holds what a record must not (a pointer, a bit field, a union). */
int skep_layouts_new_btf(const void *btf, size_t size, struct skep_layouts **ret);
/* From the parsed JSON form. Kinds with numbers of SKEP_KIND_MAX and more are left out. -EBADMSG. */
int skep_layouts_new_json(const struct json_t *json, struct skep_layouts **ret);
struct skep_layouts *skep_layouts_free(struct skep_layouts *l);
SKEP_DEFINE_CLEANUP(struct skep_layouts, skep_layouts_free)
#define _cleanup_layouts_ SKEP_CLEANUP(skep_layouts_freep)

/* NULL: no such kind. */
const struct skep_layout *skep_layouts_kind(const struct skep_layouts *l, unsigned number);
const struct skep_member *skep_layout_find(const struct skep_layout *l, const char *name);
bool skep_layout_equal(const struct skep_layout *a, const struct skep_layout *b);
/* Writes the members "header" and "kinds" into an object that is open. */
void skep_layouts_put_json(const struct skep_layouts *l, struct skep_json *j);
#endif
