/* SPDX-License-Identifier: Apache-2.0 */
#include "event/container.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HEX "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"

struct record {
    union {
        struct skep_hdr h;
        struct skep_ev_cgroup cgroup;
        struct skep_ev_container container;
        char bytes[8192];
    };
    size_t at;
};

static struct skep_slice put(struct record *rec, const char *s)
{
    if (!s)
        return (struct skep_slice){0};
    size_t n = strlen(s);
    assert_true(rec->at + n <= sizeof(rec->bytes));
    memcpy(rec->bytes + rec->at, s, n);
    rec->at += n;
    return (struct skep_slice){(uint32_t)(rec->at - n), (uint32_t)n};
}

static const struct skep_cgroup *see(struct skep_cgroups *c, uint64_t id, const char *path)
{
    struct record rec = {.at = sizeof(struct skep_ev_cgroup)};
    rec.h.kind = SKEP_KIND_cgroup;
    rec.cgroup.id = id;
    rec.cgroup.path = put(&rec, path);
    const struct skep_cgroup *ask = (void *)1;
    assert_int_equal(skep_cgroups_apply(c, &rec.h, &ask), 0);
    return ask;
}

static void answer(struct skep_cgroups *c, uint64_t cgroup, const char *id, const char *runtime,
                   const char *name, const char *image)
{
    struct record rec = {.at = sizeof(struct skep_ev_container)};
    rec.h.kind = SKEP_KIND_container;
    rec.h.cgroup = cgroup;
    rec.container.id = put(&rec, id);
    rec.container.runtime = put(&rec, runtime);
    rec.container.name = put(&rec, name);
    rec.container.image = put(&rec, image);
    const struct skep_cgroup *ask = (void *)1;
    assert_int_equal(skep_cgroups_apply(c, &rec.h, &ask), 0);
    assert_null(ask);
}

static int setup(void **state)
{
    struct skep_cgroups *c = calloc(1, sizeof(*c));
    if (!c)
        return -1;
    skep_cgroups_init(c);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct skep_cgroups *c = *state;
    skep_cgroups_clear(c);
    free(c);
    return 0;
}

static void test_share(void **state)
{
    struct skep_cgroups *c = *state;
    const struct skep_cgroup *ask = see(c, 1, "/docker/" HEX);
    assert_non_null(ask);
    assert_int_equal(ask->id, 1);
    assert_string_equal(ask->container->id, HEX);
    assert_null(see(c, 2, "/docker/" HEX "/init"));
    assert_null(see(c, 1, "/docker/" HEX));
    assert_ptr_equal(skep_cgroups_find(c, 1)->container, skep_cgroups_find(c, 2)->container);
    assert_int_equal(c->containers.count, 1);

    answer(c, 1, HEX, "containerd", "web", "nginx:1");
    const struct skep_container *k = skep_cgroups_find(c, 2)->container;
    assert_string_equal(k->name, "web");
    assert_string_equal(k->image, "nginx:1");
    assert_null(k->pod);
    assert_int_equal(k->runtime, SKEP_RUNTIME_CONTAINERD); /* the path was only a guess */
    answer(c, 1, HEX, "containerd", NULL, "nginx:2");
    assert_string_equal(k->name, "web");
    assert_string_equal(k->image, "nginx:2");
    assert_null(skep_cgroups_find(c, 3));
}

static void test_host(void **state)
{
    struct skep_cgroups *c = *state;
    assert_null(see(c, 7, "/system.slice/dev-a\\x2db.swap"));
    const struct skep_cgroup *g = skep_cgroups_find(c, 7);
    assert_string_equal(g->unit, "dev-a-b.swap");
    assert_string_equal(g->slice, "system.slice");
    assert_null(g->container);
    /* nobody becomes a container because a record says so */
    answer(c, 7, "evil", "runc", "evil", NULL);
    assert_null(skep_cgroups_find(c, 7)->container);
    assert_int_equal(c->containers.count, 0);
}

static void test_candidate(void **state)
{
    struct skep_cgroups *c = *state;
    const struct skep_cgroup *ask = see(c, 8, "/hand1");
    assert_non_null(ask);
    assert_true(ask->candidate);
    assert_null(ask->container);
    assert_non_null(see(c, 9, "/hand1/sub"));

    answer(c, 8, "hand1", "bogus", "hand1", NULL);
    assert_null(skep_cgroups_find(c, 8)->container);
    answer(c, 8, "hand1", "runc", "hand1", NULL);
    answer(c, 9, "hand1", "runc", "hand1", NULL);
    const struct skep_container *k = skep_cgroups_find(c, 8)->container;
    assert_non_null(k);
    assert_ptr_equal(k, skep_cgroups_find(c, 9)->container);
    assert_string_equal(k->id, "hand1");
    assert_string_equal(k->name, "hand1");
    assert_int_equal(k->runtime, SKEP_RUNTIME_RUNC);
    assert_int_equal(k->refs, 2);
}

static void test_names_are_of_their_runtime(void **state)
{
    struct skep_cgroups *c = *state;
    see(c, 1, "/lxc/web");
    see(c, 2, "/machine.slice/machine-web.scope");
    see(c, 3, "/system.slice/runc-web.scope");
    assert_int_equal(c->containers.count, 3);
    answer(c, 1, "web", "lxc", "from lxc", NULL);
    answer(c, 2, "web", "systemd-nspawn", "from nspawn", NULL);
    answer(c, 3, "web", "runc", "from runc", NULL);
    assert_string_equal(skep_cgroups_find(c, 1)->container->name, "from lxc");
    assert_string_equal(skep_cgroups_find(c, 2)->container->name, "from nspawn");
    assert_string_equal(skep_cgroups_find(c, 3)->container->name, "from runc");
}

static void test_reuse(void **state)
{
    struct skep_cgroups *c = *state;
    see(c, 1, "/docker/" HEX);
    assert_null(see(c, 1, "/system.slice/ssh.service"));
    assert_null(skep_cgroups_find(c, 1)->container);
    assert_string_equal(skep_cgroups_find(c, 1)->path, "/system.slice/ssh.service");
    assert_int_equal(c->containers.count, 0);
    assert_int_equal(c->by_id.count, 1);
    assert_non_null(see(c, 1, "/docker/" HEX)); /* asked again: the first answer went with the container */
    /* the same container under the reused id keeps nothing dangling */
    assert_null(see(c, 1, "/docker/" HEX "/x"));
    assert_int_equal(skep_cgroups_find(c, 1)->container->refs, 1);
}

static void test_full(void **state)
{
    struct skep_cgroups *c = *state;
    c->by_id.max = 100;
    char path[64];
    for (uint64_t i = 1; i <= 100; i++) {
        snprintf(path, sizeof(path), "/lxc/c%u", (unsigned)i);
        see(c, i, path);
    }
    assert_int_equal(c->evicted, 0);
    assert_non_null(skep_cgroups_find(c, 1)); /* in use: stays */
    see(c, 101, "/lxc/c101");
    assert_int_equal(c->evicted, 1);
    assert_int_equal(c->by_id.count, 100);
    assert_int_equal(c->containers.count, 100);
    assert_non_null(skep_cgroups_find(c, 1));
    assert_null(skep_cgroups_find(c, 2));
    for (uint64_t i = 1000; i < 3000; i++) {
        snprintf(path, sizeof(path), "/lxc/c%u", (unsigned)i);
        see(c, i, path);
        assert_non_null(skep_cgroups_find(c, 1));
    }
    assert_int_equal(c->by_id.count, 100);
    assert_int_equal(c->containers.count, 100);
}

static void test_full_of_text(void **state)
{
    struct skep_cgroups *c = *state;
    char path[4097];
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    for (uint64_t i = 1; i <= 2 * SKEP_CGROUPS_BYTES / sizeof(path); i++)
        see(c, i, path);
    assert_true(c->evicted > 0);
    assert_true(c->bytes <= SKEP_CGROUPS_BYTES);
    assert_true(c->by_id.count * 4096 <= SKEP_CGROUPS_BYTES);
    size_t sum = 0;
    const struct skep_cgroup *g;
    for (size_t at = 0; (g = skep_hashmap_next(&c->by_id, &at));)
        sum += g->bytes;
    assert_int_equal(sum, c->bytes);
}

static void test_hostile(void **state)
{
    struct skep_cgroups *c = *state;
    struct record rec = {.at = sizeof(struct skep_ev_cgroup)};
    const struct skep_cgroup *ask = NULL;
    rec.h.kind = SKEP_KIND_cgroup;
    rec.cgroup.id = 1;
    assert_int_equal(skep_cgroups_apply(c, &rec.h, &ask), 0); /* no path */
    assert_null(skep_cgroups_find(c, 1));
    rec.cgroup.path = put(&rec, "/a");
    rec.bytes[rec.cgroup.path.off + 1] = '\0'; /* a NUL ends it */
    assert_int_equal(skep_cgroups_apply(c, &rec.h, &ask), 0);
    assert_string_equal(skep_cgroups_find(c, 1)->path, "/");
    rec.h.kind = SKEP_KIND_exec;
    assert_int_equal(skep_cgroups_apply(c, &rec.h, &ask), 0);

    char name[3000];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    see(c, 2, "/lxc/web");
    answer(c, 2, name, "lxc", "x", NULL); /* id too long */
    assert_null(skep_cgroups_find(c, 2)->container->name);
    answer(c, 2, "web", "lxc", name, NULL);
    assert_int_equal(strlen(skep_cgroups_find(c, 2)->container->name), SKEP_CONTAINER_TEXT_MAX);
    answer(c, 77, "nobody", "lxc", "x", NULL);
    assert_int_equal(c->containers.count, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_share), TEST(test_host), TEST(test_candidate),    TEST(test_names_are_of_their_runtime),
        TEST(test_reuse), TEST(test_full), TEST(test_full_of_text), TEST(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
