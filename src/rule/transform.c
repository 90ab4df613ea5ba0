/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/transform.h"

#include "rule/match/text.h"
#include "rule/request.h"

#define OPERANDS_MAX 64

static const struct {
    const char *name;
    unsigned args;
} infos[SKEP_TRANSFORM_MAX] = {
#define SKEP_TRANSFORM(name, args, doc) [SKEP_TRANSFORM_##name] = {#name, args},
#include "rule/transforms.def"
#undef SKEP_TRANSFORM
};

enum skep_transform_id skep_transform_find(const char *name, size_t len)
{
    for (int i = 0; i < SKEP_TRANSFORM_MAX; i++)
        if (strlen(infos[i].name) == len && memcmp(infos[i].name, name, len) == 0)
            return i;
    return SKEP_TRANSFORM_INVALID;
}

const char *skep_transform_name(enum skep_transform_id id)
{
    return infos[id].name;
}

/* ---- types ---- */

#define SEVERAL (SKEP_FIELD_LIST | SKEP_FIELD_ANY)

/* The types of what goes in; false: ret_reason. */
static bool operands_of(const struct skep_operand *o, struct skep_fact_request in[OPERANDS_MAX],
                        const char **ret_reason)
{
    unsigned args = infos[o->transform].args;
    if (args ? o->n_operands != args : o->n_operands == 0 || o->n_operands > OPERANDS_MAX) {
        *ret_reason = args == 1   ? "the function takes one argument"
                      : args == 2 ? "the function takes two arguments"
                                  : "the function takes 1 to 64 arguments";
        return false;
    }
    for (size_t i = 0; i < o->n_operands; i++)
        if (!skep_request_of(o->operands[i], &in[i], ret_reason))
            return false;
    return true;
}

static bool all_texts(const struct skep_fact_request *in, size_t n, uint32_t but_not, const char **ret_reason)
{
    for (size_t i = 0; i < n; i++) {
        if (in[i].type != SKEP_RULE_TEXT || in[i].flags & but_not) {
            *ret_reason = but_not ? "the function takes single texts" : "the function takes texts";
            return false;
        }
    }
    return true;
}

bool skep_transform_type(const struct skep_operand *o, enum skep_rule_type *ret_type, uint32_t *ret_flags,
                         const char **ret_reason)
{
    struct skep_fact_request in[OPERANDS_MAX];
    if (!operands_of(o, in, ret_reason))
        return false;
    size_t n = o->n_operands;
    enum skep_rule_type type = SKEP_RULE_TEXT;
    uint32_t flags = 0;
    switch (o->transform) {
    case SKEP_TRANSFORM_val:
        type = in[0].type;
        flags = in[0].flags;
        break;
    case SKEP_TRANSFORM_len:
        if (in[0].type != SKEP_RULE_TEXT && !(in[0].flags & SEVERAL)) {
            *ret_reason = "the function takes a text or a list";
            return false;
        }
        type = SKEP_RULE_NUMBER;
        break;
    case SKEP_TRANSFORM_join:
        if (!all_texts(in, 1, SEVERAL, ret_reason) || !all_texts(in, n, 0, ret_reason))
            return false;
        break;
    case SKEP_TRANSFORM_concat:
        if (!all_texts(in, n, SEVERAL, ret_reason))
            return false;
        break;
    case SKEP_TRANSFORM_getopt:
        if (!all_texts(in, 2, 0, ret_reason) || !all_texts(in + 1, 1, SEVERAL, ret_reason))
            return false;
        break;
    default: /* element by element */
        if (!all_texts(in, n, 0, ret_reason))
            return false;
        flags = in[0].flags & SEVERAL;
    }
    *ret_type = type;
    *ret_flags = flags;
    return true;
}

/* ---- values ---- */

/* What goes in, as a list of elements; a single value is a list of itself. */
struct input {
    struct skep_fact fact;
    struct skep_fact_item one;
    const struct skep_fact_item *items;
    size_t n;
    bool several;
    enum skep_rule_type type;
};

static const char *bytes(const struct skep_fact_item *i)
{
    return (const char *)(uintptr_t)i->value;
}

static bool get_input(struct skep_rule_ctx *x, const struct skep_operand *o, struct input *ret)
{
    struct skep_fact_request q;
    const char *reason;
    if (!skep_request_of(o, &q, &reason))
        return false;
    ret->type = q.type;
    ret->several = q.flags & SEVERAL;
    ret->fact = (struct skep_fact){0};
    if (q.field || (o->transform >= 0 && o->transform < SKEP_TRANSFORM_MAX)) {
        if (!(q.field ? q.field->get(x, &q, &ret->fact) : skep_transform_get(x, &q, &ret->fact)))
            return false;
    } else {
        const char *s = o->literal ? o->literal : "";
        ret->fact.value = (uint64_t)(uintptr_t)s;
        ret->fact.n = (uint32_t)strlen(s);
    }
    ret->one = (struct skep_fact_item){.value = ret->fact.value, .n = ret->fact.n};
    ret->items = ret->several ? (const struct skep_fact_item *)(uintptr_t)ret->fact.value : &ret->one;
    ret->n = ret->several ? ret->fact.n : 1;
    return true;
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Padding may be left out. out has room for n / 4 * 3 + 3. */
static bool base64_decode(const char *s, size_t n, char *out, size_t *ret_n)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t len = 0;
    for (unsigned pad = 0; n && s[n - 1] == '=' && pad < 2; pad++)
        n--;
    if (n % 4 == 1)
        return false;
    for (size_t i = 0; i < n; i++) {
        int v = base64_value((uint8_t)s[i]);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[len++] = (char)(bits >> have);
        }
    }
    *ret_n = len;
    return true;
}

/* One text to another, in buf (room for n + 3). */
static bool map_text(enum skep_transform_id id, const char *s, size_t n, char *buf, const char **ret,
                     size_t *ret_n)
{
    *ret = buf;
    *ret_n = n;
    if (id == SKEP_TRANSFORM_b64)
        return base64_decode(s, n, buf, ret_n);
    if (id == SKEP_TRANSFORM_basename) {
        const char *slash = n ? memrchr(s, '/', n) : NULL;
        *ret = slash ? slash + 1 : s;
        *ret_n = (size_t)(s + n - *ret);
        return true;
    }
    for (size_t i = 0; i < n; i++)
        buf[i] = (char)(id == SKEP_TRANSFORM_tolower ? skep_byte_lower((uint8_t)s[i])
                                                     : skep_byte_upper((uint8_t)s[i]));
    return true;
}

/* tolower, toupper, b64, basename: of a list, the elements for which there is a result. */
static bool get_mapped(struct skep_rule_ctx *x, const struct skep_operand *o, struct skep_fact *ret)
{
    struct input in;
    char buf[SKEP_FACT_TEXT_MAX + 3];
    const char *s;
    size_t n, kept = 0;
    if (!get_input(x, o->operands[0], &in))
        return false;
    if (!in.several)
        return map_text(o->transform, bytes(in.items), in.items->n, buf, &s, &n) &&
               skep_fact_text(x, ret, s, n);
    struct skep_fact_item *items = skep_fact_list(x, ret, in.n);
    for (size_t i = 0; items && i < in.n; i++)
        if (map_text(o->transform, bytes(&in.items[i]), in.items[i].n, buf, &s, &n) &&
            skep_fact_item_text(x, &items[kept], s, n))
            kept++;
    ret->n = (uint32_t)kept;
    return items;
}

struct joined {
    char s[SKEP_FACT_TEXT_MAX + 1]; /* one more than fits: the fact counts it as cut */
    size_t n;
};

static void add(struct joined *to, const char *s, size_t n)
{
    n = MIN(n, sizeof(to->s) - to->n);
    if (n)
        memcpy(to->s + to->n, s, n);
    to->n += n;
}

static bool get_joined(struct skep_rule_ctx *x, const struct skep_operand *o, struct skep_fact *ret)
{
    struct joined all;
    struct input between = {0}, in;
    bool join = o->transform == SKEP_TRANSFORM_join, first = true;
    all.n = 0;
    if (join && !get_input(x, o->operands[0], &between))
        return false;
    for (size_t i = join; i < o->n_operands; i++) {
        if (!get_input(x, o->operands[i], &in))
            return false;
        for (size_t k = 0; k < in.n; k++) {
            if (join && !first)
                add(&all, bytes(&between.one), between.one.n);
            add(&all, bytes(&in.items[k]), in.items[k].n);
            first = false;
        }
    }
    return skep_fact_text(x, ret, all.s, all.n);
}

/* The next argument: an element, or of a text what stands between spaces. */
static bool next_argument(const struct input *in, size_t *at, const char **ret, size_t *ret_n)
{
    if (in->several) {
        if (*at >= in->n)
            return false;
        *ret = bytes(&in->items[*at]);
        *ret_n = in->items[(*at)++].n;
        return true;
    }
    const char *s = bytes(&in->one), *end = s + in->one.n, *p = s + *at;
    while (p < end && *p == ' ')
        p++;
    *ret = p;
    while (p < end && *p != ' ')
        p++;
    *ret_n = (size_t)(p - *ret);
    *at = (size_t)(p - s);
    return *ret_n;
}

/* -o VALUE, -oVALUE, --option VALUE, --option=VALUE. The option may be written with its dashes or without. */
static bool get_option(struct skep_rule_ctx *x, const struct skep_operand *o, struct skep_fact *ret)
{
    struct input in, wanted;
    if (!get_input(x, o->operands[0], &in) || !get_input(x, o->operands[1], &wanted))
        return false;
    const char *name = bytes(&wanted.one), *arg;
    size_t n = wanted.one.n, len, at = 0;
    for (; n && *name == '-'; n--)
        name++;
    while (n && next_argument(&in, &at, &arg, &len)) {
        if (len == 2 && memcmp(arg, "--", 2) == 0)
            return false;
        bool longer = len > 2 && memcmp(arg, "--", 2) == 0;
        size_t dashes = longer ? 2 : 1;
        if (len < dashes + n || arg[0] != '-' || memcmp(arg + dashes, name, n) != 0)
            continue;
        const char *rest = arg + dashes + n;
        size_t n_rest = len - dashes - n;
        if (n_rest == 0) {
            bool more = next_argument(&in, &at, &arg, &len) && !(len > 1 && arg[0] == '-');
            return skep_fact_text(x, ret, arg, more ? len : 0);
        }
        if (*rest == '=')
            return skep_fact_text(x, ret, rest + 1, n_rest - 1);
        if (!longer && n == 1)
            return skep_fact_text(x, ret, rest, n_rest);
    }
    return false;
}

bool skep_transform_get(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    const struct skep_operand *o = q->operand;
    struct input in;
    switch (o->transform) {
    case SKEP_TRANSFORM_val:
        if (!get_input(x, o->operands[0], &in))
            return false;
        *ret = in.fact;
        return true;
    case SKEP_TRANSFORM_len:
        return get_input(x, o->operands[0], &in) &&
               skep_fact_number(ret, in.several ? (int64_t)in.n : in.one.n);
    case SKEP_TRANSFORM_join:
    case SKEP_TRANSFORM_concat:
        return get_joined(x, o, ret);
    case SKEP_TRANSFORM_getopt:
        return get_option(x, o, ret);
    case SKEP_TRANSFORM_tolower:
    case SKEP_TRANSFORM_toupper:
    case SKEP_TRANSFORM_b64:
    case SKEP_TRANSFORM_basename:
        return get_mapped(x, o, ret);
    default: /* a literal */
        return get_input(x, o, &in) && skep_fact_text(x, ret, bytes(&in.one), in.one.n);
    }
}
