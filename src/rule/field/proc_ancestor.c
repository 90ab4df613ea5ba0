/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field/actor.h"

#define ENV_LEVELS_MAX 20 /* how far proc.aenv[NAME] looks */

/* How many ancestors there are, as far as an index goes. */
static uint32_t count(const struct skep_event *ev)
{
    struct skep_actor a;
    uint32_t n = 0;
    if (!skep_actor_ancestor(ev, 0, &a))
        return 0;
    while (n < SKEP_FIELD_INDEX_MAX && skep_actor_up(&a))
        n++;
    return n;
}

/* Of all ancestors, from the parent upwards; what is missing of one is left out. */
static bool get_all(struct skep_rule_ctx *x, enum skep_actor_text which, bool pid, struct skep_fact *ret)
{
    uint32_t n = count(x->ev), at = 0;
    struct skep_fact_item *items = n ? skep_fact_list(x, ret, n) : NULL;
    struct skep_actor a;
    if (!items || !skep_actor_ancestor(x->ev, 0, &a))
        return false;
    for (uint32_t i = 0; i < n && skep_actor_up(&a); i++) {
        if (pid)
            items[at++].value = a.proc->pid;
        else if (skep_actor_put(x, &a, which, &items[at].value, &items[at].n))
            at++;
    }
    ret->n = at;
    return at > 0;
}

/* number: enum skep_actor_text */
static bool get_text(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    enum skep_actor_text which = (enum skep_actor_text)q->field->number;
    struct skep_actor a;
    if (!q->arg)
        return get_all(x, which, false, ret);
    return skep_actor_ancestor(x->ev, q->index, &a) && skep_actor_put(x, &a, which, &ret->value, &ret->n);
}

static bool get_pid(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    struct skep_actor a;
    if (!q->arg)
        return get_all(x, 0, true, ret);
    return skep_actor_ancestor(x->ev, q->index, &a) && skep_fact_number(ret, a.proc->pid);
}

/* A number as the whole argument is a level; anything else is the name of a variable. */
static bool level_of(const char *arg, uint32_t *ret)
{
    uint32_t n = 0;
    for (const char *s = arg; *s; s++) {
        if (*s < '0' || *s > '9' || n > SKEP_FIELD_INDEX_MAX)
            return false;
        n = n * 10 + (uint32_t)(*s - '0');
    }
    *ret = n;
    return *arg;
}

/* The value in the nearest ancestor that has such a variable. */
static bool get_variable(struct skep_rule_ctx *x, const char *name, struct skep_fact *ret)
{
    struct skep_actor a;
    const char *found = NULL;
    size_t n = 0;
    if (!skep_actor_ancestor(x->ev, 0, &a))
        return false;
    for (int i = 0; i < ENV_LEVELS_MAX && n == 0 && skep_actor_up(&a); i++) {
        const char *s = skep_actor_env(&a, name, &n);
        found = s ? s : found;
    }
    return found && skep_fact_text(x, ret, found, n);
}

static bool get_env(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    struct skep_actor a;
    uint32_t level;
    if (!q->arg)
        return get_all(x, SKEP_ACTOR_ENV, false, ret);
    if (!level_of(q->arg, &level))
        return get_variable(x, q->arg, ret);
    return skep_actor_ancestor(x->ev, level, &a) &&
           skep_actor_put(x, &a, SKEP_ACTOR_ENV, &ret->value, &ret->n);
}

#define LEVELS "; [N]: of the ancestor N levels up (0: the process itself); without: of any ancestor"
#define ANCESTOR(n, text, doc)                                                                               \
    {                                                                                                        \
        "proc." n, doc LEVELS, SKEP_RULE_TEXT,                                                               \
            SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ARG_INDEX | SKEP_FIELD_ANY, "*", get_text, NULL, 0, text    \
    }

static const struct skep_rule_field fields[] = {
    ANCESTOR("aname", SKEP_ACTOR_NAME, "name of an ancestor"),
    ANCESTOR("aexe", SKEP_ACTOR_EXE, "first argument of an ancestor"),
    ANCESTOR("aexepath", SKEP_ACTOR_EXEPATH, "executable of an ancestor"),
    ANCESTOR("aargs", SKEP_ACTOR_ARGS, "arguments of an ancestor"),
    ANCESTOR("acmdline", SKEP_ACTOR_CMDLINE, "name and arguments of an ancestor"),
    {"proc.apid", "process id of an ancestor" LEVELS, SKEP_RULE_NUMBER,
     SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ARG_INDEX | SKEP_FIELD_ANY, "*", get_pid, NULL, 0, 0},
    {"proc.aenv", "environment of an ancestor" LEVELS "; [NAME]: the variable in the nearest that has it",
     SKEP_RULE_TEXT, SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ANY | SKEP_FIELD_ENVIRON, "*", get_env, NULL, 0, 0},
};

const struct skep_rule_family skep_rule_family_proc_ancestor = {"proc_ancestor", "The process's ancestors",
                                                                fields, ARRAY_SIZE(fields)};
