/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_ALERT_THROTTLE_H
#define SKEP_RULE_ALERT_THROTTLE_H
/*
 * Less noise. Between a rule that matched and the sinks stand two valves, both off by default, and both count
 * what they hold back and say so:
 *
 *   suppression   after an alert, further ones of the same rule and the same key are hidden until a window of time is
 *                 over. The key is a text that the caller renders from the event, such as the executable and the file.
 *   rate          a rule may raise so many alerts an interval, and a burst at first; what is beyond is hidden.
 *
 * An alert that is suppressed takes nothing from the rate; one that the rate holds back opens no window,
 * since nobody has seen it.
 *
 * What is hidden is never lost in silence. When a window ends, one report says how many alerts of which rule
 * and key were hidden in it; the rate reports per rule, an interval after the first that it hid. So
 *
 *     asked = passed + suppressed + limited,   and   suppressed + limited = the sum of hidden of all reports
 *
 * once skep_throttle_end() has reported the windows that are still open.
 *
 * Memory is bounded: at most max_keys windows; when there would be more, the one whose key was not seen for
 * the longest time is reported and closed before its time. Of a key the first SKEP_THROTTLE_KEY_MAX bytes are
 * kept for reports, and keys that are longer are told apart by length and hash of the whole. At most
 * SKEP_THROTTLE_RULES_MAX rules have a rate; an alert that there is no memory for passes.
 *
 * Time is the caller's, in ns on whatever clock the events have, so that a replay hides what the live run
 * hid. Time that goes back is taken as standing still. One thread at a time. Rules are known by name: the
 * state outlives a reload.
 *
 *     struct skep_throttle_options o = {.rate = 10, .interval_ns = NS_PER_MIN, .window_ns = 30 * NS_PER_S};
 *     r = skep_throttle_new(&o, report, userdata, &t);
 *     if (skep_throttle_ask(t, "Read ssh information", key, key_len, ev->time) == SKEP_THROTTLE_PASS)
 *         ...
 *     skep_throttle_tick(t, now);      (at skep_throttle_next(t), for windows in which nothing more happens)
 *     skep_throttle_end(t);
 */
#include "base/json.h"

#define SKEP_THROTTLE_KEYS_DEFAULT 4096
#define SKEP_THROTTLE_KEYS_MAX (1U << 20)
#define SKEP_THROTTLE_RULES_MAX 65536
#define SKEP_THROTTLE_KEY_MAX 1024
#define SKEP_THROTTLE_RATE_MAX 1000000000ULL

struct skep_throttle;

struct skep_throttle_options {
    uint64_t rate;        /* alerts of a rule in an interval; 0: as many as there are */
    uint64_t interval_ns; /* not 0 when there is a rate */
    uint64_t burst;       /* how many may come at once when there was silence; 0: as many as rate */
    uint64_t window_ns;   /* 0: nothing is suppressed */
    size_t max_keys;      /* 0: SKEP_THROTTLE_KEYS_DEFAULT */
};

enum skep_throttle_verdict {
    SKEP_THROTTLE_PASS,
    SKEP_THROTTLE_SUPPRESSED, /* the same was shown within the window */
    SKEP_THROTTLE_LIMITED,    /* the rule has used up its rate */
};

struct skep_throttle_report {
    enum skep_throttle_verdict why; /* SUPPRESSED or LIMITED */
    const char *rule;
    const char *key; /* of a suppression, cut to SKEP_THROTTLE_KEY_MAX bytes; borrowed for the call */
    size_t key_len;
    uint64_t hidden;   /* alerts, at least one */
    uint64_t first_ns; /* of the first and the last that was hidden */
    uint64_t last_ns;
    uint64_t span_ns; /* of the window or the interval */
};
typedef void skep_throttle_tell(void *userdata, const struct skep_throttle_report *report);

struct skep_throttle_counters {
    uint64_t asked, passed, suppressed, limited;
    uint64_t reported; /* alerts, in all reports */
    uint64_t evicted;  /* windows that were closed before their time */
    size_t windows;    /* that are open */
};

/* -EINVAL: something is out of range, or there are more alerts in the interval than ns; -ENOMEM. tell is called from ask, tick and end. */
int skep_throttle_new(const struct skep_throttle_options *o, skep_throttle_tell *tell, void *userdata,
                      struct skep_throttle **ret);
struct skep_throttle *skep_throttle_free(struct skep_throttle *t); /* without reports */
SKEP_DEFINE_CLEANUP(struct skep_throttle, skep_throttle_free)
#define _cleanup_throttle_ SKEP_CLEANUP(skep_throttle_freep)

/* May this alert be shown? Reports what is due at now first. */
enum skep_throttle_verdict skep_throttle_ask(struct skep_throttle *t, const char *rule, const void *key,
                                             size_t key_len, uint64_t now);
/* Reports what is due at now. */
void skep_throttle_tick(struct skep_throttle *t, uint64_t now);
/* When something is due next; UINT64_MAX: nothing will be. */
uint64_t skep_throttle_next(const struct skep_throttle *t);
/* Reports everything that was hidden and not reported, and closes all windows. */
void skep_throttle_end(struct skep_throttle *t);
void skep_throttle_counters(const struct skep_throttle *t, struct skep_throttle_counters *ret);

/* 41 more alerts of "Read ssh information" were hidden within 30s: proc.exepath=/usr/bin/cat */
void skep_throttle_put_text(const struct skep_throttle_report *report, struct skep_strbuf *sb);
/* Members of an open object: "skep.hidden", "skep.rule", "skep.reason" (suppressed, rate), "skep.key" (null
 * for the rate), "skep.span", "skep.first" and "skep.last" in ns, the times as the report has them. */
void skep_throttle_put_json(const struct skep_throttle_report *report, struct skep_json *j);
#endif
