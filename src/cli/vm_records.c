/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vm_records.h"

#include "agent/schema.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "event/recording.h"

#define TEXT_MAX (1U << 20)

struct records {
    struct skep_vm_thread *t;
    const struct skep_vm_program *p;
    bool json;
    struct skep_strbuf text;
    uint64_t failed;
};

static void put_line(struct records *r, const struct skep_hdr *h, const char *kind, int error, uint64_t value)
{
    const struct skep_vm_error *e = skep_vm_thread_error(r->t);
    if (!r->json) {
        skep_strbuf_printf(&r->text, "%llu: %s: ", (unsigned long long)h->seq, kind);
        if (error < 0)
            skep_strbuf_printf(&r->text, "error: %s\n", e->message);
        else
            skep_strbuf_printf(&r->text, "0x%llx\n", (unsigned long long)value);
        return;
    }
    struct skep_json j;
    skep_json_init(&j, &r->text);
    skep_json_open(&j, NULL, '{');
    skep_json_strz(&j, "kind", kind);
    skep_json_u64(&j, "seq", h->seq);
    skep_json_u64(&j, "pid", h->pid);
    if (error < 0) {
        skep_json_strz(&j, "fault", skep_vm_fault_name(e->fault));
        skep_json_strz(&j, "message", e->message);
    } else {
        skep_json_u64(&j, "result", value);
    }
    skep_json_close(&j, '}');
    skep_strbuf_putc(&r->text, '\n');
}

static int run_record(struct records *r, const struct skep_hdr *h, const struct skep_kind *kind)
{
    uint64_t value = 0;
    /* programs may write into it: it is ours until the next one is read */
    int error = skep_vm_run(r->t, r->p, (void *)(uintptr_t)h, h->len, &value);
    r->failed += error < 0;
    skep_strbuf_reset(&r->text);
    put_line(r, h, kind->name, error, value);
    return skep_print(&r->text) == SKEP_EXIT_OK ? 0 : -EIO;
}

/* The kind that the program's section asks for, NULL: all of them. */
static int wanted_kind(const struct skep_schema *schema, const struct skep_vm_program *p,
                       const struct skep_kind **ret_kind)
{
    const char *section = skep_vm_program_section(p);
    const char *name = section ? skep_startswith(section, "skep/") : NULL;
    *ret_kind = name ? skep_schema_kind_by_name(schema, name) : NULL;
    if (name && !*ret_kind)
        return skep_log_error(
            -EINVAL, "section %s: there is no kind of event %s (skep docs events lists them)", section, name);
    return 0;
}

static int run_all(struct records *r, struct skep_recording *rec, const struct skep_schema *schema)
{
    const struct skep_kind *wanted;
    if (wanted_kind(schema, r->p, &wanted) < 0)
        return SKEP_EXIT_FAILED;
    const struct skep_hdr *h;
    int more;
    while ((more = skep_recording_next(rec, &h)) > 0) {
        const struct skep_kind *kind = skep_schema_kind(schema, h->kind);
        if (!kind || (wanted && kind != wanted))
            continue;
        if (run_record(r, h, kind) < 0)
            return SKEP_EXIT_FAILED;
    }
    if (more < 0)
        return skep_log_error(SKEP_EXIT_FAILED, "%s", skep_recording_damage(rec));
    return r->failed ? SKEP_EXIT_FAILED : SKEP_EXIT_OK;
}

int skep_vm_run_records(struct skep_vm_thread *t, const struct skep_vm_program *p, const char *path,
                        bool json)
{
    _cleanup_schema_ struct skep_schema *schema = NULL;
    _cleanup_layouts_ struct skep_layouts *layouts = NULL;
    _cleanup_recording_ struct skep_recording *rec = NULL;
    char reason[256];
    if (skep_agent_schema(&schema) < 0 || skep_agent_layouts(&layouts) < 0)
        return SKEP_EXIT_FAILED;
    int r = skep_recording_open(path, layouts, &rec, reason, sizeof(reason));
    if (r < 0)
        return skep_log_error(SKEP_EXIT_FAILED, "%s: %s", path, reason);
    struct records records = {.t = t, .p = p, .json = json};
    skep_strbuf_init(&records.text, TEXT_MAX);
    r = run_all(&records, rec, schema);
    skep_strbuf_clear(&records.text);
    return r;
}
