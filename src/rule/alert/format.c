/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/alert/format.h"

#include "base/arena.h"
#include "base/array.h"
#include "event/value.h"
#include "rule/condition/parse.h"
#include "rule/request.h"
#include "rule/transform.h"

#include <ctype.h>

#define FORMAT_ARENA_MAX (1u << 20)
#define FORMAT_FIELDS_MAX 1024
#define FORMAT_WIDTH_MAX 4096u
#define FORMAT_ERROR "LOAD_ERR_COMPILE_OUTPUT"
#define MISSING "<NA>"
#define CUT "..."

/* Text, then a field; the last has no field. */
struct part {
    const char *text;
    size_t len;
    uint32_t request; /* UINT32_MAX: none */
    uint32_t width;   /* of the field, cut or filled up to it; 0: any */
};

struct skep_format {
    struct skep_arena *arena;
    struct part *parts;
    size_t n_parts, room;
    struct skep_fact_request *requests;
    const char **names; /* of requests, as they stand in the template */
    uint32_t n_requests;
    struct skep_rule_ctx *ctx; /* made with the first event: most rules never match */
    struct skep_rule_hosts *hosts;
    const struct skep_event *ev; /* that ctx was filled for */
    int64_t time;                /* of that event */
    uint32_t longest;            /* bytes of a text that are shown; 0: all */
};

/* ---- the template ---- */

struct reader {
    struct skep_format *f;
    struct skep_parse parse;
    struct skep_rule_piece piece;
    struct skep_rule_text text;
};

static void complain(struct reader *r, size_t at, size_t len, const char *fmt, const char *name, size_t n)
{
    struct skep_rule_place place = skep_rule_text_place(&r->text, at, len);
    skep_rule_complain(r->parse.diags, true, &place, FORMAT_ERROR, fmt, (int)MIN(n, (size_t)100), name);
}

static int add_part(struct skep_format *f, const char *text, size_t len, uint32_t request, uint32_t width)
{
    if (SKEP_ARRAY_RESERVE(f->parts, f->n_parts, 1, f->room) < 0)
        return -ENOMEM;
    f->parts[f->n_parts++] = (struct part){text, len, request, width};
    return 0;
}

static int add_request(struct reader *r, const struct skep_operand *o, const char *name, size_t at,
                       size_t len, uint32_t *ret)
{
    struct skep_format *f = r->f;
    struct skep_fact_request q;
    const char *reason = NULL;
    for (uint32_t i = 0; i < f->n_requests; i++)
        if (skep_streq(f->names[i], name)) {
            *ret = i;
            return 0;
        }
    if (f->n_requests == FORMAT_FIELDS_MAX) {
        complain(r, at, len, "there are too many fields, `%.*s` is one more", name, strlen(name));
        return -EINVAL;
    }
    if (!skep_request_of(o, &q, &reason)) {
        complain(r, at, len, "%.*s", reason, strlen(reason));
        return -EINVAL;
    }
    if (o->field && o->field->flags & SKEP_FIELD_FILTER_ONLY) {
        complain(r, at, len, "the field `%.*s` can be compared, but not shown", name, strlen(name));
        return -EINVAL;
    }
    struct skep_fact_request *requests = realloc(f->requests, (f->n_requests + 1) * sizeof(*requests));
    if (!requests)
        return -ENOMEM;
    f->requests = requests;
    const char **names = realloc(f->names, (f->n_requests + 1) * sizeof(*names));
    if (!names)
        return -ENOMEM;
    f->names = names;
    f->names[f->n_requests] = name;
    f->requests[f->n_requests] = q;
    *ret = f->n_requests++;
    return 0;
}

/* What was wrong with the meaning of an operand; of the output of a rule its loader has told the warnings. */
static int report(struct reader *r, const struct skep_parsed *parsed)
{
    bool error = false;
    for (const struct skep_rule_issue *i = parsed->issues; i; i = i->next) {
        if (i->error || !r->piece.source)
            skep_rule_issue_report(i, r->parse.diags);
        error |= i->error;
    }
    return error ? -EINVAL : 0;
}

/* *at: behind the %; then behind the field. */
static int read_field(struct reader *r, size_t *at, uint32_t *ret)
{
    size_t begin = *at;
    if (!isalpha((unsigned char)r->text.s[begin])) {
        complain(r, begin - 1, 1, "a field is expected behind `%%`%.*s", "", 0);
        return -EINVAL;
    }
    struct skep_parsed issues = {0};
    const struct skep_operand *o;
    int e = skep_parse_operand(&r->parse, &r->text, at, SKEP_OPERAND_IN_TEXT, &issues, &o);
    if (e >= 0)
        e = report(r, &issues);
    if (e < 0)
        return e;
    const char *name = skep_arena_text(r->f->arena, r->text.s + begin, *at - begin);
    return name ? add_request(r, o, name, begin, *at - begin, ret) : -ENOMEM;
}

static int read_template(struct reader *r)
{
    const char *s = r->text.s;
    size_t at = 0, begin = 0;
    int result = 0;
    while (at < r->text.n) {
        uint32_t request;
        if (s[at] != '%') {
            at++;
            continue;
        }
        if (s[at + 1] == '%') { /* the sign itself: the text up to it, without the second one */
            int e = add_part(r->f, s + begin, at + 1 - begin, UINT32_MAX, 0);
            if (e < 0)
                return e;
            begin = at += 2;
            continue;
        }
        size_t field = at + 1;
        uint32_t width = 0;
        for (; s[field] >= '0' && s[field] <= '9'; field++)
            width = MIN(width * 10 + (uint32_t)(s[field] - '0'), FORMAT_WIDTH_MAX);
        int e = read_field(r, &field, &request);
        if (e == -ENOMEM)
            return e;
        if (e < 0) { /* go on: there may be more to say */
            result = e;
            at++;
            continue;
        }
        e = add_part(r->f, s + begin, at - begin, request, width);
        if (e < 0)
            return e;
        begin = at = field;
    }
    int e = add_part(r->f, s + begin, at - begin, UINT32_MAX, 0);
    return e < 0 ? e : result;
}

/* A template may be written over several lines; what it makes is one. The length without blanks at the end. */
static size_t make_line(char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
            s[i] = ' ';
    while (n > 0 && s[n - 1] == ' ')
        n--;
    s[n] = '\0';
    return n;
}

int skep_format_new(const char *text, const struct skep_rule_place *place, struct skep_diags *diags,
                    struct skep_format **ret)
{
    SKEP_CLEANUP(skep_format_freep) struct skep_format *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    int r = skep_arena_new(FORMAT_ARENA_MAX, &f->arena);
    if (r < 0)
        return r;
    struct reader reader = {.f = f, .parse = {.arena = f->arena, .diags = diags, .code = FORMAT_ERROR}};
    if (strlen(text) > SKEP_FORMAT_TEXT_MAX) {
        skep_rule_complain(diags, true, place, FORMAT_ERROR, "the text is too long (more than %u KiB)",
                           SKEP_FORMAT_TEXT_MAX >> 10);
        return -EINVAL;
    }
    char *copy = skep_arena_text(f->arena, text, strlen(text));
    if (!copy)
        return -ENOMEM;
    reader.text = (struct skep_rule_text){.s = copy, .n = make_line(copy)};
    if (place && place->source) {
        reader.piece = (struct skep_rule_piece){.source = place->source};
        reader.text.pieces = &reader.piece;
        reader.text.n_pieces = 1;
    }
    r = read_template(&reader);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(f);
    return 0;
}

struct skep_format *skep_format_free(struct skep_format *f)
{
    if (f) {
        skep_rule_ctx_free(f->ctx);
        skep_arena_free(f->arena);
        free(f->parts);
        free(f->requests);
        free(f->names);
    }
    free(f);
    return NULL;
}

uint32_t skep_format_flags(const struct skep_format *f)
{
    return skep_requests_flags(f->requests, f->n_requests);
}

void skep_format_use_hosts(struct skep_format *f, struct skep_rule_hosts *hosts)
{
    f->hosts = hosts;
}

void skep_format_limit(struct skep_format *f, uint32_t longest)
{
    f->longest = MIN(longest, (uint32_t)SKEP_FORMAT_LONGEST_MAX);
}

/* ---- values ---- */

static bool starts_reordering(const uint8_t *s)
{
    /* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069: line ends and what reorders text */
    if (s[0] != 0xe2)
        return false;
    return (s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
           (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

static void put_escaped(struct skep_strbuf *sb, uint32_t c)
{
    static const char names[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (c < sizeof(names) && names[c])
        skep_strbuf_printf(sb, "\\%c", names[c]);
    else
        skep_strbuf_printf(sb, "\\u%04x", c);
}

/* Text from outside as it stands on such a line. */
static void put_visible(struct skep_strbuf *sb, const void *text, size_t n)
{
    const uint8_t *s = text;
    for (size_t i = 0; i < n;) {
        size_t len = skep_utf8_len(s + i, n - i);
        if (len == 0) {
            skep_strbuf_puts(sb, "\xef\xbf\xbd");
            len = 1;
        } else if (s[i] < 0x20 || s[i] == 0x7f) {
            put_escaped(sb, s[i]);
        } else if (len == 2 && s[i] == 0xc2 && s[i + 1] < 0xa0) { /* the other control characters */
            put_escaped(sb, s[i + 1]);
        } else if (len == 3 && starts_reordering(s + i)) {
            put_escaped(sb, (uint32_t)(s[i] & 15) << 12 | (uint32_t)(s[i + 1] & 63) << 6 | (s[i + 2] & 63));
        } else {
            skep_strbuf_put(sb, s + i, len);
        }
        i += len;
    }
}

/* Whether only the beginning of a text is shown, of *n bytes, to the end of a character. */
static bool is_cut(const struct skep_format *f, const void *text, uint32_t *n)
{
    const uint8_t *s = text;
    if (!f->longest || *n <= f->longest)
        return false;
    for (*n = f->longest; *n && (s[*n] & 0xc0) == 0x80;)
        --*n;
    return true;
}

static void put_value_text(const struct skep_format *f, struct skep_strbuf *sb, enum skep_rule_type type,
                           uint64_t value, uint32_t n)
{
    const void *text = (const void *)(uintptr_t)value;
    bool cut;
    switch (type) {
    case SKEP_RULE_NUMBER:
        skep_strbuf_i64(sb, (int64_t)value);
        break;
    case SKEP_RULE_BOOL:
        skep_strbuf_puts(sb, value ? "true" : "false");
        break;
    case SKEP_RULE_IP:
        skep_value_put_ip(sb, (const void *)(uintptr_t)value, n);
        break;
    case SKEP_RULE_TEXT:
        cut = is_cut(f, text, &n);
        put_visible(sb, text, n);
        if (cut)
            skep_strbuf_puts(sb, CUT);
        break;
    }
}

static void put_value_json(const struct skep_format *f, struct skep_json *j, const char *name,
                           enum skep_rule_type type, uint64_t value, uint32_t n)
{
    const void *bytes = (const void *)(uintptr_t)value;
    char text[SKEP_FORMAT_LONGEST_MAX + sizeof(CUT)];
    struct skep_strbuf sb;
    switch (type) {
    case SKEP_RULE_NUMBER:
        skep_json_i64(j, name, (int64_t)value);
        break;
    case SKEP_RULE_BOOL:
        skep_json_bool(j, name, value != 0);
        break;
    case SKEP_RULE_IP:
        skep_strbuf_init_fixed(&sb, text, sizeof(text));
        skep_value_put_ip(&sb, (const void *)(uintptr_t)value, n);
        skep_json_str(j, name, sb.s, sb.len);
        break;
    case SKEP_RULE_TEXT:
        if (is_cut(f, bytes, &n)) {
            memcpy(text, bytes, n);
            memcpy(text + n, CUT, sizeof(CUT) - 1);
            skep_json_str(j, name, text, n + sizeof(CUT) - 1);
        } else {
            skep_json_str(j, name, bytes, n);
        }
        break;
    }
}

/* Several values, of which names of one host are shown by the first. */
static bool is_several(const struct skep_fact_request *q)
{
    return q->flags & (SKEP_FIELD_LIST | SKEP_FIELD_ANY);
}

static bool has(const struct skep_fact_request *q, uint32_t flag)
{
    return q->field && q->field->flags & flag;
}

static void put_fact_text(const struct skep_format *f, uint32_t n, struct skep_strbuf *sb)
{
    const struct skep_fact_request *q = &f->requests[n];
    const struct skep_fact *fact = &f->ctx->facts[n];
    if (fact->state != SKEP_FACT_THERE) {
        skep_strbuf_puts(sb, MISSING);
        return;
    }
    if (!is_several(q)) {
        put_value_text(f, sb, q->type, fact->value, fact->n);
        return;
    }
    const struct skep_fact_item *items = (const void *)(uintptr_t)fact->value;
    if (has(q, SKEP_FIELD_HOSTS)) {
        put_value_text(f, sb, q->type, items[0].value, items[0].n);
        return;
    }
    skep_strbuf_putc(sb, '(');
    for (uint32_t i = 0; i < fact->n; i++) {
        if (i > 0)
            skep_strbuf_putc(sb, ',');
        put_value_text(f, sb, q->type, items[i].value, items[i].n);
    }
    skep_strbuf_putc(sb, ')');
}

static void put_fact_json(const struct skep_format *f, uint32_t n, struct skep_json *j)
{
    const struct skep_fact_request *q = &f->requests[n];
    const struct skep_fact *fact = &f->ctx->facts[n];
    const char *name = f->names[n];
    if (fact->state != SKEP_FACT_THERE) {
        skep_json_null(j, name);
        return;
    }
    if (has(q, SKEP_FIELD_TIME) && q->type == SKEP_RULE_TEXT) {
        skep_json_i64(j, name, f->time);
        return;
    }
    if (!is_several(q)) {
        put_value_json(f, j, name, q->type, fact->value, fact->n);
        return;
    }
    const struct skep_fact_item *items = (const void *)(uintptr_t)fact->value;
    if (has(q, SKEP_FIELD_HOSTS)) {
        put_value_json(f, j, name, q->type, items[0].value, items[0].n);
        return;
    }
    skep_json_open(j, name, '[');
    for (uint32_t i = 0; i < fact->n; i++)
        put_value_json(f, j, NULL, q->type, items[i].value, items[i].n);
    skep_json_close(j, ']');
}

/* Characters of what stands behind begin, cut or filled up to width. */
static void set_width(struct skep_strbuf *sb, size_t begin, uint32_t width)
{
    uint32_t n = 0;
    size_t at = begin;
    for (; at < sb->len && n < width; n++)
        at += MAX(skep_utf8_len((const uint8_t *)sb->s + at, sb->len - at), (size_t)1);
    skep_strbuf_truncate(sb, at);
    for (; n < width; n++)
        skep_strbuf_putc(sb, ' ');
}

void skep_format_put_text(struct skep_format *f, const struct skep_event *ev, struct skep_rule_users *users,
                          struct skep_strbuf *sb)
{
    f->ev = NULL;
    if (!f->ctx && skep_rule_ctx_new(f->requests, f->n_requests, 0, &f->ctx) < 0) {
        skep_strbuf_fail(sb);
        return;
    }
    skep_rule_ctx_begin(f->ctx, ev);
    f->ctx->users = users;
    f->ctx->hosts = f->hosts;
    f->ev = ev;
    f->time = (int64_t)(ev->h->time + (ev->session ? (uint64_t)ev->session->boot_offset : 0));
    for (uint32_t i = 0; i < f->n_requests; i++)
        skep_rule_fetch(f->ctx, i);
    for (size_t i = 0; i < f->n_parts; i++) {
        skep_strbuf_put(sb, f->parts[i].text, f->parts[i].len);
        size_t begin = sb->len;
        if (f->parts[i].request != UINT32_MAX)
            put_fact_text(f, f->parts[i].request, sb);
        if (f->parts[i].width)
            set_width(sb, begin, f->parts[i].width);
    }
}

void skep_format_put_fields(struct skep_format *f, struct skep_json *j)
{
    bool has_time = false;
    if (!f->ev)
        return;
    for (uint32_t i = 0; i < f->n_requests; i++)
        has_time |= skep_streq(f->names[i], "evt.time");
    if (!has_time)
        skep_json_i64(j, "evt.time", f->time);
    for (uint32_t i = 0; i < f->n_requests; i++)
        put_fact_json(f, i, j);
}
