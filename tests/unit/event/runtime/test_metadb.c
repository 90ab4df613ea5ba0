/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

#include <fcntl.h>

#include "../bolt_file.h"
#include "../state_root.h"

#define A "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define S "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d"
#define CONFIG "1d34ffeaf190be23d3de5a8de0a436676b758f48f835c3a2d4768b798c15a7f1"
#define DIGEST "sha256:0b12e962c50e6be67994235de91dad60d549c57d12abbe6477c0d00cda50ef3e"
#define DATABASE "/io.containerd.metadata.v1.bolt/meta.db"
#define TASKS "/io.containerd.runtime.v2.task"

#define CONTAINER_JSON                                                                                       \
    "{\"Version\":\"v1\",\"Metadata\":{\"ID\":\"" A "\",\"SandboxID\":\"" S                                  \
    "\",\"ImageRef\":\"sha256:" CONFIG "\",\"Config\":{\"metadata\":{\"name\":\"app\"}}}}"
#define SANDBOX_JSON                                                                                         \
    "{\"Version\":\"v1\",\"Metadata\":{\"ID\":\"" S "\",\"IP\":\"10.1.2.3\",\"CNIResult\":{\"I\":1},"        \
    "\"Config\":{\"metadata\":{\"name\":\"pod-1\",\"uid\":\"u-1\",\"namespace\":\"prod\"},"                  \
    "\"labels\":{\"app\":\"shop\"}}}}"

static char container_any[1024], sandbox_any[1024];
static struct bolt_node container_ext[] = {{"io.cri-containerd.container.metadata", container_any, NULL, 0}};
static struct bolt_node sandbox_ext[] = {{"io.cri-containerd.sandbox.metadata", sandbox_any, NULL, 0}};
static const struct bolt_node cri_labels[] = {BOLT_VALUE("io.cri-containerd.kind", "container"),
                                              BOLT_VALUE("tier", "front"), BOLT_VALUE("bad", "\xff\xfe")};
static const struct bolt_node ctr_labels[] = {
    BOLT_VALUE("who", "me"), BOLT_VALUE("io.containerd.image.config.stop-signal", "SIGTERM")};
static const struct bolt_node of_a[] = {BOLT_VALUE("image", "sha256:x"), BOLT_BUCKET("labels", cri_labels),
                                        BOLT_BUCKET("extensions", container_ext)};
static const struct bolt_node of_s[] = {BOLT_BUCKET("extensions", sandbox_ext)};
static const struct bolt_node of_web[] = {BOLT_VALUE("image", "reg/app:2"),
                                          BOLT_BUCKET("labels", ctr_labels)};
static const struct bolt_node of_bare[] = {BOLT_VALUE("snapshotter", "overlayfs")};
static const struct bolt_node k8s_containers[] = {BOLT_BUCKET(A, of_a), BOLT_BUCKET(S, of_s)};
static const struct bolt_node containers[] = {BOLT_BUCKET("web", of_web), BOLT_BUCKET("bare", of_bare)};
static const struct bolt_node target[] = {BOLT_VALUE("digest", DIGEST)};
static const struct bolt_node image[] = {BOLT_BUCKET("target", target)};
static const struct bolt_node images[] = {BOLT_BUCKET("reg/app:2", image)};
static const struct bolt_node blob_labels[] = {
    BOLT_VALUE("containerd.io/gc.ref.content.config", "sha256:" CONFIG)};
static const struct bolt_node blob[] = {BOLT_BUCKET("labels", blob_labels)};
static const struct bolt_node blobs[] = {BOLT_BUCKET(DIGEST, blob)};
static const struct bolt_node content[] = {BOLT_BUCKET("blob", blobs)};
static const struct bolt_node k8s[] = {BOLT_BUCKET("containers", k8s_containers)};
static const struct bolt_node default_[] = {BOLT_BUCKET("containers", containers),
                                            BOLT_BUCKET("images", images), BOLT_BUCKET("content", content)};
static const struct bolt_node v1[] = {BOLT_BUCKET("k8s.io", k8s), BOLT_BUCKET("default", default_)};
static const struct bolt_node top[] = {BOLT_BUCKET("v1", v1)};

/* field 1: the type; field 2: the value */
static void make_any(char *to, struct bolt_node *node, const char *json)
{
    size_t n = strlen(json);
    to[0] = 0x0a, to[1] = 2, to[2] = 'u', to[3] = 'r', to[4] = 0x12;
    to[5] = (char)((n & 0x7f) | 0x80), to[6] = (char)(n >> 7);
    memcpy(to + 7, json, n);
    node->n = 7 + n;
}

struct fixture {
    char root[STATE_ROOT_MAX];
    int fd;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f || !state_root_make(f->root))
        return -1;
    f->fd = open(f->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    make_any(container_any, &container_ext[0], CONTAINER_JSON);
    make_any(sandbox_any, &sandbox_ext[0], SANDBOX_JSON);
    *state = f;
    return f->fd < 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close(f->fd);
    state_root_remove(f->root);
    free(f);
    return 0;
}

static void put_database(const struct fixture *f, const char *path)
{
    struct bolt_file file = {.per_page = 3, .inside_max = 2};
    bolt_make(&file, top, ARRAY_SIZE(top));
    state_root_put(f->root, path, file.s, file.pages * BOLT_PAGE);
    free(file.s);
}

static void check_cri(const struct skep_state_info *info)
{
    assert_int_equal(info->runtime, SKEP_RUNTIME_CONTAINERD);
    assert_string_equal(info->name, "app");
    assert_string_equal(info->image, "reg/shop:3");
    assert_string_equal(info->image_id, CONFIG);
    assert_string_equal(info->pod, "pod-1");
    assert_string_equal(info->namespace_, "prod");
    assert_string_equal(info->pod_uid, "u-1");
    assert_string_equal(info->sandbox, S);
    assert_string_equal(info->ip, "10.1.2.3");
    assert_string_equal(info->cni, "{\"I\":1}");
    assert_int_equal(info->labels.len, sizeof("tier=front"));
    assert_string_equal(info->labels.s, "tier=front");
    assert_int_equal(info->pod_labels.len, sizeof("app=shop"));
    assert_string_equal(info->pod_labels.s, "app=shop");
}

/* The bundle's annotations have the image by its name; the database knows the pod. */
static void cri(void **state)
{
    struct fixture *f = *state;
    static const char config[] = "{\"annotations\":{\"io.kubernetes.cri.image-name\":\"reg/shop:3\"}}";
    put_database(f, "/var/lib/containerd" DATABASE);
    state_root_put(f->root, "/run/containerd" TASKS "/k8s.io/" A "/config.json", config, strlen(config));
    struct skep_state_query q = {f->fd, SKEP_RUNTIME_CONTAINERD, A, "/x", SKEP_STATE_NO_UID};
    _cleanup_state_info_ struct skep_state_info info = {0};
    assert_int_equal(skep_containerd_find(&q, &info), 1);
    check_cri(&info);
}

/* The root is where the bundle's own link leads to. */
static void elsewhere(void **state)
{
    struct fixture *f = *state;
    char link[1024];
    if (getuid() != 0)
        skip();
    put_database(f, "/srv/cd" DATABASE);
    state_root_put(f->root, "/s/web/config.json", "{}", 2);
    state_root_path(f->root, "/s/web/work", link, sizeof(link));
    assert_int_equal(symlink("/srv/cd" TASKS "/default/web", link), 0);
    _cleanup_json_ json_t *config = json_object();
    _cleanup_state_info_ struct skep_state_info info = {0};
    assert_int_equal(skep_containerd_read(f->fd, "/s/web", "default", "web", config, &info), 0);
    assert_string_equal(info.image, "reg/app:2");
    assert_string_equal(info.image_digest, DIGEST);
    assert_string_equal(info.image_id, CONFIG);
    assert_int_equal(info.labels.len, sizeof("who=me"));
    assert_string_equal(info.labels.s, "who=me");
    assert_null(info.pod);
}

static void nothing(void **state)
{
    struct fixture *f = *state;
    char *name = NULL;
    _cleanup_state_info_ struct skep_state_info info = {0};
    assert_int_equal(skep_metadb_find_in(f->fd, "/d", "default", "web", &info, &name), 0);
    put_database(f, "/d" DATABASE);
    assert_int_equal(skep_metadb_find_in(f->fd, "/d", "other", "web", &info, &name), 0);
    assert_int_equal(skep_metadb_find_in(f->fd, "/d", "default", "none", &info, &name), 0);
    assert_int_equal(skep_metadb_find_in(f->fd, "/d", "default", "bare", &info, &name), 1);
    assert_null(name);
    assert_int_equal(info.traits, SKEP_CONTAINER_KNOWN_LABELS);
    assert_null(skep_metadb_parse_any("\x12\xff", 2));
    assert_null(skep_metadb_parse_any("\x12\x05{}", 4));
    assert_null(skep_metadb_parse_any("\x08\x01\x12\x02{}", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cri, setup, teardown),
        cmocka_unit_test_setup_teardown(elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
