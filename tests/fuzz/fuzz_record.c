/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a record of any kind: what passes the check can be read through every field and written in
 * every form. */
#include "event/schema.h"
#include "event/scratch.h"
#include "export/json.h"
#include "export/table.h"
#include "export/tally.h"
#include "export/text.h"

#include <bpf/btf.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct skep_schema *schema;
static struct skep_json_writer *json;
static struct skep_text_writer *text;
static struct skep_table *table;

static void make(void)
{
    struct btf *btf = btf__parse_elf(SKEP_BPF_OBJECT, NULL);
    uint32_t n;
    const void *raw = btf ? btf__raw_data(btf, &n) : NULL;
    static struct skep_diags d;
    skep_diags_init(&d, "-o");
    struct skep_table_options options = {
        .size = sizeof(options), .columns = "time,kind,pid,comm,proc.args,ret", .width = 60};
    if (!raw || skep_schema_new(raw, n, &schema) < 0 || skep_json_writer_new(schema, &json) < 0 ||
        skep_text_writer_new(schema, true, &text) < 0 ||
        skep_table_new(schema, NULL, &options, &d, &table) < 0)
        abort();
    btf__free(btf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!schema)
        make();
    if (size < 2 || size > SKEP_RECORD_MAX + 64)
        return 0;
    /* Lengths are hard to hit by chance: the first byte says whether they are made to fit. */
    bool help = data[0] & 1;
    bool known = data[0] & 2;
    data++;
    size--;
    /* an own block, so that a read behind it is seen, and aligned as a ring is */
    _cleanup_free_ char *copy = malloc(size);
    memcpy(copy, data, size);
    struct skep_hdr *h = (struct skep_hdr *)copy;
    if (help && size >= sizeof(*h)) {
        h->len = (uint32_t)(size & ~7UL);
        h->kind %= SKEP_KIND_MAX;
    }
    const struct skep_kind *kind = size >= sizeof(*h) ? skep_schema_kind(schema, h->kind) : NULL;
    if (skep_record_check(kind, copy, size) < 0)
        return 0;

    static struct skep_scratch scratch;
    static const struct skep_session session;
    struct skep_proc_image image = {.args = {.s = copy, .len = size}};
    struct skep_proc proc = {.partial = (h->flags & 1) == 0, .image = &image, .parent = NULL};
    memcpy(&proc.task, copy, MIN(sizeof(proc.task), size));
    struct skep_event ev = {.kind = kind, .h = h, .session = &session, .scratch = &scratch};
    if (known) {
        ev.proc = &proc;
        ev.image = &image;
    }
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_json_writer_put(json, NULL, &sb, &ev);
    if (memchr(sb.s, '\n', sb.len))
        abort();
    skep_strbuf_reset(&sb);
    skep_text_writer_put(text, &sb, &ev);
    if (memchr(sb.s, '\n', sb.len))
        abort();
    skep_strbuf_reset(&sb);
    skep_table_put_row(table, &sb, &ev);
    if (memchr(sb.s, '\n', sb.len))
        abort();
    return 0;
}
