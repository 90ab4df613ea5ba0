/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds and fields by the names that people give; see event/schema.h. */
#include "base/spell.h"
#include "event/schema.h"

/* System calls whose kind has another name; the last ones are seen at tracepoints and so stand in no table. */
static const struct {
    const char *syscall, *kind;
} aliases[] = {
#define SKEP_SYSCALL(name, kind, handler, form) {#name, #kind},
#define SKEP_SYSCALL_NATIVE SKEP_SYSCALL
#define SKEP_SYSCALL_COMPAT SKEP_SYSCALL
#include "abi/syscalls.def"
#undef SKEP_SYSCALL_COMPAT
#undef SKEP_SYSCALL_NATIVE
#undef SKEP_SYSCALL
    {"clone", "fork"},     {"clone3", "fork"},
    {"vfork", "fork"},     {"execve", "exec"},
    {"execveat", "exec"},  {"exit_group", "exit"},
    {"fchdir", "chdir"},   {"io_uring_enter", "uring"},
    {"io_uring", "uring"}, {"io_uring_done", "uring_done"},
};

static bool is(const char *name, const char *word, size_t len)
{
    return strncmp(name, word, len) == 0 && name[len] == '\0';
}

static bool visible(const struct skep_kind *kind)
{
    return kind && kind->show != SKEP_SHOW_HIDDEN;
}

const struct skep_kind *skep_schema_kind_by_name(const struct skep_schema *s, const char *name)
{
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        if (kind && skep_streq(kind->name, name))
            return kind;
    }
    return NULL;
}

/* A system call that makes one of several kinds means all of them. */
static bool is_call_of(const struct skep_kind *kind, const char *word, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
        if (is(aliases[i].syscall, word, len) && skep_streq(aliases[i].kind, kind->name))
            return true;
    return false;
}

static bool add_kinds(const struct skep_schema *s, const char *word, size_t len, bool set[SKEP_KIND_MAX])
{
    bool found = false;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        if (visible(kind) && (is("all", word, len) || is(kind->name, word, len) ||
                              is(kind->group, word, len) || is_call_of(kind, word, len)))
            found = set[k] = true;
    }
    return found;
}

int skep_schema_kinds_parse(const struct skep_schema *s, const char *list, bool set[SKEP_KIND_MAX],
                            const char **ret_word, size_t *ret_len)
{
    bool chosen[SKEP_KIND_MAX] = {false};
    for (const char *word = list;; word++) {
        size_t len = strcspn(word, ",");
        if (!add_kinds(s, word, len, chosen)) {
            *ret_word = word;
            *ret_len = len;
            return -ENOENT;
        }
        word += len;
        if (!*word)
            break;
    }
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++)
        set[k] |= chosen[k];
    return 0;
}

const char *skep_schema_nearest_kind(const struct skep_schema *s, const char *word, size_t len)
{
    struct skep_spell sp;
    skep_spell_init(&sp, word, len);
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        if (visible(kind)) {
            skep_spell_offer(&sp, kind->name);
            skep_spell_offer(&sp, kind->group);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
        skep_spell_offer(&sp, aliases[i].syscall);
    return sp.best;
}

/* ---- fields ---- */

static const struct skep_field *kind_field(const struct skep_kind *kind, const char *name, size_t len)
{
    for (size_t i = 0; i < kind->n_fields; i++)
        if (is(kind->fields[i].name, name, len))
            return &kind->fields[i];
    return NULL;
}

static const struct skep_field *common_field(const char *prefix, const char *name, size_t len)
{
    for (const struct skep_field *f = skep_common_fields(); f->name; f++) {
        const char *rest = skep_startswith(f->name, prefix);
        if (rest && is(rest, name, len))
            return f;
    }
    return NULL;
}

const struct skep_field *skep_field_find(const struct skep_schema *s, const struct skep_kind *kind,
                                         const char *name, size_t len)
{
    const struct skep_field *f = kind ? kind_field(kind, name, len) : NULL;
    for (unsigned k = 0; !kind && !f && k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *any = skep_schema_kind(s, k);
        if (visible(any))
            f = kind_field(any, name, len);
    }
    if (!f)
        f = common_field("", name, len);
    if (!f)
        f = common_field("proc.", name, len);
    if (!f)
        f = common_field("container.", name, len);
    if (!f && is("container", name, len))
        f = common_field("", "container.id", strlen("container.id"));
    return f;
}

const char *skep_field_nearest(const struct skep_schema *s, const bool set[SKEP_KIND_MAX], const char *name,
                               size_t len)
{
    struct skep_spell sp;
    skep_spell_init(&sp, name, len);
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        if (!visible(kind) || (set && !set[k]))
            continue;
        for (size_t i = 0; i < kind->n_fields; i++)
            skep_spell_offer(&sp, kind->fields[i].name);
    }
    for (const struct skep_field *f = skep_common_fields(); f->name; f++) {
        const char *rest = skep_startswith(f->name, "proc.");
        if (!rest)
            rest = skep_startswith(f->name, "container.");
        skep_spell_offer(&sp, f->name);
        if (rest)
            skep_spell_offer(&sp, rest);
    }
    return sp.best;
}

bool skep_item_find(const struct skep_schema *s, const struct skep_kind *kind, const char *name, size_t len,
                    struct skep_item *ret)
{
    char part[64];
    *ret = (struct skep_item){.field = skep_field_find(s, kind, name, len)};
    if (ret->field)
        return true;
    if (!kind || len > 40)
        return false;
    int n = snprintf(part, sizeof(part), "%.*s.ip", (int)len, name);
    ret->field = kind_field(kind, part, (size_t)n);
    n = snprintf(part, sizeof(part), "%.*s.port", (int)len, name);
    ret->port = kind_field(kind, part, (size_t)n);
    if (!ret->field || !ret->port)
        *ret = (struct skep_item){.field = NULL};
    return ret->field != NULL;
}

bool skep_item_put(struct skep_strbuf *sb, const struct skep_item *item, const struct skep_event *ev)
{
    struct skep_value v, port;
    if (!item->field || !skep_field_get(item->field, ev, &v))
        return false;
    if (!item->port) {
        skep_value_put_text(sb, &v);
        return true;
    }
    bool brackets = v.n == 16;
    if (brackets)
        skep_strbuf_putc(sb, '[');
    skep_value_put_text(sb, &v);
    if (brackets)
        skep_strbuf_putc(sb, ']');
    if (skep_field_get(item->port, ev, &port)) {
        skep_strbuf_putc(sb, ':');
        skep_value_put_text(sb, &port);
    }
    return true;
}
