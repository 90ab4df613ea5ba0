/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as the specification of a sink: it is refused with a diagnostic that can be printed, or its values
 * are in their ranges. No sink is made of it. */
#include "export/sink_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
    enum skep_sink_format format;
    uint64_t count, size, duration;
    uint32_t mode;
    const char *text, *file;
    struct skep_sink_texts texts;
    bool flag;
};

#define AT(member) offsetof(struct target, member)
static const struct skep_sink_option common[] = {
    {"format", "F", SKEP_SINK_OPTION_FORMAT, AT(format), 0, 0, "."},
    {0},
};
static const struct skep_sink_option own[] = {
    {"count", "N", SKEP_SINK_OPTION_COUNT, AT(count), 2, 10, "."},
    {"size", "SIZE", SKEP_SINK_OPTION_SIZE, AT(size), 1, 1 << 20, "."},
    {"duration", "TIME", SKEP_SINK_OPTION_DURATION, AT(duration), 0, 0, "."},
    {"mode", "MODE", SKEP_SINK_OPTION_MODE, AT(mode), 0, 0, "."},
    {"text", "TEXT", SKEP_SINK_OPTION_TEXT, AT(text), 0, 0, "."},
    {"more", "TEXT", SKEP_SINK_OPTION_TEXTS, AT(texts), 0, 0, "."},
    {"file", "FILE", SKEP_SINK_OPTION_FILE, AT(file), 0, 0, "."},
    {"flag", NULL, SKEP_SINK_OPTION_FLAG, AT(flag), 0, 0, "."},
    {0},
};

static void check(const struct target *t)
{
    if ((t->count && (t->count < 2 || t->count > 10)) || t->size > 1 << 20 || t->mode > 0777 ||
        (t->text && !*t->text) || t->texts.n > SKEP_SINK_TEXTS_MAX)
        abort();
    for (size_t i = 0; i < t->texts.n; i++)
        if (!*t->texts.list[i])
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = strndup((const char *)data, size);
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_sink_spec spec;
    struct target t = {0};
    if (!text)
        return 0;
    skep_diags_init(&d, "--to");
    skep_strbuf_init(&sb, 4 << 20);
    int r = skep_sink_spec_parse(&spec, text, &d);
    if (r == 0) {
        if (!spec.kind || !spec.whole)
            abort();
        r = skep_sink_spec_apply(&spec, common, &t, own, &t);
    }
    if ((r < 0) != (d.n_errors > 0))
        abort();
    check(&t);
    skep_diags_put_text(&d, text, &sb);
    skep_sink_spec_clear(&spec);
    return 0;
}
