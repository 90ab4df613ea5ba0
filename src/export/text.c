/* SPDX-License-Identifier: Apache-2.0 */
#include "export/text.h"

#include "base/clock.h"
#include "event/container.h"

#define KIND_WIDTH 9
#define SHORT_ID 12

#define DIM "\033[2m"
#define RED "\033[31m"
#define BOLD "\033[1m"
#define RESET "\033[0m"

enum part_code {
    PART_LITERAL,
    PART_ITEM,
    PART_BEGIN, /* of an optional part */
    PART_END,
};

struct part {
    enum part_code code;
    const char *s; /* PART_LITERAL */
    size_t n;
    struct skep_item item;
    bool error; /* the item is the error */
};

struct template
{
    struct part *parts;
    size_t n;
    const char *colour; /* of the kind */
};

struct skep_text_writer {
    bool colour;
    struct template templates[SKEP_KIND_MAX];
};

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static int compile(const struct skep_schema *s, const struct skep_kind *kind, struct template *t)
{
    bool inside = false;
    /* every part takes at least one byte of the template */
    t->parts = calloc(strlen(kind->text) + 1, sizeof(*t->parts));
    if (!t->parts)
        return -ENOMEM;
    for (const char *at = kind->text; *at;) {
        struct part *part = &t->parts[t->n++];
        if (*at == '[' || *at == ']') {
            part->code = *at == '[' ? PART_BEGIN : PART_END;
            if (inside == (*at == '['))
                return -EINVAL;
            inside = !inside;
            at++;
        } else if (*at == '%') {
            const char *name = ++at;
            while (is_name(*at))
                at++;
            while (at > name && at[-1] == '.')
                at--;
            part->code = PART_ITEM;
            part->error = (size_t)(at - name) == 5 && strncmp(name, "error", 5) == 0;
            if (!skep_item_find(s, kind, name, (size_t)(at - name), &part->item))
                return -EINVAL;
        } else {
            part->code = PART_LITERAL;
            part->s = at;
            part->n = strcspn(at, "%[]");
            at += part->n;
        }
    }
    return inside ? -EINVAL : 0;
}

static const char *group_colour(const char *group)
{
    static const struct {
        const char *group, *colour;
    } colours[] = {
        {"life", "\033[32m"}, {"file", "\033[34m"}, {"fd", "\033[34m"},
        {"net", "\033[36m"},  {"priv", "\033[35m"}, {"kernel", "\033[33m"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
        if (skep_streq(colours[i].group, group))
            return colours[i].colour;
    return BOLD;
}

int skep_text_writer_new(const struct skep_schema *s, bool colour, struct skep_text_writer **ret)
{
    SKEP_CLEANUP(skep_text_writer_freep) struct skep_text_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->colour = colour;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        if (!kind)
            continue;
        int r = compile(s, kind, &w->templates[k]);
        if (r < 0)
            return r;
        w->templates[k].colour = group_colour(kind->group);
    }
    *ret = TAKE_PTR(w);
    return 0;
}

struct skep_text_writer *skep_text_writer_free(struct skep_text_writer *w)
{
    if (!w)
        return NULL;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++)
        free(w->templates[k].parts);
    free(w);
    return NULL;
}

static void put_colour(const struct skep_text_writer *w, struct skep_strbuf *sb, const char *colour)
{
    if (w->colour)
        skep_strbuf_puts(sb, colour);
}

/* Appends one item; false: it is missing, or says nothing. */
static bool put_item(const struct skep_text_writer *w, struct skep_strbuf *sb, const struct part *part,
                     const struct skep_event *ev)
{
    struct skep_value v;
    if (!skep_field_get(part->item.field, ev, &v) || skep_value_is_empty(&v))
        return false;
    if (part->error)
        put_colour(w, sb, RED);
    if (part->item.port)
        skep_item_put(sb, &part->item, ev);
    else
        skep_value_put_text(sb, &v);
    if (part->error)
        put_colour(w, sb, RESET);
    return true;
}

void skep_text_writer_put_what(const struct skep_text_writer *w, struct skep_strbuf *sb,
                               const struct skep_event *ev)
{
    const struct template *t = &w->templates[ev->kind->number];
    size_t optional_from = 0;
    bool inside = false, said = false;
    for (size_t i = 0; i < t->n; i++) {
        const struct part *part = &t->parts[i];
        switch (part->code) {
        case PART_LITERAL:
            skep_strbuf_put(sb, part->s, part->n);
            break;
        case PART_ITEM:
            if (put_item(w, sb, part, ev))
                said = true;
            else if (!inside)
                skep_strbuf_putc(sb, '-');
            break;
        case PART_BEGIN:
            inside = true;
            said = false;
            optional_from = sb->len;
            break;
        case PART_END:
            inside = false;
            if (!said)
                skep_strbuf_truncate(sb, optional_from);
            break;
        }
    }
}

static void put_container(struct skep_strbuf *sb, const struct skep_container *c)
{
    skep_strbuf_puts(sb, " container=");
    if (c->name)
        skep_strbuf_put_visible(sb, c->name, strlen(c->name));
    else
        skep_strbuf_put_visible(sb, c->id, strnlen(c->id, SHORT_ID));
}

void skep_text_writer_put(const struct skep_text_writer *w, struct skep_strbuf *sb,
                          const struct skep_event *ev)
{
    const struct skep_hdr *h = ev->h;
    put_colour(w, sb, DIM);
    skep_clock_put_time_of_day(sb, (int64_t)h->time + (ev->session ? ev->session->boot_offset : 0));
    put_colour(w, sb, RESET);
    skep_strbuf_putc(sb, ' ');

    size_t len = strlen(ev->kind->name);
    put_colour(w, sb, w->templates[ev->kind->number].colour);
    skep_strbuf_put(sb, ev->kind->name, len);
    put_colour(w, sb, RESET);
    for (size_t i = MIN(len, (size_t)KIND_WIDTH - 1); i < KIND_WIDTH; i++)
        skep_strbuf_putc(sb, ' ');

    if (h->flags & SKEP_HDR_NO_TASK) {
        skep_strbuf_puts(sb, "-");
    } else {
        put_colour(w, sb, BOLD);
        skep_strbuf_put_visible(sb, h->comm, strnlen(h->comm, sizeof(h->comm)));
        put_colour(w, sb, RESET);
        skep_strbuf_putc(sb, '[');
        skep_strbuf_u64(sb, h->pid);
        skep_strbuf_putc(sb, ']');
        put_colour(w, sb, DIM);
        skep_strbuf_puts(sb, " uid=");
        skep_strbuf_u64(sb, h->uid);
        if (ev->container)
            put_container(sb, ev->container);
        put_colour(w, sb, RESET);
    }
    skep_strbuf_putc(sb, ' ');
    skep_text_writer_put_what(w, sb, ev);
    if (h->flags & SKEP_HDR_TRUNCATED) {
        put_colour(w, sb, DIM);
        skep_strbuf_puts(sb, " (truncated)");
        put_colour(w, sb, RESET);
    }
}
