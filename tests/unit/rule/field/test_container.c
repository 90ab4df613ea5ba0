/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#define ID "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define LIST(literal) ((struct skep_bytes){(char *)(literal), sizeof(literal)})

static const struct skep_container web = {
    .id = ID,
    .runtime = SKEP_RUNTIME_DOCKER,
    .name = (char *)"web",
    .image = (char *)"reg:5000/team/nginx:1.2",
    .image_id = (char *)"1d34ffeaf190be23d3de5a8de0a436676b758f48f835c3a2d4768b798c15a7f1",
    .image_digest = (char *)"sha256:9ec3",
    .pod = (char *)"pod-1",
    .namespace_ = (char *)"prod",
    .pod_uid = (char *)"0a1b",
    .sandbox = (char *)"9ec39b91f3d70e1beff50a308f770670",
    .ip = (char *)"10.0.0.2",
    .cni = (char *)"{}",
    .mounts = LIST("/proc\0/host/proc\0\0true\0rprivate\0/var/run/docker.sock\0/s\0z\0false\0"),
    .labels = LIST("a=b\0io.kubernetes.x=1\0annotation.y=2\0empty=\0t=u=v"),
    .pod_labels = LIST("app=shop"),
    .healthcheck = LIST("/bin/sh\0-c\0curl x"),
    .started = 77,
    .traits = SKEP_CONTAINER_PRIVILEGED | SKEP_CONTAINER_HOST_IPC | SKEP_CONTAINER_KNOWN_PRIVILEGES |
              SKEP_CONTAINER_KNOWN_NAMESPACES | SKEP_CONTAINER_KNOWN_MOUNTS | SKEP_CONTAINER_KNOWN_LABELS |
              SKEP_CONTAINER_KNOWN_HEALTHCHECK,
};

static void begin(struct field_test *x, const struct skep_container *c)
{
    field_process(x, 40, 0, "sh", "/bin/sh", "sh");
    field_event(x, 40, "sh");
    x->r.ev.container = c;
}

static void test_known(void **state)
{
    struct field_test *x = *state;
    begin(x, &web);
    field_is_text(x, "container.id", "4f797c539e6c");
    field_is_text(x, "container.full_id", ID);
    field_is_text(x, "container.name", "web");
    field_is_text(x, "container.type", "docker");
    field_is_text(x, "container.image", "reg:5000/team/nginx:1.2");
    field_is_text(x, "container.image.repository", "reg:5000/team/nginx");
    field_is_text(x, "container.image.tag", "1.2");
    field_is_text(x, "container.image.digest", "sha256:9ec3");
    field_is_text(x, "container.image.id", "1d34ffeaf190");
    field_is_number(x, "container.privileged", 1);
    field_is_number(x, "container.host_pid", 0);
    field_is_number(x, "container.host_network", 0);
    field_is_number(x, "container.host_ipc", 1);
    field_is_text(x, "container.ip", "10.0.0.2");
    field_is_text(x, "container.cni.json", "{}");
    field_is_text(x, "container.healthcheck", "/bin/sh -c curl x");
    field_is_text(x, "container.liveness_probe", "NONE");
    field_is_text(x, "container.readiness_probe", "NONE");
    field_is_text(x, "k8s.pod.name", "pod-1");
    field_is_text(x, "k8s.ns.name", "prod");
    field_is_text(x, "k8s.pod.id", "0a1b");
    field_is_text(x, "k8s.pod.uid", "0a1b");
    field_is_text(x, "k8s.pod.sandbox_id", "9ec39b91f3d7");
    field_is_text(x, "k8s.pod.full_sandbox_id", "9ec39b91f3d70e1beff50a308f770670");
    field_is_text(x, "k8s.pod.label[app]", "shop");
    field_is_missing(x, "k8s.pod.label[ap]");
    field_is_text(x, "k8s.pod.labels", "app:shop");
    field_is_text(x, "k8s.pod.ip", "10.0.0.2");
    field_is_text(x, "k8smeta.pod.name", "pod-1");
    field_is_text(x, "k8smeta.ns.name", "prod");
    field_is_text(x, "k8smeta.pod.uid", "0a1b");
    field_is_text(x, "k8smeta.pod.label[app]", "shop");
    field_is_text(x, "k8smeta.pod.ip", "10.0.0.2");
    field_is_missing(x, "k8s.deployment.name");
    field_is_missing(x, "k8s.svc.label[x]");
}

static void test_mounts(void **state)
{
    struct field_test *x = *state;
    begin(x, &web);
    field_is_text(x, "container.mounts", "/proc:/host/proc::true:rprivate,/var/run/docker.sock:/s:z:false:");
    field_is_text(x, "container.mount[0]", "/proc:/host/proc::true:rprivate");
    field_is_text(x, "container.mount[/var/*]", "/var/run/docker.sock:/s:z:false:");
    field_is_missing(x, "container.mount[2]");
    field_is_missing(x, "container.mount[/etc]");
    field_is_text(x, "container.mount.source[/host/*]", "/proc");
    field_is_missing(x, "container.mount.source[/proc]");
    field_is_text(x, "container.mount.dest[/proc*]", "/host/proc");
    field_is_text(x, "container.mount.mode[1]", "z");
    field_is_text(x, "container.mount.rdwr[/var/run/docker.sock]", "false");
    field_is_text(x, "container.mount.propagation[0]", "rprivate");
    field_is_text(x, "container.mount.propagation[1]", "");

    struct skep_container c = web;
    c.mounts = (struct skep_bytes){0};
    begin(x, &c);
    field_is_text(x, "container.mounts", "");
    field_is_missing(x, "container.mount[0]");
    c.traits = 0;
    field_is_missing(x, "container.mounts");
    /* a record that was cut */
    c.traits = web.traits;
    c.mounts = (struct skep_bytes){(char *)"/a\0/b\0", 7};
    field_is_text(x, "container.mounts", "");
}

static void test_labels(void **state)
{
    struct field_test *x = *state;
    begin(x, &web);
    field_is_text(x, "container.label[a]", "b");
    field_is_text(x, "container.label[t]", "u=v");
    field_is_text(x, "container.label[empty]", "");
    field_is_missing(x, "container.label[b]");
    field_is_text(x, "container.label[io.kubernetes.x]", "1");
    field_is_text(x, "container.label[io.kubernetes.pod.uid]", "0a1b");
    field_is_text(x, "container.labels", "a:b, empty, t:u=v");
}

static void test_images(void **state)
{
    static const struct {
        const char *image, *repository, *tag, *digest;
    } cases[] = {
        {"nginx", "nginx", "latest", NULL},
        {"nginx:", "nginx", "", NULL},
        {"localhost:5000/a", "localhost:5000/a", "latest", NULL},
        {"localhost:5000/a:b", "localhost:5000/a", "b", NULL},
        {"a@sha256:12", "a", "", "sha256:12"},
        {"h:1/a:t@sha256:12", "h:1/a", "t", "sha256:12"},
        {"", "", "latest", NULL},
    };
    struct field_test *x = *state;
    struct skep_container c = web;
    c.image_digest = NULL;
    begin(x, &c);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        c.image = (char *)cases[i].image;
        field_is_text(x, "container.image.repository", cases[i].repository);
        field_is_text(x, "container.image.tag", cases[i].tag);
        if (cases[i].digest)
            field_is_text(x, "container.image.digest", cases[i].digest);
        else
            field_is_missing(x, "container.image.digest");
    }
}

static void test_start(void **state)
{
    struct field_test *x = *state;
    begin(x, &web);
    struct skep_task *t = &((struct skep_proc *)x->r.ev.proc)->task;
    x->r.session.host_ns.pid = 1;
    t->ns.pid = 2;
    t->pid_ns_start = 30 * FIELD_SEC;
    field_is_number(x, "container.start_ts", (int64_t)(BOOT_OFFSET + 30 * FIELD_SEC));
    field_is_number(x, "container.duration", (int64_t)(x->r.h.time - 30 * FIELD_SEC));
    t->ns.pid = 1; /* the host's: only the runtime knows */
    field_is_number(x, "container.start_ts", 77);
    struct skep_container c = web;
    c.started = 0;
    x->r.ev.container = &c;
    field_is_missing(x, "container.start_ts");
    field_is_missing(x, "container.duration");
}

static void test_unknown(void **state)
{
    static const char *const missing[] = {
        "container.name",
        "container.image",
        "container.image.repository",
        "container.image.id",
        "container.image.digest",
        "container.privileged",
        "container.host_pid",
        "container.mounts",
        "container.mount[0]",
        "container.label[a]",
        "container.labels",
        "container.pod",
        "container.pod.label[a]",
        "container.ip",
        "container.cni.json",
        "container.healthcheck",
        "container.start_ts",
        "k8s.pod.name",
        "k8s.pod.uid",
        "k8s.pod.labels",
        "k8s.pod.label[a]",
    };
    static const char *const missing_on_host[] = {
        "container.host_pid", "container.mounts",   "container.mount[0]", "container.label[a]",
        "container.labels",   "container.ip",       "container.start_ts", "container.duration",
        "k8s.pod.name",       "k8s.pod.sandbox_id", "k8s.pod.label[a]",   "container.healthcheck",
    };
    struct field_test *x = *state;
    struct skep_container c = {.id = "short", .runtime = SKEP_RUNTIME_CRIO};
    begin(x, &c);
    field_is_text(x, "container.id", "short");
    field_is_text(x, "container.type", "cri-o");
    field_is_number(x, "proc.is_container_healthcheck", 0);
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
        field_is_missing(x, missing[i]);
    /* a pod of podman is none of Kubernetes */
    c.pod = (char *)"p";
    field_is_missing(x, "k8s.pod.name");
    field_is_text(x, "container.pod", "p");

    x->r.ev.container = NULL;
    field_is_text(x, "container.id", "host");
    field_is_text(x, "container.full_id", "host");
    field_is_text(x, "container.name", "host");
    field_is_text(x, "container.type", "host");
    field_is_text(x, "container.image.repository", "");
    field_is_number(x, "container.privileged", 0);
    field_is_number(x, "proc.is_container_healthcheck", 0);
    for (size_t i = 0; i < ARRAY_SIZE(missing_on_host); i++)
        field_is_missing(x, missing_on_host[i]);
}

/* A shell that the runtime put into the container, what it started, and the same command from inside. */
static void test_healthcheck(void **state)
{
    struct field_test *x = *state;
    field_process(x, 10, 0, "dockerd", "/usr/bin/dockerd", "dockerd");
    field_process(x, 20, 10, "init", "/init", "init");
    field_process(x, 30, 10, "sh", "/bin/sh", "/bin/sh\0-c\0curl x");
    field_process(x, 31, 30, "curl", "/curl", "curl\0x");
    field_process(x, 32, 20, "sh", "/bin/sh", "/bin/sh\0-c\0curl x");
    field_process(x, 33, 10, "sh", "/bin/sh", "/bin/sh\0-c\0curl y");
    static const struct {
        uint32_t pid, ns_pid;
        bool want;
    } cases[] = {{20, 1, false}, {30, 2, true}, {31, 3, true}, {32, 4, false}, {33, 5, false}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct skep_proc *p = skep_proc_table_find(&x->t, cases[i].pid, cases[i].pid * FIELD_SEC);
        p->task.ns.pid = 2;
        p->task.ns_pid = cases[i].ns_pid;
    }
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        field_event(x, cases[i].pid, "x");
        x->r.ev.container = &web;
        field_is_number(x, "proc.is_container_healthcheck", cases[i].want);
        field_is_number(x, "proc.is_container_liveness_probe", 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, field_setup, field_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_known), TEST(test_mounts),  TEST(test_labels),      TEST(test_images),
        TEST(test_start), TEST(test_unknown), TEST(test_healthcheck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
