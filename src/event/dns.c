/* SPDX-License-Identifier: Apache-2.0 */
#include "event/dns.h"

#include "base/macro.h"

#include <arpa/inet.h>

enum {
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_PTR = 12,
    TYPE_MX = 15,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    TYPE_SRV = 33,
    TYPE_DNAME = 39,
    TYPE_OPT = 41,
    TYPE_SVCB = 64,
    TYPE_HTTPS = 65,
};

#define HEADER_BYTES 12
#define MAX_POINTERS 64

struct message {
    const uint8_t *s;
    size_t n;
};

static unsigned be16(const uint8_t *s)
{
    return (unsigned)s[0] << 8 | s[1];
}

/* Text of bounded length; once something did not fit, nothing more is added. */
struct text {
    char *s;
    size_t n, max;
    bool full;
};

static void put(struct text *t, const char *s, size_t n)
{
    if (t->full || n >= t->max - t->n) {
        t->full = true;
        return;
    }
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = '\0';
}

static void put_escaped(struct text *t, uint8_t c, char special)
{
    char e[5] = {(char)c};
    size_t n = 1;
    if (c < 0x20 || c >= 0x7f)
        n = (size_t)snprintf(e, sizeof(e), "\\%03u", c);
    else if (c == '\\' || c == (uint8_t)special)
        n = (size_t)snprintf(e, sizeof(e), "\\%c", c);
    put(t, e, n);
}

/* Reads the name at *at and moves *at behind it; to may be NULL. */
static int read_name(const struct message *m, size_t *at, struct text *to)
{
    size_t pos = *at, bytes = 0, low = *at;
    bool jumped = false, first = true;
    for (int pointers = 0;;) {
        if (pos >= m->n)
            return -EBADMSG;
        uint8_t len = m->s[pos];
        if ((len & 0xc0) == 0xc0) {
            if (pos + 2 > m->n || ++pointers > MAX_POINTERS)
                return -EBADMSG;
            size_t target = be16(m->s + pos) & 0x3fff;
            if (!jumped)
                *at = pos + 2;
            jumped = true;
            if (target >= low) /* only ever backwards: no loops */
                return -EBADMSG;
            low = pos = target;
            continue;
        }
        if (len & 0xc0)
            return -EBADMSG;
        if (len == 0)
            break;
        bytes += len + 1u;
        if (bytes > 254 || pos + 1 + len > m->n)
            return -EBADMSG;
        if (to && !first)
            put(to, ".", 1);
        for (size_t i = 0; to && i < len; i++)
            put_escaped(to, m->s[pos + 1 + i], '.');
        first = false;
        pos += len + 1u;
    }
    if (!jumped)
        *at = pos + 1;
    if (to && first)
        put(to, ".", 1);
    return 0;
}

static void put_address(struct text *t, int family, const uint8_t *s)
{
    char buf[INET6_ADDRSTRLEN];
    if (inet_ntop(family, s, buf, sizeof(buf)))
        put(t, buf, strlen(buf));
}

/* Character strings, one after another. */
static void put_txt(struct text *t, const uint8_t *s, size_t n)
{
    put(t, "\"", 1);
    for (size_t i = 0; i < n;) {
        size_t end = MIN(i + 1 + s[i], n);
        for (i++; i < end; i++)
            put_escaped(t, s[i], '"');
    }
    put(t, "\"", 1);
}

/* Where in the data of a record of this type a name stands; -1: it holds no name. */
static int name_offset(unsigned type)
{
    switch (type) {
    case TYPE_NS:
    case TYPE_CNAME:
    case TYPE_PTR:
    case TYPE_DNAME:
        return 0;
    case TYPE_MX:
    case TYPE_SVCB:
    case TYPE_HTTPS:
        return 2;
    case TYPE_SRV:
        return 6;
    }
    return -1;
}

static int put_answer(const struct message *m, unsigned type, size_t at, size_t len, struct text *t)
{
    int skip = name_offset(type);
    if (type == TYPE_A && len == 4) {
        put_address(t, AF_INET, m->s + at);
    } else if (type == TYPE_AAAA && len == 16) {
        put_address(t, AF_INET6, m->s + at);
    } else if (type == TYPE_TXT) {
        put_txt(t, m->s + at, len);
    } else if (skip >= 0 && (size_t)skip < len) {
        size_t name = at + (size_t)skip;
        return read_name(m, &name, t);
    } else {
        char buf[16];
        put(t, buf, (size_t)snprintf(buf, sizeof(buf), "TYPE%u", type));
    }
    return 0;
}

/* Adds one answer to the list; false: it does not fit, or the message ends in it. */
static bool read_answer(const struct message *m, size_t *at, struct skep_dns *d)
{
    char buf[SKEP_DNS_NAME_MAX];
    struct text t = {.s = buf, .max = sizeof(buf)};
    if (read_name(m, at, NULL) < 0 || *at + 10 > m->n)
        return false;
    unsigned type = be16(m->s + *at), len = be16(m->s + *at + 8);
    *at += 10;
    if (len > m->n - *at)
        return false;
    size_t data = *at;
    *at += len;
    if (type == TYPE_OPT)
        return true;
    if (put_answer(m, type, data, len, &t) < 0)
        return false;
    d->truncated |= t.full;
    if (t.n + 1 > sizeof(d->answers) - d->answers_len)
        return false;
    memcpy(d->answers + d->answers_len, buf, t.n);
    d->answers[d->answers_len + t.n] = '\0';
    d->answers_len += t.n + 1;
    d->n_answers++;
    return true;
}

int skep_dns_parse(const void *msg, size_t n, struct skep_dns *ret)
{
    struct message m = {msg, n};
    size_t at = HEADER_BYTES;
    if (n < HEADER_BYTES)
        return -EBADMSG;
    unsigned flags = be16(m.s + 2), questions = be16(m.s + 4), answers = be16(m.s + 6);
    if (questions == 0 && answers == 0)
        return -EBADMSG;
    ret->id = (uint16_t)be16(m.s);
    ret->is_response = flags >> 15;
    ret->rcode = flags & 15;
    ret->truncated = flags >> 9 & 1;
    ret->qtype = 0;
    ret->n_answers = 0;
    ret->answers_len = 0;
    ret->question[0] = '\0';
    struct text question = {.s = ret->question, .max = sizeof(ret->question)};
    for (unsigned i = 0; i < questions; i++) {
        if (read_name(&m, &at, i == 0 ? &question : NULL) < 0 || at + 4 > n) {
            if (i == 0)
                return -EBADMSG;
            ret->truncated = true;
            return 0;
        }
        if (i == 0)
            ret->qtype = (uint16_t)be16(m.s + at);
        at += 4;
    }
    for (unsigned i = 0; i < answers; i++) {
        /* an announcement (multicast DNS) has no question: its first answer's name says what it is about */
        size_t name = at;
        if (questions == 0 && i == 0 && read_name(&m, &name, &question) < 0)
            return -EBADMSG;
        if (!read_answer(&m, &at, ret)) {
            ret->truncated = true;
            break;
        }
    }
    return 0;
}
