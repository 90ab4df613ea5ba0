/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field/label.h"

static const struct {
    const char *key;
    size_t member; /* offset of a text in struct skep_container */
} kubernetes[] = {
    {"io.kubernetes.container.name", offsetof(struct skep_container, name)},
    {"io.kubernetes.pod.name", offsetof(struct skep_container, pod)},
    {"io.kubernetes.pod.namespace", offsetof(struct skep_container, namespace_)},
    {"io.kubernetes.pod.uid", offsetof(struct skep_container, pod_uid)},
};

/* Next key=value from *at on; NULL: no more. */
static const char *next(const struct skep_bytes *labels, size_t *at, size_t *ret_n)
{
    if (*at >= labels->len)
        return NULL;
    const char *s = labels->s + *at;
    *ret_n = strnlen(s, labels->len - *at);
    *at += *ret_n + 1;
    return s;
}

bool skep_label_put(struct skep_rule_ctx *x, const struct skep_container *c, const struct skep_bytes *labels,
                    const char *key, struct skep_fact *ret)
{
    const char *s;
    size_t n, at = 0, len = key ? strlen(key) : 0;
    while (len && (s = next(labels, &at, &n)))
        if (n > len && s[len] == '=' && memcmp(s, key, len) == 0)
            return skep_fact_text(x, ret, s + len + 1, n - len - 1);
    for (size_t i = 0; len && c->pod && i < ARRAY_SIZE(kubernetes); i++) {
        char *text;
        if (!skep_streq(kubernetes[i].key, key))
            continue;
        memcpy(&text, (const char *)c + kubernetes[i].member, sizeof(text));
        return text && skep_fact_text(x, ret, text, strlen(text));
    }
    return false;
}

/* How much of a label is shown: nothing of what is not meant for people, and no colon before an empty value. */
static size_t shown(const char *s, size_t n)
{
    if (skep_startswith(s, "annotation.") || skep_startswith(s, "io.kubernetes."))
        return 0;
    const char *equals = memchr(s, '=', n);
    return equals && equals + 1 == s + n ? n - 1 : n;
}

bool skep_labels_put(struct skep_rule_ctx *x, const struct skep_bytes *labels, struct skep_fact *ret)
{
    const char *s;
    size_t n, size = 0;
    for (size_t at = 0; (s = next(labels, &at, &n));)
        size += shown(s, n) ? shown(s, n) + 2 : 0;
    char *to = skep_fact_room(x, size ? size - 2 : 0, &ret->value, &ret->n);
    char *first = to;
    if (!to)
        return false;
    for (size_t at = 0; (s = next(labels, &at, &n));) {
        n = shown(s, n);
        if (!n)
            continue;
        if (to != first) {
            memcpy(to, ", ", 2);
            to += 2;
        }
        memcpy(to, s, n);
        char *equals = memchr(to, '=', n);
        if (equals)
            *equals = ':';
        to += n;
    }
    return true;
}
