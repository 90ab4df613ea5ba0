/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/judge.h"

#include "rule/names/hosts.h"
#include "rule/names/users.h"

#define SAMPLE_EVERY 256 /* events */
#define SAMPLES_WANTED 4096

struct term {
    struct skep_ruleset *rs;
    struct skep_ruleset_profile *profile; /* while it is measured */
    uint64_t from;
    uint64_t *matches; /* by rule */
};

struct skep_judge {
    struct term terms[SKEP_JUDGE_SETS_MAX]; /* by time; the last is the newest */
    size_t n;
    skep_judge_alert_fn alert;
    void *data;
    struct skep_ruleset_world world;
    struct skep_judge_count *gone; /* counts of sets that are no more */
    size_t n_gone;
    uint64_t events; /* that were judged */
    uint64_t faults;
    char fault[224];
};

static int count_add(struct skep_judge_count **counts, size_t *n, const char *name, uint64_t matches)
{
    for (size_t i = 0; i < *n; i++)
        if (skep_streq((*counts)[i].name, name)) {
            (*counts)[i].matches += matches;
            return 0;
        }
    _cleanup_free_ char *copy = strdup(name);
    struct skep_judge_count *more = reallocarray(*counts, *n + 1, sizeof(*more));
    if (more)
        *counts = more;
    if (!copy || !more)
        return -ENOMEM;
    more[(*n)++] = (struct skep_judge_count){TAKE_PTR(copy), matches};
    return 0;
}

void skep_judge_counts_free(struct skep_judge_count *counts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(counts[i].name);
    free(counts);
}

/* Only what matched is remembered of a set that goes. */
static void term_end(struct skep_judge *j, struct term *t)
{
    const struct skep_policy *p = t->rs->policy;
    for (size_t i = 0; i < p->n_rules; i++)
        if (t->matches[i])
            count_add(&j->gone, &j->n_gone, p->rules[i].name, t->matches[i]);
    j->faults += t->rs->faults;
    if (t->rs->faults)
        memcpy(j->fault, t->rs->fault, sizeof(j->fault));
    free(t->matches);
    skep_ruleset_profile_free(t->profile);
    t->rs = skep_ruleset_free(t->rs);
}

static int term_begin(struct skep_judge *j, struct skep_ruleset *rs, uint64_t from)
{
    uint64_t *matches = calloc(rs->policy->n_rules + 1, sizeof(*matches));
    if (!matches)
        return -ENOMEM;
    j->terms[j->n] = (struct term){.rs = rs, .from = from, .matches = matches};
    /* without it comparisons stay in the order that was guessed */
    if (!rs->weighed)
        skep_ruleset_profile_new(rs, &j->terms[j->n].profile);
    j->n++;
    return 0;
}

int skep_judge_new(struct skep_ruleset *rs, skep_judge_alert_fn alert, void *data, struct skep_judge **ret)
{
    _cleanup_ruleset_ struct skep_ruleset *owned = rs;
    _cleanup_judge_ struct skep_judge *j = calloc(1, sizeof(*j));
    if (!j)
        return -ENOMEM;
    j->alert = alert;
    j->data = data;
    int r = skep_rule_users_new(NULL, &j->world.users);
    if (r >= 0)
        r = skep_rule_hosts_new(NULL, &j->world.hosts);
    if (r >= 0)
        r = term_begin(j, rs, 0);
    if (r < 0)
        return r;
    TAKE_PTR(owned);
    *ret = TAKE_PTR(j);
    return 0;
}

struct skep_judge *skep_judge_free(struct skep_judge *j)
{
    if (!j)
        return NULL;
    while (j->n)
        term_end(j, &j->terms[--j->n]);
    skep_judge_counts_free(j->gone, j->n_gone);
    skep_rule_users_free(j->world.users);
    skep_rule_hosts_free(j->world.hosts);
    free(j);
    return NULL;
}

int skep_judge_follow_containers(struct skep_judge *j)
{
    return skep_rule_users_follow_containers(j->world.users);
}

bool skep_judge_wants(const struct skep_judge *j, uint16_t kind)
{
    if (kind == SKEP_KIND_dns)
        return true;
    for (size_t i = 0; i < j->n; i++)
        if (j->terms[i].rs->kinds[kind & (SKEP_KIND_MAX - 1)])
            return true;
    return false;
}

/* Sets whose last event came long ago go. */
static void expire(struct skep_judge *j, uint64_t now)
{
    size_t n = 0;
    while (n + 1 < j->n && j->terms[n + 1].from + SKEP_JUDGE_KEEP_NS < now)
        term_end(j, &j->terms[n++]);
    if (!n)
        return;
    j->n -= n;
    memmove(j->terms, j->terms + n, j->n * sizeof(j->terms[0]));
}

static struct term *term_of(struct skep_judge *j, uint64_t time)
{
    size_t i = j->n - 1;
    while (i > 0 && time < j->terms[i].from)
        i--;
    return &j->terms[i];
}

void skep_judge_learn(struct skep_judge *j, const struct skep_event *ev)
{
    if (ev->h->kind == SKEP_KIND_dns)
        skep_rule_hosts_learn(j->world.hosts, ev);
}

size_t skep_judge_event(struct skep_judge *j, const struct skep_event *ev)
{
    const uint32_t *rules;
    if (j->n > 1)
        expire(j, ev->h->time);
    skep_judge_learn(j, ev);
    struct term *t = term_of(j, ev->h->time);
    if (t->profile && ++j->events % SAMPLE_EVERY == 0)
        skep_ruleset_profile_event(t->profile, ev, &j->world);
    size_t n = skep_ruleset_judge(t->rs, ev, &j->world, &rules);
    for (size_t i = 0; i < n; i++) {
        t->matches[rules[i]]++;
        j->alert(j->data, t->rs, rules[i], ev, &j->world);
    }
    return n;
}

int skep_judge_swap(struct skep_judge *j, struct skep_ruleset *rs, uint64_t from)
{
    if (j->n == SKEP_JUDGE_SETS_MAX)
        expire(j, from);
    return j->n == SKEP_JUDGE_SETS_MAX ? -EBUSY : term_begin(j, rs, from);
}

int skep_judge_weights(struct skep_judge *j, struct skep_atom_weight **ret, size_t *ret_n)
{
    struct term *t = &j->terms[j->n - 1];
    if (!t->profile || skep_ruleset_profile_samples(t->profile) < SAMPLES_WANTED)
        return 0;
    int r = skep_ruleset_profile_weights(t->profile, ret, ret_n);
    t->profile = skep_ruleset_profile_free(t->profile);
    return r < 0 ? r : 1;
}

struct skep_ruleset *skep_judge_rules(const struct skep_judge *j)
{
    return j->terms[j->n - 1].rs;
}

int skep_judge_counts(const struct skep_judge *j, struct skep_judge_count **ret, size_t *ret_n)
{
    struct skep_judge_count *counts = NULL;
    size_t n = 0;
    int r = 0;
    for (size_t i = j->n; r >= 0 && i-- > 0;) {
        const struct skep_policy *p = j->terms[i].rs->policy;
        for (size_t k = 0; r >= 0 && k < p->n_rules; k++)
            r = count_add(&counts, &n, p->rules[k].name, j->terms[i].matches[k]);
    }
    for (size_t i = 0; r >= 0 && i < j->n_gone; i++)
        r = count_add(&counts, &n, j->gone[i].name, j->gone[i].matches);
    if (r < 0) {
        skep_judge_counts_free(counts, n);
        return r;
    }
    *ret = counts;
    *ret_n = n;
    return 0;
}

uint64_t skep_judge_faults(const struct skep_judge *j, const char **ret_text)
{
    uint64_t n = j->faults;
    *ret_text = *j->fault ? j->fault : NULL;
    for (size_t i = 0; i < j->n; i++) {
        n += j->terms[i].rs->faults;
        if (j->terms[i].rs->faults)
            *ret_text = j->terms[i].rs->fault;
    }
    return n;
}
