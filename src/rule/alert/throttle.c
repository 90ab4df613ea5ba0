/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/alert/throttle.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/hashmap.h"

#define MIN_BUCKETS 64

/* A doubly linked list through entries; the oldest first. */
struct links {
    struct entry *prev, *next;
};

struct list {
    struct entry *first, *last;
};

/* What is known of a rule's rate, or of one window. They differ in what they do when they are due: a window
 * is gone, a rule stays. */
struct entry {
    struct entry *chain; /* in its bucket */
    struct links due;    /* in the order of due_ns; linked only when it is not UINT64_MAX */
    struct links used;   /* windows only, in the order in which they were last asked for */
    uint64_t hash;
    uint64_t due_ns;
    uint64_t hidden, first_ns, last_ns;
    uint64_t tat_ns; /* rules only, see take_token() */
    size_t key_len;  /* whole */
    size_t kept_len; /* of it */
    bool window;
    size_t rule_len;
    char text[]; /* the rule's name, NUL, what is kept of the key, NUL */
};

struct skep_throttle {
    struct skep_throttle_options o;
    uint64_t cost_ns; /* of one alert: interval / rate */
    uint64_t slack_ns;
    skep_throttle_tell *tell;
    void *userdata;
    uint64_t seed;
    uint64_t now;
    struct entry **buckets;
    size_t n_buckets, n_entries;
    size_t n_rules;
    /* All windows are equally long, and so are all intervals, so that each list is in the order of time by
     * itself. */
    struct list due_windows, due_rules, used;
    struct skep_throttle_counters counters;
};

/* ---- lists ---- */

#define LIST_ADD(list, member, e)                                                                            \
    do {                                                                                                     \
        (e)->member = (struct links){.prev = (list)->last};                                                  \
        if ((list)->last)                                                                                    \
            (list)->last->member.next = (e);                                                                 \
        else                                                                                                 \
            (list)->first = (e);                                                                             \
        (list)->last = (e);                                                                                  \
    } while (0)

#define LIST_DEL(list, member, e)                                                                            \
    do {                                                                                                     \
        if ((e)->member.prev)                                                                                \
            (e)->member.prev->member.next = (e)->member.next;                                                \
        else                                                                                                 \
            (list)->first = (e)->member.next;                                                                \
        if ((e)->member.next)                                                                                \
            (e)->member.next->member.prev = (e)->member.prev;                                                \
        else                                                                                                 \
            (list)->last = (e)->member.prev;                                                                 \
        (e)->member = (struct links){0};                                                                     \
    } while (0)

/* ---- the table ---- */

struct name {
    const char *rule;
    size_t rule_len;
    const void *key;
    size_t key_len;
    bool window;
    uint64_t hash;
};

static uint64_t hash_name(const struct skep_throttle *t, const struct name *n)
{
    uint64_t h = skep_hash_bytes(n->rule, n->rule_len, t->seed);
    return n->window ? skep_hash_bytes(n->key, n->key_len, h) + 1 : h;
}

static bool is_named(const struct entry *e, const struct name *n)
{
    return e->hash == n->hash && e->window == n->window && e->rule_len == n->rule_len &&
           e->key_len == n->key_len && memcmp(e->text, n->rule, n->rule_len) == 0 &&
           (e->kept_len == 0 || memcmp(e->text + e->rule_len + 1, n->key, e->kept_len) == 0);
}

static struct entry *find(const struct skep_throttle *t, const struct name *n)
{
    struct entry *e = t->n_buckets ? t->buckets[n->hash & (t->n_buckets - 1)] : NULL;
    while (e && !is_named(e, n))
        e = e->chain;
    return e;
}

/* One entry a bucket on average. Where memory is short the chains get longer. */
static void make_buckets(struct skep_throttle *t)
{
    if (t->n_entries < t->n_buckets)
        return;
    size_t n = t->n_buckets ? t->n_buckets * 2 : MIN_BUCKETS;
    struct entry **buckets = calloc(n, sizeof(struct entry *));
    if (!buckets)
        return;
    for (size_t i = 0; i < t->n_buckets; i++) {
        struct entry *next;
        for (struct entry *e = t->buckets[i]; e; e = next) {
            next = e->chain;
            e->chain = buckets[e->hash & (n - 1)];
            buckets[e->hash & (n - 1)] = e;
        }
    }
    free(t->buckets);
    t->buckets = buckets;
    t->n_buckets = n;
}

static struct entry *add(struct skep_throttle *t, const struct name *n)
{
    make_buckets(t);
    size_t kept = MIN(n->key_len, (size_t)SKEP_THROTTLE_KEY_MAX);
    struct entry *e = t->n_buckets ? calloc(1, sizeof(*e) + n->rule_len + kept + 2) : NULL;
    if (!e)
        return NULL;
    e->hash = n->hash;
    e->window = n->window;
    e->due_ns = UINT64_MAX;
    e->rule_len = n->rule_len;
    e->key_len = n->key_len;
    e->kept_len = kept;
    memcpy(e->text, n->rule, n->rule_len);
    if (kept)
        memcpy(e->text + n->rule_len + 1, n->key, kept);
    struct entry **bucket = &t->buckets[e->hash & (t->n_buckets - 1)];
    e->chain = *bucket;
    *bucket = e;
    t->n_entries++;
    return e;
}

static void del(struct skep_throttle *t, struct entry *e)
{
    struct entry **at = &t->buckets[e->hash & (t->n_buckets - 1)];
    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    t->n_entries--;
    free(e);
}

/* ---- what is hidden, and told ---- */

static void tell(struct skep_throttle *t, struct entry *e)
{
    if (!e->hidden)
        return;
    struct skep_throttle_report report = {
        .why = e->window ? SKEP_THROTTLE_SUPPRESSED : SKEP_THROTTLE_LIMITED,
        .rule = e->text,
        .key = e->window ? e->text + e->rule_len + 1 : NULL,
        .key_len = e->kept_len,
        .hidden = e->hidden,
        .first_ns = e->first_ns,
        .last_ns = e->last_ns,
        .span_ns = e->window ? t->o.window_ns : t->o.interval_ns,
    };
    t->counters.reported += e->hidden;
    e->hidden = 0;
    if (t->tell)
        t->tell(t->userdata, &report);
}

static void hide(struct skep_throttle *t, struct entry *e)
{
    if (e->hidden++ == 0)
        e->first_ns = t->now;
    e->last_ns = t->now;
}

static void close_window(struct skep_throttle *t, struct entry *e)
{
    LIST_DEL(&t->due_windows, due, e);
    LIST_DEL(&t->used, used, e);
    t->counters.windows--;
    tell(t, e);
    del(t, e);
}

static void close_interval(struct skep_throttle *t, struct entry *e)
{
    LIST_DEL(&t->due_rules, due, e);
    e->due_ns = UINT64_MAX;
    tell(t, e);
}

static uint64_t after(uint64_t now, uint64_t ns)
{
    return now > UINT64_MAX - 1 - ns ? UINT64_MAX - 1 : now + ns;
}

/* ---- the two valves ---- */

static struct entry *open_window(struct skep_throttle *t, const struct name *n)
{
    while (t->counters.windows >= t->o.max_keys) {
        close_window(t, t->used.first);
        t->counters.evicted++;
    }
    struct entry *e = add(t, n);
    if (!e)
        return NULL;
    e->due_ns = after(t->now, t->o.window_ns);
    LIST_ADD(&t->due_windows, due, e);
    LIST_ADD(&t->used, used, e);
    t->counters.windows++;
    return e;
}

/* A bucket of tokens, kept as the one time at which it would be full but for what was taken (the generic cell
 * rate algorithm, ITU-T I.371): a token costs cost_ns, and up to `burst` of them may be taken in advance. */
static bool take_token(struct skep_throttle *t, struct entry *e)
{
    uint64_t tat = MAX(e->tat_ns, t->now);
    if (tat - t->now > t->slack_ns)
        return false;
    e->tat_ns = after(tat, t->cost_ns);
    return true;
}

static bool is_limited(struct skep_throttle *t, const char *rule, size_t rule_len)
{
    struct name n = {.rule = rule, .rule_len = rule_len};
    n.hash = hash_name(t, &n);
    struct entry *e = find(t, &n);
    if (!e && t->n_rules < SKEP_THROTTLE_RULES_MAX) {
        e = add(t, &n);
        t->n_rules += e != NULL;
    }
    if (!e || take_token(t, e))
        return false;
    hide(t, e);
    if (e->due_ns == UINT64_MAX) {
        e->due_ns = after(t->now, t->o.interval_ns);
        LIST_ADD(&t->due_rules, due, e);
    }
    return true;
}

enum skep_throttle_verdict skep_throttle_ask(struct skep_throttle *t, const char *rule, const void *key,
                                             size_t key_len, uint64_t now)
{
    skep_throttle_tick(t, now);
    t->counters.asked++;
    struct name n = {.rule = rule, .rule_len = strlen(rule), .key = key, .key_len = key_len, .window = true};
    if (t->o.window_ns) {
        n.hash = hash_name(t, &n);
        struct entry *e = find(t, &n);
        if (e) {
            hide(t, e);
            LIST_DEL(&t->used, used, e);
            LIST_ADD(&t->used, used, e);
            t->counters.suppressed++;
            return SKEP_THROTTLE_SUPPRESSED;
        }
    }
    if (t->o.rate && is_limited(t, rule, n.rule_len)) {
        t->counters.limited++;
        return SKEP_THROTTLE_LIMITED;
    }
    if (t->o.window_ns)
        open_window(t, &n);
    t->counters.passed++;
    return SKEP_THROTTLE_PASS;
}

void skep_throttle_tick(struct skep_throttle *t, uint64_t now)
{
    t->now =
        MAX(t->now, MIN(now, UINT64_MAX - 2)); /* what is due is always later, and never is later still */
    /* in the order of time, whichever of the two it is */
    while (skep_throttle_next(t) <= t->now) {
        struct entry *w = t->due_windows.first, *r = t->due_rules.first;
        if (w && (!r || w->due_ns <= r->due_ns))
            close_window(t, w);
        else
            close_interval(t, r);
    }
}

uint64_t skep_throttle_next(const struct skep_throttle *t)
{
    uint64_t w = t->due_windows.first ? t->due_windows.first->due_ns : UINT64_MAX;
    uint64_t r = t->due_rules.first ? t->due_rules.first->due_ns : UINT64_MAX;
    return MIN(w, r);
}

void skep_throttle_end(struct skep_throttle *t)
{
    while (t->due_windows.first)
        close_window(t, t->due_windows.first);
    while (t->due_rules.first)
        close_interval(t, t->due_rules.first);
}

void skep_throttle_counters(const struct skep_throttle *t, struct skep_throttle_counters *ret)
{
    *ret = t->counters;
}

/* ---- life ---- */

int skep_throttle_new(const struct skep_throttle_options *o, skep_throttle_tell *tell_to, void *userdata,
                      struct skep_throttle **ret)
{
    if (o->rate > MIN(SKEP_THROTTLE_RATE_MAX, o->interval_ns) || o->burst > SKEP_THROTTLE_RATE_MAX ||
        o->max_keys > SKEP_THROTTLE_KEYS_MAX)
        return -EINVAL;
    struct skep_throttle *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->o = *o;
    t->o.max_keys = o->max_keys ? o->max_keys : SKEP_THROTTLE_KEYS_DEFAULT;
    if (o->rate) {
        uint64_t burst = o->burst ? o->burst : o->rate;
        t->cost_ns = o->interval_ns / o->rate;
        if (__builtin_mul_overflow(burst - 1, t->cost_ns, &t->slack_ns))
            t->slack_ns = UINT64_MAX;
    }
    t->tell = tell_to;
    t->userdata = userdata;
    if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) != sizeof(t->seed))
        t->seed = (uintptr_t)t; /* a weak seed only makes collisions easier to aim */
    *ret = t;
    return 0;
}

struct skep_throttle *skep_throttle_free(struct skep_throttle *t)
{
    if (!t)
        return NULL;
    for (size_t i = 0; i < t->n_buckets; i++) {
        struct entry *next;
        for (struct entry *e = t->buckets[i]; e; e = next) {
            next = e->chain;
            free(e);
        }
    }
    free(t->buckets);
    free(t);
    return NULL;
}

/* ---- reports ---- */

void skep_throttle_put_text(const struct skep_throttle_report *report, struct skep_strbuf *sb)
{
    bool window = report->why == SKEP_THROTTLE_SUPPRESSED;
    skep_strbuf_printf(sb, "%llu more alert%s of \"", (unsigned long long)report->hidden,
                       report->hidden == 1 ? "" : "s");
    skep_strbuf_put_visible(sb, report->rule, strlen(report->rule));
    skep_strbuf_printf(sb, "\" %s hidden within ", report->hidden == 1 ? "was" : "were");
    skep_duration_put(sb, report->span_ns);
    if (!window) {
        skep_strbuf_puts(sb, ": the rule is over its rate");
    } else if (report->key_len) {
        skep_strbuf_puts(sb, ": ");
        skep_strbuf_put_visible(sb, report->key, report->key_len);
    }
}

void skep_throttle_put_json(const struct skep_throttle_report *report, struct skep_json *j)
{
    bool window = report->why == SKEP_THROTTLE_SUPPRESSED;
    skep_json_u64(j, "skep.hidden", report->hidden);
    skep_json_strz(j, "skep.rule", report->rule);
    skep_json_strz(j, "skep.reason", window ? "suppressed" : "rate");
    if (window)
        skep_json_str(j, "skep.key", report->key, report->key_len);
    else
        skep_json_null(j, "skep.key");
    skep_json_u64(j, "skep.span", report->span_ns);
    skep_json_u64(j, "skep.first", report->first_ns);
    skep_json_u64(j, "skep.last", report->last_ns);
}
