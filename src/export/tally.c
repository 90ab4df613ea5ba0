/* SPDX-License-Identifier: Apache-2.0 */
#include "export/tally.h"

#include "base/hashmap.h"

#define COUNT_WIDTH 10
#define TEXT_MAX 8192 /* bytes of one value */

/* A value is known by two hashes with seeds of their own: what collides in both was made to. */
struct key {
    uint64_t a, b;
};

struct group {
    uint64_t count;
    char *json; /* behind text */
    char text[];
};

struct skep_tally {
    char *field;
    struct skep_item items[SKEP_KIND_MAX];
    struct skep_hashmap groups; /* struct key -> struct group */
    uint64_t seed;
    uint64_t total, other;
    uint64_t bytes;
    struct skep_strbuf text, json;
};

int skep_tally_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX], const char *field,
                   struct skep_diags *d, struct skep_tally **ret)
{
    SKEP_CLEANUP(skep_tally_freep) struct skep_tally *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    skep_hashmap_init(&c->groups, sizeof(struct key), SKEP_TALLY_GROUPS_MAX);
    c->seed = c->groups.seed;
    skep_strbuf_init(&c->text, TEXT_MAX);
    skep_strbuf_init(&c->json, 6 * TEXT_MAX);
    c->field = strdup(field);
    if (!c->field)
        return -ENOMEM;
    size_t len = strlen(field);
    bool found = false;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        if (kind && (!kinds || kinds[k]))
            found |= skep_item_find(s, kind, field, len, &c->items[k]);
    }
    if (!found) {
        skep_diags_add(d, field, 0, len, "unknown-field", "there is no field `%.*s`",
                       (int)MIN(len, (size_t)64), field);
        const char *nearest = skep_field_nearest(s, kinds, field, len);
        if (nearest)
            skep_diags_hint(d, "did you mean `%s`?", nearest);
        return -EINVAL;
    }
    *ret = TAKE_PTR(c);
    return 0;
}

struct skep_tally *skep_tally_free(struct skep_tally *c)
{
    if (!c)
        return NULL;
    size_t at = 0;
    for (struct group *g; (g = skep_hashmap_next(&c->groups, &at));)
        free(g);
    skep_hashmap_clear(&c->groups);
    skep_strbuf_clear(&c->text);
    skep_strbuf_clear(&c->json);
    free(c->field);
    free(c);
    return NULL;
}

/* Both written forms of the event's value, into text and json. */
static void write_value(struct skep_tally *c, const struct skep_event *ev)
{
    const struct skep_item *item = &c->items[ev->kind->number];
    struct skep_value v;
    skep_strbuf_reset(&c->text);
    skep_strbuf_reset(&c->json);
    if (!skep_item_put(&c->text, item, ev)) {
        skep_strbuf_putc(&c->text, '-');
        skep_strbuf_puts(&c->json, "null");
    } else if (item->port) {
        skep_json_quote(&c->json, c->text.s, c->text.len);
    } else if (skep_field_get(item->field, ev, &v)) {
        skep_value_put_json(&c->json, &v);
    }
}

static struct group *add_group(struct skep_tally *c, const struct key *key)
{
    size_t bytes = c->text.len + c->json.len + 2;
    if (c->text.failed || c->json.failed || c->bytes + bytes > SKEP_TALLY_BYTES_MAX)
        return NULL;
    struct group *g = malloc(sizeof(*g) + bytes);
    if (!g)
        return NULL;
    g->count = 0;
    g->json = g->text + c->text.len + 1;
    memcpy(g->text, c->text.s, c->text.len + 1);
    memcpy(g->json, c->json.s, c->json.len + 1);
    if (skep_hashmap_put(&c->groups, key, g, NULL) < 0) {
        free(g);
        return NULL;
    }
    c->bytes += bytes;
    return g;
}

void skep_tally_add(struct skep_tally *c, const struct skep_event *ev)
{
    write_value(c, ev);
    struct key key = {
        skep_hash_bytes(c->json.s, c->json.len, c->seed),
        skep_hash_bytes(c->json.s, c->json.len, ~c->seed * 0x9e3779b97f4a7c15ULL),
    };
    struct group *g = skep_hashmap_get(&c->groups, &key);
    if (!g)
        g = add_group(c, &key);
    c->total++;
    if (g)
        g->count++;
    else
        c->other++;
}

static int compare(const void *a, const void *b)
{
    const struct group *ga = *(struct group *const *)a, *gb = *(struct group *const *)b;
    if (ga->count != gb->count)
        return ga->count > gb->count ? -1 : 1;
    return strcmp(ga->json, gb->json);
}

static int sorted(const struct skep_tally *c, struct group ***ret)
{
    struct group **list = calloc(c->groups.count + 1, sizeof(struct group *));
    if (!list)
        return -ENOMEM;
    size_t at = 0, n = 0;
    for (struct group *g; (g = skep_hashmap_next(&c->groups, &at));)
        list[n++] = g;
    qsort(list, n, sizeof(struct group *), compare);
    *ret = list;
    return 0;
}

static void put_line(struct skep_strbuf *sb, uint64_t count, const char *text, unsigned width)
{
    skep_strbuf_printf(sb, "%*llu  ", COUNT_WIDTH, (unsigned long long)count);
    size_t limit = !width ? SIZE_MAX : width > COUNT_WIDTH + 2 ? width - COUNT_WIDTH - 2 : 1;
    size_t n = strlen(text), chars = 0, cut = n;
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && ++chars == limit)
            cut = i;
    skep_strbuf_put(sb, text, chars > limit ? cut : n);
    skep_strbuf_puts(sb, chars > limit ? "\xe2\x80\xa6\n" : "\n");
}

int skep_tally_put_text(const struct skep_tally *c, struct skep_strbuf *sb, unsigned width, unsigned rows)
{
    _cleanup_free_ struct group **list = NULL;
    int r = sorted(c, &list);
    if (r < 0)
        return r;
    size_t n = c->groups.count, shown = n;
    size_t around = 1 + (c->other > 0); /* header, (other) */
    if (rows && n + around > rows)
        shown = rows > around + 1 ? rows - around - 1 : 0;
    skep_strbuf_printf(sb, "%*s  %s\n", COUNT_WIDTH, "COUNT", c->field);
    uint64_t hidden = 0;
    for (size_t i = 0; i < n; i++) {
        if (i < shown)
            put_line(sb, list[i]->count, list[i]->text, width);
        else
            hidden += list[i]->count;
    }
    if (shown < n) {
        char text[64];
        snprintf(text, sizeof(text), "(%zu more)", n - shown);
        put_line(sb, hidden, text, width);
    }
    if (c->other)
        put_line(sb, c->other, "(other)", width);
    return 0;
}

int skep_tally_put_json(const struct skep_tally *c, struct skep_strbuf *sb)
{
    _cleanup_free_ struct group **list = NULL;
    int r = sorted(c, &list);
    if (r < 0)
        return r;
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    skep_json_strz(&j, "kind", "count");
    skep_json_strz(&j, "by", c->field);
    skep_json_u64(&j, "total", c->total);
    skep_json_open(&j, "groups", '[');
    for (size_t i = 0; i < c->groups.count; i++) {
        skep_json_open(&j, NULL, '{');
        skep_json_name(&j, "value");
        skep_strbuf_puts(sb, list[i]->json);
        skep_json_u64(&j, "count", list[i]->count);
        skep_json_close(&j, '}');
    }
    skep_json_close(&j, ']');
    skep_json_u64(&j, "other", c->other);
    skep_json_close(&j, '}');
    return 0;
}
