/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/names/hosts.h"

#include "base/clock.h"
#include "base/hashmap.h"
#include "event/fields.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <sys/stat.h>

#define FILE_LOOK_NS 1000000000ULL

/* What a hash map knows an address by. */
struct key {
    uint8_t ip[16];
    uint8_t n;
    uint8_t pad[7];
};

struct host {
    struct key key;
    char *names[SKEP_HOSTS_NAMES]; /* newest first */
    struct host *next;             /* learned after this one */
};

struct host_set {
    struct skep_hashmap by_ip;
    struct host *first, *last;
};

struct skep_rule_hosts {
    struct host_set learned, file;
    char path[4096];
    struct timespec changed;
    off_t size;
    uint64_t look_at; /* monotonic time */
};

static struct host *host_free(struct host *h)
{
    for (size_t i = 0; i < SKEP_HOSTS_NAMES; i++)
        free(h->names[i]);
    free(h);
    return NULL;
}

static void set_init(struct host_set *s)
{
    *s = (struct host_set){0};
    skep_hashmap_init(&s->by_ip, sizeof(struct key), SKEP_HOSTS_MAX);
}

static void set_clear(struct host_set *s)
{
    while (s->first) {
        struct host *h = s->first;
        s->first = h->next;
        host_free(h);
    }
    skep_hashmap_clear(&s->by_ip);
    set_init(s);
}

static struct key key_of(const void *ip, size_t n)
{
    struct key k = {.n = (uint8_t)n};
    memcpy(k.ip, ip, MIN(n, sizeof(k.ip)));
    return k;
}

static void forget_first(struct host_set *s)
{
    struct host *h = s->first;
    s->first = h->next;
    if (!s->first)
        s->last = NULL;
    skep_hashmap_del(&s->by_ip, &h->key);
    host_free(h);
}

static int set_get(struct host_set *s, const struct key *k, struct host **ret)
{
    struct host *h = skep_hashmap_get(&s->by_ip, k);
    if (h) {
        *ret = h;
        return 0;
    }
    while (s->by_ip.count >= SKEP_HOSTS_MAX)
        forget_first(s);
    h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    h->key = *k;
    int r = skep_hashmap_put(&s->by_ip, k, h, NULL);
    if (r < 0) {
        host_free(h);
        return r;
    }
    if (s->last)
        s->last->next = h;
    else
        s->first = h;
    s->last = h;
    *ret = h;
    return 0;
}

/* What was learned last is the newest and goes to the front, wherever it was before; a file has the names that matter
 * most first. */
static int host_add(struct host *h, const char *name, size_t n, bool front)
{
    if (n && name[n - 1] == '.')
        n--;
    if (n == 0 || n > SKEP_HOSTS_NAME_MAX)
        return 0;
    _cleanup_free_ char *lower = malloc(n + 1);
    if (!lower)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    lower[n] = '\0';
    size_t at = 0;
    while (at < SKEP_HOSTS_NAMES && h->names[at] && !skep_streq(h->names[at], lower))
        at++;
    if (!front) {
        if (at < SKEP_HOSTS_NAMES && !h->names[at])
            h->names[at] = TAKE_PTR(lower);
        return 0;
    }
    at = MIN(at, (size_t)SKEP_HOSTS_NAMES - 1);
    free(h->names[at]);
    for (; at > 0; at--)
        h->names[at] = h->names[at - 1];
    h->names[0] = TAKE_PTR(lower);
    return 0;
}

static int set_learn(struct host_set *s, const void *ip, size_t n_ip, const char *name, size_t n, bool front)
{
    struct host *h;
    struct key k = key_of(ip, n_ip);
    int r = set_get(s, &k, &h);
    return r < 0 ? r : host_add(h, name, n, front);
}

static size_t parse_ip(const char *s, size_t n, uint8_t ret[16])
{
    char text[INET6_ADDRSTRLEN];
    if (n >= sizeof(text))
        return 0;
    memcpy(text, s, n);
    text[n] = '\0';
    if (inet_pton(AF_INET, text, ret) == 1)
        return 4;
    return inet_pton(AF_INET6, text, ret) == 1 ? 16 : 0;
}

/* ---- answers ---- */

static int learn_answer(struct host_set *s, const uint8_t *ip, size_t n_ip, const struct skep_value *question,
                        const struct skep_value *answers)
{
    uint8_t other[16];
    const char *name;
    size_t at = 0, n;
    int r = 0;
    /* the names on the way first, so that the one that was asked for is the newest */
    while (r >= 0 && skep_list_next(answers->s, answers->n, &at, &name, &n))
        if (!parse_ip(name, n, other))
            r = set_learn(s, ip, n_ip, name, n, true);
    return r < 0 ? r : set_learn(s, ip, n_ip, question->s, question->n, true);
}

static bool asks_for_address(uint64_t qtype)
{
    return qtype == 1 || qtype == 28; /* A, AAAA */
}

int skep_rule_hosts_learn(struct skep_rule_hosts *h, const struct skep_event *ev)
{
    static const struct skep_field message = {.off = offsetof(struct skep_ev_dns, message)};
    struct skep_value question = {.type = SKEP_TYPE_text}, answers = {.type = SKEP_TYPE_textlist},
                      qtype = {0};
    if (ev->h->kind != SKEP_KIND_dns || ((const struct skep_ev_dns *)ev->h)->direction != SKEP_DIR_IN ||
        !skep_get_dns_question(&message, ev, &question) || !skep_get_dns_qtype(&message, ev, &qtype) ||
        !asks_for_address(qtype.u) || !skep_get_dns_answers(&message, ev, &answers))
        return 0;
    uint8_t ip[16];
    const char *answer;
    size_t at = 0, n;
    int r = 0;
    while (r >= 0 && skep_list_next(answers.s, answers.n, &at, &answer, &n)) {
        size_t n_ip = parse_ip(answer, n, ip);
        if (n_ip)
            r = learn_answer(&h->learned, ip, n_ip, &question, &answers);
    }
    return r;
}

/* ---- the file ---- */

static int parse_line(struct host_set *s, char *line)
{
    uint8_t ip[16];
    char *save, *word;
    line[strcspn(line, "#\r\n")] = '\0';
    char *address = strtok_r(line, " \t", &save);
    size_t n_ip = address ? parse_ip(address, strlen(address), ip) : 0;
    int r = 0;
    while (n_ip && r >= 0 && (word = strtok_r(NULL, " \t", &save)))
        r = set_learn(s, ip, n_ip, word, strlen(word), false);
    return r;
}

static int read_file(struct skep_rule_hosts *h)
{
    _cleanup_fclose_ FILE *f = fopen(h->path, "re");
    _cleanup_free_ char *line = NULL;
    size_t cap = 0, total = 0;
    ssize_t n;
    int r = 0;
    set_clear(&h->file);
    while (f && r >= 0 && total < SKEP_HOSTS_FILE_MAX && (n = getline(&line, &cap, f)) >= 0) {
        total += (size_t)n;
        r = parse_line(&h->file, line);
    }
    return r;
}

/* A file that is not there is empty; one that cannot be kept for want of memory is tried again at its next change. */
static void look_at_file(struct skep_rule_hosts *h)
{
    struct stat st = {0};
    uint64_t now = skep_clock_mono_ns();
    if (now < h->look_at)
        return;
    h->look_at = now + FILE_LOOK_NS;
    if (stat(h->path, &st) < 0 || !S_ISREG(st.st_mode))
        st = (struct stat){0};
    if (st.st_mtim.tv_sec == h->changed.tv_sec && st.st_mtim.tv_nsec == h->changed.tv_nsec &&
        st.st_size == h->size)
        return;
    h->changed = st.st_mtim;
    h->size = st.st_size;
    if (read_file(h) < 0)
        set_clear(&h->file);
}

int skep_rule_hosts_new(const char *root, struct skep_rule_hosts **ret)
{
    struct skep_rule_hosts *h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    set_init(&h->learned);
    set_init(&h->file);
    if ((size_t)snprintf(h->path, sizeof(h->path), "%s/etc/hosts", root ? root : "") >= sizeof(h->path)) {
        skep_rule_hosts_free(h);
        return -ENAMETOOLONG;
    }
    *ret = h;
    return 0;
}

struct skep_rule_hosts *skep_rule_hosts_free(struct skep_rule_hosts *h)
{
    if (h) {
        set_clear(&h->learned);
        set_clear(&h->file);
        skep_hashmap_clear(&h->learned.by_ip);
        skep_hashmap_clear(&h->file.by_ip);
    }
    free(h);
    return NULL;
}

static size_t find_in(const struct host_set *s, const struct key *k, const char **ret)
{
    const struct host *h = skep_hashmap_get(&s->by_ip, k);
    size_t n = 0;
    while (h && n < SKEP_HOSTS_NAMES && h->names[n]) {
        ret[n] = h->names[n];
        n++;
    }
    return n;
}

size_t skep_rule_hosts_find(struct skep_rule_hosts *h, const void *ip, size_t n,
                            const char *ret[2 * SKEP_HOSTS_NAMES])
{
    struct key k = key_of(ip, n);
    look_at_file(h);
    size_t found = find_in(&h->learned, &k, ret);
    return found + find_in(&h->file, &k, ret + found);
}
