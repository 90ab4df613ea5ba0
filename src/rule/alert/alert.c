/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/alert/alert.h"

#include "base/clock.h"

#define SUGGESTED "container_id=%container.id container_name=%container.name"

static void put_head(const struct skep_alert *a, const struct skep_alert_style *style, struct skep_strbuf *sb)
{
    if (style->iso8601)
        skep_clock_put_iso8601(sb, a->time);
    else
        skep_clock_put_local(sb, a->time, false, true);
    skep_strbuf_puts(sb, ": ");
    skep_strbuf_puts(sb, skep_priority_name(a->priority));
    skep_strbuf_putc(sb, ' ');
}

void skep_alert_put_text(const struct skep_alert *a, const struct skep_alert_style *style,
                         struct skep_strbuf *sb)
{
    put_head(a, style, sb);
    skep_strbuf_put(sb, a->output, a->output_len);
}

/* The line, as a quoted text: the head, which needs no quoting, goes behind the first quote. */
static void put_line(const struct skep_alert *a, const struct skep_alert_style *style, struct skep_strbuf *sb)
{
    char text[64];
    struct skep_strbuf head;
    skep_strbuf_init_fixed(&head, text, sizeof(text));
    put_head(a, style, &head);
    size_t begin = sb->len + 1;
    skep_json_quote(sb, a->output, a->output_len);
    size_t end = sb->len;
    skep_strbuf_put(sb, head.s, head.len);
    if (sb->failed)
        return;
    memmove(sb->s + begin + head.len, sb->s + begin, end - begin);
    memcpy(sb->s + begin, head.s, head.len);
}

void skep_alert_put_json(const struct skep_alert *a, const struct skep_alert_style *style,
                         struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    if (a->hostname)
        skep_json_strz(&j, "hostname", a->hostname);
    if (style->message)
        skep_json_str(&j, "message", a->output, a->output_len);
    skep_json_name(&j, "output");
    put_line(a, style, sb);
    skep_json_strz(&j, "priority", skep_priority_name(a->priority));
    skep_json_strz(&j, "rule", a->rule);
    skep_json_strz(&j, "source", a->source);
    skep_json_open(&j, "tags", '[');
    for (size_t i = 0; i < a->n_tags; i++)
        skep_json_strz(&j, NULL, a->tags[i]);
    skep_json_close(&j, ']');
    skep_json_name(&j, "time");
    skep_strbuf_putc(sb, '"');
    skep_clock_put_rfc3339(sb, a->time);
    skep_strbuf_putc(sb, '"');
    skep_json_open(&j, "output_fields", '{');
    if (a->format)
        skep_format_put_fields(a->format, &j);
    else
        skep_json_i64(&j, "evt.time", a->time);
    if (a->report)
        skep_throttle_put_json(a->report, &j);
    skep_json_close(&j, '}');
    skep_json_close(&j, '}');
}

void skep_alert_put_template(struct skep_strbuf *sb, const struct skep_rule *rule, bool suggest)
{
    skep_strbuf_puts(sb, rule->output);
    if (suggest && skep_streq(rule->source, "syscall")) {
        if (sb->len)
            skep_strbuf_putc(sb, ' ');
        skep_strbuf_puts(sb, SUGGESTED);
    }
}
