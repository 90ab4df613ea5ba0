/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_ALERT_FORMAT_H
#define SKEP_RULE_ALERT_FORMAT_H
/*
 * Outputs: text with %fields. A template is compiled once (its fields become requests of its own context) and filled
 * in for each alert:
 *
 *     %proc.name  %proc.aname[2]  %evt.arg[0]  %evt.arg.flags  %toupper(proc.name)  %20fd.name
 *
 * A number in front of a field is how many characters of the line it takes. A field without a value is <NA>, one with
 * several is (a,b). A full stop behind a field ends a sentence. Text from outside is made visible (control characters
 * escaped as in JSON, invalid UTF-8 becomes U+FFFD). One thread at a time.
 */
#include "base/json.h"
#include "rule/fact.h"
#include "rule/policy.h"

#define SKEP_FORMAT_TEXT_MAX (64u << 10) /* bytes of a template */
#define SKEP_FORMAT_LONGEST_MAX 2048     /* where values are cut, at most */

struct skep_format;
struct skep_rule_hosts;

/* place: of the template, for diagnostics (LOAD_ERR_COMPILE_OUTPUT). -EINVAL: diagnostics were added. */
int skep_format_new(const char *text, const struct skep_rule_place *place, struct skep_diags *diags,
                    struct skep_format **ret);
struct skep_format *skep_format_free(struct skep_format *f);
/* enum skep_rule_field_flag of all its fields. */
uint32_t skep_format_flags(const struct skep_format *f);
SKEP_DEFINE_CLEANUP(struct skep_format, skep_format_free)
/* Where fields that are names of hosts look (rule/names/hosts.h); without, they are missing. Borrowed. */
void skep_format_use_hosts(struct skep_format *f, struct skep_rule_hosts *hosts);
/* Of a text only so many bytes are shown from now on, and behind those "..."; 0: all. */
void skep_format_limit(struct skep_format *f, uint32_t longest);

/* The readable line for an event. */
void skep_format_put_text(struct skep_format *f, const struct skep_event *ev, struct skep_rule_users *users,
                          struct skep_strbuf *sb);
/* The same event's fields as members of the object "output_fields": {"evt.time": ns, "proc.name": "sh", ...}, typed,
 * null when missing. Call after put_text() for the same event: the values are those. */
void skep_format_put_fields(struct skep_format *f, struct skep_json *j);
#endif
