/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_RESOLVER_SCENARIOS_H
#define SKEP_TEST_RESOLVER_SCENARIOS_H
/*
 * What each runtime leaves on disk, as it lies there, and what the resolver has to make of it.
 */
#include <stdint.h>

#include "event/container.h"

#define A "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define B "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d"

struct file {
    const char *path;
    const char *text;
};

struct scenario {
    const char *what;
    struct file files[6];
    const char *cgroup;
    const char *runtime, *id, *name, *image, *pod, *namespace_;
    const char *image_id, *image_digest, *pod_uid, *sandbox, *ip, *cni;
    const char *mounts, *labels, *pod_labels, *healthcheck; /* with | for NUL */
    uint64_t started;
    uint32_t traits; /* of what is known, 0: not compared */
};

#define STORAGE_LIST(id, name, image)                                                                        \
    "[{\"id\":\"" B "\",\"names\":[\"other\"]},{\"id\":\"" id "\",\"names\":[\"" name "\"],\"metadata\":"    \
    "\"{\\\"image-name\\\":\\\"" image "\\\",\\\"name\\\":\\\"" name "\\\"}\"}]"
#define PODMAN_CONFIG "{\"annotations\":{\"io.container.manager\":\"libpod\"}}"
#define TASKS "/run/containerd/io.containerd.runtime.v2.task"
#define CRI_CONFIG                                                                                           \
    "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"app\",\"io.kubernetes.cri.sandbox-name\":"     \
    "\"pod-1\",\"io.kubernetes.cri.sandbox-namespace\":\"prod\",\"io.kubernetes.cri.image-name\":"           \
    "\"reg/app:2\"}}"

#define IMAGE "1d34ffeaf190be23d3de5a8de0a436676b758f48f835c3a2d4768b798c15a7f1"
#define POD_UID "0a1b2c3d-1111-2222-3333-444455556666"
#define POD_PATH "/kubepods.slice/kubepods-pod0a1b2c3d_1111_2222_3333_444455556666.slice"
#define KNOWN_BUNDLE                                                                                         \
    (SKEP_CONTAINER_KNOWN_PRIVILEGES | SKEP_CONTAINER_KNOWN_NAMESPACES | SKEP_CONTAINER_KNOWN_MOUNTS |       \
     SKEP_CONTAINER_KNOWN_LABELS)
#define CAPS_MOST                                                                                            \
    "\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_DAC_READ_SEARCH\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_KILL\"," \
    "\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETPCAP\",\"CAP_LINUX_IMMUTABLE\",\"CAP_NET_BIND_SERVICE\","        \
    "\"CAP_NET_BROADCAST\",\"CAP_NET_ADMIN\",\"CAP_NET_RAW\",\"CAP_IPC_LOCK\",\"CAP_IPC_OWNER\","            \
    "\"CAP_SYS_MODULE\",\"CAP_SYS_RAWIO\",\"CAP_SYS_CHROOT\",\"CAP_SYS_PTRACE\",\"CAP_SYS_PACCT\","          \
    "\"CAP_SYS_ADMIN\",\"CAP_SYS_BOOT\",\"CAP_SYS_NICE\",\"CAP_SYS_RESOURCE\",\"CAP_SYS_TIME\","             \
    "\"CAP_SYS_TTY_CONFIG\",\"CAP_MKNOD\",\"CAP_LEASE\",\"CAP_AUDIT_WRITE\",\"CAP_AUDIT_CONTROL\","          \
    "\"CAP_SETFCAP\",\"CAP_MAC_OVERRIDE\",\"CAP_MAC_ADMIN\",\"CAP_SYSLOG\",\"CAP_WAKE_ALARM\","              \
    "\"CAP_BLOCK_SUSPEND\""
#define RUNC_STATE                                                                                            \
    "{\"id\":\"hand1\",\"created\":\"2024-02-29T23:59:59.5Z\",\"cgroup_paths\":{\"\":\"/hand1\"},\"config\":" \
    "{\"labels\":[\"bundle=/b\"]}}"

static const struct scenario scenarios[] = {
    {
        .what = "docker, all that there is",
        .files =
            {{"/var/lib/docker/containers/" A "/config.v2.json",
              "{\"ID\":\"" A "\",\"Name\":\"/web\",\"Driver\":\"overlay2\",\"Image\":\"sha256:" IMAGE "\","
              "\"State\":{\"StartedAt\":\"2023-11-14T22:13:20.000000007Z\"},"
              "\"Config\":{\"Image\":\"1d34ffea\",\"Labels\":{\"a\":\"b\",\"n\":1,\"e\":\"\"},"
              "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl x\"]}},"
              "\"NetworkSettings\":{\"Networks\":{\"none\":{\"IPAddress\":\"\"},\"b\":{\"IPAddress\":"
              "\"172.17.0.2\"}}},"
              "\"MountPoints\":{\"/proc2\":{\"Source\":\"/proc\",\"RW\":true,\"Propagation\":\"rprivate\","
              "\"Relabel\":\"z\"},\"/v\":{\"Source\":\"/var/run\",\"RW\":false}}}"},
             {"/var/lib/docker/containers/" A "/hostconfig.json",
              "{\"Privileged\":true,\"PidMode\":\"host\",\"NetworkMode\":\"b\",\"IpcMode\":\"private\"}"},
             {"/var/lib/docker/image/overlay2/repositories.json",
              "{\"Repositories\":{\"x\":{\"x:1\":\"sha256:" A "\"},\"reg:5000/app\":{\"reg:5000/app:2\":"
              "\"sha256:" IMAGE "\",\"reg:5000/app@sha256:" B "\":\"sha256:" IMAGE "\"}}}"}},
        .cgroup = "/docker/" A,
        .runtime = "docker",
        .id = A,
        .name = "web",
        .image = "reg:5000/app:2",
        .image_id = IMAGE,
        .image_digest = "sha256:" B,
        .ip = "172.17.0.2",
        .mounts = "/proc|/proc2|z|true|rprivate|/var/run|/v||false||",
        .labels = "a=b|e=|",
        .healthcheck = "/bin/sh|-c|curl x|",
        .started = 1700000000000000007ULL,
        .traits = KNOWN_BUNDLE | SKEP_CONTAINER_KNOWN_HEALTHCHECK | SKEP_CONTAINER_PRIVILEGED |
                  SKEP_CONTAINER_HOST_PID,
    },
    {
        .what = "docker with an image that lost its name",
        .files = {{"/var/lib/docker/containers/" A "/config.v2.json",
                   "{\"ID\":\"" A "\",\"Name\":\"/web\",\"Driver\":\"../../x\",\"Image\":\"sha256:" IMAGE
                   "\",\"Config\":{\"Image\":\"sha256:" IMAGE "\"},\"State\":{\"StartedAt\":"
                   "\"0001-01-01T00:00:00Z\"}}"}},
        .cgroup = "/docker/" A,
        .runtime = "docker",
        .id = A,
        .name = "web",
        .image = "sha256:" IMAGE,
        .image_id = IMAGE,
    },
    {
        .what = "containerd under Kubernetes, with its mounts and network",
        .files =
            {{TASKS "/k8s.io/" A "/config.json",
              "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"app\",\"io.kubernetes.cri.sandbox-name\":"
              "\"pod-1\",\"io.kubernetes.cri.sandbox-namespace\":\"prod\",\"io.kubernetes.cri.sandbox-id\":\"" B
              "\",\"io.kubernetes.cri.image-name\":\"reg/app@sha256:" IMAGE
              "\"},\"mounts\":[{\"destination\":"
              "\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},{\"destination\":\"/h\",\"type\":\"bind\","
              "\"source\":\"/etc\",\"options\":[\"rbind\",\"rprivate\",\"ro\"]},{\"destination\":\"/w\","
              "\"source\":\"/w\",\"options\":[\"bind\"]}],\"linux\":{\"namespaces\":[{\"type\":\"pid\"},"
              "{\"type\":\"ipc\",\"path\":\"/proc/77/ns/ipc\"},{\"type\":\"network\",\"path\":"
              "\"/proc/1/ns/net\"}]}}"},
             {"/var/lib/cni/results/cbr0-" A "-eth0", "{\"containerId\":\"" A "\"}"},
             {"/var/lib/cni/results/cbr0-" B "-eth0",
              "{\"kind\":\"cniCacheV1\",\"containerId\":\"" B
              "\",\"result\":{\"ips\":[{\"address\":\"10.22.0.5/16\"}]}}"}},
        .cgroup = POD_PATH "/cri-containerd-" A ".scope",
        .runtime = "containerd",
        .id = A,
        .name = "app",
        .image = "reg/app@sha256:" IMAGE,
        .pod = "pod-1",
        .namespace_ = "prod",
        .pod_uid = POD_UID,
        .sandbox = B,
        .ip = "10.22.0.5",
        .cni = "{\"ips\":[{\"address\":\"10.22.0.5/16\"}]}",
        .mounts = "/etc|/h||false|rprivate|/w|/w||true||",
        .traits = KNOWN_BUNDLE | SKEP_CONTAINER_HOST_NETWORK,
    },
    {
        .what = "cri-o with its sandbox",
        .files =
            {{"/var/lib/containers/storage/overlay-containers/" A "/userdata/config.json",
              "{\"annotations\":{\"io.container.manager\":\"cri-o\",\"io.kubernetes.container.name\":\"app\","
              "\"io.kubernetes.pod.name\":\"pod-1\",\"io.kubernetes.pod.namespace\":\"prod\","
              "\"io.kubernetes.pod.uid\":\"" POD_UID "\",\"io.kubernetes.cri-o.ImageName\":\"quay.io/app:3\","
              "\"io.kubernetes.cri-o.ImageRef\":\"" IMAGE "\",\"io.kubernetes.cri-o.SandboxID\":\"" B
              "\",\"io.kubernetes.cri-o.Labels\":\"{\\\"tier\\\":\\\"web\\\"}\"}}"},
             {"/var/lib/containers/storage/overlay-containers/" B "/userdata/config.json",
              "{\"annotations\":{\"io.kubernetes.cri-o.Labels\":\"{\\\"app\\\":\\\"shop\\\"}\","
              "\"io.kubernetes.cri-o.IP.0\":\"10.85.0.3\",\"io.kubernetes.cri-o.CNIResult\":\"{}\"}}"},
             {"/var/lib/containers/storage/overlay-images/images.json",
              "[{\"id\":\"" B "\",\"digest\":\"no\"},{\"id\":\"" IMAGE "\",\"digest\":\"sha256:" A "\"}]"}},
        .cgroup = "/kubepods.slice/kubepods-pod1.slice/crio-" A ".scope",
        .runtime = "cri-o",
        .id = A,
        .name = "app",
        .image = "quay.io/app:3",
        .pod = "pod-1",
        .namespace_ = "prod",
        .image_id = IMAGE,
        .image_digest = "sha256:" A,
        .pod_uid = POD_UID,
        .sandbox = B,
        .ip = "10.85.0.3",
        .cni = "{}",
        .labels = "tier=web|",
        .pod_labels = "app=shop|",
    },
    {
        .what = "runc by hand with everything allowed",
        .files = {{"/run/runc/hand1/state.json", RUNC_STATE},
                  {"/b/config.json",
                   "{\"annotations\":{\"mine\":\"1\",\"org.systemd.property.X\":\"2\"},\"process\":{"
                   "\"capabilities\":{\"bounding\":[" CAPS_MOST
                   ",\"CAP_AUDIT_READ\"]}},\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},"
                   "{\"type\":\"network\"}]}}"}},
        .cgroup = "/hand1",
        .runtime = "runc",
        .id = "hand1",
        .name = "hand1",
        .labels = "mine=1|",
        .started = 1709251199500000000ULL,
        .traits = (KNOWN_BUNDLE & ~SKEP_CONTAINER_KNOWN_MOUNTS) | SKEP_CONTAINER_PRIVILEGED,
    },
    {
        .what = "runc by hand, one capability short",
        .files = {{"/run/runc/hand1/state.json", RUNC_STATE},
                  {"/b/config.json",
                   "{\"process\":{\"capabilities\":{\"bounding\":[" CAPS_MOST "]}},\"linux\":{}}"}},
        .cgroup = "/hand1",
        .runtime = "runc",
        .id = "hand1",
        .name = "hand1",
        .started = 1709251199500000000ULL,
        .traits = SKEP_CONTAINER_KNOWN_PRIVILEGES,
    },
    {
        .what = "runc by hand, with a system call filter",
        .files = {{"/run/runc/hand1/state.json", RUNC_STATE},
                  {"/b/config.json", "{\"process\":{\"capabilities\":{\"bounding\":[" CAPS_MOST
                                     ",\"CAP_AUDIT_READ\"]}},\"linux\":{\"seccomp\":{}}}"}},
        .cgroup = "/hand1",
        .runtime = "runc",
        .id = "hand1",
        .name = "hand1",
        .started = 1709251199500000000ULL,
        .traits = SKEP_CONTAINER_KNOWN_PRIVILEGES,
    },
    {
        .what = "docker",
        .files = {{"/var/lib/docker/containers/" A "/config.v2.json",
                   "{\"ID\":\"" A "\",\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1\",\"Labels\":{}}}"}},
        .cgroup = "/docker/" A,
        .runtime = "docker",
        .id = A,
        .name = "web",
        .image = "nginx:1",
    },
    {
        .what = "docker with another data root, below Kubernetes",
        .files = {{"/etc/docker/daemon.json", "{\"data-root\":\"/srv/docker\"}"},
                  {"/srv/docker/containers/" A "/config.v2.json",
                   "{\"ID\":\"" A
                   "\",\"Name\":\"/k8s_app_pod-1_prod_uid_0\",\"Config\":{\"Image\":\"i\",\"Labels\":{"
                   "\"io.kubernetes.container.name\":\"app\",\"io.kubernetes.pod.name\":\"pod-1\","
                   "\"io.kubernetes.pod.namespace\":\"prod\"}}}"}},
        .cgroup = "/kubepods/burstable/pod1/" A, /* the path says containerd */
        .labels = "io.kubernetes.container.name=app|io.kubernetes.pod.name=pod-1|"
                  "io.kubernetes.pod.namespace=prod|",
        .runtime = "docker",
        .id = A,
        .name = "app",
        .image = "i",
        .pod = "pod-1",
        .namespace_ = "prod",
    },
    {
        .what = "containerd under Kubernetes",
        .files = {{TASKS "/k8s.io/" A "/config.json", CRI_CONFIG}},
        .cgroup = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" A ".scope",
        .runtime = "containerd",
        .id = A,
        .name = "app",
        .image = "reg/app:2",
        .pod = "pod-1",
        .namespace_ = "prod",
    },
    {
        .what = "containerd of k3s",
        .files = {{"/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" A "/config.json", CRI_CONFIG}},
        .cgroup = "/kubepods/pod1/" A,
        .runtime = "containerd",
        .id = A,
        .name = "app",
        .image = "reg/app:2",
        .pod = "pod-1",
        .namespace_ = "prod",
    },
    {
        .what = "nerdctl with labels",
        .files = {{TASKS "/default/" A "/config.json", "{\"annotations\":{\"nerdctl/name\":\"web\"}}"}},
        .cgroup = "/default/" A,
        .runtime = "containerd",
        .id = A,
        .name = "web",
        .labels = "nerdctl/name=web|",
    },
    {
        .what = "nerdctl with a name file",
        .files = {{TASKS "/default/" A "/config.json", "{}"},
                  {"/var/lib/nerdctl/1935db59/names/default/other", B},
                  {"/var/lib/nerdctl/1935db59/names/default/web", A}},
        .cgroup = "/system.slice/nerdctl-" A ".scope",
        .runtime = "containerd",
        .id = A,
        .name = "web",
    },
    {
        .what = "ctr",
        .files = {{TASKS "/default/redis/config.json", "{\"linux\":{\"cgroupsPath\":\"/default/redis\"}}"}},
        .cgroup = "/default/redis/worker",
        .runtime = "containerd",
        .id = "redis",
        .name = "redis",
    },
    {
        .what = "podman",
        .files = {{"/var/lib/containers/storage/overlay-containers/" A "/userdata/config.json",
                   PODMAN_CONFIG},
                  {"/var/lib/containers/storage/overlay-containers/containers.json",
                   STORAGE_LIST(A, "web1", "localhost/bb:latest")}},
        .cgroup = "/libpod_parent/libpod-" A,
        .runtime = "podman",
        .id = A,
        .name = "web1",
        .image = "localhost/bb:latest",
    },
    {
        .what = "podman, removed when it ends, in a pod, vfs driver, storage.conf",
        .files =
            {{"/etc/containers/storage.conf", "[storage]\n # graphroot = \"/no\"\n  graphroot=\"/srv/st\"\n"},
             {"/srv/st/vfs-containers/" A "/userdata/config.json",
              "{\"annotations\":{\"io.container.manager\":\"libpod\",\"io.kubernetes.cri-o.SandboxID\":\"" B
              "\"}}"},
             {"/srv/st/vfs-containers/volatile-containers.json", STORAGE_LIST(A, "job", "img")}},
        .cgroup = "/machine.slice/libpod-" A ".scope/container",
        .runtime = "podman",
        .id = A,
        .name = "job",
        .image = "img",
        .pod = B,
    },
    {
        .what = "podman with --root elsewhere, found through runc's state",
        .files = {{"/run/runc/" A "/state.json",
                   "{\"id\":\"" A
                   "\",\"config\":{\"labels\":[\"x\",\"a=b\",\"bundle=/scratch/overlay-containers/" A
                   "/userdata\"]}}"},
                  {"/scratch/overlay-containers/" A "/userdata/config.json", PODMAN_CONFIG},
                  {"/scratch/overlay-containers/containers.json", STORAGE_LIST(A, "far", "img")}},
        .cgroup = "/libpod_parent/libpod-" A,
        .runtime = "podman",
        .id = A,
        .name = "far",
        .image = "img",
    },
    {
        .what = "podman with --root elsewhere, found through crun's status",
        .files = {{"/run/crun/" A "/status",
                   "{\"cgroup-path\":\"/x\",\"bundle\":\"/scratch/overlay-containers/" A "/userdata\"}"},
                  {"/scratch/overlay-containers/" A "/userdata/config.json", PODMAN_CONFIG},
                  {"/scratch/overlay-containers/containers.json", STORAGE_LIST(A, "far", "img")}},
        .cgroup = "/machine.slice/libpod-" A ".scope",
        .runtime = "podman",
        .id = A,
        .name = "far",
        .image = "img",
    },
    {
        .what = "cri-o",
        .files =
            {{"/var/lib/containers/storage/overlay-containers/" A "/userdata/config.json",
              "{\"annotations\":{\"io.container.manager\":\"cri-o\",\"io.kubernetes.container.name\":\"app\","
              "\"io.kubernetes.pod.name\":\"pod-1\",\"io.kubernetes.pod.namespace\":\"prod\","
              "\"io.kubernetes.cri-o.ImageName\":\"quay.io/app:3\",\"io.kubernetes.cri-o.SandboxID\":\"" B
              "\"}}"},
             {"/var/lib/containers/storage/overlay-containers/containers.json",
              STORAGE_LIST(A, "k8s_app_pod-1_prod_uid_0", "other")}},
        .cgroup = "/kubepods.slice/kubepods-pod1.slice/crio-" A ".scope",
        .runtime = "cri-o",
        .id = A,
        .name = "app",
        .image = "quay.io/app:3",
        .pod = "pod-1",
        .namespace_ = "prod",
    },
    {
        .what = "runc by hand",
        .files =
            {{"/run/runc/hand1/state.json",
              "{\"id\":\"hand1\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/unified/hand1\"},\"config\":{\"labels\":"
              "[\"bundle=/b\"]}}"}},
        .cgroup = "/hand1",
        .runtime = "runc",
        .id = "hand1",
        .name = "hand1",
    },
    {
        .what = "runc by hand, in a cgroup that it made itself",
        .files = {{"/run/runc/hand1/state.json",
                   "{\"id\":\"hand1\",\"cgroup_paths\":{\"pids\":\"/sys/fs/cgroup/pids/a/hand1\"}}"}},
        .cgroup = "/a/hand1/sub/init.scope",
        .runtime = "runc",
        .id = "hand1",
        .name = "hand1",
    },
    {
        .what = "runc by hand under systemd",
        .files = {{"/run/runc/hand1/state.json", "{\"id\":\"hand1\",\"cgroup_paths\":{}}"}},
        .cgroup = "/system.slice/runc-hand1.scope",
        .runtime = "runc",
        .id = "hand1",
        .name = "hand1",
    },
    {
        .what = "crun by hand",
        .files = {{"/run/crun/hand2/status", "{\"cgroup-path\":\"/hand2\",\"bundle\":\"/b\"}"},
                  {"/b/config.json", "{\"annotations\":{\"nerdctl/name\":\"given\"}}"}},
        .cgroup = "/hand2",
        .runtime = "runc",
        .id = "hand2",
        .name = "given",
        .labels = "nerdctl/name=given|",
    },
    {
        .what = "lxc",
        .files = {{"/var/lib/lxc/web/config", "# x\nlxc.uts.name = www\nlxc.rootfs.path = dir:/x\n"}},
        .cgroup = "/lxc.payload.web",
        .runtime = "lxc",
        .id = "web",
        .name = "www",
    },
    {
        .what = "lxc on Proxmox",
        .files = {{"/etc/pve/lxc/101.conf", "arch: amd64\nhostname: mail\n"}},
        .cgroup = "/lxc/101/ns",
        .runtime = "lxc",
        .id = "101",
        .name = "mail",
    },
    {
        .what = "systemd-nspawn",
        .cgroup = "/machine.slice/machine-my\\x2dbox.scope/payload",
        .runtime = "systemd-nspawn",
        .id = "my-box",
        .name = "my-box",
    },
};
#endif
