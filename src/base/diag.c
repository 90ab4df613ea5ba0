/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"

#include "base/array.h"

#define SHOWN_LINE_MAX 200 /* bytes of the source line that are shown */

void skep_diags_init(struct skep_diags *d, const char *file)
{
    *d = (struct skep_diags){.file = file};
}

static void clear_one(struct skep_diag *diag)
{
    free(diag->message);
    free(diag->hint);
    free(diag->file);
    free(diag->text);
    free(diag->item_name);
}

void skep_diags_clear(struct skep_diags *d)
{
    for (size_t i = 0; i < d->n; i++)
        clear_one(&d->list[i]);
    free(d->list);
    *d = (struct skep_diags){.file = d->file, .max = d->max, .codes = d->codes};
}

/* Takes the last warning out; false: there is none. */
static bool drop_warning(struct skep_diags *d)
{
    for (size_t i = d->n; i > 0; i--) {
        if (!d->list[i - 1].warning)
            continue;
        clear_one(&d->list[i - 1]);
        memmove(&d->list[i - 1], &d->list[i], (d->n - i) * sizeof(*d->list));
        d->n--;
        return true;
    }
    return false;
}

/* Room for one more; errors count also when there is none. */
static struct skep_diag *next_diag(struct skep_diags *d, bool warning, const char *code, size_t length)
{
    d->last = NULL;
    d->n_errors += !warning;
    if (d->n == (d->max ? d->max : SKEP_DIAGS_MAX)) {
        d->more++;
        if (warning || !drop_warning(d))
            return NULL;
    }
    if (SKEP_ARRAY_RESERVE(d->list, d->n, 1, d->room) < 0) {
        d->more++;
        return NULL;
    }
    struct skep_diag *diag = d->last = &d->list[d->n++];
    *diag = (struct skep_diag){.warning = warning, .length = (unsigned)MAX(length, (size_t)1), .code = code};
    return diag;
}

static void line_and_column(const char *source, size_t end, unsigned *ret_line, unsigned *ret_column)
{
    size_t from = 0;
    unsigned line = 1;
    for (const char *eol; (eol = memchr(source + from, '\n', end - from)); line++)
        from = (size_t)(eol + 1 - source);
    *ret_line = line;
    *ret_column = (unsigned)(end - from + 1);
}

static void locate(struct skep_diag *diag, const char *source, size_t len, size_t at)
{
    diag->offset = MIN(at, len);
    line_and_column(source, diag->offset, &diag->line, &diag->column);
}

static void put_message(struct skep_diag *diag, const char *fmt, va_list ap)
{
    if (vasprintf(&diag->message, fmt, ap) < 0)
        diag->message = NULL;
}

void skep_diags_add(struct skep_diags *d, const char *source, size_t at, size_t length, const char *code,
                    const char *fmt, ...)
{
    struct skep_diag *diag = next_diag(d, false, code, length);
    if (!diag)
        return;
    locate(diag, source, strlen(source), at);
    va_list ap;
    va_start(ap, fmt);
    put_message(diag, fmt, ap);
    va_end(ap);
}

void skep_diags_add_in(struct skep_diags *d, bool warning, const char *file, const char *source,
                       size_t source_len, size_t at, size_t length, const char *code, const char *fmt,
                       va_list ap)
{
    struct skep_diag *diag = next_diag(d, warning, code, length);
    if (!diag)
        return;
    put_message(diag, fmt, ap);
    if (!file)
        return;
    diag->file = strdup(file);
    if (!source)
        return;
    locate(diag, source, source_len, MIN(at, source_len));
    diag->text_at = diag->column > SHOWN_LINE_MAX ? diag->column - SHOWN_LINE_MAX : 0;
    const char *line = source + MIN(at, source_len) - (diag->column - 1) + diag->text_at;
    size_t rest = MIN((size_t)(source + source_len - line), (size_t)SHOWN_LINE_MAX * 2);
    const char *eol = memchr(line, '\n', rest);
    size_t n = eol ? (size_t)(eol - line) : rest;
    diag->text = strndup(line, n && line[n - 1] == '\r' ? n - 1 : n);
}

void skep_diags_item(struct skep_diags *d, const char *type, const char *name, const char *source,
                     size_t source_len, size_t at)
{
    struct skep_diag *diag = d->last;
    if (!diag || diag->item_type)
        return;
    diag->item_name = strdup(name);
    if (!diag->item_name)
        return;
    diag->item_type = type;
    diag->item_offset = MIN(at, source_len);
    line_and_column(source, diag->item_offset, &diag->item_line, &diag->item_column);
}

void skep_diags_hint(struct skep_diags *d, const char *fmt, ...)
{
    /* The hint belongs to the diagnostic before it: when that did not fit, neither does its hint. */
    struct skep_diag *diag = d->last;
    if (!diag)
        return;
    va_list ap;
    va_start(ap, fmt);
    free(diag->hint);
    if (vasprintf(&diag->hint, fmt, ap) < 0)
        diag->hint = NULL;
    va_end(ap);
}

static const char *message_of(const struct skep_diag *diag)
{
    return diag->message ? diag->message : "out of memory";
}

static void put_source_line(const struct skep_diag *diag, const char *source, struct skep_strbuf *sb)
{
    for (unsigned line = 1; line < diag->line && !diag->text; line++) {
        source = strchr(source, '\n');
        if (!source)
            return;
        source++;
    }
    size_t n = strcspn(source, "\n"), at = MIN(diag->column - 1 - diag->text_at, n);
    /* A long line is shown from a little before the place in question. */
    size_t from = at > SHOWN_LINE_MAX / 2 ? at - SHOWN_LINE_MAX / 2 : 0;
    size_t shown = MIN(n - from, (size_t)SHOWN_LINE_MAX);
    skep_strbuf_puts(sb, "  ");
    skep_strbuf_put_visible(sb, source + from, shown);
    skep_strbuf_puts(sb, "\n  ");

    /* The caret stands below what the bytes before it look like. */
    _cleanup_strbuf_ struct skep_strbuf before;
    skep_strbuf_init(&before, 4 * SHOWN_LINE_MAX);
    skep_strbuf_put_visible(&before, source + from, at - from);
    for (size_t i = 0; i < before.len; i++)
        if (((unsigned char)before.s[i] & 0xc0) != 0x80)
            skep_strbuf_putc(sb, ' ');
    skep_strbuf_putc(sb, '^');
    for (size_t i = 1; i < diag->length && at + i < from + shown; i++)
        if (((unsigned char)source[at + i] & 0xc0) != 0x80)
            skep_strbuf_putc(sb, '~');
    skep_strbuf_putc(sb, '\n');
}

void skep_diags_put_text(const struct skep_diags *d, const char *source, struct skep_strbuf *sb)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct skep_diag *diag = &d->list[i];
        const char *file = diag->file ? diag->file : d->file;
        if (diag->line)
            skep_strbuf_printf(sb, "%s:%u:%u: ", file, diag->line, diag->column);
        else if (file)
            skep_strbuf_printf(sb, "%s: ", file);
        skep_strbuf_puts(sb, diag->warning ? "warning: " : "error: ");
        skep_strbuf_put_visible(sb, message_of(diag), strlen(message_of(diag)));
        if (d->codes && diag->code)
            skep_strbuf_printf(sb, " [%s]", diag->code);
        skep_strbuf_putc(sb, '\n');
        if (diag->text || (source && diag->line))
            put_source_line(diag, diag->text ? diag->text : source, sb);
        if (diag->hint) {
            skep_strbuf_puts(sb, "  hint: ");
            skep_strbuf_put_visible(sb, diag->hint, strlen(diag->hint));
            skep_strbuf_putc(sb, '\n');
        }
    }
    if (d->more)
        skep_strbuf_printf(sb, "%s: %zu more\n", d->file ? d->file : "(diagnostics)", d->more);
}
