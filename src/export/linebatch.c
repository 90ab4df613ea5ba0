/* SPDX-License-Identifier: Apache-2.0 */
#include "export/linebatch.h"

void skep_linebatch_init(struct skep_linebatch *b, size_t line_max)
{
    b->len = b->n = 0;
    skep_strbuf_init(&b->text, SKEP_LINEBATCH_BYTES + line_max + 1);
}

void skep_linebatch_clear(struct skep_linebatch *b)
{
    skep_strbuf_clear(&b->text);
    b->len = b->n = 0;
}

bool skep_linebatch_end(struct skep_linebatch *b, unsigned kind)
{
    skep_strbuf_putc(&b->text, '\n');
    size_t len = b->text.len - b->len;
    if (b->text.failed || len > UINT32_MAX) {
        skep_strbuf_truncate(&b->text, b->len);
        skep_strbuf_resume(&b->text);
        return false;
    }
    b->lines[b->n++] = (struct skep_linering_slot){.len = (uint32_t)len, .kind = (uint16_t)kind};
    b->len += len;
    return true;
}

bool skep_linebatch_is_full(const struct skep_linebatch *b)
{
    return b->len >= SKEP_LINEBATCH_BYTES || b->n == SKEP_LINEBATCH_LINES;
}

void skep_linebatch_reset(struct skep_linebatch *b)
{
    b->len = b->n = 0;
    skep_strbuf_reset(&b->text);
}
