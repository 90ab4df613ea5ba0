/* SPDX-License-Identifier: Apache-2.0 */
#include "export/table.h"

#include <ctype.h>

#include "export/text.h"

#define GAP 2
#define ELASTIC_MIN 12 /* narrowest text column */
#define READABLE 24    /* of the first one, when we choose the columns */
#define DEFAULT_MAX 9  /* columns that are chosen for the user */
#define CELL_MAX (1 << 20)

struct column {
    char *name;
    char *header;
    unsigned fixed; /* width; 0: elastic */
    unsigned width; /* in use now */
    bool what;      /* no field: what the readable line says */
    bool hidden;    /* there is no room for it */
    struct skep_item items[SKEP_KIND_MAX];
};

struct skep_table {
    bool colour;
    unsigned terminal;
    size_t n;
    size_t
        n_always; /* columns of a choice of our own that are left out last, at its beginning; 0: the user chose */
    struct column columns[SKEP_TABLE_COLUMNS_MAX];
    struct skep_strbuf cell;
    struct skep_text_writer *writer; /* with a column `what` */
};

static unsigned width_of(const struct skep_item *item)
{
    if (item->port)
        return 21; /* 255.255.255.255:65535 */
    switch (item->field->type) {
    case SKEP_TYPE_time:
        return 12;
    case SKEP_TYPE_pid:
    case SKEP_TYPE_uid:
    case SKEP_TYPE_gid:
        return 7;
    case SKEP_TYPE_ip:
        return 15;
    case SKEP_TYPE_port:
    case SKEP_TYPE_fdnum:
    case SKEP_TYPE_mode:
    case SKEP_TYPE_bool:
        return 5;
    case SKEP_TYPE_inode:
    case SKEP_TYPE_nsid:
    case SKEP_TYPE_size:
        return 10;
    default:
        break;
    }
    const struct skep_type_info *info = skep_type_info(item->field->type);
    if (skep_streq(item->field->name, "kind"))
        return 9;
    if (skep_streq(item->field->name, "container.id"))
        return 12;
    const char *comm = strstr(item->field->name, "comm");
    if (comm && skep_streq(comm, "comm"))
        return 15;
    if (info->class == SKEP_CLASS_TEXT || info->class == SKEP_CLASS_LIST || (info->names && info->names->set))
        return 0;
    return 12;
}

static bool wanted(const struct skep_kind *kind, const bool kinds[SKEP_KIND_MAX])
{
    return kind && (kinds ? kinds[kind->number] : kind->show != SKEP_SHOW_HIDDEN);
}

static int make_header(struct column *c)
{
    const char *name = skep_startswith(c->name, "proc.");
    c->header = strdup(name ? name : c->name);
    if (!c->header)
        return -ENOMEM;
    for (char *h = c->header; *h; h++)
        *h = (char)toupper((unsigned char)*h);
    return 0;
}

static bool is_event(const char *name, size_t len)
{
    return len == 5 && strncmp(name, "event", 5) == 0;
}

/* -ENOENT: no kind has it. */
static int add_column(struct skep_table *t, const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX],
                      const char *name, size_t len)
{
    if (t->n == SKEP_TABLE_COLUMNS_MAX)
        return -E2BIG;
    struct column *c = &t->columns[t->n];
    bool found = false;
    if (is_event(name, len)) {
        int r = t->writer ? 0 : skep_text_writer_new(s, false, &t->writer);
        if (r < 0)
            return r;
        c->what = found = true;
    }
    for (unsigned k = 0; k < SKEP_KIND_MAX && !c->what; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        if (!wanted(kind, kinds) || !skep_item_find(s, kind, name, len, &c->items[k]))
            continue;
        if (!found)
            c->fixed = width_of(&c->items[k]);
        found = true;
    }
    if (!found)
        return -ENOENT;
    t->n++; /* from here on freed with the table */
    c->name = strndup(name, len);
    if (!c->name)
        return -ENOMEM;
    int r = make_header(c);
    if (r >= 0 && c->fixed)
        c->fixed = (unsigned)MAX(strlen(c->header), (size_t)c->fixed);
    return r;
}

static bool has_column(const struct skep_table *t, const char *name, size_t len)
{
    for (size_t i = 0; i < t->n; i++)
        if (strlen(t->columns[i].name) == len && strncmp(t->columns[i].name, name, len) == 0)
            return true;
    return false;
}

/* What the readable line of a kind speaks of, in its order. */
static int add_template_columns(struct skep_table *t, const struct skep_schema *s,
                                const struct skep_kind *kind, const bool kinds[SKEP_KIND_MAX])
{
    for (const char *at = kind->text; (at = strchr(at, '%'));) {
        at++;
        size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_.");
        if (t->n < DEFAULT_MAX && !has_column(t, at, len) && !(len == 5 && strncmp(at, "error", 5) == 0)) {
            int r = add_column(t, s, kinds, at, len);
            if (r < 0 && r != -ENOENT)
                return r;
        }
    }
    return 0;
}

static int choose_columns(struct skep_table *t, const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX])
{
    static const char *const always[] = {"time", "kind", "pid", "comm"};
    unsigned n_kinds = 0;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++)
        n_kinds += wanted(skep_schema_kind(s, k), kinds);
    for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
        if (n_kinds == 1 && skep_streq(always[i], "kind"))
            continue;
        int r = add_column(t, s, kinds, always[i], strlen(always[i]));
        if (r < 0)
            return r;
    }
    t->n_always = t->n + 1; /* with the first of the kind's own */
    if (n_kinds != 1)
        return add_column(t, s, kinds, "event", 5);
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        int r = wanted(kind, kinds) ? add_template_columns(t, s, kind, kinds) : 0;
        if (r < 0)
            return r;
    }
    return add_column(t, s, kinds, "error", 5);
}

static int parse_columns(struct skep_table *t, const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX],
                         const char *list, struct skep_diags *d)
{
    for (const char *word = list;; word++) {
        size_t len = strcspn(word, ","), at = (size_t)(word - list);
        int r = add_column(t, s, kinds, word, len);
        if (r == -ENOENT) {
            skep_diags_add(d, list, at, len, "unknown-field", "there is no field `%.*s`",
                           (int)MIN(len, (size_t)64), word);
            const char *nearest = skep_field_nearest(s, kinds, word, len);
            if (nearest)
                skep_diags_hint(d, "did you mean `%s`?", nearest);
            return -EINVAL;
        }
        if (r == -E2BIG) {
            skep_diags_add(d, list, at, len, "too-long", "more than %d columns", SKEP_TABLE_COLUMNS_MAX);
            return -EINVAL;
        }
        if (r < 0)
            return r;
        word += len;
        if (!*word)
            return 0;
    }
}

/* What the columns that are shown take at least; text: the first one of text. */
static unsigned least_width(const struct skep_table *t, unsigned text)
{
    unsigned taken = 0, gap = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->columns[i];
        if (c->hidden)
            continue;
        taken += gap + (c->fixed ? c->fixed : text);
        gap = GAP;
        if (!c->fixed)
            text = ELASTIC_MIN;
    }
    return taken;
}

/* Leaves out columns of our own choice: those before the last one first, then that one, and where there is hardly room for
 * what happened, what stands before it. */
static void choose_for_width(struct skep_table *t, unsigned width)
{
    for (size_t i = 0; i < t->n; i++)
        t->columns[i].hidden = false;
    if (!width || !t->n_always)
        return;
    for (size_t i = t->n - 1; i-- > t->n_always && least_width(t, READABLE) > width;)
        t->columns[i].hidden = true;
    if (t->n > t->n_always && least_width(t, ELASTIC_MIN) > width)
        t->columns[t->n - 1].hidden = true;
    for (size_t i = 0; i + 1 < t->n_always && least_width(t, ELASTIC_MIN) > width; i++)
        t->columns[i].hidden = true;
}

void skep_table_set_width(struct skep_table *t, unsigned width)
{
    unsigned taken = 0, elastic = 0;
    choose_for_width(t, width);
    for (size_t i = 0; i < t->n; i++) {
        if (t->columns[i].hidden)
            continue;
        taken += t->columns[i].fixed + (i ? GAP : 0);
        elastic += t->columns[i].fixed == 0;
    }
    unsigned left = width > taken ? width - taken : 0;
    for (size_t i = 0; i < t->n; i++) {
        struct column *c = &t->columns[i];
        c->width = c->fixed;
        if (c->fixed || c->hidden)
            continue;
        c->width = MAX(left / elastic, (unsigned)ELASTIC_MIN);
        left -= MIN(left, c->width);
        elastic--;
    }
    t->terminal = width;
}

int skep_table_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX],
                   const struct skep_table_options *options, struct skep_diags *d, struct skep_table **ret)
{
    SKEP_CLEANUP(skep_table_freep) struct skep_table *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->colour = options->colour;
    skep_strbuf_init(&t->cell, CELL_MAX);
    int r = options->columns ? parse_columns(t, s, kinds, options->columns, d) : choose_columns(t, s, kinds);
    if (r < 0)
        return r;
    skep_table_set_width(t, options->width);
    *ret = TAKE_PTR(t);
    return 0;
}

struct skep_table *skep_table_free(struct skep_table *t)
{
    if (!t)
        return NULL;
    for (size_t i = 0; i < t->n; i++) {
        free(t->columns[i].name);
        free(t->columns[i].header);
    }
    skep_strbuf_clear(&t->cell);
    skep_text_writer_free(t->writer);
    free(t);
    return NULL;
}

static bool is_last(const struct skep_table *t, size_t column)
{
    while (++column < t->n)
        if (!t->columns[column].hidden)
            return false;
    return true;
}

/* Appends text (valid UTF-8) as a cell: cut and filled to the column's width, unless it is the last. */
static void put_cell(const struct skep_table *t, struct skep_strbuf *sb, size_t column, const char *s,
                     size_t n, unsigned *used)
{
    const struct column *c = &t->columns[column];
    bool last = is_last(t, column);
    unsigned limit = UINT32_MAX;
    if (t->terminal) {
        limit = last && t->terminal > *used ? t->terminal - *used : c->width;
        if (*used + limit > t->terminal)
            limit = t->terminal > *used ? t->terminal - *used : 0;
    }
    size_t chars = 0, cut = n; /* cut: bytes of the first limit - 1 characters */
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80 && ++chars == limit)
            cut = i;
    if (chars > limit) {
        skep_strbuf_put(sb, s, limit ? cut : 0);
        if (limit)
            skep_strbuf_puts(sb, "\xe2\x80\xa6");
        chars = limit;
    } else {
        skep_strbuf_put(sb, s, n);
    }
    *used += (unsigned)chars;
    if (!last && !t->terminal && chars >= c->width + GAP) /* longer than its column: beside it all the same */
        skep_strbuf_puts(sb, "  ");
    for (; !last && chars < c->width + GAP && (!t->terminal || *used < t->terminal); chars++, ++*used)
        skep_strbuf_putc(sb, ' ');
}

void skep_table_put_header(const struct skep_table *t, struct skep_strbuf *sb)
{
    unsigned used = 0;
    if (t->colour)
        skep_strbuf_puts(sb, "\033[1m");
    for (size_t i = 0; i < t->n; i++)
        if (!t->columns[i].hidden)
            put_cell(t, sb, i, t->columns[i].header, strlen(t->columns[i].header), &used);
    if (t->colour)
        skep_strbuf_puts(sb, "\033[0m");
}

void skep_table_put_row(struct skep_table *t, struct skep_strbuf *sb, const struct skep_event *ev)
{
    unsigned used = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (t->columns[i].hidden)
            continue;
        skep_strbuf_reset(&t->cell);
        if (t->columns[i].what)
            skep_text_writer_put_what(t->writer, &t->cell, ev);
        else
            skep_item_put(&t->cell, &t->columns[i].items[ev->kind->number], ev);
        if (t->cell.len == 0)
            skep_strbuf_putc(&t->cell, '-');
        put_cell(t, sb, i, t->cell.s, t->cell.len, &used);
    }
}
