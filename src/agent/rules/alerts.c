/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/alerts.h"

#include "agent/rules/load.h"
#include "base/clock.h"
#include "base/log.h"
#include "export/sink.h"
#include "rule/alert/alert.h"
#include "rule/alert/throttle.h"

#include <inttypes.h>

#define ALERT_MAX_BYTES (1u << 20)
#define FINISH_NS 3000000000ULL /* for sinks that are slow to take the last alerts */

struct skep_alerts {
    const struct skep_agent_options *o;
    struct skep_view_state *view;
    bool want_text, want_json;      /* some sink or the view does */
    struct skep_throttle *throttle; /* NULL: nothing is held back */
    struct skep_format *key;        /* what makes two alerts of a rule the same; NULL: the rule alone */
    const struct skep_session *session;
    struct skep_strbuf output, report, text, json;
};

struct skep_alerts *skep_alerts_free(struct skep_alerts *a)
{
    if (!a)
        return NULL;
    skep_throttle_free(a->throttle);
    skep_format_free(a->key);
    skep_strbuf_clear(&a->output);
    skep_strbuf_clear(&a->report);
    skep_strbuf_clear(&a->text);
    skep_strbuf_clear(&a->json);
    free(a);
    return NULL;
}

int skep_alerts_begin(struct skep_alerts *a, struct skep_view_state *view, const struct skep_session *session)
{
    a->view = view;
    a->session = session;
    return 0;
}

static void send_out(struct skep_alerts *a, enum skep_priority priority, const char *rule)
{
    struct skep_alert_line line = {
        .priority = (unsigned)priority,
        .rule = rule,
        .text = a->want_text ? a->text.s : NULL,
        .text_len = a->text.len,
        .json = a->want_json ? a->json.s : NULL,
        .json_len = a->json.len,
    };
    for (size_t i = 0; i < a->o->alerts.n_sinks; i++)
        skep_sink_put(a->o->alerts.sinks[i], &line);
    if (!a->o->alerts.n_sinks)
        skep_view_alert(a->view, (unsigned)priority, a->o->view == SKEP_VIEW_JSON ? &a->json : &a->text);
}

/* Limits and suppression; what they hide is told later. */
static bool admit(struct skep_alerts *a, struct skep_ruleset *rs, uint32_t rule, const struct skep_event *ev,
                  const struct skep_ruleset_world *world)
{
    if (!a->throttle)
        return true;
    skep_strbuf_reset(&a->output);
    if (a->key) {
        skep_format_use_hosts(a->key, world->hosts);
        skep_format_put_text(a->key, ev, world->users, &a->output);
    }
    return skep_throttle_ask(a->throttle, rs->policy->rules[rule].name, a->output.s, a->output.len,
                             ev->h->time) == SKEP_THROTTLE_PASS;
}

/* Said like an alert, so that whoever reads alerts learns of it. */
static void on_report(void *data, const struct skep_throttle_report *report)
{
    struct skep_alerts *a = data;
    struct skep_throttle_report utc = *report;
    utc.first_ns += (uint64_t)a->session->boot_offset;
    utc.last_ns += (uint64_t)a->session->boot_offset;
    struct skep_alert alert = {
        .time = (int64_t)utc.last_ns,
        .rule = "skep: alerts were hidden",
        .priority = SKEP_PRIORITY_INFORMATIONAL,
        .source = "internal",
        .hostname = a->session->hostname,
        .report = &utc,
    };
    const struct skep_alert_style *style = &a->o->alerts.style;
    skep_strbuf_reset(&a->report);
    skep_throttle_put_text(report, &a->report);
    alert.output = a->report.s;
    alert.output_len = a->report.len;
    skep_strbuf_reset(&a->text);
    skep_strbuf_reset(&a->json);
    if (a->want_text)
        skep_alert_put_text(&alert, style, &a->text);
    if (a->want_json)
        skep_alert_put_json(&alert, style, &a->json);
    send_out(a, alert.priority, alert.rule);
}

static int open_throttle(struct skep_alerts *a, const struct skep_alerts_options *o)
{
    _cleanup_diags_ struct skep_diags diags;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_diags_init(&diags, "--suppress");
    skep_strbuf_init(&sb, 1 << 16);
    if (!o->throttle.rate && !o->throttle.window_ns)
        return 0;
    int r = o->key ? skep_format_new(o->key, NULL, &diags, &a->key) : 0;
    skep_diags_put_text(&diags, NULL, &sb);
    fputs(sb.s, stderr);
    return r < 0 ? r : skep_throttle_new(&o->throttle, on_report, a, &a->throttle);
}

int skep_alerts_open(const struct skep_agent_options *o, struct skep_alerts **ret, int *ret_status)
{
    struct skep_alerts *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->o = o;
    a->want_json = !o->alerts.n_sinks && o->view == SKEP_VIEW_JSON;
    a->want_text = !o->alerts.n_sinks && o->view != SKEP_VIEW_JSON;
    for (size_t i = 0; i < o->alerts.n_sinks; i++) {
        bool json = skep_sink_format(o->alerts.sinks[i]) == SKEP_SINK_JSON;
        a->want_json |= json;
        a->want_text |= !json;
    }
    skep_strbuf_init(&a->output, ALERT_MAX_BYTES);
    skep_strbuf_init(&a->report, ALERT_MAX_BYTES);
    skep_strbuf_init(&a->text, ALERT_MAX_BYTES);
    skep_strbuf_init(&a->json, ALERT_MAX_BYTES);
    int r = open_throttle(a, &o->alerts);
    if (r == -EINVAL)
        *ret_status = SKEP_EXIT_USAGE;
    if (r < 0) {
        skep_alerts_free(a);
        return r;
    }
    *ret = a;
    return 0;
}

/* false: it does not fit. */
static bool write_alert(struct skep_alerts *a, struct skep_ruleset *rs, uint32_t rule,
                        const struct skep_event *ev, const struct skep_ruleset_world *world)
{
    skep_strbuf_reset(&a->output);
    skep_strbuf_reset(&a->text);
    skep_strbuf_reset(&a->json);
    skep_rules_put_output(rs, rule, ev, world, &a->output);
    if (a->want_text)
        skep_rules_put_alert(rs, rule, ev, &a->output, false, &a->o->alerts.style, &a->text);
    if (a->want_json)
        skep_rules_put_alert(rs, rule, ev, &a->output, true, &a->o->alerts.style, &a->json);
    return !a->output.failed && !a->text.failed && !a->json.failed;
}

void skep_alerts_put(struct skep_alerts *a, struct skep_ruleset *rs, uint32_t rule,
                     const struct skep_event *ev, const struct skep_ruleset_world *world)
{
    /* Whoever starts a process chooses how long its arguments are; half an alert would be read by nobody. */
    static const uint32_t limits[] = {0, SKEP_FORMAT_LONGEST_MAX, SKEP_FORMAT_LONGEST_MAX / 16, 1};
    bool written = false;
    if (!admit(a, rs, rule, ev, world))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(limits) && !written; i++) {
        skep_format_limit(rs->formats[rule], limits[i]);
        written = write_alert(a, rs, rule, ev, world);
    }
    send_out(a, rs->policy->rules[rule].priority, rs->policy->rules[rule].name);
}

void skep_alerts_tick(struct skep_alerts *a, uint64_t now)
{
    if (a->throttle && now >= skep_throttle_next(a->throttle))
        skep_throttle_tick(a->throttle, now);
}

void skep_alerts_reopen(struct skep_alerts *a)
{
    for (size_t i = 0; i < a->o->alerts.n_sinks; i++)
        skep_sink_reopen(a->o->alerts.sinks[i]);
}

static int tell_sink(const struct skep_sink *sink, const struct skep_sink_counters *c)
{
    uint64_t lost = c->dropped + c->failed;
    if (!lost)
        return SKEP_EXIT_OK;
    skep_log(SKEP_LOG_ERROR,
             "%s: %" PRIu64 " of %" PRIu64 " alerts were lost (%" PRIu64 " dropped, %" PRIu64 " refused)%s%s",
             skep_sink_name(sink), lost, c->put, c->dropped, c->failed, *c->last_error ? ": " : "",
             c->last_error);
    return SKEP_EXIT_FAILED;
}

int skep_alerts_finish(struct skep_alerts *a)
{
    uint64_t deadline = skep_clock_mono_ns() + FINISH_NS;
    int status = SKEP_EXIT_OK;
    if (a->throttle)
        skep_throttle_end(a->throttle);
    for (size_t i = 0; i < a->o->alerts.n_sinks; i++)
        skep_sink_end(a->o->alerts.sinks[i], deadline);
    for (size_t i = 0; i < a->o->alerts.n_sinks; i++) {
        struct skep_sink_counters counters;
        skep_sink_finish(a->o->alerts.sinks[i], deadline);
        skep_sink_counters(a->o->alerts.sinks[i], &counters);
        int told = tell_sink(a->o->alerts.sinks[i], &counters);
        status = MAX(status, told);
    }
    return status;
}
