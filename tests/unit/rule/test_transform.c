/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/request.h"
#include "rule/transform.h"

/* Fields with values of their own: a text, a list, a number. */
static bool get_text(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    return q->arg && skep_fact_text(x, ret, q->arg, strlen(q->arg));
}

static bool get_list(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    size_t n = 1, k = 0;
    for (const char *p = q->arg; *p; p++)
        n += *p == '|';
    struct skep_fact_item *items = skep_fact_list(x, ret, n);
    for (const char *p = q->arg; items && k < n; k++, p += strcspn(p, "|") + 1)
        skep_fact_item_text(x, &items[k], p, strcspn(p, "|"));
    return items;
}

static bool get_number(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)x, (void)q;
    return skep_fact_number(ret, 7);
}

static const struct skep_rule_field text_field = {
    .name = "t", .type = SKEP_RULE_TEXT, .flags = SKEP_FIELD_ARG_OPTIONAL, .kinds = "*", .get = get_text};
static const struct skep_rule_field list_field = {.name = "l",
                                                  .type = SKEP_RULE_TEXT,
                                                  .flags = SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_LIST,
                                                  .kinds = "*",
                                                  .get = get_list};
static const struct skep_rule_field number_field = {
    .name = "n", .type = SKEP_RULE_NUMBER, .kinds = "*", .get = get_number};

static struct skep_operand text(const char *s)
{
    return (struct skep_operand){.field = &text_field, .arg = s, .transform = SKEP_TRANSFORM_INVALID};
}

static struct skep_operand list(const char *s)
{
    return (struct skep_operand){.field = &list_field, .arg = s, .transform = SKEP_TRANSFORM_INVALID};
}

static struct skep_operand literal(const char *s)
{
    return (struct skep_operand){.literal = s, .transform = SKEP_TRANSFORM_INVALID};
}

/* The result as text, elements of lists with | between; "-": missing; "?": not allowed. */
static void get(enum skep_transform_id id, struct skep_operand *in, size_t n, char *out, size_t size)
{
    const struct skep_operand *operands[8];
    struct skep_operand o = {.transform = id, .operands = operands, .n_operands = n};
    struct skep_fact_request q;
    struct skep_fact f = {0};
    struct skep_rule_ctx *x;
    const char *reason = NULL;
    for (size_t i = 0; i < n; i++)
        operands[i] = &in[i];
    if (!skep_request_of(&o, &q, &reason)) {
        assert_non_null(reason);
        snprintf(out, size, "?");
        return;
    }
    assert_int_equal(skep_rule_ctx_new(NULL, 0, 0, &x), 0);
    if (!skep_transform_get(x, &q, &f)) {
        snprintf(out, size, "-");
    } else if (q.type == SKEP_RULE_NUMBER) {
        snprintf(out, size, "%lld", (long long)f.value);
    } else if (q.flags & SKEP_FIELD_LIST) {
        const struct skep_fact_item *items = (const void *)(uintptr_t)f.value;
        size_t at = 0;
        out[0] = '\0';
        for (size_t i = 0; i < f.n; i++)
            at += (size_t)snprintf(out + at, size - at, "%s%.*s", i ? "|" : "", (int)items[i].n,
                                   (const char *)(uintptr_t)items[i].value);
    } else {
        snprintf(out, size, "%.*s", (int)f.n, (const char *)(uintptr_t)f.value);
    }
    skep_rule_ctx_free(x);
}

#define CHECK(id, expected, ...)                                                                             \
    do {                                                                                                     \
        struct skep_operand in[] = {__VA_ARGS__};                                                            \
        char out[200];                                                                                       \
        get(SKEP_TRANSFORM_##id, in, ARRAY_SIZE(in), out, sizeof(out));                                      \
        assert_string_equal(out, expected);                                                                  \
    } while (0)

static void test_single(void **state)
{
    (void)state;
    struct skep_operand number = {.field = &number_field, .transform = SKEP_TRANSFORM_INVALID};
    CHECK(val, "aBc", text("aBc"));
    CHECK(val, "7", number);
    CHECK(tolower, "abc-\xc3\x89", text("aBC-\xc3\x89"));
    CHECK(toupper, "ABC", text("aBc"));
    CHECK(toupper, "A|BC", list("a|bc"));
    CHECK(tolower, "-", text(NULL));
    CHECK(tolower, "?", number);
    CHECK(tolower, "?", text("a"), text("b"));
    CHECK(basename, "passwd", text("/etc/passwd"));
    CHECK(basename, "", text("/etc/"));
    CHECK(basename, "x", text("x"));
    CHECK(len, "3", text("abc"));
    CHECK(len, "0", text(""));
    CHECK(len, "2", list("ab|c"));
    CHECK(len, "?", number);
    CHECK(b64, "hello", text("aGVsbG8="));
    CHECK(b64, "hello", text("aGVsbG8"));
    CHECK(b64, "", text(""));
    CHECK(b64, "-", text("a"));
    CHECK(b64, "-", text("a*b="));
}

static void test_several(void **state)
{
    (void)state;
    struct skep_operand number = {.field = &number_field, .transform = SKEP_TRANSFORM_INVALID};
    CHECK(join, "a/b/c", literal("/"), text("a"), list("b|c"));
    CHECK(join, "", literal("/"));
    CHECK(join, "-", literal("/"), text("a"), text(NULL));
    CHECK(join, "?", literal("/"), number);
    CHECK(concat, "a-b", text("a"), literal("-"), text("b"));
    CHECK(concat, "?", list("a|b"));
    CHECK(getopt, "out", list("cc|-o|out|x.c"), literal("-o"));
    CHECK(getopt, "out", list("cc|-oout"), literal("o"));
    CHECK(getopt, "", list("cc|-o|-x"), literal("o"));
    CHECK(getopt, "", list("cc|-o"), literal("o"));
    CHECK(getopt, "-", list("cc|x"), literal("o"));
    CHECK(getopt, "-", list("cc|--|-o|x"), literal("o"));
    CHECK(getopt, "x", list("run|--name=x"), literal("name"));
    CHECK(getopt, "x", list("run|--name|x"), literal("--name"));
    CHECK(getopt, "-", list("run|--names=x"), literal("name"));
    CHECK(getopt, "x", text("run  --name x"), literal("name"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
