/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skep probe: what this kernel offers, which implementation each sensor got, and what follows for each kind of
 * event: whether it can only be seen, or also killed or denied by a policy that asks for it.
 */
#include "agent/agent.h"
#include "agent/schema.h"
#include "agent/session.h"
#include "base/log.h"
#include "load/features.h"
#include "load/kernel.h"
#include "load/syscalls.h"

#define WORKS "\x1b[32m"
#define FAILS "\x1b[31m"
#define PLAIN "\x1b[0m"

struct report {
    struct skep_feature features[SKEP_FEATURE_MAX];
    const struct skep_program *programs; /* NULL: nothing could be loaded */
    size_t n_programs;
    char reason[512]; /* why not */
    struct skep_session session;
    const struct skep_schema *schema;
    bool colour;
};

static const char *state_name(enum skep_program_state s)
{
    switch (s) {
    case SKEP_PROGRAM_UNUSED:
        return "unused";
    case SKEP_PROGRAM_SPARE:
        return "spare";
    case SKEP_PROGRAM_FAILED:
        return "refused";
    case SKEP_PROGRAM_LOADED:
        return "loaded";
    case SKEP_PROGRAM_ATTACHED:
        return "attached";
    }
    return "?";
}

/*
 * What a policy could do about a kind here. An exec can be ended before its first instruction; any other call
 * has done its work when the signal arrives. Denying needs a hook before the act.
 */
static const char *guarantee(const struct report *r, const struct skep_kind *kind)
{
    bool lsm = r->features[SKEP_FEATURE_lsm].works, cgroup = r->features[SKEP_FEATURE_cgroup2].works;
    switch (kind->number) {
    case SKEP_KIND_exec:
        return lsm ? "denied" : r->features[SKEP_FEATURE_send_signal].works ? "killed" : "seen";
    case SKEP_KIND_connect:
    case SKEP_KIND_bind:
    case SKEP_KIND_dns:
        return lsm || cgroup ? "denied" : "seen";
    case SKEP_KIND_socket:
    case SKEP_KIND_listen:
    case SKEP_KIND_accept:
    case SKEP_KIND_send:
    case SKEP_KIND_setuid:
    case SKEP_KIND_setgid:
    case SKEP_KIND_capset:
    case SKEP_KIND_ptrace:
    case SKEP_KIND_signal:
    case SKEP_KIND_module:
    case SKEP_KIND_bpf:
    case SKEP_KIND_perf_event_open:
    case SKEP_KIND_userfaultfd:
    case SKEP_KIND_keyctl:
    case SKEP_KIND_kexec:
    case SKEP_KIND_uring:
    case SKEP_KIND_uring_done:
    case SKEP_KIND_unshare:
        return lsm ? "denied" : "seen";
    }
    return lsm && skep_streq(kind->group, "file") ? "denied" : "seen";
}

/* The state of the sensor that makes a kind; NULL: it works. */
static const char *trouble(const struct report *r, const struct skep_kind *kind)
{
    if (!r->programs)
        return r->reason;
    bool made = false;
    for (const struct skep_syscall *s = skep_syscalls_native(); s->name; s++) {
        if (s->kind != kind->number)
            continue;
        made = true;
        for (size_t i = 0; i < r->n_programs; i++)
            if (r->programs[i].handler == s->handler && r->programs[i].state == SKEP_PROGRAM_FAILED)
                return r->programs[i].reason;
    }
    const char *why = NULL;
    for (size_t i = 0; i < r->n_programs; i++) {
        const struct skep_program *p = &r->programs[i];
        if (!p->kinds || !skep_program_makes(p, kind->name))
            continue;
        if (p->state == SKEP_PROGRAM_LOADED || p->state == SKEP_PROGRAM_ATTACHED)
            return NULL;
        if (p->state == SKEP_PROGRAM_FAILED)
            why = p->reason;
    }
    /* the life cycle is watched by programs that are always wanted */
    return why || made || kind->ring == SKEP_RING_LIFE ? why : "no sensor makes it";
}

static const struct skep_kind *shown_kind(const struct report *r, unsigned number)
{
    const struct skep_kind *kind = skep_schema_kind(r->schema, number);
    return kind && kind->show != SKEP_SHOW_HIDDEN ? kind : NULL;
}

/* ---- text ---- */

static void put_features(const struct report *r, struct skep_strbuf *sb)
{
    skep_strbuf_printf(sb, "Features of Linux %s\n", r->session.kernel);
    for (size_t i = 0; i < SKEP_FEATURE_MAX; i++) {
        const struct skep_feature *f = &r->features[i];
        skep_strbuf_printf(sb, "  %s%-4s%s %-19s %s\n", r->colour ? (f->works ? WORKS : FAILS) : "",
                           f->works ? "yes" : "no", r->colour ? PLAIN : "", f->name, f->doc);
        if (!f->works)
            skep_strbuf_printf(sb, "       %-19s %s; to have it: %s\n", "", f->reason, f->cure);
    }
}

static void put_sensors(const struct report *r, struct skep_strbuf *sb)
{
    skep_strbuf_puts(sb, "\nSensors\n");
    if (!r->programs) {
        skep_strbuf_printf(sb, "  none: %s\n", r->reason);
        return;
    }
    for (size_t i = 0; i < r->n_programs; i++) {
        const struct skep_program *p = &r->programs[i];
        bool failed = p->state == SKEP_PROGRAM_FAILED;
        skep_strbuf_printf(sb, "  %s%-8s%s %-16s %-22s %-32s %5u insns\n",
                           r->colour ? (failed ? FAILS : WORKS) : "", state_name(p->state),
                           r->colour ? PLAIN : "", p->sensor, p->name, p->section, p->verified_insns);
        if (failed)
            skep_strbuf_printf(sb, "           %s\n", p->reason);
    }
}

static void put_kinds(const struct report *r, struct skep_strbuf *sb)
{
    skep_strbuf_puts(sb, "\nEvents, and the most that a policy could do about them here\n");
    for (unsigned i = 0; i < SKEP_KIND_MAX; i++) {
        const struct skep_kind *kind = shown_kind(r, i);
        if (!kind)
            continue;
        const char *why = trouble(r, kind);
        skep_strbuf_printf(sb, "  %-16s %s%s%s\n", kind->name, why ? "not seen" : guarantee(r, kind),
                           why ? ": " : "", why ? why : "");
    }
}

/* ---- JSON ---- */

static void json_features(const struct report *r, struct skep_json *j)
{
    skep_json_open(j, "features", '[');
    for (size_t i = 0; i < SKEP_FEATURE_MAX; i++) {
        const struct skep_feature *f = &r->features[i];
        skep_json_open(j, NULL, '{');
        skep_json_strz(j, "name", f->name);
        skep_json_strz(j, "doc", f->doc);
        skep_json_bool(j, "works", f->works);
        skep_json_strz(j, "reason", f->works ? NULL : f->reason);
        skep_json_strz(j, "cure", f->works ? NULL : f->cure);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
}

static void json_sensors(const struct report *r, struct skep_json *j)
{
    skep_json_open(j, "sensors", '[');
    for (size_t i = 0; i < r->n_programs; i++) {
        const struct skep_program *p = &r->programs[i];
        skep_json_open(j, NULL, '{');
        skep_json_strz(j, "sensor", p->sensor);
        skep_json_strz(j, "program", p->name);
        skep_json_strz(j, "hook", p->section);
        skep_json_strz(j, "doc", p->doc);
        skep_json_u64(j, "rank", p->rank);
        skep_json_strz(j, "state", state_name(p->state));
        skep_json_strz(j, "reason", p->state == SKEP_PROGRAM_FAILED ? p->reason : NULL);
        skep_json_u64(j, "verified_insns", p->verified_insns);
        skep_json_u64(j, "xlated_bytes", p->xlated_bytes);
        skep_json_u64(j, "jited_bytes", p->jited_bytes);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
}

static void put_json(const struct report *r, struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    skep_json_strz(&j, "kernel", r->session.kernel);
    skep_json_strz(&j, "reason", r->programs ? NULL : r->reason);
    json_features(r, &j);
    json_sensors(r, &j);
    skep_json_open(&j, "kinds", '[');
    for (unsigned i = 0; i < SKEP_KIND_MAX; i++) {
        const struct skep_kind *kind = shown_kind(r, i);
        if (!kind)
            continue;
        const char *why = trouble(r, kind);
        skep_json_open(&j, NULL, '{');
        skep_json_strz(&j, "kind", kind->name);
        skep_json_strz(&j, "guarantee", why ? NULL : guarantee(r, kind));
        skep_json_strz(&j, "reason", why);
        skep_json_close(&j, '}');
    }
    skep_json_close(&j, ']');
    skep_json_close(&j, '}');
    skep_strbuf_putc(sb, '\n');
}

/* A sensor that no implementation serves, apart from those that only make others better. */
static int verdict(const struct report *r)
{
    if (!r->programs)
        return SKEP_EXIT_USAGE;
    for (unsigned i = 0; i < SKEP_KIND_MAX; i++) {
        const struct skep_kind *kind = shown_kind(r, i);
        if (kind && trouble(r, kind))
            return SKEP_EXIT_FAILED;
    }
    return SKEP_EXIT_OK;
}

int skep_probe_run(const struct skep_probe_options *o)
{
    _cleanup_schema_ struct skep_schema *schema = NULL;
    _cleanup_kernel_ struct skep_kernel *k = NULL;
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_free_ struct report *r = calloc(1, sizeof(*r));
    struct skep_kernel_options options = {.life_bytes = 1 << 19, .data_bytes = 1 << 19};
    skep_strbuf_init(&sb, 16 << 20);
    int e = r ? skep_agent_schema(&schema) : -ENOMEM;
    if (e < 0)
        return e;
    skep_session_read(&r->session);
    r->schema = schema;
    r->colour = !o->json && skep_terminal_wants_color(o->color, STDOUT_FILENO);
    memset(options.wanted, true, sizeof(options.wanted));
    skep_features_probe(r->features);
    /* attaching is part of the proof; nothing reads the rings, and all is gone at the end */
    e = skep_kernel_open(&options, &k, r->reason, sizeof(r->reason));
    if (e >= 0)
        e = skep_kernel_attach(k, r->reason, sizeof(r->reason));
    if (e >= 0)
        r->programs = skep_kernel_programs(k, &r->n_programs);
    if (o->json) {
        put_json(r, &sb);
    } else {
        put_features(r, &sb);
        put_sensors(r, &sb);
        put_kinds(r, &sb);
    }
    fputs(sb.s, stdout);
    if (e < 0)
        skep_log(SKEP_LOG_ERROR, "%s", *r->reason ? r->reason : strerror(-e));
    return verdict(r);
}
