/* SPDX-License-Identifier: Apache-2.0 */
#include "export/sink_spec.h"

#include <ctype.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/spell.h"

/* ---- into words ---- */

/* How many bytes of s, which has n, come before the next comma outside of quotes; n also when there is none. */
static size_t until_comma(const char *s, size_t n, bool *ret_open)
{
    char quote = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        if (quote == '"' && s[i] == '\\' && i + 1 < n)
            i++;
        else if (quote && s[i] == quote)
            quote = 0;
        else if (!quote && (s[i] == '"' || s[i] == '\''))
            quote = s[i];
        else if (!quote && s[i] == ',')
            break;
    }
    *ret_open = quote != 0;
    return i;
}

/* The first quote ends at the last byte, so that taking both off leaves what was meant. */
static bool quoted_whole(const char *s, size_t n)
{
    if (n < 2 || (s[0] != '"' && s[0] != '\''))
        return false;
    for (size_t i = 1; i < n; i++) {
        if (s[0] == '"' && s[i] == '\\' && i + 1 < n)
            i++;
        else if (s[i] == s[0])
            return i == n - 1;
    }
    return false;
}

static char *unquote(const char *s, size_t n)
{
    if (!quoted_whole(s, n))
        return strndup(s, n);
    char *out = malloc(n), *to = out;
    if (!out)
        return NULL;
    for (size_t i = 1; i < n - 1; i++) {
        if (s[0] == '"' && s[i] == '\\' && (s[i + 1] == '"' || s[i + 1] == '\\'))
            i++;
        *to++ = s[i];
    }
    *to = '\0';
    return out;
}

/* KIND[:ADDRESS] in head. */
static int take_head(struct skep_sink_spec *spec, const char *head)
{
    size_t kind = strcspn(head, ":");
    spec->whole = strdup(head);
    spec->kind = strndup(head, kind);
    if (!spec->whole || !spec->kind)
        return -ENOMEM;
    if (head[kind] == ':') {
        spec->address = unquote(head + kind + 1, strlen(head + kind + 1));
        if (!spec->address)
            return -ENOMEM;
    }
    return 0;
}

static int take_word(struct skep_sink_spec *spec, size_t at, size_t len)
{
    const char *s = spec->source + at;
    if (spec->n_words == SKEP_SINK_OPTIONS_MAX) {
        skep_diags_add(spec->diags, spec->source, at, len, "sink-syntax", "more than %d options",
                       SKEP_SINK_OPTIONS_MAX);
        return -EINVAL;
    }
    size_t name = 0;
    while (name < len && s[name] != '=')
        name++;
    struct skep_sink_word *w = &spec->words[spec->n_words++];
    *w = (struct skep_sink_word){.name = strndup(s, name), .at = at, .len = len};
    if (name < len)
        w->value = unquote(s + name + 1, len - name - 1);
    return !w->name || (name < len && !w->value) ? -ENOMEM : 0;
}

int skep_sink_spec_parse(struct skep_sink_spec *spec, const char *source, struct skep_diags *diags)
{
    *spec = (struct skep_sink_spec){.source = source, .diags = diags};
    size_t n = strlen(source);
    if (n > SKEP_SINK_SPEC_MAX) {
        skep_diags_add(diags, "", 0, 1, "sink-syntax", "longer than %d bytes", SKEP_SINK_SPEC_MAX);
        return -EINVAL;
    }
    for (size_t at = 0; at <= n;) {
        bool open;
        size_t len = until_comma(source + at, n - at, &open);
        if (open) {
            skep_diags_add(diags, source, at, len, "sink-syntax", "a quote is not closed");
            skep_diags_hint(diags, "put quotes that belong to the text into quotes of the other kind");
            return -EINVAL;
        }
        int r;
        if (at == 0) {
            _cleanup_free_ char *head = unquote(source, len);
            spec->len = len;
            r = head ? take_head(spec, head) : -ENOMEM;
        } else {
            r = take_word(spec, at, len);
        }
        if (r < 0)
            return r;
        at += len + 1;
    }
    return 0;
}

void skep_sink_spec_clear(struct skep_sink_spec *spec)
{
    for (size_t i = 0; i < spec->n_words; i++) {
        free(spec->words[i].name);
        free(spec->words[i].value);
    }
    free(spec->kind);
    free(spec->address);
    free(spec->whole);
    *spec = (struct skep_sink_spec){0};
}

/* ---- values ---- */

int skep_sink_spec_error(struct skep_sink_spec *spec, const char *option, const char *code, const char *fmt,
                         ...)
{
    size_t at = 0, len = spec->len;
    for (size_t i = 0; option && i < spec->n_words; i++) {
        if (skep_streq(spec->words[i].name, option)) {
            at = spec->words[i].at;
            len = spec->words[i].len;
        }
    }
    _cleanup_free_ char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    skep_diags_add(spec->diags, spec->source, at, len, code, "%s", text ? text : code);
    return -EINVAL;
}

static int bad_value(struct skep_sink_spec *spec, const struct skep_sink_word *w, const char *what)
{
    skep_diags_add(spec->diags, spec->source, w->at, w->len, "sink-value", "%s %s", w->name, what);
    return -EINVAL;
}

static int store_number(struct skep_sink_spec *spec, const struct skep_sink_word *w,
                        const struct skep_sink_option *o, uint64_t *to)
{
    bool size = o->kind == SKEP_SINK_OPTION_SIZE;
    const char *end = "";
    uint64_t v;
    int r = size ? skep_size_parse(w->value, &v) : skep_number_parse(w->value, UINT64_MAX, &v, &end);
    if (r == -EINVAL || *end)
        return bad_value(spec, w, size ? "needs a size such as 65536, 512K or 16M" : "needs a number");
    if (r < 0 || v < o->min || v > o->max) {
        bad_value(spec, w, "is out of range");
        skep_diags_hint(spec->diags, "from %llu to %llu", (unsigned long long)o->min,
                        (unsigned long long)o->max);
        return -EINVAL;
    }
    *to = v;
    return 0;
}

static int store_mode(struct skep_sink_spec *spec, const struct skep_sink_word *w, uint32_t *to)
{
    size_t n = strspn(w->value, "01234567");
    if (n == 0 || n > 4 || w->value[n] || strtoul(w->value, NULL, 8) > 0777)
        return bad_value(spec, w, "needs permissions in octal, such as 0640");
    *to = (uint32_t)strtoul(w->value, NULL, 8);
    return 0;
}

static int store_text(struct skep_sink_spec *spec, const struct skep_sink_word *w,
                      const struct skep_sink_option *o, void *to)
{
    if (!*w->value)
        return bad_value(spec, w, "must not be empty");
    if (o->kind == SKEP_SINK_OPTION_TEXTS) {
        struct skep_sink_texts *texts = to;
        if (texts->n == SKEP_SINK_TEXTS_MAX)
            return bad_value(spec, w, "is given too often");
        texts->list[texts->n++] = w->value;
        return 0;
    }
    if (o->kind == SKEP_SINK_OPTION_FILE && access(w->value, R_OK) < 0) {
        skep_diags_add(spec->diags, spec->source, w->at, w->len, "sink-file", "%s cannot be read: %s",
                       w->value, strerror(errno));
        return -EINVAL;
    }
    *(const char **)to = w->value;
    return 0;
}

static int store(struct skep_sink_spec *spec, const struct skep_sink_word *w,
                 const struct skep_sink_option *o, void *target)
{
    void *to = (char *)target + o->offset;
    if (o->kind == SKEP_SINK_OPTION_FLAG) {
        if (w->value)
            return bad_value(spec, w, "takes no value");
        *(bool *)to = true;
        return 0;
    }
    if (!w->value) {
        bad_value(spec, w, "needs a value");
        skep_diags_hint(spec->diags, "%s=%s", o->name, o->arg);
        return -EINVAL;
    }
    switch (o->kind) {
    case SKEP_SINK_OPTION_FORMAT:
        if (!skep_streq(w->value, "json") && !skep_streq(w->value, "text"))
            return bad_value(spec, w, "is either json or text");
        *(enum skep_sink_format *)to = w->value[0] == 'j' ? SKEP_SINK_JSON : SKEP_SINK_TEXT;
        return 0;
    case SKEP_SINK_OPTION_COUNT:
    case SKEP_SINK_OPTION_SIZE:
        return store_number(spec, w, o, to);
    case SKEP_SINK_OPTION_DURATION:
        if (skep_duration_parse(w->value, to) < 0 || *(uint64_t *)to == 0)
            return bad_value(spec, w, "needs a duration such as 500ms, 5s or 1m");
        return 0;
    case SKEP_SINK_OPTION_MODE:
        return store_mode(spec, w, to);
    default:
        return store_text(spec, w, o, to);
    }
}

static const struct skep_sink_option *find(const struct skep_sink_option *o, const char *name)
{
    for (; o->name; o++)
        if (skep_streq(o->name, name))
            return o;
    return NULL;
}

static int unknown(struct skep_sink_spec *spec, const struct skep_sink_word *w,
                   const struct skep_sink_option *common, const struct skep_sink_option *own)
{
    bool word = *w->name;
    for (const char *c = w->name; *c; c++)
        word &= isalnum((unsigned char)*c) || *c == '-' || *c == '_';
    skep_diags_add(spec->diags, spec->source, w->at, w->len, "sink-option",
                   word ? "the sink '%s' has no option '%s'"
                        : "behind a comma in '%s' stands no option: '%s'",
                   spec->kind, w->name);
    struct skep_spell sp;
    skep_spell_init(&sp, w->name, strlen(w->name));
    for (const struct skep_sink_option *o = own; o->name; o++)
        skep_spell_offer(&sp, o->name);
    for (const struct skep_sink_option *o = common; o->name; o++)
        skep_spell_offer(&sp, o->name);
    if (sp.best)
        skep_diags_hint(spec->diags, "did you mean '%s'?", sp.best);
    else
        skep_diags_hint(spec->diags,
                        "a comma that belongs to the address or to a value must stand in quotes");
    return -EINVAL;
}

int skep_sink_spec_apply(struct skep_sink_spec *spec, const struct skep_sink_option *common,
                         void *common_target, const struct skep_sink_option *own, void *own_target)
{
    int result = 0;
    for (size_t i = 0; i < spec->n_words; i++) {
        const struct skep_sink_word *w = &spec->words[i];
        const struct skep_sink_option *o = find(own, w->name);
        void *target = own_target;
        if (!o) {
            o = find(common, w->name);
            target = common_target;
        }
        int r = o ? store(spec, w, o, target) : unknown(spec, w, common, own);
        if (r < 0)
            result = r;
    }
    return result;
}
