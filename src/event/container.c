/* SPDX-License-Identifier: Apache-2.0 */
#include "event/container.h"

#include "event/event.h"

#define UNIT_MAX 256

void skep_cgroups_init(struct skep_cgroups *c)
{
    *c = (struct skep_cgroups){.changes = 1};
    skep_hashmap_init(&c->by_id, sizeof(uint64_t), SKEP_CGROUPS_MAX);
    skep_hashmap_init(&c->containers, sizeof(((struct skep_container *)0)->key), SKEP_CGROUPS_MAX);
}

static struct skep_container *container_free(struct skep_container *k)
{
#define SKEP_CONTAINER_TEXT(member) free(k->member);
#define SKEP_CONTAINER_LIST(member, max) free(k->member.s);
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
    free(k);
    return NULL;
}
SKEP_DEFINE_CLEANUP(struct skep_container, container_free)

static struct skep_cgroup *cgroup_free(struct skep_cgroup *g)
{
    free(g->path);
    free(g->unit);
    free(g->slice);
    free(g);
    return NULL;
}
SKEP_DEFINE_CLEANUP(struct skep_cgroup, cgroup_free)

void skep_cgroups_clear(struct skep_cgroups *c)
{
    struct skep_cgroup *g;
    struct skep_container *k;
    for (size_t at = 0; (g = skep_hashmap_next(&c->by_id, &at));)
        cgroup_free(g);
    for (size_t at = 0; (k = skep_hashmap_next(&c->containers, &at));)
        container_free(k);
    skep_hashmap_clear(&c->by_id);
    skep_hashmap_clear(&c->containers);
    skep_cgroups_init(c);
}

/* Ids of 64 digits are unique whoever made them; names are so only within their runtime. 128 bits under a
 * seed that nobody outside knows: equal keys are equal ids. */
static void container_key(const struct skep_cgroups *c, enum skep_runtime runtime, const char *id,
                          uint64_t ret_key[2])
{
    bool named = runtime == SKEP_RUNTIME_LXC || runtime == SKEP_RUNTIME_NSPAWN;
    uint64_t seed = c->containers.seed + (named ? (uint64_t)runtime : 0);
    ret_key[0] = skep_hash_bytes(id, strlen(id), seed);
    ret_key[1] = skep_hash_bytes(id, strlen(id), ~seed);
}

/* The container is in the map from its first cgroup on and leaves it with its last. */
static void container_unref(struct skep_cgroups *c, struct skep_container *k)
{
    if (!k || --k->refs > 0)
        return;
    skep_hashmap_del(&c->containers, k->key);
    c->bytes -= k->bytes;
    container_free(k);
}

static int container_ref(struct skep_cgroups *c, enum skep_runtime runtime, const char *id,
                         struct skep_container **ret)
{
    uint64_t key[2];
    container_key(c, runtime, id, key);
    struct skep_container *k = skep_hashmap_get(&c->containers, key);
    if (!k) {
        SKEP_CLEANUP(container_freep) struct skep_container *fresh = calloc(1, sizeof(*fresh));
        if (!fresh)
            return -ENOMEM;
        fresh->runtime = runtime;
        snprintf(fresh->id, sizeof(fresh->id), "%s", id);
        memcpy(fresh->key, key, sizeof(key));
        int r = skep_hashmap_put(&c->containers, key, fresh, NULL);
        if (r < 0)
            return r;
        k = TAKE_PTR(fresh);
    }
    k->refs++;
    *ret = k;
    return 0;
}

static void list_remove(struct skep_cgroups *c, struct skep_cgroup *g)
{
    *(g->prev ? &g->prev->next : &c->oldest) = g->next;
    *(g->next ? &g->next->prev : &c->newest) = g->prev;
    g->prev = g->next = NULL;
}

static void list_append(struct skep_cgroups *c, struct skep_cgroup *g)
{
    g->prev = c->newest;
    *(c->newest ? &c->newest->next : &c->oldest) = g;
    c->newest = g;
}

static void remove_cgroup(struct skep_cgroups *c, struct skep_cgroup *g)
{
    skep_hashmap_del(&c->by_id, &g->id);
    list_remove(c, g);
    c->bytes -= g->bytes;
    container_unref(c, g->container);
    cgroup_free(g);
}

/* Room for one more of that size. Ends: each round evicts one or takes a mark away that nobody sets here. */
static void make_room(struct skep_cgroups *c, size_t bytes)
{
    while (c->oldest && (c->by_id.count >= c->by_id.max || c->bytes + bytes > SKEP_CGROUPS_BYTES)) {
        struct skep_cgroup *g = c->oldest;
        if (g->used) {
            g->used = false;
            list_remove(c, g);
            list_append(c, g);
        } else {
            remove_cgroup(c, g);
            c->evicted++;
        }
    }
}

/* A copy of a unit's name, unescaped; NULL in *ret_copy when there is none. */
static int copy_unit(const char *s, size_t n, char **ret_copy)
{
    if (!s)
        return 0;
    char buf[UNIT_MAX];
    skep_cgroup_unescape(s, n, buf, sizeof(buf));
    *ret_copy = strdup(buf);
    return *ret_copy ? 0 : -ENOMEM;
}

static int cgroup_new(struct skep_cgroups *c, uint64_t id, const char *path, size_t path_len,
                      struct skep_cgroup **ret)
{
    SKEP_CLEANUP(cgroup_freep) struct skep_cgroup *g = calloc(1, sizeof(*g));
    if (!g)
        return -ENOMEM;
    g->id = id;
    g->path = strndup(path, path_len);
    if (!g->path)
        return -ENOMEM;

    struct skep_cgroup_name name;
    skep_cgroup_parse(g->path, &name);
    int r = copy_unit(name.unit, name.unit_len, &g->unit);
    if (r >= 0)
        r = copy_unit(name.slice, name.slice_len, &g->slice);
    if (r < 0)
        return r;
    g->candidate = name.candidate_len > 0;
    g->bytes =
        sizeof(*g) + strlen(g->path) + (g->unit ? strlen(g->unit) : 0) + (g->slice ? strlen(g->slice) : 0);
    if (name.runtime != SKEP_RUNTIME_NONE) {
        char text[SKEP_CONTAINER_ID_MAX];
        skep_cgroup_unescape(name.id, name.id_len, text, sizeof(text));
        r = container_ref(c, name.runtime, text, &g->container);
        if (r < 0)
            return r;
    }
    *ret = TAKE_PTR(g);
    return 0;
}

/* Of the process that it was met with: it is at least as old. */
static bool is_old(const struct skep_hdr *h)
{
    return h->start && h->start + SKEP_CGROUPS_WAIT < h->time;
}

static int apply_cgroup(struct skep_cgroups *c, const struct skep_hdr *h, const struct skep_cgroup **ret_ask)
{
    const struct skep_ev_cgroup *e = (const struct skep_ev_cgroup *)h;
    const char *path = skep_slice_get(h, e->path);
    if (!path)
        return 0;
    size_t len = strnlen(path, MIN(e->path.len, SKEP_PATH_MAX));
    struct skep_cgroup *old = skep_hashmap_get(&c->by_id, &e->id);
    if (old && strlen(old->path) == len && memcmp(old->path, path, len) == 0) {
        old->used = true;
        old->old = old->old || is_old(h);
        return 0;
    }

    struct skep_cgroup *g;
    int r = cgroup_new(c, e->id, path, len, &g);
    if (r < 0)
        return r;
    if (old)
        remove_cgroup(c, old);
    make_room(c, g->bytes);
    r = skep_hashmap_put(&c->by_id, &g->id, g, NULL);
    if (r < 0) {
        container_unref(c, g->container);
        cgroup_free(g);
        return r;
    }
    list_append(c, g);
    c->bytes += g->bytes;
    g->since = h->time;
    g->old = is_old(h);
    if (g->container ? !g->container->asked : g->candidate) {
        if (g->container) {
            g->container->asked = true;
            g->container->since = h->time;
        }
        *ret_ask = g;
    }
    return 0;
}

/* What a record does not say stays as it was. */
static int update_text(struct skep_cgroups *c, struct skep_container *k, char **field,
                       const struct skep_hdr *h, struct skep_slice s)
{
    const char *text = skep_slice_get(h, s);
    if (!text)
        return 0;
    char *copy = strndup(text, MIN(s.len, SKEP_CONTAINER_TEXT_MAX));
    if (!copy)
        return -ENOMEM;
    size_t gone = *field ? strlen(*field) : 0, added = strlen(copy);
    k->bytes += added - gone;
    c->bytes += added - gone;
    free(*field);
    *field = copy;
    return 0;
}

/* The same for a list, which ends in a NUL whatever the record says. */
static int update_list(struct skep_cgroups *c, struct skep_container *k, struct skep_bytes *field, size_t max,
                       const struct skep_hdr *h, struct skep_slice s)
{
    const char *from = skep_slice_get(h, s);
    size_t n = MIN((size_t)s.len, max);
    if (!from)
        return 0;
    char *copy = malloc(n + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, from, n);
    copy[n] = '\0';
    if (n && copy[n - 1] != '\0')
        n++;
    k->bytes += n - field->len;
    c->bytes += n - field->len;
    free(field->s);
    *field = (struct skep_bytes){copy, n};
    return 0;
}

static int update(struct skep_cgroups *c, struct skep_container *k, const struct skep_ev_container *e)
{
    int r = 0;
#define SKEP_CONTAINER_TEXT(member)                                                                          \
    if (r >= 0)                                                                                              \
        r = update_text(c, k, &k->member, &e->h, e->member);
#define SKEP_CONTAINER_LIST(member, max)                                                                     \
    if (r >= 0)                                                                                              \
        r = update_list(c, k, &k->member, max, &e->h, e->member);
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
    if (e->started)
        k->started = e->started;
    if (e->traits)
        k->traits = e->traits;
    return r;
}

static int apply_container(struct skep_cgroups *c, const struct skep_hdr *h)
{
    const struct skep_ev_container *e = (const struct skep_ev_container *)h;
    const char *text = skep_slice_get(h, e->id), *runtime_text = skep_slice_get(h, e->runtime);
    if (!text || e->id.len == 0 || e->id.len >= SKEP_CONTAINER_ID_MAX)
        return 0;
    char id[SKEP_CONTAINER_ID_MAX];
    memcpy(id, text, e->id.len);
    id[e->id.len] = '\0';
    enum skep_runtime runtime =
        runtime_text ? skep_runtime_by_name(runtime_text, e->runtime.len) : SKEP_RUNTIME_INVALID;

    int r;
    struct skep_cgroup *g = skep_hashmap_get(&c->by_id, &h->cgroup);
    if (g && g->candidate && !g->container && runtime > SKEP_RUNTIME_NONE) {
        r = container_ref(c, runtime, id, &g->container);
        if (r < 0)
            return r;
        g->container->asked = true;
    }
    uint64_t key[2];
    container_key(c, runtime, id, key);
    struct skep_container *k = skep_hashmap_get(&c->containers, key);
    if (!k)
        return 0;
    k->answered = true;
    if (runtime > SKEP_RUNTIME_NONE)
        k->runtime = runtime;
    return update(c, k, e);
}

int skep_cgroups_apply(struct skep_cgroups *c, const struct skep_hdr *h, const struct skep_cgroup **ret_ask)
{
    const struct skep_cgroup *ask = NULL;
    int r = 0;
    if (h->kind == SKEP_KIND_cgroup || h->kind == SKEP_KIND_container)
        c->changes++;
    if (h->kind == SKEP_KIND_cgroup)
        r = apply_cgroup(c, h, &ask);
    else if (h->kind == SKEP_KIND_container)
        r = apply_container(c, h);
    if (r >= 0)
        *ret_ask = ask;
    return r;
}

const struct skep_cgroup *skep_cgroups_find(const struct skep_cgroups *c, uint64_t id)
{
    struct skep_cgroup *g = skep_hashmap_get(&c->by_id, &id);
    if (g)
        g->used = true;
    return g;
}

uint64_t skep_cgroup_awaits(const struct skep_cgroup *g)
{
    if (!g || (g->container ? g->container->answered : !g->candidate))
        return 0;
    if (g->container)
        return g->container->since + SKEP_CGROUPS_WAIT;
    return g->since + (g->old ? SKEP_CGROUPS_WAIT_OLD : SKEP_CGROUPS_WAIT);
}
