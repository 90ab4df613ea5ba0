/* SPDX-License-Identifier: Apache-2.0 */
#include "../field/fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"

struct users_test {
    struct field_test *x;
    char root[64];
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void put_file(const char *root, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/etc", root);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/etc/%s", root, name);
    _cleanup_fclose_ FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
}

static int setup(void **state)
{
    struct users_test *u = calloc(1, sizeof(*u));
    strcpy(u->root, "/tmp/skep-users-XXXXXX");
    if (!mkdtemp(u->root) || chmod(u->root, 0755) < 0)
        return -1;
    void *x;
    if (field_setup(&x) < 0)
        return -1;
    u->x = x;
    put_file(u->root, "passwd", "admin:x:0:0::/home/admin:/bin/zsh\nweb:x:33:33::/var/www:/bin/false\n");
    put_file(u->root, "group", "wheel:x:0:\nwww:x:33:web\n");
    if (skep_rule_users_new(u->root, &u->x->users) < 0)
        return -1;
    *state = u;
    return 0;
}

static int teardown(void **state)
{
    struct users_test *u = *state;
    void *x = u->x;
    field_teardown(&x);
    nftw(u->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(u);
    return 0;
}

static void test_host(void **state)
{
    struct field_test *x = ((struct users_test *)*state)->x;
    field_process(x, 40, 0, "nginx", "/usr/sbin/nginx", "nginx");
    field_event(x, 40, "nginx");
    x->r.h.euid = x->r.h.egid = 33;
    field_is_number(x, "user.uid", 33);
    field_is_text(x, "user.name", "web");
    field_is_text(x, "user.homedir", "/var/www");
    field_is_text(x, "user.shell", "/bin/false");
    field_is_number(x, "group.gid", 33);
    field_is_text(x, "group.name", "www");
    field_is_number(x, "user.loginuid", -1);
    field_is_text(x, "user.loginname", "<NA>");
    ((struct skep_proc *)x->r.ev.proc)->task.loginuid = 33;
    field_is_number(x, "user.loginuid", 33);
    field_is_text(x, "user.loginname", "web");
    /* the real user is another one */
    assert_int_equal(x->r.h.uid, 1000);
    x->r.h.euid = 0;
    field_is_text(x, "user.name", "admin");
    x->r.h.euid = x->r.h.egid = 5;
    field_is_text(x, "user.name", "<NA>");
    field_is_text(x, "user.shell", "<NA>");
    field_is_text(x, "group.name", "<NA>");
}

static void test_no_files(void **state)
{
    struct users_test *u = *state;
    SKEP_CLEANUP(skep_rule_users_freep) struct skep_rule_users *users = NULL;
    char path[128];
    snprintf(path, sizeof(path), "%s/etc", u->root);
    assert_int_equal(skep_rule_users_new(path, &users), 0);
    assert_string_equal(skep_rule_user_find(users, 0)->name, "root");
    assert_string_equal(skep_rule_user_find(users, 0)->home, "/root");
    assert_string_equal(skep_rule_group_find(users, 0), "root");
    assert_null(skep_rule_user_find(users, 33));
    snprintf(path, sizeof(path), "%s/none", u->root);
    SKEP_CLEANUP(skep_rule_users_freep) struct skep_rule_users *none = NULL;
    assert_int_equal(skep_rule_users_new(path, &none), -ENOENT);
    assert_null(none);
}

/* A change is seen, but not at once: files are looked at once a second. */
static void test_change(void **state)
{
    struct users_test *u = *state;
    struct skep_rule_users *users = u->x->users;
    assert_string_equal(skep_rule_user_find(users, 33)->name, "web");
    uint64_t begin = skep_clock_mono_ns();
    put_file(u->root, "passwd", "www-data:x:33:33::/:/\nnew:x:34:34::/:/\n");
    const char *soon = skep_rule_user_find(users, 33)->name;
    if (skep_clock_mono_ns() - begin < 900000000ULL)
        assert_string_equal(soon, "web");
    usleep(1100000);
    assert_string_equal(skep_rule_user_find(users, 33)->name, "www-data");
    assert_string_equal(skep_rule_user_find(users, 34)->name, "new");
    assert_string_equal(skep_rule_group_find(users, 33), "www");
    char path[128];
    snprintf(path, sizeof(path), "%s/etc/passwd", u->root);
    assert_int_equal(unlink(path), 0);
    usleep(1100000);
    assert_null(skep_rule_user_find(users, 33));
}

/* A process with a root directory of its own, as in a container. */
static pid_t start_contained(const char *root, int *ret_go)
{
    int ready[2], go[2];
    char c;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(go[1]);
        if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
            chroot(root) == 0 && chdir("/") == 0)
            (void)!write(ready[1], "r", 1);
        close(ready[1]);
        (void)!read(go[0], &c, 1);
        _exit(0);
    }
    close(ready[1]);
    close(go[0]);
    bool ok = read(ready[0], &c, 1) == 1;
    close(ready[0]);
    *ret_go = go[1];
    if (ok)
        return pid;
    close(go[1]);
    waitpid(pid, NULL, 0);
    return -1;
}

static void contained_event(struct field_test *x, pid_t pid, uint32_t mnt_ns, const struct skep_container *c)
{
    field_process(x, (uint32_t)pid, 0, "sh", "/bin/sh", "sh");
    field_event(x, (uint32_t)pid, "sh");
    ((struct skep_proc *)x->r.ev.proc)->task.ns.mnt = mnt_ns;
    x->r.ev.container = c;
}

static uint32_t mnt_ns_of(pid_t pid)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
    assert_int_equal(stat(path, &st), 0);
    return (uint32_t)st.st_ino;
}

static const struct skep_container container = {.id = "c"};

/* A reader is waited for a moment only; on a busy host the answer comes later. */
static void becomes_text(struct field_test *x, const char *name, const char *want)
{
    for (int i = 0; i < 200; i++) {
        const struct skep_fact *f = field_get(x, name);
        if (f->state == SKEP_FACT_THERE && f->n == strlen(want) &&
            memcmp((const char *)(uintptr_t)f->value, want, f->n) == 0)
            break;
        usleep(50000);
    }
    field_is_text(x, name, want);
}

static void test_container(void **state)
{
    struct users_test *u = *state;
    struct field_test *x = u->x;
    char root[96];
    snprintf(root, sizeof(root), "%s/c", u->root);
    assert_int_equal(mkdir(root, 0755), 0);
    put_file(root, "passwd", "inner:x:33:33::/i:/b\n");
    /* what it points to outside of the container is not read */
    char link[128];
    snprintf(link, sizeof(link), "%s/etc/group", root);
    assert_int_equal(symlink("/../../../../etc/group", link), 0);
    int go;
    pid_t pid = start_contained(root, &go);
    if (pid < 0) {
        print_message("skip: no mount namespace can be made\n");
        skip();
    }
    contained_event(x, pid, mnt_ns_of(pid), &container);
    x->r.h.euid = x->r.h.egid = 33;

    /* nothing of it is known where the event may be an old one; the host's names would be the wrong ones */
    field_is_text(x, "user.name", "<NA>");
    x->r.h.euid = 0;
    field_is_text(x, "user.name", "root");
    x->r.h.euid = 33;

    assert_int_equal(skep_rule_users_follow_containers(x->users), 0);
    assert_int_equal(skep_rule_users_follow_containers(x->users), 0);
    becomes_text(x, "user.name", "inner");
    field_is_text(x, "user.homedir", "/i");
    field_is_text(x, "group.name", "<NA>");
    x->r.h.euid = 0;
    field_is_text(x, "user.name", "root");

    /* somebody who came later */
    x->r.h.euid = 34;
    put_file(root, "passwd", "inner:x:33:33::/i:/b\nlate:x:34:34::/i:/b\n");
    usleep(1100000);
    becomes_text(x, "user.name", "late");

    /* the number is somebody else's by now */
    contained_event(x, pid, 12345, &container);
    x->r.h.euid = 33;
    field_is_text(x, "user.name", "<NA>");

    /* who acted is gone; somebody else in the same container is not */
    uint32_t inner_ns = mnt_ns_of(pid);
    SKEP_CLEANUP(skep_rule_users_freep) struct skep_rule_users *fresh = NULL;
    assert_int_equal(skep_rule_users_new(u->root, &fresh), 0);
    assert_int_equal(skep_rule_users_follow_containers(fresh), 0);
    contained_event(x, pid, inner_ns, &container);
    contained_event(x, (pid_t)(1U << 30), inner_ns, &container);
    const struct skep_rule_user *user = NULL;
    for (int i = 0; i < 200 && !user; i++) {
        user = skep_rule_user_of(fresh, &x->r.ev, 33);
        if (!user)
            usleep(50000);
    }
    assert_non_null(user);
    assert_string_equal(user->name, "inner");
    contained_event(x, (pid_t)(1U << 30), 12345, &container);
    assert_null(skep_rule_user_of(fresh, &x->r.ev, 33));

    /* what was read stays when the process is gone */
    uint32_t ns = mnt_ns_of(pid);
    close(go);
    waitpid(pid, NULL, 0);
    contained_event(x, pid, ns, &container);
    x->r.h.euid = 33;
    field_is_text(x, "user.name", "inner");
    x->r.ev.container = NULL;
    field_is_text(x, "user.name", "web");
}

/* Signals go to who blocks them and waits, and to no thread of ours: also those that are ignored. */
static void test_signals(void **state)
{
    struct field_test *x = ((struct users_test *)*state)->x;
    sigset_t set, before;
    assert_int_equal(skep_rule_users_follow_containers(x->users), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    void (*handler)(int) = signal(SIGUSR1, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    struct timespec patience = {.tv_sec = 2};
    assert_int_equal(sigtimedwait(&set, NULL, &patience), SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    signal(SIGUSR1, handler);
}

/* More containers than are kept: the oldest goes, and nothing else happens. */
static void test_many_containers(void **state)
{
    struct field_test *x = ((struct users_test *)*state)->x;
    assert_int_equal(skep_rule_users_follow_containers(x->users), 0);
    for (uint32_t i = 1; i < 3 * SKEP_USERS_CONTAINERS_MAX; i++) {
        contained_event(x, 40, i, &container);
        x->r.h.euid = i % 2 ? 0 : 33;
        field_is_text(x, "user.name", i % 2 ? "root" : "<NA>");
    }
}

/* A file that is too large to be one is none. */
static void test_large_file(void **state)
{
    struct users_test *u = *state;
    struct field_test *x = u->x;
    char root[96];
    snprintf(root, sizeof(root), "%s/c", u->root);
    assert_int_equal(mkdir(root, 0755), 0);
    char *text = malloc(SKEP_USERS_CONTAINER_FILE_MAX + 64);
    size_t n = (size_t)sprintf(text, "inner:x:33:33::/i:/b\n");
    memset(text + n, 'x', SKEP_USERS_CONTAINER_FILE_MAX);
    text[n + SKEP_USERS_CONTAINER_FILE_MAX] = '\0';
    put_file(root, "passwd", text);
    free(text);
    int go;
    pid_t pid = start_contained(root, &go);
    if (pid < 0)
        skip();
    assert_int_equal(skep_rule_users_follow_containers(x->users), 0);
    contained_event(x, pid, mnt_ns_of(pid), &container);
    x->r.h.euid = 33;
    field_is_text(x, "user.name", "<NA>");
    close(go);
    waitpid(pid, NULL, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_host),      TEST(test_no_files),        TEST(test_change),
        TEST(test_container), TEST(test_many_containers), TEST(test_large_file),
        TEST(test_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
