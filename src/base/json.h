/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_JSON_H
#define SKEP_BASE_JSON_H
/*
 * A JSON writer that appends to a strbuf and never builds a tree: events are written at the rate at which
 * they are read. It places the commas; the caller opens and closes in pairs.
 *
 *     struct skep_json j;
 *     skep_json_init(&j, &sb);
 *     skep_json_open(&j, NULL, '{');
 *     skep_json_str(&j, "comm", "bash", 4);
 *     skep_json_u64(&j, "pid", 17);
 *     skep_json_close(&j, '}');
 *
 * A name of NULL writes an array element (or the outermost value). Strings are bytes: invalid UTF-8 becomes
 * U+FFFD, so that the output is always valid JSON. Reading JSON is the business of jansson, not of this file.
 */
#include "base/strbuf.h"

struct skep_json {
    struct skep_strbuf *sb;
    bool comma; /* the next member needs a comma before it */
};

void skep_json_init(struct skep_json *j, struct skep_strbuf *sb);
void skep_json_open(struct skep_json *j, const char *name, char bracket); /* bracket: '{' or '[' */
void skep_json_close(struct skep_json *j, char bracket);                  /* bracket: '}' or ']' */
void skep_json_str(struct skep_json *j, const char *name, const void *s, size_t n);
void skep_json_strz(struct skep_json *j, const char *name, const char *s); /* NULL writes null */
void skep_json_u64(struct skep_json *j, const char *name, uint64_t v);
void skep_json_i64(struct skep_json *j, const char *name, int64_t v);
void skep_json_f64(struct skep_json *j, const char *name, double v);
void skep_json_bool(struct skep_json *j, const char *name, bool v);
void skep_json_null(struct skep_json *j, const char *name);
/* Only "name": and the comma; the caller appends the value's text to the strbuf himself. */
void skep_json_name(struct skep_json *j, const char *name);
/* The quoted, escaped form of s alone. */
void skep_json_quote(struct skep_strbuf *sb, const void *s, size_t n);
#endif
