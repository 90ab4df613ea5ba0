/* SPDX-License-Identifier: Apache-2.0 */
#include "export/json_memo.h"

#define TEXT_MAX (SKEP_JSON_MEMO_BYTES / 8)

/* Offsets count all bytes that ever went into the ring: those that lie further back than its size are overwritten. */
struct slot {
    struct skep_json_memo_key key;
    uint64_t end; /* of the text; 0: free */
    uint32_t len;
    uint32_t pad;
};

struct skep_json_memo {
    struct slot slots[SKEP_JSON_MEMO_SLOTS];
    uint64_t end; /* of the youngest text */
    struct skep_json_member *members[SKEP_KIND_MAX];
    char bytes[SKEP_JSON_MEMO_BYTES];
};

int skep_json_memo_new(struct skep_json_memo **ret)
{
    struct skep_json_memo *m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    *ret = m;
    return 0;
}

struct skep_json_memo *skep_json_memo_free(struct skep_json_memo *m)
{
    for (unsigned k = 0; m && k < SKEP_KIND_MAX; k++)
        free(m->members[k]);
    free(m);
    return NULL;
}

bool skep_json_memo_key(const struct skep_event *ev, struct skep_json_memo_key *ret)
{
    const struct skep_hdr *h = ev->h;
    const struct skep_proc *p = ev->proc;
    if ((h->flags & SKEP_HDR_NO_TASK) || !ev->places || !p || !p->stamp || !ev->image || !ev->image->stamp ||
        skep_proc_image_incomplete(ev->image) || (p->parent && !p->parent->stamp))
        return false;
    *ret = (struct skep_json_memo_key){
        .proc = p->stamp,
        .image = ev->image->stamp,
        .parent = p->parent ? p->parent->stamp : 0,
        .places = ev->places,
        .start = h->start,
        .cgroup = h->cgroup,
        .caps = h->caps,
        .pid = h->pid,
        .tid = h->tid,
        .exec_id = h->exec_id,
        .uid = h->uid,
        .gid = h->gid,
        .euid = h->euid,
        .egid = h->egid,
    };
    memcpy(ret->comm, h->comm, sizeof(ret->comm));
    /* what tells apart those who act at the same time; the rest only decides whether the text still holds */
    ret->hash = (uint32_t)(((uint64_t)h->tid << 32 ^ h->exec_id ^ h->start) * 0x9e3779b97f4a7c15ULL >> 32);
    return true;
}

/* A key may stand in either of two places. */
static struct slot *slot_of(struct skep_json_memo *m, const struct skep_json_memo_key *key, unsigned which)
{
    return &m->slots[(key->hash ^ which) % SKEP_JSON_MEMO_SLOTS];
}

static bool is_there(const struct skep_json_memo *m, const struct slot *s)
{
    return s->end && m->end - (s->end - s->len) <= SKEP_JSON_MEMO_BYTES;
}

const char *skep_json_memo_find(const struct skep_json_memo *m, const struct skep_json_memo_key *key,
                                size_t *ret_len)
{
    for (unsigned which = 0; which < 2; which++) {
        const struct slot *s = slot_of((struct skep_json_memo *)m, key, which);
        if (!is_there(m, s) || memcmp(&s->key, key, sizeof(*key)) != 0)
            continue;
        *ret_len = s->len;
        return m->bytes + (s->end - s->len) % SKEP_JSON_MEMO_BYTES;
    }
    return NULL;
}

void skep_json_memo_add(struct skep_json_memo *m, const struct skep_json_memo_key *key, const char *s,
                        size_t len)
{
    if (len == 0 || len > TEXT_MAX)
        return;
    uint64_t begin = m->end;
    if (begin % SKEP_JSON_MEMO_BYTES + len > SKEP_JSON_MEMO_BYTES) /* texts do not wrap around */
        begin += SKEP_JSON_MEMO_BYTES - begin % SKEP_JSON_MEMO_BYTES;
    memcpy(m->bytes + begin % SKEP_JSON_MEMO_BYTES, s, len);
    m->end = begin + len;
    struct slot *a = slot_of(m, key, 0), *b = slot_of(m, key, 1), *to = a->end <= b->end ? a : b;
    *to = (struct slot){.key = *key, .end = m->end, .len = (uint32_t)len};
}

struct skep_json_member *skep_json_memo_members(struct skep_json_memo *m, unsigned kind, size_t n)
{
    if (m->members[kind])
        return m->members[kind];
    struct skep_json_member *members = calloc(n, sizeof(*members));
    for (size_t i = 0; members && i < n; i++)
        members[i].type = SKEP_JSON_MEMBER_NONE;
    m->members[kind] = members;
    return members;
}
