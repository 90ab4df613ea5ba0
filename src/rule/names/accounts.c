/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/names/accounts.h"

#define MEMBERS_MAX 7

struct account {
    uint32_t number;
    uint32_t line; /* of two with the same number the first counts */
    struct skep_rule_user user;
};

struct table {
    char *text;
    struct account *rows; /* by number */
    size_t n;
};

struct skep_accounts {
    struct table users, groups;
};

static void table_clear(struct table *t)
{
    free(t->text);
    free(t->rows);
}

struct skep_accounts *skep_accounts_free(struct skep_accounts *a)
{
    if (!a)
        return NULL;
    table_clear(&a->users);
    table_clear(&a->groups);
    free(a);
    return NULL;
}

static bool parse_number(const char *s, uint32_t *ret)
{
    uint64_t v = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || v > UINT32_MAX)
            return false;
        v = v * 10 + (uint64_t)(*s - '0');
    }
    *ret = (uint32_t)v;
    return v < UINT32_MAX; /* the last number means nobody */
}

/* passwd: name:password:uid:gid:gecos:home:shell; group: name:password:gid:members */
static bool parse_line(char *line, struct account *ret)
{
    char *member[MEMBERS_MAX] = {0};
    for (size_t i = 0; i < MEMBERS_MAX; i++)
        member[i] = strsep(&line, ":");
    char first = member[0] ? *member[0] : '\0';
    if (!first || first == '#' || first == '+' || first == '-' || !member[2] ||
        !parse_number(member[2], &ret->number))
        return false;
    ret->user = (struct skep_rule_user){
        .name = member[0],
        .home = member[5] ? member[5] : "",
        .shell = member[6] ? member[6] : "",
    };
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct account *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static int table_fill(struct table *t, char *text)
{
    size_t lines = 1;
    t->text = text;
    if (!text)
        return 0;
    for (const char *s = text; (s = strchr(s, '\n')) && lines < SKEP_ACCOUNTS_MAX; s++)
        lines++;
    t->rows = calloc(lines, sizeof(*t->rows));
    if (!t->rows)
        return -ENOMEM;
    char *rest = text, *line;
    for (uint32_t at = 0; t->n < lines && (line = strsep(&rest, "\n")); at++) {
        t->rows[t->n].line = at;
        t->n += parse_line(line, &t->rows[t->n]);
    }
    qsort(t->rows, t->n, sizeof(*t->rows), compare);
    return 0;
}

int skep_accounts_new(char *passwd, char *group, struct skep_accounts **ret)
{
    SKEP_CLEANUP(skep_accounts_freep) struct skep_accounts *a = calloc(1, sizeof(*a));
    if (!a) {
        free(passwd);
        free(group);
        return -ENOMEM;
    }
    int r = table_fill(&a->users, passwd), r2 = table_fill(&a->groups, group);
    if (r < 0 || r2 < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(a);
    return 0;
}

/* The first row of that number. */
static const struct account *table_find(const struct table *t, uint32_t number)
{
    size_t from = 0, to = t->n;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (t->rows[mid].number < number)
            from = mid + 1;
        else
            to = mid;
    }
    return from < t->n && t->rows[from].number == number ? &t->rows[from] : NULL;
}

const struct skep_rule_user *skep_accounts_user(const struct skep_accounts *a, uint32_t uid)
{
    const struct account *row = table_find(&a->users, uid);
    return row ? &row->user : NULL;
}

const char *skep_accounts_group(const struct skep_accounts *a, uint32_t gid)
{
    const struct account *row = table_find(&a->groups, gid);
    return row ? row->user.name : NULL;
}
