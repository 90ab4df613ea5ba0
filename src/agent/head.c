/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/head.h"

#include "export/reference.h"

#include <jansson.h>

static const struct {
    const char *name;
    size_t off;
} spaces[] = {
    {"mnt", offsetof(struct skep_namespaces, mnt)},       {"pid", offsetof(struct skep_namespaces, pid)},
    {"net", offsetof(struct skep_namespaces, net)},       {"user", offsetof(struct skep_namespaces, user)},
    {"uts", offsetof(struct skep_namespaces, uts)},       {"ipc", offsetof(struct skep_namespaces, ipc)},
    {"cgroup", offsetof(struct skep_namespaces, cgroup)}, {"time", offsetof(struct skep_namespaces, time)},
};

void skep_head_clear(struct skep_head *h)
{
    free(TAKE_PTR(h->container_text));
    free(TAKE_PTR(h->where));
}

static void put_session(struct skep_json *j, const struct skep_session *session)
{
    skep_json_open(j, "session", '{');
    skep_json_i64(j, "boot_offset", session->boot_offset);
    skep_json_u64(j, "begin", session->begin);
    skep_json_u64(j, "self", session->self);
    skep_json_strz(j, "kernel", session->kernel);
    skep_json_strz(j, "hostname", session->hostname);
    skep_json_open(j, "host_ns", '{');
    for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
        skep_json_u64(j, spaces[i].name,
                      *(const skep_nsid *)((const char *)&session->host_ns + spaces[i].off));
    skep_json_close(j, '}');
    skep_json_close(j, '}');
}

void skep_head_put(const struct skep_session *session, const struct skep_scope *scope, const char *where,
                   const struct skep_schema *schema, struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    skep_json_strz(&j, "program", "skep " SKEP_VERSION);
    put_session(&j, session);
    skep_json_open(&j, "scope", '{');
    skep_json_u64(&j, "flags", scope->flags);
    skep_json_u64(&j, "uid", scope->uid);
    skep_json_str(&j, "comm", scope->comm, strnlen(scope->comm, sizeof(scope->comm)));
    skep_json_strz(&j, "container", scope->container);
    skep_json_strz(&j, "where", where);
    skep_json_open(&j, "kinds", '[');
    for (unsigned i = 0; i < SKEP_KIND_MAX; i++)
        if (scope->kinds[i] && skep_schema_kind(schema, i))
            skep_json_strz(&j, NULL, skep_schema_kind(schema, i)->name);
    skep_json_close(&j, ']');
    skep_json_close(&j, '}');
    skep_json_name(&j, "schema");
    skep_reference_put_json(schema, NULL, sb);
    skep_json_close(&j, '}');
}

static uint64_t number(const json_t *object, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

static void copy_text(const json_t *object, const char *name, char *to, size_t size)
{
    const char *s = json_string_value(json_object_get(object, name));
    snprintf(to, size, "%s", s ? s : "");
}

static int dup_text(const json_t *object, const char *name, char **ret)
{
    const char *s = json_string_value(json_object_get(object, name));
    *ret = s ? strdup(s) : NULL;
    return s && !*ret ? -ENOMEM : 0;
}

static int parse_scope(const json_t *scope, const struct skep_schema *schema, struct skep_head *h)
{
    char comm[SKEP_COMM_LEN + 1];
    size_t i;
    json_t *name;
    h->scope.flags = (uint32_t)number(scope, "flags");
    h->scope.uid = (uint32_t)number(scope, "uid");
    copy_text(scope, "comm", comm, SKEP_COMM_LEN);
    memcpy(h->scope.comm, comm, strlen(comm));
    json_array_foreach(json_object_get(scope, "kinds"), i, name)
    {
        const char *s = json_string_value(name);
        const struct skep_kind *kind = s ? skep_schema_kind_by_name(schema, s) : NULL;
        if (kind)
            h->scope.kinds[kind->number] = true;
    }
    int r = dup_text(scope, "container", &h->container_text);
    h->scope.container = h->container_text;
    return r < 0 ? r : dup_text(scope, "where", &h->where);
}

int skep_head_parse(const char *s, size_t n, const struct skep_schema *schema, struct skep_head *ret)
{
    json_error_t error;
    json_t *root = json_loadb(s, n, 0, &error);
    json_t *session = json_object_get(root, "session"), *scope = json_object_get(root, "scope");
    json_t *host_ns = json_object_get(session, "host_ns");
    struct skep_head h = {0};
    int r = json_is_object(session) && json_is_object(scope) ? 0 : -EBADMSG;
    if (r >= 0) {
        h.session.boot_offset = (int64_t)number(session, "boot_offset");
        h.session.begin = number(session, "begin");
        h.session.self = (uint32_t)number(session, "self");
        copy_text(session, "kernel", h.session.kernel, sizeof(h.session.kernel));
        copy_text(session, "hostname", h.session.hostname, sizeof(h.session.hostname));
        for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
            *(skep_nsid *)((char *)&h.session.host_ns + spaces[i].off) =
                (skep_nsid)number(host_ns, spaces[i].name);
        r = parse_scope(scope, schema, &h);
    }
    json_decref(root);
    if (r < 0) {
        skep_head_clear(&h);
        return r;
    }
    *ret = h;
    return 0;
}
