/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a condition of --where: it is refused with a diagnostic that can be printed, or it can be asked about an
 * event of every kind, with the same answer from the interpreter and from machine code. */
#include "agent/rules/where.h"

#include <bpf/btf.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct skep_schema *schema;

static void make(void)
{
    struct btf *btf = btf__parse_elf(SKEP_BPF_OBJECT, NULL);
    uint32_t n;
    const void *raw = btf ? btf__raw_data(btf, &n) : NULL;
    if (!raw || skep_schema_new(raw, n, &schema) < 0)
        abort();
    btf__free(btf);
}

static void ask(struct skep_where *a, struct skep_where *b)
{
    static const struct skep_session session;
    static union {
        struct skep_hdr h;
        char bytes[1024];
    } record;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(schema, k);
        if (!kind || kind->size > sizeof(record) - 32)
            continue;
        memset(&record, 0x41, sizeof(record));
        record.h.len = kind->size + 32;
        record.h.kind = (uint16_t)k;
        for (size_t i = 0; i < kind->n_slices; i++)
            memcpy(record.bytes + kind->slices[i], &(struct skep_slice){kind->size, 24},
                   sizeof(struct skep_slice));
        struct skep_event ev = {.kind = kind, .h = &record.h, .session = &session};
        if (skep_record_check(kind, &record, sizeof(record)) < 0)
            continue;
        if (skep_where_match(a, &ev) != skep_where_match(b, &ev))
            abort();
    }
    if (skep_where_rules(a)->faults || skep_where_rules(b)->faults)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!schema)
        make();
    if (size > 4096)
        return 0;
    _cleanup_free_ char *s = strndup((const char *)data, size);
    _cleanup_diags_ struct skep_diags d;
    _cleanup_where_ struct skep_where *w = NULL, *interpreted = NULL;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_where_text text = {"--where", s};
    struct skep_where_options o = {0};
    skep_diags_init(&d, "--where");
    skep_strbuf_init(&sb, 1 << 20);
    int r = skep_where_new(schema, &text, 1, &o, &d, &w);
    if ((r < 0) != (w == NULL) || (r == -EINVAL) != (d.n_errors > 0))
        abort();
    skep_diags_put_text(&d, NULL, &sb);
    o.interpret = true;
    if (w && skep_where_new(schema, &text, 1, &o, &d, &interpreted) < 0)
        abort();
    if (w)
        ask(w, interpreted);
    return 0;
}
