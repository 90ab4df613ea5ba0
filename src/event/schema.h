/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_SCHEMA_H
#define SKEP_EVENT_SCHEMA_H
/*
 * What the kinds of event and their fields are called, mean and look like, derived from one description: the
 * rows of abi/events.def, the structs of abi/event.h as the BPF compiler saw them (their BTF, embedded in
 * the program), and the meanings in event/types.def. JSON, text, columns, --where, the reference and the
 * recording's head are all walks over these tables; none of them knows a kind by name.
 *
 * Fields have dotted names. Three families:
 *   - of every event: kind, time, seq, ring, cpu, ret, error, syscall (skep_common_fields)
 *   - of its process and container: proc.pid, proc.exe, proc.parent.comm, container.id, ...
 *   - of the kind: from its struct; a nested struct gives remote.ip and remote.port; some meanings give
 *     several (skep_dnsmsg: question, qtype, id, rcode, answers).
 * skep_field_find() also takes short names: pid for proc.pid, image for container.image.
 *
 * A schema is immutable after it was made; any thread may read it.
 */
#include "event/event.h"
#include "event/value.h"

enum skep_ring_id { SKEP_RING_LIFE, SKEP_RING_DATA };
enum skep_show { SKEP_SHOW_SHOWN, SKEP_SHOW_QUIET, SKEP_SHOW_HIDDEN };

struct skep_field {
    const char *name; /* dotted */
    const char *doc;
    enum skep_type type;
    uint32_t off; /* in the record */
    uint32_t size;
    uint32_t beside; /* offset of a second member that the value depends on; 0: none */
    bool optional;   /* JSON leaves it out when it is missing, instead of writing null */
    /* Computes the value where it is not simply in the record; false: missing. */
    bool (*get)(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret);
};

struct skep_kind {
    uint16_t number;
    const char *name;
    const char *group;
    const char *text; /* template of the readable line, see events.def */
    const char *doc;
    enum skep_ring_id ring;
    enum skep_show show;
    uint32_t size;                   /* of the fixed part, header included */
    const struct skep_field *fields; /* leaves, in the order of the struct */
    size_t n_fields;
    const uint32_t *slices; /* offsets of every struct skep_slice in the fixed part, also hidden ones */
    size_t n_slices;
    uint32_t path_source; /* offset of the member of that name; 0: it has none */
};

struct skep_schema;

/* btf: the .BTF section of the embedded BPF object, or of a recording's head: it need not be trusted. Kinds
 * whose struct it lacks are not in the schema; what is there is checked. -EBADMSG, -ENOMEM. */
int skep_schema_new(const void *btf, size_t btf_size, struct skep_schema **ret);
struct skep_schema *skep_schema_free(struct skep_schema *s);
SKEP_DEFINE_CLEANUP(struct skep_schema, skep_schema_free)
#define _cleanup_schema_ SKEP_CLEANUP(skep_schema_freep)

const struct skep_kind *skep_schema_kind(const struct skep_schema *s, unsigned number); /* NULL: unknown */
const struct skep_kind *skep_schema_kind_by_name(const struct skep_schema *s, const char *name);
/* Adds the kinds that a comma-separated list names to set: kinds, groups (life, file, ...), system calls
 * (openat), all. On failure -ENOENT and the offending word in ret_word (borrowed from list) with its length. */
int skep_schema_kinds_parse(const struct skep_schema *s, const char *list, bool set[SKEP_KIND_MAX],
                            const char **ret_word, size_t *ret_len);
/* Nearest known name to a misspelt word, for hints; NULL: nothing near. */
const char *skep_schema_nearest_kind(const struct skep_schema *s, const char *word, size_t len);

/* Fields of every event (common, proc.*, container.*), NULL-name terminated. */
const struct skep_field *skep_common_fields(void);
/* By full or short name; kind may be NULL (then the first kind that has such a field). */
const struct skep_field *skep_field_find(const struct skep_schema *s, const struct skep_kind *kind,
                                         const char *name, size_t len);
/* Nearest field name to a misspelt one, among the common fields and those of the kinds in set (NULL: all). */
const char *skep_field_nearest(const struct skep_schema *s, const bool set[SKEP_KIND_MAX], const char *name,
                               size_t len);
/* The value in an event; false: missing. Values borrow from the event. */
bool skep_field_get(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret);

/* What a name on a column or in a line stands for: one field, or an address and its port written as one
 * (remote: 10.0.0.1:443, [::1]:443). */
struct skep_item {
    const struct skep_field *field; /* NULL: the kind has no such field */
    const struct skep_field *port;  /* NULL: a single field */
};
bool skep_item_find(const struct skep_schema *s, const struct skep_kind *kind, const char *name, size_t len,
                    struct skep_item *ret);
/* Appends the readable form; false and nothing appended: missing. */
bool skep_item_put(struct skep_strbuf *sb, const struct skep_item *item, const struct skep_event *ev);
#endif
