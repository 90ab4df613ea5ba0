/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as files of rules (a line "%%" stands between two files): they are refused with diagnostics that can be
 * printed, or become a policy whose rules can be walked. */
#include "rule/evtset.h"
#include "rule/falco/falco.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES_MAX 4

static volatile size_t sink;

static void walk(const struct skep_expr *e, unsigned depth)
{
    if (depth > SKEP_RULE_DEPTH_MAX)
        abort();
    for (size_t i = 0; i < e->n_kids; i++)
        walk(e->kids[i], depth + 1);
    if (e->kind != SKEP_EXPR_CHECK)
        return;
    if (!e->check.left->field && e->check.left->transform < 0)
        abort();
    for (size_t i = 0; i < e->check.n_values; i++)
        sink += e->check.values[i].s[e->check.values[i].n];
}

static void look(const struct skep_policy *p)
{
    bool set[SKEP_EVTTYPE_MAX], pure;
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct skep_rule *rule = &p->rules[i];
        bool out = rule->state == SKEP_RULE_OTHER_SOURCE || rule->state == SKEP_RULE_SKIPPED;
        if (out != (rule->condition == NULL))
            abort();
        sink += strlen(rule->name) + strlen(rule->desc) + strlen(rule->output) + strlen(rule->condition_text);
        for (size_t k = 0; k < rule->n_tags; k++)
            sink += strlen(rule->tags[k]);
        if (rule->condition) {
            walk(rule->condition, 1);
            skep_rule_evttypes(rule->condition, set, &pure);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct skep_rule_choice choices[] = {{false, false, "*a*"}, {true, true, "t"}};
    static const struct skep_falco_options o = {choices, ARRAY_SIZE(choices), SKEP_PRIORITY_NOTICE};
    struct skep_falco_input in[FILES_MAX];
    char *texts[FILES_MAX];
    size_t n = 0;
    if (size > 65536)
        return 0;
    for (size_t at = 0; n < FILES_MAX; n++) {
        const uint8_t *end = n + 1 < FILES_MAX ? memmem(data + at, size - at, "\n%%\n", 4) : NULL;
        size_t len = end ? (size_t)(end - data) + 1 - at : size - at;
        texts[n] = malloc(MAX(len, (size_t)1));
        memcpy(texts[n], data + at, len);
        in[n] = (struct skep_falco_input){.name = "rules.yaml", .text = texts[n], .len = len};
        at += len + 3;
        if (!end) {
            n++;
            break;
        }
    }
    _cleanup_diags_ struct skep_diags d;
    _cleanup_policy_ struct skep_policy *p = NULL;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_diags_init(&d, NULL);
    skep_strbuf_init(&sb, 1 << 20);
    int r = skep_falco_load(in, n, &o, &d, &p);
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
    if ((r < 0) != (p == NULL) || (r == -EINVAL) != (d.n_errors > 0))
        abort();
    skep_diags_put_text(&d, NULL, &sb);
    if (p)
        look(p);
    return 0;
}
