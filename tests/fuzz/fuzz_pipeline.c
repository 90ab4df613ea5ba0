/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as a sequence of records, as a damaged recording could hold them, through the pipeline into JSON lines: no
 * crash, no line feed inside a line, the same line with and without what is remembered of processes, and a ledger that
 * closes.
 *
 * Each record: kind, what to make fit, length (two bytes), then its bytes. Numbers that tie records together
 * (process, start, exec count, time) are made small when asked to, so that they meet.
 */
#include "agent/pipeline.h"
#include "export/json.h"

#include <bpf/btf.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIT_LENGTH = 1, FIT_IDS = 2, FIT_TIME = 4, FIT_SLICES = 8, WHOLE_KINDS = 16 };

static struct skep_schema *schema;
static struct skep_json_writer *json;
static struct skep_json_memo *memo; /* of one pipeline */
static struct skep_strbuf line, plain;

static void make(void)
{
    struct btf *btf = btf__parse_elf(SKEP_BPF_OBJECT, NULL);
    uint32_t n;
    const void *raw = btf ? btf__raw_data(btf, &n) : NULL;
    if (!raw || skep_schema_new(raw, n, &schema) < 0 || skep_json_writer_new(schema, &json) < 0)
        abort();
    btf__free(btf);
    skep_strbuf_init(&line, 4 << 20);
    skep_strbuf_init(&plain, 4 << 20);
}

static enum skep_verdict on_event(void *data, const struct skep_event *ev)
{
    (void)data;
    skep_strbuf_reset(&line);
    skep_strbuf_reset(&plain);
    skep_json_writer_put(json, memo, &line, ev);
    skep_json_writer_put(json, NULL, &plain, ev);
    if (memchr(line.s, '\n', line.len) || line.len != plain.len || memcmp(line.s, plain.s, line.len) != 0)
        abort();
    return SKEP_VERDICT_EMITTED;
}

static void on_record(void *data, const struct skep_hdr *h)
{
    (void)data;
    if (h->len < sizeof(*h))
        abort();
}

static void on_tracked(void *data, const struct skep_proc *proc)
{
    (void)data;
    if (!proc->image)
        abort();
}

static void fit_slices(const struct skep_kind *kind, struct skep_hdr *h)
{
    for (size_t i = 0; i < kind->n_fields; i++) {
        const struct skep_field *f = &kind->fields[i];
        enum skep_class class = skep_type_info(f->type)->class;
        if ((class != SKEP_CLASS_TEXT && class != SKEP_CLASS_LIST) || f->size != sizeof(struct skep_slice))
            continue;
        struct skep_slice *s = (struct skep_slice *)((char *)h + f->off);
        uint32_t room = h->len - kind->size;
        s->off = kind->size + s->off % (room + 1);
        s->len %= h->len - s->off + 1;
    }
}

static void fit(struct skep_hdr *h, size_t n, unsigned what, uint64_t *now)
{
    const struct skep_kind *kind = skep_schema_kind(schema, h->kind);
    if (what & FIT_LENGTH)
        h->len = (uint32_t)n;
    if (what & FIT_IDS) {
        h->pid = h->tid = h->pid % 8;
        h->start %= 4;
        h->exec_id %= 4;
        h->cpu %= 2;
        h->seq %= 16;
        h->cgroup %= 4;
    }
    if (what & FIT_TIME)
        h->time = *now += h->time % 2000000000;
    if (what & FIT_SLICES && kind && h->len == n && n > kind->size)
        fit_slices(kind, h);
    if (!(what & FIT_IDS) || n < sizeof(struct skep_ev_fork))
        return;
    if (h->kind == SKEP_KIND_fork) {
        struct skep_ev_fork *e = (struct skep_ev_fork *)h;
        e->child.pid %= 8;
        e->pad_child_start %= 4;
    } else if (h->kind == SKEP_KIND_process || h->kind == SKEP_KIND_exec) {
        struct skep_ev_process *e = (struct skep_ev_process *)h;
        e->task.parent_pid %= 8;
        e->task.parent_start %= 4;
    }
}

static void check_ledger(struct skep_pipeline *p)
{
    for (size_t i = 0; i < SKEP_KIND_MAX; i++) {
        struct skep_ledger_row *row = &p->ledger.rows[i];
        row->seen = p->received[i];
        if (skep_ledger_difference(row) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char buf[SKEP_RECORD_MAX] __attribute__((aligned(8)));
    struct skep_session session = {.self = 7, .host_ns = {.mnt = 1}};
    struct skep_scope scope = {0};
    struct skep_pipeline_ops ops = {.event = on_event, .record = on_record, .tracked = on_tracked};
    struct skep_pipeline p;
    uint64_t now = 1;
    if (!schema)
        make();
    if (size < 1)
        return 0;
    scope.flags = *data & 15;
    scope.root = *data >> 6;
    memset(scope.kinds, !(*data & WHOLE_KINDS), sizeof(scope.kinds));
    scope.kinds[SKEP_KIND_open] = true;
    if (skep_json_memo_new(&memo) < 0 || skep_pipeline_init(&p, schema, &session, &scope, &ops) < 0)
        abort();
    for (size_t at = 1; at + 4 <= size;) {
        uint8_t kind = data[at] % SKEP_KIND_MAX, what = data[at + 1];
        size_t n = data[at + 2] | (size_t)(data[at + 3] & 0x1f) << 8;
        at += 4;
        n = MIN(ROUND_UP(n, (size_t)8), (size - at) & ~(size_t)7);
        if (n < sizeof(struct skep_hdr))
            continue;
        memcpy(buf, data + at, n);
        at += n;
        struct skep_hdr *h = (struct skep_hdr *)buf;
        h->kind = kind;
        fit(h, n, what, &now);
        /* a block of its own, so that a read behind it is seen */
        _cleanup_free_ struct skep_hdr *copy = malloc(n);
        memcpy(copy, buf, n);
        skep_pipeline_take(&p, copy, n);
    }
    skep_pipeline_settle(&p);
    check_ledger(&p);
    skep_pipeline_clear(&p);
    memo = skep_json_memo_free(memo);
    return 0;
}
