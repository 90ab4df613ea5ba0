/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_ALERT_ALERT_H
#define SKEP_RULE_ALERT_ALERT_H
/*
 * An alert: a rule matched an event. It is written as Falco writes it, so that what reads those alerts reads these:
 *
 *     16:31:56.746609046: Error File below /etc opened for writing | file=/etc/passwd ...
 *
 *     {"hostname":"web1","output":"16:31:56.746609046: Error File ...","priority":"Error","rule":"Write below etc",
 *      "source":"syscall","tags":["filesystem"],"time":"2026-01-31T15:31:56.746609046Z",
 *      "output_fields":{"evt.time":1769873516746609046,"fd.name":"/etc/passwd"}}
 *
 * on one line each, without a line feed at the end.
 */
#include "rule/alert/format.h"
#include "rule/alert/throttle.h"

struct skep_alert {
    int64_t time; /* UTC, nanoseconds */
    const char *rule;
    enum skep_priority priority;
    const char *source;
    const char *const *tags;
    size_t n_tags;
    const char *hostname; /* NULL: not known, and left out */
    const char *output;   /* what the template came to; visible text */
    size_t output_len;
    /* Has just written the output, and knows the fields; NULL: there is none but evt.time. */
    struct skep_format *format;
    const struct skep_throttle_report *report; /* that it is about, and not an event; NULL: none */
};

struct skep_alert_style {
    bool iso8601; /* the time at the head of a line is 2026-01-31T15:31:56.746609046+0000 instead of local */
    bool message; /* JSON has the output without time and priority, too, as "message" */
};

void skep_alert_put_text(const struct skep_alert *a, const struct skep_alert_style *style,
                         struct skep_strbuf *sb);
void skep_alert_put_json(const struct skep_alert *a, const struct skep_alert_style *style,
                         struct skep_strbuf *sb);

/* The template of a rule; suggest: with what Falco appends to the outputs of rules about system calls. */
void skep_alert_put_template(struct skep_strbuf *sb, const struct skep_rule *rule, bool suggest);
#endif
