/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/test.h"

#include "agent/replay.h"
#include "agent/rules/judge.h"
#include "agent/rules/load.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <time.h>

#define TUPLES_MAX 65536
#define TUPLES_SHOWN 5
#define FILES 3 /* of an event that may be the one it is about */
#define MISSING "<NA>"
#define RATE_SPAN_MIN 60000000000ULL /* shorter recordings tell nothing of a minute */

/* Alerts of one rule with the same process and file. */
struct tuple {
    uint64_t count;
    uint32_t rule;
    char text[]; /* process, a tab, file; without file: none */
};

struct cost {
    struct skep_ruleset *rs; /* of this rule only; NULL: it is off */
    uint64_t events, ns;
};

struct expectation {
    char *name;
    uint64_t count;
    bool some; /* at least one */
};

struct test {
    const struct skep_rules_test_options *o;
    struct skep_judge *judge;
    /* What noise is told apart by: the process, and the first of these files that there is. */
    struct skep_format *process, *files[FILES];
    struct skep_hashmap tuples; /* hash of rule and text -> struct tuple */
    uint64_t tuples_lost;
    struct skep_strbuf text, line;
    struct cost *costs;
    struct cost whole;
    uint64_t first, last; /* times of events */
    uint64_t overhead;    /* of reading the clock */
    struct expectation *expected;
    size_t n_expected, expected_room;
};

static uint64_t clock_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* A name from a file, as it may stand on a terminal; until the next one. */
static const char *shown(struct test *t, const char *name)
{
    skep_strbuf_reset(&t->line);
    skep_strbuf_put_visible(&t->line, name, strlen(name));
    return t->line.s;
}

/* ---- what events bring ---- */

static void count_tuple(struct test *t, uint32_t rule, const struct skep_event *ev,
                        const struct skep_ruleset_world *world)
{
    skep_strbuf_reset(&t->text);
    skep_format_put_text(t->process, ev, world->users, &t->text);
    skep_strbuf_putc(&t->text, '\t');
    size_t at = t->text.len;
    for (size_t i = 0; i < FILES && t->text.len == at; i++) {
        skep_format_put_text(t->files[i], ev, world->users, &t->text);
        if (skep_streq(t->text.s + at, MISSING))
            skep_strbuf_truncate(&t->text, at);
    }
    uint64_t key = skep_hash_bytes(t->text.s, t->text.len, rule);
    struct tuple *tuple = skep_hashmap_get(&t->tuples, &key);
    if (!tuple) {
        tuple = malloc(sizeof(*tuple) + t->text.len + 1);
        if (!tuple || skep_hashmap_put(&t->tuples, &key, tuple, NULL) < 0) {
            free(tuple);
            t->tuples_lost++;
            return;
        }
        tuple->count = 0;
        tuple->rule = rule;
        memcpy(tuple->text, t->text.s, t->text.len + 1);
    }
    tuple->count++;
}

static void on_alert(void *data, struct skep_ruleset *rs, uint32_t rule, const struct skep_event *ev,
                     const struct skep_ruleset_world *world)
{
    static const struct skep_alert_style style;
    struct test *t = data;
    count_tuple(t, rule, ev, world);
    if (t->o->quiet || t->o->json)
        return;
    skep_strbuf_reset(&t->text);
    skep_strbuf_reset(&t->line);
    skep_rules_put_output(rs, rule, ev, world, &t->text);
    skep_rules_put_alert(rs, rule, ev, &t->text, false, &style, &t->line);
    puts(t->line.s);
}

static void measure(struct test *t, struct cost *c, const struct skep_event *ev)
{
    static const struct skep_ruleset_world world;
    const uint32_t *rules;
    if (!c->rs || !c->rs->kinds[ev->h->kind & (SKEP_KIND_MAX - 1)])
        return;
    uint64_t before = clock_ns();
    skep_ruleset_judge(c->rs, ev, &world, &rules);
    uint64_t took = clock_ns() - before;
    c->ns += took > t->overhead ? took - t->overhead : 0;
    c->events++;
}

static size_t on_event(void *data, const struct skep_event *ev)
{
    struct test *t = data;
    t->first = t->first ? MIN(t->first, ev->h->time) : ev->h->time;
    t->last = MAX(t->last, ev->h->time);
    size_t n = t->costs ? skep_judge_rules(t->judge)->policy->n_rules : 0;
    for (size_t i = 0; i < n; i++)
        measure(t, &t->costs[i], ev);
    measure(t, &t->whole, ev);
    return skep_judge_event(t->judge, ev);
}

/* ---- expectations ---- */

/* false: the line is none. The name, in the line, is NULL where there is nothing on it. */
static bool parse_expectation(char *line, struct expectation *ret)
{
    char *end = line + strlen(line);
    while (end > line && strchr(" \t\r\n", end[-1]))
        *--end = '\0';
    line += strspn(line, " \t");
    *ret = (struct expectation){.some = *line == '+'};
    if (!*line || *line == '#')
        return true;
    errno = 0;
    if (ret->some)
        end = line + 1;
    else if (*line >= '0' && *line <= '9')
        ret->count = strtoull(line, &end, 10);
    else
        return false;
    if (errno || (*end != ' ' && *end != '\t'))
        return false;
    ret->name = end + strspn(end, " \t");
    return true;
}

static int keep_expectation(struct test *t, const struct expectation *e, size_t line)
{
    for (size_t i = 0; i < t->n_expected; i++)
        if (skep_streq(t->expected[i].name, e->name)) {
            skep_log(SKEP_LOG_ERROR, "%s:%zu: the rule '%s' stands here twice", t->o->expect, line,
                     shown(t, e->name));
            return SKEP_EXIT_USAGE;
        }
    struct expectation kept = {strdup(e->name), e->count, e->some};
    if (!kept.name || SKEP_ARRAY_RESERVE(t->expected, t->n_expected, 1, t->expected_room) < 0) {
        free(kept.name);
        return -ENOMEM;
    }
    t->expected[t->n_expected++] = kept;
    return SKEP_EXIT_OK;
}

/* An exit status. What is wrong with the file is said before anything is judged. */
static int read_expectations(struct test *t)
{
    _cleanup_fclose_ FILE *f = fopen(t->o->expect, "re");
    _cleanup_free_ char *line = NULL;
    size_t size = 0, at = 0;
    int r = SKEP_EXIT_OK;
    errno = f ? 0 : errno;
    while (f && r == SKEP_EXIT_OK && getline(&line, &size, f) >= 0) {
        struct expectation e;
        at++;
        if (!parse_expectation(line, &e)) {
            skep_log(SKEP_LOG_ERROR, "%s:%zu: expected `COUNT NAME OF THE RULE` or `+ NAME OF THE RULE`",
                     t->o->expect, at);
            return SKEP_EXIT_USAGE;
        }
        if (e.name)
            r = keep_expectation(t, &e, at);
        errno = 0;
    }
    if (!f || ferror(f)) {
        skep_log(SKEP_LOG_ERROR, "cannot read %s: %s", t->o->expect, strerror(errno));
        return SKEP_EXIT_USAGE;
    }
    return r;
}

static uint64_t count_of(const struct skep_judge_count *counts, size_t n, const char *name, bool *ret_known)
{
    *ret_known = false;
    for (size_t i = 0; i < n; i++)
        if (skep_streq(counts[i].name, name)) {
            *ret_known = true;
            return counts[i].matches;
        }
    return 0;
}

/* Whether one expectation holds; its rule's count is set to 0, so that what is left was not expected. */
static bool check_one(struct test *t, const struct expectation *e, struct skep_judge_count *counts, size_t n)
{
    bool known;
    uint64_t have = count_of(counts, n, e->name, &known);
    if (!known) {
        skep_log(SKEP_LOG_ERROR, "%s: there is no rule '%s'", t->o->expect, shown(t, e->name));
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (skep_streq(counts[i].name, e->name))
            counts[i].matches = 0;
    if (e->some ? have > 0 : have == e->count)
        return true;
    if (e->some)
        skep_log(SKEP_LOG_ERROR, "expected at least one alert of '%s', there is none", shown(t, e->name));
    else
        skep_log(SKEP_LOG_ERROR, "expected %" PRIu64 " alerts of '%s', there are %" PRIu64, e->count,
                 shown(t, e->name), have);
    return false;
}

static int check_expectations(struct test *t, struct skep_judge_count *counts, size_t n)
{
    int status = SKEP_EXIT_OK;
    for (size_t i = 0; i < t->n_expected; i++)
        if (!check_one(t, &t->expected[i], counts, n))
            status = SKEP_EXIT_FAILED;
    for (size_t i = 0; i < n; i++) {
        if (!counts[i].matches)
            continue;
        skep_log(SKEP_LOG_ERROR, "'%s' was not expected and has %" PRIu64 " alerts", shown(t, counts[i].name),
                 counts[i].matches);
        status = SKEP_EXIT_FAILED;
    }
    return status;
}

/* ---- the report ---- */

static int compare_tuples(const void *a, const void *b)
{
    const struct tuple *x = *(struct tuple *const *)a, *y = *(struct tuple *const *)b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->text, y->text);
}

/* The tuples of a rule, the commonest first. */
static size_t tuples_of(const struct test *t, uint32_t rule, struct tuple **all)
{
    struct tuple *tuple;
    size_t at = 0, n = 0;
    while ((tuple = skep_hashmap_next(&t->tuples, &at)))
        if (tuple->rule == rule)
            all[n++] = tuple;
    qsort(all, n, sizeof(*all), compare_tuples);
    return n;
}

static double minutes(const struct test *t)
{
    return t->last > t->first ? (double)(t->last - t->first) / 60e9 : 0;
}

static double per_minute(const struct test *t, uint64_t n)
{
    return minutes(t) > 0 ? (double)n / minutes(t) : 0;
}

static double per_event(const struct cost *c)
{
    return c->events ? (double)c->ns / (double)c->events : 0;
}

static void put_tuples(const struct test *t, uint32_t rule, struct tuple **all)
{
    size_t n = tuples_of(t, rule, all);
    for (size_t i = 0; i < MIN(n, (size_t)TUPLES_SHOWN); i++) {
        const char *tab = strchr(all[i]->text, '\t');
        printf("    %8" PRIu64 "  %.*s", all[i]->count, (int)(tab - all[i]->text), all[i]->text);
        printf(tab[1] ? "  %s\n" : "\n", tab + 1);
    }
    if (n > TUPLES_SHOWN)
        printf("              and %zu other processes and files\n", n - TUPLES_SHOWN);
}

static void put_head(const struct test *t, uint64_t sum)
{
    uint64_t span = t->last - t->first;
    if (span < 2 * RATE_SPAN_MIN)
        printf("%" PRIu64 " alert%s in %.1f seconds\n", sum, sum == 1 ? "" : "s", (double)span / 1e9);
    else
        printf("%" PRIu64 " alert%s in %.1f minutes\n", sum, sum == 1 ? "" : "s", minutes(t));
    printf("  ALERTS%s%s  RULE, and whose processes and files\n", span < RATE_SPAN_MIN ? "" : "    A MINUTE",
           t->costs ? "  NS/EVENT    EVENTS" : "");
}

struct row {
    uint32_t rule;
    uint64_t matches;
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->matches != y->matches)
        return x->matches > y->matches ? -1 : 1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static void put_text(struct test *t, const struct row *rows, size_t n, struct tuple **all)
{
    const struct skep_policy *p = skep_judge_rules(t->judge)->policy;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += rows[i].matches;
    put_head(t, sum);
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].matches && !t->costs)
            continue;
        const struct cost *c = t->costs ? &t->costs[rows[i].rule] : NULL;
        printf("%8" PRIu64, rows[i].matches);
        if (t->last - t->first >= RATE_SPAN_MIN)
            printf("  %10.1f", per_minute(t, rows[i].matches));
        if (c)
            printf("  %8.0f  %8" PRIu64, per_event(c), c->events);
        printf("  %s\n", shown(t, p->rules[rows[i].rule].name));
        put_tuples(t, rows[i].rule, all);
    }
    if (t->whole.events)
        printf("all rules together take %.0f ns for each of the %" PRIu64 " events that some rule is about\n",
               per_event(&t->whole), t->whole.events);
    if (t->tuples_lost)
        printf("%" PRIu64 " alerts had no room in the noise report\n", t->tuples_lost);
}

static void put_json_tuples(const struct test *t, struct skep_json *j, uint32_t rule, struct tuple **all)
{
    size_t n = tuples_of(t, rule, all);
    skep_json_open(j, "noise", '[');
    for (size_t i = 0; i < n; i++) {
        size_t exe = strcspn(all[i]->text, "\t");
        skep_json_open(j, NULL, '{');
        skep_json_u64(j, "count", all[i]->count);
        skep_json_str(j, "process", all[i]->text, exe);
        skep_json_strz(j, "file", all[i]->text[exe + 1] ? all[i]->text + exe + 1 : NULL);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
}

static int put_json(const struct test *t, const struct row *rows, size_t n, struct tuple **all)
{
    const struct skep_policy *p = skep_judge_rules(t->judge)->policy;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_json j;
    skep_strbuf_init(&sb, 256 << 20);
    skep_json_init(&j, &sb);
    skep_json_open(&j, NULL, '{');
    skep_json_u64(&j, "duration_ns", t->last - t->first);
    skep_json_u64(&j, "tuples_lost", t->tuples_lost);
    skep_json_u64(&j, "events", t->whole.events);
    skep_json_f64(&j, "ns_per_event", per_event(&t->whole));
    skep_json_open(&j, "rules", '[');
    for (size_t i = 0; i < n; i++) {
        skep_json_open(&j, NULL, '{');
        skep_json_strz(&j, "rule", p->rules[rows[i].rule].name);
        skep_json_strz(&j, "priority", skep_priority_name(p->rules[rows[i].rule].priority));
        skep_json_u64(&j, "alerts", rows[i].matches);
        if (t->costs) {
            skep_json_f64(&j, "ns_per_event", per_event(&t->costs[rows[i].rule]));
            skep_json_u64(&j, "events", t->costs[rows[i].rule].events);
        }
        put_json_tuples(t, &j, rows[i].rule, all);
        skep_json_close(&j, '}');
    }
    skep_json_close(&j, ']');
    skep_json_close(&j, '}');
    if (sb.failed)
        return -ENOMEM;
    puts(sb.s);
    return 0;
}

static int report(struct test *t, const struct skep_judge_count *counts)
{
    const struct skep_policy *p = skep_judge_rules(t->judge)->policy;
    _cleanup_free_ struct tuple **all = calloc(t->tuples.count + 1, sizeof(struct tuple *));
    _cleanup_free_ struct row *rows = calloc(p->n_rules + 1, sizeof(*rows));
    size_t n = 0;
    if (!all || !rows)
        return -ENOMEM;
    for (uint32_t i = 0; i < p->n_rules; i++)
        if (p->rules[i].state == SKEP_RULE_ENABLED)
            rows[n++] = (struct row){i, counts[i].matches};
    qsort(rows, n, sizeof(*rows), compare_rows);
    if (t->o->json)
        return put_json(t, rows, n, all);
    put_text(t, rows, n, all);
    return 0;
}

/* ---- the run ---- */

static int load_quietly(const struct skep_ruleset_options *o, struct skep_ruleset **ret)
{
    _cleanup_diags_ struct skep_diags diags;
    skep_diags_init(&diags, NULL);
    return skep_ruleset_load(o, &diags, ret);
}

static void calibrate(struct test *t)
{
    uint64_t begin = clock_ns();
    for (int i = 0; i < 1000; i++)
        clock_ns();
    t->overhead = (clock_ns() - begin) / 1000;
}

static int open_costs(struct test *t, const struct skep_ruleset_options *o)
{
    const struct skep_policy *p = skep_judge_rules(t->judge)->policy;
    t->costs = calloc(p->n_rules + 1, sizeof(*t->costs));
    if (!t->costs)
        return -ENOMEM;
    for (uint32_t i = 0; i < p->n_rules; i++) {
        struct skep_ruleset_options only = *o;
        only.only = i + 1;
        int r = p->rules[i].state == SKEP_RULE_ENABLED ? load_quietly(&only, &t->costs[i].rs) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static void test_clear(struct test *t)
{
    struct tuple *tuple;
    size_t at = 0, n = t->judge ? skep_judge_rules(t->judge)->policy->n_rules : 0;
    for (size_t i = 0; t->costs && i < n; i++)
        skep_ruleset_free(t->costs[i].rs);
    free(t->costs);
    skep_ruleset_free(t->whole.rs);
    while ((tuple = skep_hashmap_next(&t->tuples, &at)))
        free(tuple);
    for (size_t i = 0; i < t->n_expected; i++)
        free(t->expected[i].name);
    free(t->expected);
    skep_hashmap_clear(&t->tuples);
    skep_judge_free(t->judge);
    skep_format_free(t->process);
    for (size_t i = 0; i < FILES; i++)
        skep_format_free(t->files[i]);
    skep_strbuf_clear(&t->text);
    skep_strbuf_clear(&t->line);
}

static int open_test(struct test *t, const struct skep_rules_test_options *o)
{
    static const char *const files[FILES] = {"%fd.name", "%fs.path.name", "%fs.path.target"};
    _cleanup_diags_ struct skep_diags diags;
    struct skep_rules_load load;
    struct skep_ruleset *rs;
    skep_diags_init(&diags, NULL);
    skep_hashmap_init(&t->tuples, sizeof(uint64_t), TUPLES_MAX);
    int r = skep_format_new("%proc.exepath", NULL, &diags, &t->process);
    for (size_t i = 0; i < FILES && r >= 0; i++)
        r = skep_format_new(files[i], NULL, &diags, &t->files[i]);
    if (r >= 0)
        r = skep_rules_load_options(&o->rules, &load);
    if (r >= 0) {
        r = skep_rules_load(&load.options, &rs);
        if (r >= 0)
            r = skep_judge_new(rs, on_alert, t, &t->judge);
        if (r >= 0)
            r = load_quietly(&load.options, &t->whole.rs);
        if (r >= 0 && o->cost)
            r = open_costs(t, &load.options);
        calibrate(t);
        skep_rules_load_clear(&load);
    }
    return r;
}

static int run_test(struct test *t, struct skep_replay_source *source)
{
    struct skep_scope scope = source->head.scope;
    struct skep_pipeline pipeline;
    struct skep_pipeline_ops ops = {.judge = on_event, .judge_data = t};
    memset(scope.kinds, 0, sizeof(scope.kinds));
    int r = skep_pipeline_init(&pipeline, source->schema, &source->head.session, &scope, &ops);
    if (r < 0)
        return r;
    pipeline.procs.keep_env = skep_judge_rules(t->judge)->wants_environ;
    skep_replay_source_feed(source, &pipeline, NULL, NULL);
    skep_pipeline_clear(&pipeline);
    const char *fault;
    if (skep_judge_faults(t->judge, &fault))
        skep_log(SKEP_LOG_ERROR, "a rule program ended with an error: %s", fault);
    struct skep_judge_count *counts = NULL;
    size_t n = 0;
    r = skep_judge_counts(t->judge, &counts, &n);
    if (r >= 0)
        r = report(t, counts);
    if (r >= 0 && t->o->expect)
        r = check_expectations(t, counts, n);
    skep_judge_counts_free(counts, n);
    if (r >= 0 && *skep_recording_damage(source->rec))
        r = MAX(r, SKEP_EXIT_FAILED);
    return r;
}

int skep_rules_test_run(const struct skep_rules_test_options *o)
{
    _cleanup_replay_source_ struct skep_replay_source source = {0};
    struct test t = {0};
    t.o = o;
    skep_strbuf_init(&t.text, 1 << 20);
    skep_strbuf_init(&t.line, 1 << 20);
    int r = o->expect ? read_expectations(&t) : SKEP_EXIT_OK;
    if (r == SKEP_EXIT_OK)
        r = skep_replay_source_open(o->recording, &source);
    if (r == SKEP_EXIT_OK) {
        r = open_test(&t, o);
        if (r >= 0)
            r = run_test(&t, &source);
        else if (r == -EINVAL)
            r = SKEP_EXIT_FAILED; /* the diagnostics are out */
    }
    test_clear(&t);
    return r;
}
