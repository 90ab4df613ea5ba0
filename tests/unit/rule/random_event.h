/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_RANDOM_EVENT_H
#define SKEP_TEST_RANDOM_EVENT_H
/*
 * Random events, made from the schema: every kind, with its process and container.
 */
#include "reference.h"

#include "event/container.h"
#include "event/normalize.h"
#include "event/schema.h"
#include "event/scratch.h"
#include "rule/compile/intern.h"
#include "rule/evttype.h"
#include "rule/names/users.h"
#include "rule/policy.h"

#include <bpf/btf.h>
#include <sys/socket.h>

struct random {
    uint64_t state;
};

static inline uint64_t rnd64(struct random *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state * 0x2545f4914f6cdd1dULL;
}

static inline uint32_t rnd(struct random *r, uint32_t n)
{
    return n ? (uint32_t)((rnd64(r) >> 33) % n) : 0;
}

static inline bool one_in(struct random *r, uint32_t n)
{
    return rnd(r, n) == 0;
}

static const char *const words[] = {
    "",
    "sh",
    "bash",
    "nginx",
    "a",
    "b",
    "ab",
    "/",
    "/etc",
    "/etc/",
    "/etc/passwd",
    "/etc/shadow",
    "/usr/bin",
    "/usr/bin/bash",
    "/tmp/x",
    "/tmp",
    "//etc/passwd",
    "/etc//shadow",
    "/usr/../etc/shadow",
    "/proc/self/fd/3",
    "/root/.ssh/authorized_keys",
    "O_RDONLY|O_CLOEXEC",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "443",
    "10.0.0.1",
    "0123456789ab",
    "host",
    "ABC",
    "abc",
    "aaaaaaaaaaaaaaaaaaaaaaab",
    "12345678",
    "123456789",
    "1234567",
    "12345",
    "/var/lib/docker/overlay2/0123456789/merged/usr/local/bin/a-long-name-of-a-program",
    "bash -c echo hi",
    "\xc3\xa9",
    "ESUCCESS",
    "openat",
    "connect",
    "execve",
};

/* ---- events ---- */

struct event {
    _Alignas(8) char raw[SKEP_RECORD_MAX + SKEP_PATH_MAX];
    _Alignas(8) char normal[2 * SKEP_RECORD_MAX];
    struct skep_event ev;
    struct skep_session session;
    struct skep_scratch scratch;
    struct skep_proc proc, parent;
    struct skep_proc_image image, parent_image;
    struct skep_container container;
    char texts[6][256];
};

static inline struct skep_schema *random_schema(const char *object)
{
    struct skep_schema *s = NULL;
    uint32_t n;
    struct btf *btf = btf__parse_elf(object, NULL);
    if (!btf || skep_schema_new(btf__raw_data(btf, &n), (btf__raw_data(btf, &n), n), &s) < 0)
        abort();
    btf__free(btf);
    return s;
}

static inline size_t random_text(struct random *r, char *buf, size_t max)
{
    uint32_t how = rnd(r, 12);
    size_t n = 0;
    if (how < 7) {
        const char *w = words[rnd(r, ARRAY_SIZE(words))];
        n = MIN(strlen(w), max);
        memcpy(buf, w, n);
        if (how == 6 && n < max) /* nearly the same */
            buf[n++] = "x/\0 "[rnd(r, 4)];
    } else if (how < 9) {
        for (unsigned parts = 1 + rnd(r, 5); parts && n + 20 < max; parts--) {
            const char *w = words[rnd(r, 20)];
            buf[n++] = '/';
            memcpy(buf + n, w, MIN(strlen(w), max - n));
            n += MIN(strlen(w), max - n);
        }
    } else {
        n = rnd(r, (uint32_t)MIN(max, (size_t)(how == 9 ? 4097 : how == 10 ? 300 : 24)) + 1);
        for (size_t i = 0; i < n; i++)
            buf[i] = one_in(r, 4) ? (char)rnd64(r) : "abc/.ssh*?x"[rnd(r, 11)];
    }
    return n;
}

static inline void random_fixed(struct random *r, char *to, size_t n)
{
    for (size_t i = 0; i + 4 <= n; i += 4) {
        uint32_t v = 0;
        switch (rnd(r, 6)) {
        case 0:
            v = (uint32_t)rnd64(r);
            break;
        case 1:
            v = UINT32_MAX;
            break;
        case 2:
            v = 1U << rnd(r, 32);
            break;
        case 3:
        case 4:
            v = rnd(r, 12);
        }
        memcpy(to + i, &v, 4);
    }
}

/* Addresses where the fields say that there are some. */
static inline void random_endpoints(struct random *r, char *raw, unsigned kind)
{
    size_t n;
    const struct skep_rule_family *const *families = skep_rule_families(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < families[i]->n_fields; k++) {
            const struct skep_rule_spot *s = skep_rule_field_spot(&families[i]->fields[k], (uint16_t)kind);
            if (!s || (s->form != SKEP_SPOT_ENDPOINT && s->form != SKEP_SPOT_PORT) || one_in(r, 8))
                continue;
            struct skep_endpoint *e = (struct skep_endpoint *)(raw + s->off);
            static const char *const ips[] = {"10.0.0.1", "10.0.0.2", "127.0.0.1",    "192.168.1.77",
                                              "::1",      "fe80::1",  "2001:db8::1:2"};
            const char *ip = ips[rnd(r, ARRAY_SIZE(ips))];
            e->family = strchr(ip, ':') ? AF_INET6 : AF_INET;
            inet_pton(e->family, ip, e->ip);
            e->port = (uint16_t[]){22, 53, 80, 443, 1024, 40000}[rnd(r, 6)];
            if (one_in(r, 6))
                e->family = (uint16_t)rnd(r, 12);
        }
}

static inline void random_header(struct random *r, struct skep_hdr *h, const struct skep_kind *kind)
{
    h->kind = kind->number;
    h->flags = (uint16_t)(SKEP_HDR_SYSCALL | (one_in(r, 4) ? 0 : SKEP_HDR_RET));
    if (one_in(r, 6))
        h->flags |= SKEP_HDR_TRUNCATED;
    if (one_in(r, 6))
        h->flags = (uint16_t)rnd(r, 128);
    h->ret = (int64_t[]){0, 3, -1, -2, -13, 0x7fffffff, -115}[rnd(r, 7)];
    h->nr = rnd(r, 450);
    h->len = kind->size;
    /* mostly a number that belongs to the kind */
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    for (unsigned tries = 0; tries < 3000 && !one_in(r, 300); tries++) {
        const char *call = skep_evttype_of(h) ? types[skep_evttype_of(h)].syscall : NULL;
        if (call && tries && rnd(r, 2))
            break;
        h->nr = rnd(r, 450);
    }
    size_t len = random_text(r, h->comm, sizeof(h->comm));
    if (len < sizeof(h->comm))
        h->comm[len] = '\0';
}

static inline struct skep_bytes random_bytes(struct random *r, struct event *e, unsigned slot, bool list)
{
    size_t n = random_text(r, e->texts[slot], 250);
    for (size_t i = 0; i < n; i++)
        if (!e->texts[slot][i] || (list && one_in(r, 5)))
            e->texts[slot][i] = list ? '\0' : 'z';
    e->texts[slot][n] = '\0';
    return (struct skep_bytes){e->texts[slot], n + list};
}

static inline void random_context(struct random *r, struct event *e)
{
    e->session.boot_offset = 1700000000000000000LL;
    e->ev.session = &e->session;
    e->ev.scratch = &e->scratch;
    if (one_in(r, 5))
        return;
    e->parent_image = (struct skep_proc_image){.exe = random_bytes(r, e, 0, false)};
    e->parent = (struct skep_proc){.pid = 17, .start = 100, .image = &e->parent_image, .comm = "sshd"};
    e->image = (struct skep_proc_image){.exe = random_bytes(r, e, 1, false),
                                        .args = random_bytes(r, e, 2, true),
                                        .env = random_bytes(r, e, 3, true)};
    e->proc = (struct skep_proc){.pid = 4711,
                                 .image = &e->image,
                                 .parent = one_in(r, 3) ? NULL : &e->parent,
                                 .cwd = random_bytes(r, e, 4, false)};
    memcpy(e->proc.comm, ((const struct skep_hdr *)e->raw)->comm, sizeof(e->proc.comm));
    e->proc.comm[15] = '\0';
    e->ev.proc = &e->proc;
    e->ev.image = &e->image;
    if (one_in(r, 2))
        return;
    e->container = (struct skep_container){.id = "0123456789abcdef",
                                           .runtime = SKEP_RUNTIME_DOCKER,
                                           .name = (char *)"web",
                                           .image = (char *)"nginx:1"};
    e->ev.container = &e->container;
    e->ev.cgroup = "/system.slice/docker-0123456789abcdef.scope";
    e->ev.unit = "docker-0123456789abcdef.scope";
}

/* What a field says about where a slice stands can also be a slice that another member hides in: all are set. */
static inline void random_event_of(struct random *r, const struct skep_kind *kind, struct event *e)
{
    memset(e, 0, sizeof(*e));
    for (size_t i = 0; i + 8 <= sizeof(e->raw); i += 8) { /* what an older record left */
        uint64_t v = one_in(r, 64) ? rnd64(r) : 0x2f63652f62612f61ULL;
        memcpy(e->raw + i, &v, 8);
    }
    struct skep_hdr *h = (struct skep_hdr *)e->raw;
    random_fixed(r, e->raw, kind->size);
    random_header(r, h, kind);
    random_endpoints(r, e->raw, kind->number);
    if (one_in(r, 3)) { /* a value of its own for every byte-sized member */
        size_t at = sizeof(*h) + rnd(r, kind->size - (uint32_t)sizeof(*h));
        e->raw[at] = (char)rnd64(r);
    }
    for (size_t i = 0; i < kind->n_slices; i++) {
        struct skep_slice s = {0};
        size_t room = SKEP_RECORD_MAX - h->len;
        if (!one_in(r, 6) && room > 0) {
            s.off = h->len;
            s.len = (uint32_t)random_text(r, e->raw + s.off, MIN(room, (size_t)SKEP_PATH_MAX));
            h->len += s.len + (s.len < room && one_in(r, 2));
        }
        memcpy(e->raw + kind->slices[i], &s, sizeof(s));
    }
    for (size_t i = 0; i < kind->n_fields; i++) /* mostly where the kernel can tell something of paths */
        if (kind->fields[i].type == SKEP_TYPE_pathsource && !one_in(r, 4))
            *(uint32_t *)(e->raw + kind->fields[i].off) = one_in(r, 3) ? SKEP_PATH_LEXICAL : SKEP_PATH_OBJECT;
    h->len = ROUND_UP(h->len, 8U);
    if (skep_record_check(kind, h, h->len) < 0)
        abort();
    random_context(r, e);
    e->ev.kind = kind;
    if (skep_record_normalize(kind, h, e->normal, sizeof(e->normal), &e->ev.h) < 0)
        e->ev.h = h;
}

static inline void random_event(struct random *r, const struct skep_schema *schema, struct event *e)
{
    const struct skep_kind *kind = NULL;
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    while (!kind)
        kind = skep_schema_kind(schema, types[1 + rnd(r, (uint32_t)n - 1)].kind);
    random_event_of(r, kind, e);
}
#endif
