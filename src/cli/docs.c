/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "base/spell.h"
#include "base/strbuf.h"
#include "cli/command.h"
#include "cli/manual.h"
#include "export/sink.h"
#include "isa/reference.h"
#include "rule/reference.h"

struct docs_options {
    bool json;
};

static const struct skep_option output[] = {
    {"json", 'j', NULL, SKEP_OPTION_FLAG, offsetof(struct docs_options, json), .help = "one JSON document"},
    {0},
};

static const struct skep_option_group groups[] = {{"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep docs events | less", "every kind of event and its fields"},
    {"skep docs instructions | grep -i swap", "what the eBPF machine has for byte order"},
    {"skep docs fields | grep '`fd[.]'", "what rules can ask of descriptors"},
    {"skep docs losses", "what the ledger says under lost"},
    {"skep docs helpers", "the helpers that programs of skep vm may call"},
    {"skep docs sinks", "the places that alerts can go to"},
    {"skep docs manual | man -l -", "the manual page, without installing it"},
    {0},
};

/* Each puts a topic, as JSON when j is there. 0, or what the command ends with instead of printing it. */

static int put_events(struct skep_strbuf *sb, struct skep_json *j)
{
    return skep_docs_events(j != NULL, sb);
}

static int put_instructions(struct skep_strbuf *sb, struct skep_json *j)
{
    if (j)
        skep_instructions_put_json(j, NULL);
    else
        skep_instructions_put_text(sb);
    return 0;
}

static int put_fields(struct skep_strbuf *sb, struct skep_json *j)
{
    if (j)
        skep_rule_reference_put_json(j, NULL);
    else
        skep_rule_reference_put_text(sb);
    return 0;
}

static int put_sinks(struct skep_strbuf *sb, struct skep_json *j)
{
    if (j)
        skep_sinks_put_json(sb);
    else
        skep_sinks_put_reference(sb);
    return 0;
}

static const struct {
    unsigned number;
    const char *name, *family;
} helpers[] = {
#define SKEP_HELPER(number, name, family) {number, #name, #family},
#include "vm/helper/helpers.def"
#undef SKEP_HELPER
};

static int put_helpers(struct skep_strbuf *sb, struct skep_json *j)
{
    if (j)
        skep_json_open(j, NULL, '[');
    for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
        if (!j) {
            skep_strbuf_printf(sb, "%5u  %-24s %s\n", helpers[i].number, helpers[i].name, helpers[i].family);
            continue;
        }
        skep_json_open(j, NULL, '{');
        skep_json_u64(j, "number", helpers[i].number);
        skep_json_strz(j, "name", helpers[i].name);
        skep_json_strz(j, "family", helpers[i].family);
        skep_json_close(j, '}');
    }
    if (j)
        skep_json_close(j, ']');
    return 0;
}

static const struct {
    unsigned number;
    const char *name, *side, *doc;
} losses[] = {
#define SKEP_REASON(number, name, side, doc) {number, #name, #side, doc},
#include "abi/reasons.def"
#undef SKEP_REASON
};

static int put_losses(struct skep_strbuf *sb, struct skep_json *j)
{
    if (j)
        skep_json_open(j, NULL, '[');
    else
        skep_strbuf_puts(
            sb, "# Why events are lost\n\nFor each kind of event: seen = emitted + filtered + lost.\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
        const char *where = skep_streq(losses[i].side, "KERNEL") ? "kernel" : "user";
        if (!j) {
            skep_strbuf_printf(sb, "- `%s` (%s): %s.\n", losses[i].name, where, losses[i].doc);
            continue;
        }
        skep_json_open(j, NULL, '{');
        skep_json_u64(j, "number", losses[i].number);
        skep_json_strz(j, "name", losses[i].name);
        skep_json_strz(j, "side", where);
        skep_json_strz(j, "doc", losses[i].doc);
        skep_json_close(j, '}');
    }
    if (j)
        skep_json_close(j, ']');
    return 0;
}

static int put_manual(struct skep_strbuf *sb, struct skep_json *j)
{
    (void)j;
    skep_manual_put(sb);
    return 0;
}

static int put_completion(struct skep_strbuf *sb, struct skep_json *j)
{
    (void)j;
    skep_completion_put(sb);
    return 0;
}

static const struct topic {
    const char *name;
    bool json;
    int (*put)(struct skep_strbuf *sb, struct skep_json *j);
} topics[] = {
#define SKEP_DOCS_TOPIC(name, json, doc) {#name, json, put_##name},
#include "cli/docs.def"
#undef SKEP_DOCS_TOPIC
};

static int print(const struct topic *t, bool json)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_json j;
    skep_strbuf_init(&sb, 16 << 20);
    skep_json_init(&j, &sb);
    int r = t->put(&sb, json ? &j : NULL);
    if (r != 0)
        return r;
    if (json)
        skep_strbuf_putc(&sb, '\n');
    return skep_print(&sb);
}

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct docs_options *o = options;
    const char *topic = args->args[0];
    struct skep_spell sp;
    skep_spell_init(&sp, topic, strlen(topic));
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
        if (skep_streq(topic, topics[i].name) && o->json && !topics[i].json)
            return skep_usage_error(self, "--json: '%s' has no such form", topic);
        if (skep_streq(topic, topics[i].name))
            return print(&topics[i], o->json);
        skep_spell_offer(&sp, topics[i].name);
    }
    if (sp.best)
        return skep_usage_error(self, "unknown topic '%.40s': did you mean '%s'?", topic, sp.best);
    _cleanup_strbuf_ struct skep_strbuf list;
    skep_strbuf_init(&list, 1 << 10);
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
        skep_strbuf_printf(&list, "%s %s", i ? "," : "", topics[i].name);
    return skep_usage_error(self, "unknown topic '%.40s': there are%s", topic, list.s);
}

static const struct docs_options defaults;

const struct skep_command skep_command_docs = {
    .description = "Prints a reference from the tables that skep itself works with."
#define SKEP_DOCS_TOPIC(name, json, doc) "\n\n" #name ": " doc
#include "cli/docs.def"
#undef SKEP_DOCS_TOPIC
    ,
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .options_size = sizeof(struct docs_options),
    .defaults = &defaults,
    .run = run,
};
