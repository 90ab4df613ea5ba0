/* SPDX-License-Identifier: Apache-2.0 */
#include "event/container.h"

#define HEX_ID 64

struct piece {
    const char *s;
    size_t n;
};

static const char *const runtime_names[SKEP_RUNTIME_MAX] = {
    [SKEP_RUNTIME_DOCKER] = "docker", [SKEP_RUNTIME_CONTAINERD] = "containerd",
    [SKEP_RUNTIME_CRIO] = "cri-o",    [SKEP_RUNTIME_PODMAN] = "podman",
    [SKEP_RUNTIME_LXC] = "lxc",       [SKEP_RUNTIME_NSPAWN] = "systemd-nspawn",
    [SKEP_RUNTIME_RUNC] = "runc",
};

/* PREFIX-<64 hex digits>, with .scope behind it under the systemd cgroup driver; also SLICE:PREFIX:<id>,
 * which is the driver's own notation and reaches the path when a runtime does not know the driver. */
static const struct {
    const char *prefix;
    enum skep_runtime runtime;
} id_prefixes[] = {
    {"docker", SKEP_RUNTIME_DOCKER},
    {"cri-containerd", SKEP_RUNTIME_CONTAINERD},
    {"nerdctl", SKEP_RUNTIME_CONTAINERD},
    {"containerd", SKEP_RUNTIME_CONTAINERD},
    {"crio", SKEP_RUNTIME_CRIO},
    {"libpod", SKEP_RUNTIME_PODMAN},
    {"libpod-payload", SKEP_RUNTIME_PODMAN},
};

/* PREFIX NAME SUFFIX, where the name is free. */
static const struct {
    const char *prefix;
    const char *suffix;
    enum skep_runtime runtime;
} name_forms[] = {
    {"runc-", ".scope", SKEP_RUNTIME_RUNC},
    {"crun-", ".scope", SKEP_RUNTIME_RUNC},
    {"systemd-nspawn@", ".service", SKEP_RUNTIME_NSPAWN},
    {"lxc.payload.", "", SKEP_RUNTIME_LXC},
    {"lxc.payload-", "", SKEP_RUNTIME_LXC},
    {"", ".libvirt-lxc", SKEP_RUNTIME_LXC},
};

static const char *const unit_suffixes[] = {".service", ".scope", ".slice", ".socket", ".mount", ".swap"};

const char *skep_runtime_name(enum skep_runtime r)
{
    return r > SKEP_RUNTIME_NONE && r < SKEP_RUNTIME_MAX ? runtime_names[r] : NULL;
}

static bool piece_is(struct piece p, const char *s)
{
    return p.n == strlen(s) && memcmp(p.s, s, p.n) == 0;
}

static bool skip_prefix(struct piece *p, const char *prefix)
{
    size_t n = strlen(prefix);
    if (p->n < n || memcmp(p->s, prefix, n) != 0)
        return false;
    p->s += n;
    p->n -= n;
    return true;
}

static bool cut_suffix(struct piece *p, const char *suffix)
{
    size_t n = strlen(suffix);
    if (p->n < n || memcmp(p->s + p->n - n, suffix, n) != 0)
        return false;
    p->n -= n;
    return true;
}

enum skep_runtime skep_runtime_by_name(const char *s, size_t n)
{
    for (int i = 0; i < SKEP_RUNTIME_MAX; i++)
        if (runtime_names[i] && piece_is((struct piece){s, n}, runtime_names[i]))
            return i;
    return SKEP_RUNTIME_INVALID;
}

static bool is_hex(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
            return false;
    return true;
}

static bool is_hex_id(struct piece p)
{
    return p.n == HEX_ID && is_hex(p.s, p.n);
}

/* On AWS Fargate: <32 hex digits>-<digits>. */
static bool is_fargate_id(struct piece p)
{
    if (p.n < 34 || p.n > 48 || p.s[32] != '-' || !is_hex(p.s, 32))
        return false;
    for (size_t i = 33; i < p.n; i++)
        if (p.s[i] < '0' || p.s[i] > '9')
            return false;
    return true;
}

static bool is_unit(struct piece p)
{
    for (size_t i = 0; i < ARRAY_SIZE(unit_suffixes); i++)
        if (cut_suffix(&p, unit_suffixes[i]))
            return p.n > 0;
    return false;
}

/* The characters that runc accepts in an id. */
static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || c == '.';
}

bool skep_cgroup_is_candidate(const char *s, size_t n)
{
    struct piece p = {s, n};
    if (n == 0 || n >= SKEP_CONTAINER_ID_MAX || piece_is(p, ".") || piece_is(p, "..") || is_unit(p))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_id_char(s[i]))
            return false;
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void skep_cgroup_unescape(const char *s, size_t n, char *buf, size_t size)
{
    size_t out = 0;
    for (size_t i = 0; i < n && out + 1 < size; i++) {
        if (s[i] == '\\' && i + 3 < n && s[i + 1] == 'x') {
            int high = hex_digit(s[i + 2]), low = hex_digit(s[i + 3]);
            if (high >= 0 && low >= 0 && (high || low)) {
                buf[out++] = (char)(high << 4 | low);
                i += 3;
                continue;
            }
        }
        buf[out++] = s[i];
    }
    if (size)
        buf[out] = '\0';
}

/* Ids that are longer than we keep would be another container's when cut: no container at all. */
static bool take_id(struct skep_cgroup_name *name, enum skep_runtime runtime, struct piece id)
{
    if (id.n == 0 || id.n >= SKEP_CONTAINER_ID_MAX)
        return false;
    name->runtime = runtime;
    name->id = id.s;
    name->id_len = id.n;
    return true;
}

/* The part behind the last colon is cut off p and returned; p.s NULL: there is no colon. */
static struct piece cut_last_part(struct piece *p)
{
    for (size_t i = p->n; i > 0; i--) {
        if (p->s[i - 1] == ':') {
            struct piece part = {p->s + i, p->n - i};
            p->n = i - 1;
            return part;
        }
    }
    return (struct piece){NULL, 0};
}

static bool match_colons(struct skep_cgroup_name *name, struct piece p, struct piece id)
{
    struct piece prefix = cut_last_part(&p);
    if (!prefix.s)
        prefix = p;
    for (size_t i = 0; i < ARRAY_SIZE(id_prefixes); i++)
        if (piece_is(prefix, id_prefixes[i].prefix) && is_hex_id(id))
            return take_id(name, id_prefixes[i].runtime, id);
    if (piece_is(prefix, "runc") || piece_is(prefix, "crun"))
        return take_id(name, SKEP_RUNTIME_RUNC, id);
    return false;
}

static bool match_prefixed_id(struct skep_cgroup_name *name, struct piece p)
{
    struct piece last = cut_last_part(&p);
    if (last.s)
        return match_colons(name, p, last);
    cut_suffix(&p, ".scope");
    if (p.n <= HEX_ID + 1)
        return false;
    struct piece id = {p.s + p.n - HEX_ID, HEX_ID};
    struct piece prefix = {p.s, p.n - HEX_ID - 1};
    if (!is_hex_id(id) || p.s[prefix.n] != '-')
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(id_prefixes); i++)
        if (piece_is(prefix, id_prefixes[i].prefix))
            return take_id(name, id_prefixes[i].runtime, id);
    return false;
}

/* Units of systemd-machined: containers of nspawn and of libvirt's LXC driver, and virtual machines. */
static bool match_machine(struct skep_cgroup_name *name, struct piece p)
{
    if (!skip_prefix(&p, "machine-") || !cut_suffix(&p, ".scope") || skip_prefix(&p, "qemu\\x2d"))
        return false;
    if (skip_prefix(&p, "lxc\\x2d")) {
        const char *dash = memmem(p.s, p.n, "\\x2d", 4);
        if (!dash)
            return false;
        struct piece id = {dash + 4, p.n - (size_t)(dash + 4 - p.s)};
        return take_id(name, SKEP_RUNTIME_LXC, id);
    }
    return take_id(name, SKEP_RUNTIME_NSPAWN, p);
}

static bool match_named(struct skep_cgroup_name *name, struct piece p)
{
    for (size_t i = 0; i < ARRAY_SIZE(name_forms); i++) {
        struct piece id = p;
        if (skip_prefix(&id, name_forms[i].prefix) && cut_suffix(&id, name_forms[i].suffix))
            return take_id(name, name_forms[i].runtime, id);
    }
    return match_machine(name, p);
}

/* Ids that only their neighbours in the path explain. */
static bool match_in_context(struct skep_cgroup_name *name, struct piece p, struct piece parent,
                             struct piece grandparent, bool kubernetes)
{
    if (is_hex_id(p)) {
        if (piece_is(parent, "libpod_parent")) /* a pod of podman */
            return false;
        bool containerd = kubernetes || piece_is(parent, "k8s.io") || piece_is(parent, "default");
        return take_id(name, containerd ? SKEP_RUNTIME_CONTAINERD : SKEP_RUNTIME_DOCKER, p);
    }
    if (piece_is(grandparent, "ecs") && is_fargate_id(p))
        return take_id(name, SKEP_RUNTIME_CONTAINERD, p);
    if (piece_is(grandparent, "docker") && piece_is(parent, "buildkit"))
        return take_id(name, SKEP_RUNTIME_DOCKER, p);
    if (piece_is(parent, "lxc") || piece_is(parent, "lxc.payload"))
        return take_id(name, SKEP_RUNTIME_LXC, p);
    return false;
}

/* systemd puts a _ before a name that would look like a file of the cgroup file system. */
static struct piece unit_name(struct piece p)
{
    if (p.n > 1 && p.s[0] == '_')
        skip_prefix(&p, "_");
    return p;
}

static void note_unit(struct skep_cgroup_name *name, struct piece p)
{
    p = unit_name(p);
    struct piece stem = p;
    if (cut_suffix(&stem, ".slice")) {
        name->slice = p.s;
        name->slice_len = p.n;
    } else {
        name->unit = p.s;
        name->unit_len = p.n;
    }
}

void skep_cgroup_parse(const char *path, struct skep_cgroup_name *ret)
{
    struct skep_cgroup_name name = {0}, outside = {0};
    struct piece parent = {"", 0}, grandparent = {"", 0};
    bool kubernetes = false;

    for (const char *s = path; *s;) {
        s += strspn(s, "/");
        struct piece p = {s, strcspn(s, "/")};
        if (p.n == 0)
            break;
        s += p.n;

        struct piece kube = p;
        kubernetes |= skip_prefix(&kube, "kubepods") || memmem(p.s, p.n, "-kubepods", 9);
        struct skep_cgroup_name before = name;
        if (match_prefixed_id(&name, p) || match_named(&name, p) ||
            match_in_context(&name, p, parent, grandparent, kubernetes)) {
            outside = before;
        } else if (name.runtime == SKEP_RUNTIME_NSPAWN && piece_is(p, "supervisor")) {
            name.runtime = outside.runtime;
            name.id = outside.id;
            name.id_len = outside.id_len;
        } else if (skep_cgroup_is_candidate(p.s, p.n)) {
            name.candidate = p.s;
            name.candidate_len = p.n;
        }
        if (is_unit(p))
            note_unit(&name, p);
        grandparent = parent;
        parent = p;
    }
    if (name.runtime != SKEP_RUNTIME_NONE) {
        name.candidate = NULL;
        name.candidate_len = 0;
    }
    *ret = name;
}
