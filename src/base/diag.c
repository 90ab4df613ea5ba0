/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"

#include <stdarg.h>

#define SHOWN_LINE_MAX 200 /* bytes of the source line that are shown */

void skep_diags_init(struct skep_diags *d, const char *file)
{
    *d = (struct skep_diags){.file = file};
}

void skep_diags_clear(struct skep_diags *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->list[i].message);
        free(d->list[i].hint);
    }
    skep_diags_init(d, d->file);
}

void skep_diags_add(struct skep_diags *d, const char *source, size_t at, size_t length, const char *code,
                    const char *fmt, ...)
{
    if (d->n == SKEP_DIAGS_MAX) {
        d->more++;
        return;
    }
    struct skep_diag *diag = &d->list[d->n];
    *diag =
        (struct skep_diag){.line = 1, .column = 1, .length = (unsigned)MAX(length, (size_t)1), .code = code};
    for (size_t i = 0; i < at && source[i]; i++) {
        diag->column++;
        if (source[i] == '\n') {
            diag->line++;
            diag->column = 1;
        }
    }
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&diag->message, fmt, ap) < 0)
        diag->message = NULL;
    va_end(ap);
    d->n++;
}

void skep_diags_hint(struct skep_diags *d, const char *fmt, ...)
{
    /* The hint belongs to the diagnostic before it: when that did not fit, neither does its hint. */
    if (d->n == 0 || d->more)
        return;
    struct skep_diag *diag = &d->list[d->n - 1];
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
    for (unsigned line = 1; line < diag->line; line++) {
        source = strchr(source, '\n');
        if (!source)
            return;
        source++;
    }
    size_t n = strcspn(source, "\n"), at = MIN(diag->column - 1, n);
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
        skep_strbuf_printf(sb, "%s:%u:%u: error: ", d->file, diag->line, diag->column);
        skep_strbuf_put_visible(sb, message_of(diag), strlen(message_of(diag)));
        skep_strbuf_putc(sb, '\n');
        if (source)
            put_source_line(diag, source, sb);
        if (diag->hint) {
            skep_strbuf_puts(sb, "  hint: ");
            skep_strbuf_put_visible(sb, diag->hint, strlen(diag->hint));
            skep_strbuf_putc(sb, '\n');
        }
    }
    if (d->more)
        skep_strbuf_printf(sb, "%s: %zu more errors\n", d->file, d->more);
}

void skep_diags_put_json(const struct skep_diags *d, struct skep_json *j, const char *name)
{
    skep_json_open(j, name, '[');
    for (size_t i = 0; i < d->n; i++) {
        const struct skep_diag *diag = &d->list[i];
        skep_json_open(j, NULL, '{');
        skep_json_strz(j, "file", d->file);
        skep_json_u64(j, "line", diag->line);
        skep_json_u64(j, "column", diag->column);
        skep_json_strz(j, "code", diag->code);
        skep_json_strz(j, "message", message_of(diag));
        skep_json_strz(j, "hint", diag->hint);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
}
