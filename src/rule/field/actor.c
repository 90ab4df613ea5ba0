/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field/actor.h"

bool skep_actor_of(const struct skep_event *ev, struct skep_actor *ret)
{
    if (ev->h->flags & SKEP_HDR_NO_TASK)
        return false;
    *ret = (struct skep_actor){ev->proc, ev->image, ev->h->comm};
    return true;
}

bool skep_actor_up(struct skep_actor *a)
{
    const struct skep_proc *parent = a->proc ? a->proc->parent : NULL;
    if (!parent)
        return false;
    *a = (struct skep_actor){parent, parent->image, parent->comm};
    return true;
}

bool skep_actor_ancestor(const struct skep_event *ev, uint32_t level, struct skep_actor *ret)
{
    if ((ev->h->flags & SKEP_HDR_NO_TASK) || !ev->proc)
        return false;
    struct skep_actor a = {ev->proc, ev->image, ev->proc->comm};
    for (uint32_t i = 0; i < level; i++)
        if (!skep_actor_up(&a))
            return false;
    *ret = a;
    return true;
}

const struct skep_task *skep_actor_task(const struct skep_actor *a)
{
    return a->proc && !a->proc->partial ? &a->proc->task : NULL;
}

uint32_t skep_actor_vtid(const struct skep_event *ev)
{
    struct skep_actor a;
    const struct skep_hdr *h = ev->h;
    const struct skep_task *t = skep_actor_of(ev, &a) ? skep_actor_task(&a) : NULL;
    if (!t || !t->ns_pid)
        return 0;
    if (h->tid == h->pid)
        return t->ns_pid;
    return t->ns_pid == h->pid ? h->tid : 0;
}

static const char *const controllers[] = {"cpuset", "cpu", "cpuacct", "io", "memory"};

bool skep_actor_put_cgroups(const struct skep_event *ev, struct skep_strbuf *sb)
{
    if (!ev->cgroup)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
        skep_strbuf_printf(sb, "%s%s=%s", i ? " " : "", controllers[i], ev->cgroup);
    return true;
}

bool skep_actor_has_cgroup(const char *controller)
{
    for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
        if (skep_streq(controllers[i], controller))
            return true;
    return false;
}

/* Of a kernel thread the answer to all questions about its image is an empty text. */
static struct skep_bytes known(const struct skep_proc_image *i, struct skep_bytes b)
{
    if (!b.s && i && (i->flags & SKEP_EXEC_KTHREAD))
        b.s = (char *)"";
    return b;
}

static struct skep_bytes args_of(const struct skep_actor *a)
{
    return a->image ? known(a->image, a->image->args) : (struct skep_bytes){0};
}

/* The arguments behind the first, without the last NUL. */
static struct skep_bytes rest_of(struct skep_bytes args)
{
    size_t first = args.s ? strnlen(args.s, args.len) + 1 : 0;
    if (!args.s || first >= args.len)
        return (struct skep_bytes){.s = args.s ? args.s + args.len : NULL};
    struct skep_bytes rest = {.s = args.s + first, .len = args.len - first};
    if (rest.s[rest.len - 1] == '\0')
        rest.len--;
    return rest;
}

static struct skep_bytes env_of(const struct skep_actor *a)
{
    if (!a->image)
        return (struct skep_bytes){0};
    struct skep_bytes env = known(a->image, a->image->env_all.s ? a->image->env_all : a->image->env);
    if (env.len && env.s[env.len - 1] == '\0')
        env.len--;
    return env;
}

/* head, a blank, and tail with blanks for NULs; without a head the tail alone. */
static bool put_joined(struct skep_rule_ctx *x, const char *head, size_t head_len, struct skep_bytes tail,
                       uint64_t *ret_value, uint32_t *ret_n)
{
    size_t lead = head ? head_len + 1 : 0;
    char *p = skep_fact_room(x, lead + tail.len, ret_value, ret_n);
    if (!p)
        return false;
    size_t n = MIN(lead, (size_t)*ret_n), from = n;
    if (n) {
        memcpy(p, head, MIN(head_len, n));
        if (n > head_len)
            p[head_len] = ' ';
    }
    memcpy(p + from, tail.s, *ret_n - from);
    for (size_t i = from; i < *ret_n; i++)
        if (p[i] == '\0')
            p[i] = ' ';
    return true;
}

static bool put_text(struct skep_rule_ctx *x, const char *s, size_t len, uint64_t *ret_value, uint32_t *ret_n)
{
    return put_joined(x, NULL, 0, (struct skep_bytes){(char *)s, len}, ret_value, ret_n);
}

/* A command without arguments has no blank behind it. */
static bool put_line(struct skep_rule_ctx *x, const char *head, size_t head_len, struct skep_bytes args,
                     uint64_t *ret_value, uint32_t *ret_n)
{
    if (args.len <= strnlen(args.s, args.len) + 1)
        return put_text(x, head, head_len, ret_value, ret_n);
    return put_joined(x, head, head_len, rest_of(args), ret_value, ret_n);
}

bool skep_actor_put(struct skep_rule_ctx *x, const struct skep_actor *a, enum skep_actor_text which,
                    uint64_t *ret_value, uint32_t *ret_n)
{
    struct skep_bytes b = args_of(a);
    switch (which) {
    case SKEP_ACTOR_NAME:
        return put_text(x, a->comm, strnlen(a->comm, SKEP_COMM_LEN), ret_value, ret_n);
    case SKEP_ACTOR_EXE:
        return b.s && put_text(x, b.s, strnlen(b.s, b.len), ret_value, ret_n);
    case SKEP_ACTOR_ARGS:
        return b.s && put_joined(x, NULL, 0, rest_of(b), ret_value, ret_n);
    case SKEP_ACTOR_CMDLINE:
        return b.s && put_line(x, a->comm, strnlen(a->comm, SKEP_COMM_LEN), b, ret_value, ret_n);
    case SKEP_ACTOR_EXELINE:
        return b.s && put_line(x, b.s, strnlen(b.s, b.len), b, ret_value, ret_n);
    case SKEP_ACTOR_EXEPATH:
        b = a->image ? known(a->image, a->image->exe) : (struct skep_bytes){0};
        return b.s && put_text(x, b.s, b.len, ret_value, ret_n);
    case SKEP_ACTOR_ENV:
        b = env_of(a);
        return b.s && put_joined(x, NULL, 0, b, ret_value, ret_n);
    }
    return false;
}

const char *skep_actor_arg(const struct skep_actor *a, uint32_t i, size_t *ret_n)
{
    struct skep_bytes b = args_of(a);
    for (size_t at = 0; at < b.len; i--) {
        at += strnlen(b.s + at, b.len - at) + 1;
        if (i == 0) {
            if (at >= b.len)
                return NULL;
            *ret_n = strnlen(b.s + at, b.len - at);
            return b.s + at;
        }
    }
    return NULL;
}

bool skep_actor_count_args(const struct skep_actor *a, uint64_t *ret_count, uint64_t *ret_bytes)
{
    struct skep_bytes b = args_of(a);
    uint64_t count = 0, bytes = 0;
    if (!b.s)
        return false;
    for (size_t at = strnlen(b.s, b.len) + 1; at < b.len;) {
        size_t n = strnlen(b.s + at, b.len - at);
        count++;
        bytes += n;
        at += n + 1;
    }
    *ret_count = count;
    *ret_bytes = bytes;
    return true;
}

const char *skep_actor_env(const struct skep_actor *a, const char *name, size_t *ret_n)
{
    struct skep_bytes b = env_of(a);
    size_t want = strlen(name);
    *ret_n = 0;
    if (!b.s)
        return NULL;
    for (size_t at = 0; at < b.len;) {
        size_t n = strnlen(b.s + at, b.len - at);
        if (n > want && b.s[at + want] == '=' && memcmp(b.s + at, name, want) == 0) {
            const char *s = b.s + at + want + 1, *end = b.s + at + n;
            while (s < end && *s == ' ')
                s++;
            while (s < end && end[-1] == ' ')
                end--;
            *ret_n = (size_t)(end - s);
            return s;
        }
        at += n + 1;
    }
    return "";
}
