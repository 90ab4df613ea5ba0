/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_SINK_SPEC_H
#define SKEP_EXPORT_SINK_SPEC_H
/*
 * The text that makes a sink, taken apart:
 *
 *     KIND[:ADDRESS][,OPTION[=VALUE]]...
 *
 *     file:/var/log/skep.json,rotate=10M,keep=3
 *     https://collector.example/alerts,header="Authorization: Bearer a,b"
 *     program:logger -t 'a, b',format=text
 *     "program:awk -F, '{print $1}'",format=text
 *
 * A comma in quotes, single or double, separates nothing. Quotes around the whole of KIND:ADDRESS, of ADDRESS
 * or of a VALUE are taken off, and in double ones \" and \\ mean " and \; quotes in the middle stay, for a
 * shell to read.
 *
 * Values are stored by a table of options (struct skep_sink_option) that the documentation is made from, too.
 */
#include "export/sink.h"

#define SKEP_SINK_OPTIONS_MAX 64 /* in one specification */
#define SKEP_SINK_TEXTS_MAX 32   /* values of one option that may be repeated */

enum skep_sink_option_kind {
    SKEP_SINK_OPTION_FORMAT,   /* enum skep_sink_format */
    SKEP_SINK_OPTION_COUNT,    /* uint64_t from min to max */
    SKEP_SINK_OPTION_SIZE,     /* uint64_t from min to max: 4096, 16M */
    SKEP_SINK_OPTION_DURATION, /* uint64_t ns, not 0 */
    SKEP_SINK_OPTION_MODE,     /* uint32_t, octal, at most 0777 */
    SKEP_SINK_OPTION_TEXT,     /* const char *, not empty */
    SKEP_SINK_OPTION_TEXTS,    /* struct skep_sink_texts: may be repeated */
    SKEP_SINK_OPTION_FILE,     /* const char *: a file that can be read */
    SKEP_SINK_OPTION_FLAG,     /* bool; without a value */
};

struct skep_sink_texts {
    const char *list[SKEP_SINK_TEXTS_MAX];
    size_t n;
};

struct skep_sink_option {
    const char *name; /* NULL ends a table */
    const char *arg;  /* what the documentation calls the value */
    enum skep_sink_option_kind kind;
    size_t offset; /* in the target */
    uint64_t min, max;
    const char *doc;
};

struct skep_sink_word {
    char *name;
    char *value; /* NULL: without "=" */
    size_t at, len;
};

struct skep_sink_spec {
    const char *source; /* borrowed; only while it is read */
    struct skep_diags *diags;
    char *kind;
    char *address; /* NULL: none */
    char *whole;   /* KIND:ADDRESS, for URLs */
    size_t len;    /* of that in the source */
    struct skep_sink_word words[SKEP_SINK_OPTIONS_MAX];
    size_t n_words;
};

/* source and diags are borrowed as long as errors are reported. -EINVAL: diags says why; -ENOMEM. */
int skep_sink_spec_parse(struct skep_sink_spec *spec, const char *source, struct skep_diags *diags);
void skep_sink_spec_clear(struct skep_sink_spec *spec);

/* Stores the words that one of the two tables knows in its target; texts stay the specification's. Goes on
 * after an error. -EINVAL. */
int skep_sink_spec_apply(struct skep_sink_spec *spec, const struct skep_sink_option *common,
                         void *common_target, const struct skep_sink_option *own, void *own_target);

/* An error about KIND:ADDRESS, or about the option of this name; -EINVAL. */
int skep_sink_spec_error(struct skep_sink_spec *spec, const char *option, const char *code, const char *fmt,
                         ...) SKEP_PRINTF(4, 5);
#endif
