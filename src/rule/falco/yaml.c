/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/falco/yaml.h"

#include <strings.h>
#include <yaml.h>

#include "base/array.h"
#include "base/textmap.h"

/* A collection that is not complete yet. */
struct level {
    struct skep_yaml *node;
    const char *anchor; /* NULL: none */
    size_t anchor_len;
    const struct skep_yaml **items;
    size_t n, room;
};

struct reader {
    struct skep_arena *arena;
    const struct skep_rule_file *file;
    struct skep_diags *diags;
    struct skep_textmap anchors;                  /* of this document */
    struct level levels[SKEP_YAML_DEPTH_MAX + 1]; /* [0] holds the documents */
    size_t depth;
    size_t skipped; /* bytes of a byte order mark */
    /* libyaml counts characters; this one stands at byte `byte`. */
    size_t character, byte;
};

/* The byte of the file at a mark of libyaml. Marks mostly go forward, so counting goes on where it stopped. */
static size_t byte_at(struct reader *rd, size_t character)
{
    if (character < rd->character) {
        rd->character = 0;
        rd->byte = rd->skipped;
    }
    while (rd->character < character && rd->byte < rd->file->len) {
        size_t n = 1;
        while (rd->byte + n < rd->file->len && ((unsigned char)rd->file->text[rd->byte + n] & 0xc0) == 0x80)
            n++;
        rd->byte += n;
        rd->character++;
    }
    return MIN(rd->byte, rd->file->len);
}

static int fail_at(struct reader *rd, size_t byte, const char *fmt, ...) SKEP_PRINTF(3, 4);
static int fail_at(struct reader *rd, size_t byte, const char *fmt, ...)
{
    struct skep_rule_source source = {.file = rd->file, .text = "", .at = byte};
    struct skep_rule_place place = {.source = &source, .len = 1};
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    skep_rule_complain(rd->diags, true, &place, "LOAD_ERR_YAML_PARSE", "%s", text);
    return -EINVAL;
}

static int add(struct reader *rd, const struct skep_yaml *node)
{
    struct level *l = &rd->levels[rd->depth];
    if (SKEP_ARRAY_RESERVE(l->items, l->n, 1, l->room) < 0)
        return -ENOMEM;
    l->items[l->n++] = node;
    return 0;
}

static struct skep_yaml *make(struct reader *rd, enum skep_yaml_kind kind, size_t at)
{
    struct skep_yaml *y = skep_arena_alloc(rd->arena, sizeof(*y));
    if (y)
        *y = (struct skep_yaml){.kind = kind, .source = {.file = rd->file, .text = "", .at = at}};
    return y;
}

static int set_anchor(struct reader *rd, const char *anchor, size_t len, struct skep_yaml *node)
{
    return anchor ? skep_textmap_put(&rd->anchors, anchor, len, node) : 0;
}

/* Where the text of a block scalar begins: on the line behind its header. */
static size_t behind_header(const struct reader *rd, size_t at)
{
    const char *eol = memchr(rd->file->text + at, '\n', rd->file->len - at);
    return eol ? (size_t)(eol + 1 - rd->file->text) : rd->file->len;
}

static int on_scalar(struct reader *rd, const yaml_event_t *e)
{
    size_t at = byte_at(rd, e->start_mark.index), len = e->data.scalar.length;
    if (memchr(e->data.scalar.value, 0, len))
        return fail_at(rd, at, "a text must not have a NUL in it");
    struct skep_yaml *y = make(rd, SKEP_YAML_SCALAR, at);
    if (!y)
        return -ENOMEM;
    switch (e->data.scalar.style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        y->source.at++;
        y->source.quoted = true;
        break;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
        y->source.at = behind_header(rd, at);
        break;
    default:
        y->plain = true;
    }
    y->source.text = skep_arena_text(rd->arena, e->data.scalar.value, len);
    y->source.len = len;
    if (!y->source.text)
        return -ENOMEM;
    int r = add(rd, y);
    const char *anchor = (const char *)e->data.scalar.anchor;
    if (r < 0 || !anchor)
        return r;
    anchor = skep_arena_text(rd->arena, anchor, strlen(anchor));
    return anchor ? set_anchor(rd, anchor, strlen(anchor), y) : -ENOMEM;
}

static int open_level(struct reader *rd, enum skep_yaml_kind kind, size_t at, const char *anchor)
{
    if (rd->depth == SKEP_YAML_DEPTH_MAX)
        return fail_at(rd, at, "the file is nested too deeply (more than %d)", SKEP_YAML_DEPTH_MAX);
    struct level *l = &rd->levels[rd->depth + 1];
    free(l->items);
    *l = (struct level){.node = make(rd, kind, at)};
    if (!l->node)
        return -ENOMEM;
    if (anchor) {
        l->anchor_len = strlen(anchor);
        l->anchor = skep_arena_text(rd->arena, anchor, l->anchor_len);
        if (!l->anchor)
            return -ENOMEM;
    }
    rd->depth++;
    return 0;
}

static int close_level(struct reader *rd)
{
    struct level *l = &rd->levels[rd->depth];
    /* Of a map that was not complete the last key has no value. */
    size_t n = l->node && l->node->kind == SKEP_YAML_MAP ? l->n & ~(size_t)1 : l->n;
    l->node->items = skep_arena_array(rd->arena, n, sizeof(*l->items));
    if (!l->node->items)
        return -ENOMEM;
    if (n)
        memcpy(l->node->items, l->items, n * sizeof(*l->items));
    l->node->n_items = n;
    rd->depth--;
    int r = add(rd, l->node);
    return r < 0 ? r : set_anchor(rd, l->anchor, l->anchor_len, l->node);
}

static int on_alias(struct reader *rd, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;
    const struct skep_yaml *y = skep_textmap_get(&rd->anchors, name, strlen(name));
    if (!y)
        return fail_at(rd, byte_at(rd, e->start_mark.index), "there is no anchor `%.60s` for this alias",
                       name);
    return add(rd, y);
}

static int on_event(struct reader *rd, const yaml_event_t *e)
{
    const char *anchor;
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        skep_textmap_clear(&rd->anchors);
        return 0;
    case YAML_SCALAR_EVENT:
        return on_scalar(rd, e);
    case YAML_ALIAS_EVENT:
        return on_alias(rd, e);
    case YAML_SEQUENCE_START_EVENT:
        anchor = (const char *)e->data.sequence_start.anchor;
        return open_level(rd, SKEP_YAML_SEQUENCE, byte_at(rd, e->start_mark.index), anchor);
    case YAML_MAPPING_START_EVENT:
        anchor = (const char *)e->data.mapping_start.anchor;
        return open_level(rd, SKEP_YAML_MAP, byte_at(rd, e->start_mark.index), anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_level(rd);
    default:
        return 0;
    }
}

static int parser_failed(struct reader *rd, const yaml_parser_t *p)
{
    const char *problem = p->problem ? p->problem : "this is not YAML";
    if (p->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    if (p->error == YAML_READER_ERROR)
        return fail_at(rd, MIN(p->problem_offset + rd->skipped, rd->file->len), "%s", problem);
    size_t at = byte_at(rd, p->problem_mark.index);
    int r = fail_at(rd, at, "%s", problem);
    if (p->context)
        skep_diags_hint(rd->diags, "%s, line %zu", p->context, p->context_mark.line + 1);
    return r;
}

static int read_events(struct reader *rd, yaml_parser_t *p)
{
    for (bool end = false; !end;) {
        yaml_event_t e;
        if (!yaml_parser_parse(p, &e))
            return parser_failed(rd, p);
        end = e.type == YAML_STREAM_END_EVENT;
        int r = on_event(rd, &e);
        yaml_event_delete(&e);
        if (r < 0)
            return r;
    }
    return 0;
}

/* After an error: drops what is not complete but the outermost level. */
static int unwind(struct reader *rd)
{
    if (rd->depth > 1)
        rd->depth = 1;
    return rd->depth == 1 ? close_level(rd) : 0;
}

static int read_file(struct reader *rd, const struct skep_yaml ***ret_docs, size_t *ret_n)
{
    yaml_parser_t p;
    if (!yaml_parser_initialize(&p))
        return -ENOMEM;
    if (rd->file->len >= 3 && memcmp(rd->file->text, "\xef\xbb\xbf", 3) == 0)
        rd->skipped = rd->byte = 3;
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)rd->file->text + rd->skipped,
                                 rd->file->len - rd->skipped);
    int r = read_events(rd, &p);
    yaml_parser_delete(&p);
    int r_unwind = r == -EINVAL ? unwind(rd) : 0;
    if (r == -ENOMEM || r_unwind < 0)
        return -ENOMEM;
    const struct level *docs = &rd->levels[0];
    const struct skep_yaml **list = skep_arena_array(rd->arena, docs->n, sizeof(*list));
    if (!list)
        return -ENOMEM;
    if (docs->n)
        memcpy(list, docs->items, docs->n * sizeof(*list));
    *ret_docs = list;
    *ret_n = docs->n;
    return r;
}

int skep_yaml_read(struct skep_arena *a, const struct skep_rule_file *file, struct skep_diags *diags,
                   const struct skep_yaml ***ret_docs, size_t *ret_n)
{
    struct reader rd = {.arena = a, .file = file, .diags = diags};
    int r = read_file(&rd, ret_docs, ret_n);
    for (size_t i = 0; i < ARRAY_SIZE(rd.levels); i++)
        free(rd.levels[i].items);
    skep_textmap_clear(&rd.anchors);
    return r;
}

static const struct skep_yaml *find(const struct skep_yaml *map, const char *key, size_t which)
{
    if (!map || map->kind != SKEP_YAML_MAP)
        return NULL;
    for (size_t i = 0; i + 1 < map->n_items; i += 2)
        if (skep_yaml_is(map->items[i], key))
            return map->items[i + which];
    return NULL;
}

const struct skep_yaml *skep_yaml_get(const struct skep_yaml *map, const char *key)
{
    return find(map, key, 1);
}

const struct skep_yaml *skep_yaml_key(const struct skep_yaml *map, const char *key)
{
    return find(map, key, 0);
}

bool skep_yaml_is(const struct skep_yaml *y, const char *text)
{
    return y->kind == SKEP_YAML_SCALAR && y->source.len == strlen(text) &&
           memcmp(y->source.text, text, y->source.len) == 0;
}

bool skep_yaml_is_null(const struct skep_yaml *y)
{
    return y->kind == SKEP_YAML_SCALAR && y->plain &&
           (y->source.len == 0 || skep_yaml_is(y, "~") || skep_yaml_is(y, "null") ||
            skep_yaml_is(y, "Null") || skep_yaml_is(y, "NULL"));
}

bool skep_yaml_bool(const struct skep_yaml *y, bool *ret)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "n", "y"};
    if (y->kind != SKEP_YAML_SCALAR)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strlen(words[i]) == y->source.len && strncasecmp(words[i], y->source.text, y->source.len) == 0) {
            *ret = i % 2;
            return true;
        }
    return false;
}

struct skep_rule_place skep_yaml_place(const struct skep_yaml *y)
{
    return (struct skep_rule_place){.source = &y->source,
                                    .len = (uint32_t)MIN(y->source.len, (size_t)UINT32_MAX)};
}
