/* SPDX-License-Identifier: Apache-2.0 */
#include "event/resolver.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "event/event.h"

#include "resolver_scenarios.h"
#include "state_root.h"

#define MS 1000000ULL

struct fixture {
    char root[STATE_ROOT_MAX];
    struct skep_cgroups cgroups;
    struct skep_resolver *resolver;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f)
        return -1;
    if (!state_root_make(f->root) || skep_resolver_new(f->root, &f->resolver) < 0)
        return -1;
    skep_cgroups_init(&f->cgroups);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    skep_resolver_free(f->resolver);
    skep_cgroups_clear(&f->cgroups);
    state_root_remove(f->root);
    free(f);
    return 0;
}

static void put_file(const struct fixture *f, const char *path, const char *text)
{
    state_root_put(f->root, path, text, strlen(text));
}

static void put_link(const struct fixture *f, const char *path, const char *target)
{
    char buf[1024];
    state_root_path(f->root, path, buf, sizeof(buf));
    assert_int_equal(symlink(target, buf), 0);
}

/* Asks for the container of a cgroup path through the tables, as the agent does. */
static int ask(struct fixture *f, uint64_t id, const char *path)
{
    struct {
        struct skep_ev_cgroup e;
        char path[512];
    } rec = {.e = {.h = {.kind = SKEP_KIND_cgroup}, .id = id}};
    size_t n = strlen(path);
    assert_true(n < sizeof(rec.path));
    memcpy(rec.path, path, n);
    rec.e.path = (struct skep_slice){offsetof(__typeof__(rec), path), (uint32_t)n};
    const struct skep_cgroup *g;
    assert_int_equal(skep_cgroups_apply(&f->cgroups, &rec.e.h, &g), 0);
    assert_non_null(g);
    return skep_resolver_ask(f->resolver, g);
}

static void check_slice(const struct skep_hdr *h, struct skep_slice s)
{
    if (s.off == 0)
        return;
    assert_true(s.off >= sizeof(struct skep_ev_container));
    assert_true(s.off + s.len <= h->len);
}

/* Takes one answer into the tables; false when none came in time. */
static bool take(struct fixture *f, int timeout_ms)
{
    struct pollfd p = {.fd = skep_resolver_fd(f->resolver), .events = POLLIN};
    if (poll(&p, 1, timeout_ms) != 1)
        return false;
    _cleanup_free_ struct skep_hdr *h = NULL;
    assert_int_equal(skep_resolver_take(f->resolver, &h), 0);
    assert_non_null(h);
    assert_int_equal(h->kind, SKEP_KIND_container);
    assert_int_equal(h->len % 8, 0);
    const struct skep_ev_container *e = (const struct skep_ev_container *)h;
    assert_true(h->len >= sizeof(*e));
    check_slice(h, e->id);
    check_slice(h, e->runtime);
#define SKEP_CONTAINER_TEXT(member) check_slice(h, e->member);
#define SKEP_CONTAINER_LIST(member, max) check_slice(h, e->member);
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
    const struct skep_cgroup *g;
    assert_int_equal(skep_cgroups_apply(&f->cgroups, h, &g), 0);
    assert_null(g);
    return true;
}

static int compare(const struct scenario *s, const char *field, const char *got, const char *want)
{
    if (got ? want && skep_streq(got, want) : !want)
        return 0;
    print_error("%s: %s is %s, not %s\n", s->what, field, got ? got : "(none)", want ? want : "(none)");
    return 1;
}

static int compare_list(const struct scenario *s, const char *field, struct skep_bytes got, const char *want)
{
    char text[1024] = "";
    assert_true(got.len < sizeof(text));
    for (size_t i = 0; i < got.len; i++)
        text[i] = got.s[i] ? got.s[i] : '|';
    return compare(s, field, got.s ? text : NULL, want);
}

static int compare_details(const struct scenario *s, const struct skep_container *c)
{
    int wrong = compare(s, "image id", c->image_id, s->image_id);
    wrong += compare(s, "image digest", c->image_digest, s->image_digest);
    wrong += s->pod_uid ? compare(s, "pod uid", c->pod_uid, s->pod_uid) : 0;
    wrong += s->sandbox ? compare(s, "sandbox", c->sandbox, s->sandbox) : 0;
    wrong += compare(s, "ip", c->ip, s->ip);
    wrong += compare(s, "cni", c->cni, s->cni);
    wrong += compare_list(s, "mounts", c->mounts, s->mounts);
    wrong += compare_list(s, "labels", c->labels, s->labels);
    wrong += compare_list(s, "pod labels", c->pod_labels, s->pod_labels);
    wrong += compare_list(s, "healthcheck", c->healthcheck, s->healthcheck);
    if (c->started != s->started || (s->traits && c->traits != s->traits)) {
        print_error("%s: started %llu, traits %x instead of %x\n", s->what, (unsigned long long)c->started,
                    c->traits, s->traits);
        wrong++;
    }
    return wrong;
}

static void test_scenarios(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        const struct scenario *s = &scenarios[i];
        void *fixture;
        assert_int_equal(setup(&fixture), 0);
        struct fixture *f = fixture;
        for (size_t k = 0; k < ARRAY_SIZE(s->files) && s->files[k].path; k++)
            put_file(f, s->files[k].path, s->files[k].text);
        assert_int_equal(ask(f, 42, s->cgroup), 0);
        if (take(f, 3000)) {
            const struct skep_container *c = skep_cgroups_find(&f->cgroups, 42)->container;
            assert_non_null(c);
            wrong += compare(s, "runtime", skep_runtime_name(c->runtime), s->runtime);
            wrong += compare(s, "id", c->id, s->id);
            wrong += compare(s, "name", c->name, s->name);
            wrong += compare(s, "image", c->image, s->image);
            wrong += compare(s, "pod", c->pod, s->pod);
            wrong += compare(s, "namespace", c->namespace_, s->namespace_);
            wrong += compare_details(s, c);
        } else {
            print_error("%s: no answer\n", s->what);
            wrong++;
        }
        teardown(&fixture);
    }
    assert_int_equal(wrong, 0);
}

static void test_rootless(void **state)
{
    struct fixture *f = *state;
    char passwd[128];
    uid_t uid = getuid() ? getuid() : 1000;
    snprintf(passwd, sizeof(passwd), "root:x:0:0::/root:/bin/sh\nbad\nann:x:%u:%u::/home/ann:/bin/sh\n", uid,
             uid);
    put_file(f, "/etc/passwd", passwd);
#define ANN "/home/ann/.local/share/containers/storage/overlay-containers/"
    put_file(f, ANN A "/userdata/config.json", PODMAN_CONFIG);
    put_file(f, ANN "containers.json", STORAGE_LIST(A, "mine", "img"));
    char path[1024];
    if (getuid() == 0) {
        /* of somebody else: must not be believed */
        assert_int_equal(
            ask(f, 1, "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A ".scope"), 0);
        assert_false(take(f, 300));
        state_root_path(f->root, ANN A "/userdata/config.json", path, sizeof(path));
        assert_int_equal(chown(path, uid, uid), 0);
        state_root_path(f->root, ANN "containers.json", path, sizeof(path));
        assert_int_equal(chown(path, uid, uid), 0);
    } else {
        snprintf(path, sizeof(path),
                 "/user.slice/user-%u.slice/user@%u.service/user.slice/libpod-" A ".scope", uid, uid);
        assert_int_equal(ask(f, 1, path), 0);
    }
    assert_true(take(f, 3000));
    assert_string_equal(skep_cgroups_find(&f->cgroups, 1)->container->name, "mine");
}

static void test_rootless_without_systemd(void **state)
{
    struct fixture *f = *state;
    uid_t uid = getuid() ? getuid() : 1000;
    char passwd[128], path[1024];
    snprintf(passwd, sizeof(passwd), "ann:x:%u:%u::/home/ann:/bin/sh\n", uid, uid);
    put_file(f, "/etc/passwd", passwd);
    put_file(f, "/etc/containers/storage.conf", "rootless_storage_path = \"$HOME/c/$UID\"\n");
    snprintf(path, sizeof(path), "/home/ann/c/%u/overlay-containers/" A "/x", uid);
    put_file(f, path, "");
    snprintf(path, sizeof(path), "/home/ann/c/%u/overlay-containers/containers.json", uid);
    put_file(f, path, STORAGE_LIST(A, "mine", "img"));
    char full[1024];
    state_root_path(f->root, path, full, sizeof(full));
    assert_int_equal(chown(full, uid, (gid_t)-1), 0);
    assert_int_equal(ask(f, 1, "/libpod_parent/libpod-" A), 0);
    assert_true(take(f, 3000));
    assert_string_equal(skep_cgroups_find(&f->cgroups, 1)->container->name, "mine");
}

/* State that is written after the first look. */
static void test_late(void **state)
{
    struct fixture *f = *state;
    put_file(f, "/run/runc/hand1/state.json", "{\"id\":\"hand1\",");
    assert_int_equal(ask(f, 5, "/hand1"), 0);
    assert_false(take(f, 120));
    put_file(f, "/run/runc/hand1/state.json",
             "{\"id\":\"hand1\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/hand1\"}}");
    assert_true(take(f, 2000));
    assert_string_equal(skep_cgroups_find(&f->cgroups, 5)->container->id, "hand1");
}

static void expect_nothing(struct fixture *f, const char *cgroup)
{
    static uint64_t id = 100;
    assert_int_equal(ask(f, id, cgroup), 0);
    assert_false(take(f, 80)); /* some tries */
    assert_null(skep_cgroups_find(&f->cgroups, id)->container);
    id++;
}

static void test_not_a_container(void **state)
{
    struct fixture *f = *state;
    /* a container of that name is elsewhere */
    put_file(f, "/run/runc/job/state.json",
             "{\"id\":\"job\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/a/job\"}}");
    expect_nothing(f, "/b/job");
    put_file(f, "/run/crun/job2/status", "{\"cgroup-path\":\"/a/job2\"}");
    expect_nothing(f, "/job2");
    put_file(f, TASKS "/default/job3/config.json", "{\"linux\":{\"cgroupsPath\":\"/default/job3\"}}");
    expect_nothing(f, "/job3");
    put_file(f, "/run/runc/job4/state.json",
             "{\"id\":\"other\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/job4\"}}");
    expect_nothing(f, "/job4");
}

static void test_hostile(void **state)
{
    struct fixture *f = *state;
    /* out of the root, by both kinds of link */
    char secret[128];
    snprintf(secret, sizeof(secret), "%s.json", f->root);
    _cleanup_fclose_ FILE *file = fopen(secret, "we");
    assert_non_null(file);
    fputs("{\"id\":\"evil\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/evil\"}}", file);
    fflush(file);
    put_link(f, "/run/runc/evil/state.json", secret);
    expect_nothing(f, "/evil");
    char up[256];
    snprintf(up, sizeof(up), "../../../..%s", secret);
    put_link(f, "/run/runc/evil2/state.json", up);
    expect_nothing(f, "/evil2");
    unlink(secret);
    /* inside it is fine */
    put_file(f, "/elsewhere", "{\"id\":\"good\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/good\"}}");
    put_link(f, "/run/runc/good/state.json", "/elsewhere");
    assert_int_equal(ask(f, 1, "/good"), 0);
    assert_true(take(f, 2000));

    /* things that are not files, and files that say nonsense */
    char path[1024];
    state_root_path(f->root, "/run/runc/pipe/state.json", path, sizeof(path));
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_nothing(f, "/pipe");
    state_root_path(f->root, "/run/runc/dir/state.json/x", path, sizeof(path));
    expect_nothing(f, "/dir");
    static const char *const nonsense[] = {
        "",
        "[]",
        "1",
        "{\"id\":1}",
        "{\"id\":\"n\",\"cgroup_paths\":[1]}",
        "{\"id\":\"n\",\"cgroup_paths\":{\"\":1},\"config\":{\"labels\":{}}}"};
    for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
        put_file(f, "/run/runc/n/state.json", nonsense[i]);
        expect_nothing(f, "/n");
    }
    /* too large, and sparse */
    put_file(f, "/run/runc/big/state.json",
             "{\"id\":\"big\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/big\"}}");
    state_root_path(f->root, "/run/runc/big/state.json", path, sizeof(path));
    assert_int_equal(truncate(path, (8 << 20) + 1), 0);
    expect_nothing(f, "/big");
}

/* On kernels that lack openat2 files are found all the same, but not through links. In a child, which keeps
 * the filter to itself. */
static void without_openat2(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {ARRAY_SIZE(code), code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(77);
    void *fixture;
    assert_int_equal(setup(&fixture), 0);
    struct fixture *f = fixture;
    put_file(f, "/elsewhere", "{\"id\":\"good\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/good\"}}");
    put_link(f, "/run/runc/good/state.json", "../../../elsewhere");
    expect_nothing(f, "/good");
    put_file(f, "/run/runc/hand1/state.json",
             "{\"id\":\"hand1\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/hand1\"}}");
    assert_int_equal(ask(f, 1, "/hand1"), 0);
    assert_true(take(f, 2000));
    teardown(&fixture);
    _exit(0);
}

static void test_without_openat2(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        without_openat2(); /* a failed assertion leaves by cmocka's way, into the waitpid below as another status */
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

static void test_bounds(void **state)
{
    struct fixture *f = *state;
    int refused = 0;
    char path[64];
    for (unsigned i = 0; i < SKEP_RESOLVER_QUEUE_MAX + 10; i++) {
        snprintf(path, sizeof(path), "/none%u", i);
        int r = ask(f, i + 1, path);
        assert_true(r == 0 || r == -ENOBUFS);
        refused += r == -ENOBUFS;
    }
    struct skep_resolver_counts n;
    skep_resolver_counts(f->resolver, &n);
    assert_int_equal(refused, 10);
    assert_int_equal(n.refused, 10);
    assert_int_equal(n.asked, SKEP_RESOLVER_QUEUE_MAX);

    struct skep_hdr *h = (void *)1;
    assert_int_equal(skep_resolver_take(f->resolver, &h), 0);
    assert_null(h);
    const struct skep_cgroup plain = {.id = 1, .path = (char *)"/x"};
    assert_int_equal(skep_resolver_ask(f->resolver, &plain), -EINVAL);
    struct skep_container dots = {.id = "..", .runtime = SKEP_RUNTIME_LXC};
    const struct skep_cgroup bad = {.id = 1, .path = (char *)"/lxc/..", .container = &dots};
    assert_int_equal(skep_resolver_ask(f->resolver, &bad), -EINVAL);
    /* free with a full queue must not wait for it */
    uint64_t before = skep_clock_mono_ns();
    f->resolver = skep_resolver_free(f->resolver);
    assert_true(skep_clock_mono_ns() - before < 2000 * MS);
}

static void test_no_root(void **state)
{
    (void)state;
    struct skep_resolver *r = NULL;
    assert_int_equal(skep_resolver_new("/nonexistent/skep", &r), -ENOENT);
    assert_null(r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenarios),
        TEST(test_rootless),
        TEST(test_rootless_without_systemd),
        TEST(test_late),
        TEST(test_not_a_container),
        TEST(test_hostile),
        cmocka_unit_test(test_without_openat2),
        TEST(test_bounds),
        cmocka_unit_test(test_no_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
