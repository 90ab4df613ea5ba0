/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/view.h"

#include "agent/head.h"
#include "agent/rules/where.h"
#include "agent/schema.h"
#include "base/clock.h"
#include "base/log.h"
#include "event/recorder.h"
#include "export/json.h"
#include "export/output.h"
#include "export/sort.h"
#include "export/table.h"
#include "export/tally.h"
#include "export/text.h"

#include <inttypes.h>
#include <sys/wait.h>

#define LINE_MAX_BYTES (4u << 20)
#define ALERT_KIND (SKEP_KIND_MAX - 1) /* lines of alerts in the output's account; no event has this number */
#define FINISH_NS 3000000000ULL        /* for a reader that is slow to take the last lines */
#define GIVE_WAY_NS 5000000ULL /* for an output that needs our processor: much less than fills a ring */
#define PATIENCE_NS 1000000000ULL

struct skep_view_state {
    const struct skep_agent_options *o;
    const struct skep_schema *schema;
    const struct skep_session *session;
    const char *names[SKEP_KIND_MAX];
    bool kinds[SKEP_KIND_MAX];
    int fd;
    struct skep_output *output;
    struct skep_recorder *recorder;
    uint64_t early[SKEP_KIND_MAX]; /* records that the recorder got before their events were shown */
    struct skep_json_writer *json;
    struct skep_json_memo *memo;
    struct skep_text_writer *text;
    struct skep_table *table;
    struct skep_tally *tally;
    struct skep_sort *sort;
    struct skep_where *where;
    bool header_put;
    unsigned width;      /* of the terminal that the table is on; 0: it is on none */
    bool shows_events;   /* else there are only alerts, whose readers expect nothing else on the output */
    bool behind;         /* the output is, ... */
    bool stuck;          /* ... and it was waited for in vain */
    uint64_t next_tally; /* when a terminal shows the counts again */
    struct skep_linebatch batch; /* lines of events that are not in the queue yet */
    struct skep_strbuf line;
    struct skep_strbuf status;
    uint64_t began, last_status, last_received;
    uint64_t alerts;      /* that were put out */
    uint64_t alerts_lost; /* complete at the end */
    uint64_t kept;        /* dns events that are not shown, but recorded for their names */
};

struct skep_view_state *skep_view_free(struct skep_view_state *v)
{
    if (!v)
        return NULL;
    skep_output_free(v->output);
    skep_recorder_free(v->recorder);
    skep_json_writer_free(v->json);
    skep_json_memo_free(v->memo);
    skep_text_writer_free(v->text);
    skep_table_free(v->table);
    skep_tally_free(v->tally);
    skep_sort_free(v->sort);
    skep_where_free(v->where);
    skep_linebatch_clear(&v->batch);
    skep_strbuf_clear(&v->line);
    skep_strbuf_clear(&v->status);
    skep_fd_close(v->fd);
    free(v);
    return NULL;
}

static const char *output_path(const struct skep_agent_options *o)
{
    if (o->output_path)
        return o->output_path;
    /* who shows nothing need not have a standard output; but of a reader of the recording we want to know that he went */
    bool needs = o->view != SKEP_VIEW_NONE || (o->record_path && skep_streq(o->record_path, "-"));
    return needs ? "-" : "/dev/null";
}

static int open_output(struct skep_view_state *v)
{
    struct skep_output_options options = {.status_fd = STDERR_FILENO, .status = true};
    int r = skep_output_open(output_path(v->o), &v->fd);
    if (r < 0)
        return skep_log_error(r, "cannot open %s: %s",
                              v->o->output_path ? v->o->output_path : "standard output", strerror(-r));
    r = skep_output_new(v->fd, &options, &v->output);
    return r < 0 ? skep_log_error(r, "cannot start the output: %s", strerror(-r)) : 0;
}

/* What a parser said about an option goes to the operator as it is. */
static int complain(int r, const struct skep_diags *d, const char *source)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    if (r < 0) {
        skep_diags_put_text(d, source, &sb);
        fputs(sb.s, stderr);
    }
    return r;
}

static int make_where(struct skep_view_state *v, const struct skep_where_text *texts, size_t n)
{
    const struct skep_agent_options *o = v->o;
    struct skep_where_options options = {.kinds = o->kinds && o->rules.off ? v->kinds : NULL,
                                         .live = !o->replay_path,
                                         .no_pushdown = o->rules.no_pushdown,
                                         .interpret = o->rules.interpret};
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_diags_init(&d, "--where");
    skep_strbuf_init(&sb, 1 << 20);
    int r = skep_where_new(v->schema, texts, n, &options, &d, &v->where);
    skep_diags_put_text(&d, NULL, &sb);
    fputs(sb.s, stderr);
    return r;
}

static int open_where(struct skep_view_state *v)
{
    const struct skep_agent_options *o = v->o;
    size_t n = 0;
    _cleanup_free_ struct skep_where_text *texts = calloc(o->where.n + 1, sizeof(*texts));
    if (!texts)
        return -ENOMEM;
    if (o->where_recorded)
        texts[n++] = (struct skep_where_text){o->replay_path, o->where_recorded};
    for (size_t i = 0; i < o->where.n; i++)
        texts[n++] = (struct skep_where_text){"--where", o->where.s[i]};
    return n ? make_where(v, texts, n) : 0;
}

/* As one condition, for the head of a recording. */
static void put_where(const struct skep_strings *where, struct skep_strbuf *sb)
{
    for (size_t i = 0; i < where->n; i++)
        skep_strbuf_printf(sb, where->n > 1 ? "%s(%s)" : "%s%s", i ? " and " : "", where->s[i]);
}

static int open_table(struct skep_view_state *v)
{
    _cleanup_diags_ struct skep_diags d;
    v->width = skep_terminal_is(v->fd) ? skep_terminal_width(v->fd) : 0;
    struct skep_table_options options = {
        .size = sizeof(options),
        .columns = v->o->columns,
        .width = v->width,
        .colour = skep_terminal_wants_color(v->o->color, v->fd),
    };
    skep_diags_init(&d, "--columns");
    return complain(skep_table_new(v->schema, v->kinds, &options, &d, &v->table), &d, v->o->columns);
}

static int open_sort(struct skep_view_state *v)
{
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf by;
    skep_diags_init(&d, "--sort");
    skep_strbuf_init(&by, 4096);
    if (!v->o->sort)
        return 0;
    skep_strbuf_puts(&by, v->o->sort[0] == '-' ? v->o->sort + 1 : v->o->sort);
    if (v->o->sort[0] == '-')
        skep_strbuf_puts(&by, ",desc");
    return complain(skep_sort_new(v->schema, v->kinds, by.s, &d, &v->sort), &d, by.s);
}

static int open_tally(struct skep_view_state *v)
{
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, "--count-by");
    if (!v->o->count_by)
        return 0;
    return complain(skep_tally_new(v->schema, v->kinds, v->o->count_by, &d, &v->tally), &d, v->o->count_by);
}

static int open_writers(struct skep_view_state *v)
{
    int r = open_tally(v);
    if (r >= 0)
        r = open_sort(v);
    if (r < 0)
        return r;
    switch (v->o->view) {
    case SKEP_VIEW_JSON:
        r = skep_json_memo_new(&v->memo);
        return r < 0 ? r : skep_json_writer_new(v->schema, &v->json);
    case SKEP_VIEW_TABLE:
        return open_table(v);
    default:
        return skep_text_writer_new(v->schema, skep_terminal_wants_color(v->o->color, v->fd), &v->text);
    }
}

static int open_recorder(struct skep_view_state *v, const struct skep_scope *scope)
{
    _cleanup_strbuf_ struct skep_strbuf head, where;
    _cleanup_layouts_ struct skep_layouts *layouts = NULL;
    _cleanup_close_ int fd = -1;
    skep_strbuf_init(&head, SKEP_RECORDING_HEAD_MAX);
    skep_strbuf_init(&where, SKEP_RECORDING_HEAD_MAX);
    if (!v->o->record_path)
        return 0;
    put_where(&v->o->where, &where);
    skep_head_put(v->session, scope, where.len ? where.s : NULL, v->schema, &head);
    int r = skep_agent_layouts(&layouts);
    if (r < 0)
        return r;
    r = head.failed || where.failed ? -ENOMEM : skep_recorder_open_file(v->o->record_path, &fd);
    if (r >= 0)
        r = skep_recorder_new(TAKE_FD(fd), head.s, head.len, layouts, &v->recorder);
    return r < 0 ? skep_log_error(r == -EINVAL ? -EIO : r, "cannot record to %s: %s", v->o->record_path,
                                  strerror(-r))
                 : 0;
}

static void hand_over(struct skep_view_state *v)
{
    if (v->batch.n == 0)
        return;
    v->behind = skep_output_put_batch(v->output, &v->batch);
    v->stuck &= v->behind;
}

/* Behind those that came before it. */
static void put_line(struct skep_view_state *v, unsigned kind, const char *s, size_t n)
{
    hand_over(v);
    skep_output_put(v->output, kind, true, s, n);
}

/* Lines that are no events carry the kind 0. */
static void put_plain(struct skep_view_state *v, const char *s, size_t n)
{
    while (n) {
        size_t len = strcspn(s, "\n");
        put_line(v, 0, s, len);
        size_t step = MIN(n, len + 1);
        s += step;
        n -= step;
    }
}

static void put_header(struct skep_view_state *v)
{
    if (!v->table || v->tally || v->header_put)
        return;
    v->header_put = true;
    skep_strbuf_reset(&v->line);
    skep_table_put_header(v->table, &v->line);
    put_plain(v, v->line.s, v->line.len);
}

int skep_view_open(const struct skep_agent_options *o, const struct skep_schema *schema,
                   const struct skep_scope *scope, const struct skep_session *session,
                   struct skep_view_state **ret, int *ret_status)
{
    _cleanup_view_ struct skep_view_state *v = calloc(1, sizeof(*v));
    *ret_status = SKEP_EXIT_FAILED;
    if (!v)
        return -ENOMEM;
    v->o = o;
    v->schema = schema;
    v->session = session;
    v->fd = -1;
    v->began = v->last_status = skep_clock_boot_ns();
    memcpy(v->kinds, scope->kinds, sizeof(v->kinds));
    skep_linebatch_init(&v->batch, LINE_MAX_BYTES);
    skep_strbuf_init(&v->line, LINE_MAX_BYTES);
    skep_strbuf_init(&v->status, 4096);
    for (unsigned i = 0; i < SKEP_KIND_MAX; i++) {
        const struct skep_kind *kind = skep_schema_kind(schema, i);
        v->names[i] = kind ? kind->name : NULL;
        v->shows_events |= v->kinds[i];
    }
    int r = open_where(v);
    if (r >= 0)
        r = open_output(v);
    if (r >= 0)
        r = open_writers(v);
    if (r >= 0)
        r = open_recorder(v, scope);
    if (r == -EINVAL)
        *ret_status = SKEP_EXIT_USAGE;
    if (r < 0)
        return r;
    *ret = TAKE_PTR(v);
    return 0;
}

/* ---- events ---- */

/* So that a replay knows the same names. */
static void keep_names(struct skep_view_state *v, const struct skep_event *ev)
{
    if (!v->recorder || ev->recorded || !skep_view_learns(v) || ev->h->kind != SKEP_KIND_dns)
        return;
    skep_recorder_put(v->recorder, ev->h);
    v->kept++;
}

enum skep_verdict skep_view_event(void *data, const struct skep_event *ev)
{
    struct skep_view_state *v = data;
    if (!skep_view_admits(v, ev)) {
        keep_names(v, ev);
        return SKEP_VERDICT_FILTERED;
    }
    /* what feeds the tables was recorded before it got here, and what waited */
    bool streamed = ev->kind->ring == SKEP_RING_DATA && !ev->recorded;
    if (v->recorder && streamed)
        skep_recorder_put(v->recorder, ev->h);
    if (v->o->view == SKEP_VIEW_NONE)
        return v->recorder && streamed ? SKEP_VERDICT_QUEUED : SKEP_VERDICT_EMITTED;
    put_header(v);
    if (v->tally) {
        skep_tally_add(v->tally, ev);
        return SKEP_VERDICT_EMITTED;
    }
    struct skep_strbuf *line = v->sort ? &v->line : &v->batch.text;
    if (v->sort)
        skep_strbuf_reset(line);
    if (v->json)
        skep_json_writer_put(v->json, v->memo, line, ev);
    else if (v->table)
        skep_table_put_row(v->table, line, ev);
    else
        skep_text_writer_put(v->text, line, ev);
    if (v->sort)
        return skep_sort_add(v->sort, ev, line->s, line->len) < 0 ? SKEP_VERDICT_NO_MEMORY
                                                                  : SKEP_VERDICT_EMITTED;
    if (!skep_linebatch_end(&v->batch, ev->h->kind))
        return SKEP_VERDICT_NO_MEMORY;
    if (skep_linebatch_is_full(&v->batch))
        hand_over(v);
    if (v->o->replay_path) /* here as well: one record may let go many events that were held back */
        skep_view_wait_for_room(v);
    return SKEP_VERDICT_QUEUED;
}

bool skep_view_admits(const struct skep_view_state *v, const struct skep_event *ev)
{
    return !v->where || skep_where_match(v->where, ev);
}

const struct skep_ruleset *skep_view_where(const struct skep_view_state *v)
{
    return v->where ? skep_where_rules(v->where) : NULL;
}

bool skep_view_learns(const struct skep_view_state *v)
{
    return v->where && skep_where_wants_names(v->where);
}

size_t skep_view_learn(void *data, const struct skep_event *ev)
{
    struct skep_view_state *v = data;
    if (v->where)
        skep_where_learn(v->where, ev);
    if (!v->kinds[ev->h->kind])
        keep_names(v, ev);
    return 0;
}

void skep_view_keep(struct skep_view_state *v, const struct skep_event *ev)
{
    bool kept = ev->recorded || (ev->h->kind == SKEP_KIND_dns && skep_view_learns(v));
    if (v->recorder && !kept && !v->kinds[ev->h->kind] && ev->kind->ring == SKEP_RING_DATA)
        skep_recorder_put(v->recorder, ev->h);
}

/* The word behind the time: 12:34:56.123456789: Warning ... */
static void put_colored(struct skep_view_state *v, unsigned priority, const struct skep_strbuf *line)
{
    static const char *const colors[] = {"\033[1;31m", "\033[1;31m", "\033[1;31m",
                                         "\033[31m",   "\033[33m",   "\033[36m"};
    const char *word = strstr(line->s, ": ");
    size_t at = word ? (size_t)(word + 2 - line->s) : 0, n = strcspn(line->s + at, " ");
    skep_strbuf_reset(&v->line);
    skep_strbuf_puts(&v->line, "\033[2m");
    skep_strbuf_put(&v->line, line->s, at);
    skep_strbuf_puts(&v->line, "\033[0m");
    skep_strbuf_puts(&v->line, priority < ARRAY_SIZE(colors) ? colors[priority] : "");
    skep_strbuf_put(&v->line, line->s + at, n);
    skep_strbuf_puts(&v->line, "\033[0m");
    skep_strbuf_put(&v->line, line->s + at + n, line->len - at - n);
    put_line(v, ALERT_KIND, v->line.s, v->line.len);
}

void skep_view_alert(struct skep_view_state *v, unsigned priority, const struct skep_strbuf *line)
{
    v->alerts++;
    if (v->text && skep_terminal_wants_color(v->o->color, v->fd))
        put_colored(v, priority, line);
    else
        put_line(v, ALERT_KIND, line->s, line->len);
}

void skep_view_record(void *data, const struct skep_hdr *h)
{
    struct skep_view_state *v = data;
    if (!v->recorder)
        return;
    skep_recorder_put(v->recorder, h);
    v->early[h->kind]++;
}

/* ---- what the operator is told ---- */

void skep_view_message(struct skep_view_state *v, const char *text)
{
    struct skep_strbuf *sb = &v->status;
    skep_strbuf_reset(sb);
    skep_strbuf_printf(sb, "skep: %s", text);
    skep_output_message(v->output, sb->s);
}

static bool is_lsm(const struct skep_program *p)
{
    return skep_startswith(p->section, "lsm");
}

/* Another implementation of the same sensor works. */
static bool has_stand_in(const struct skep_program *programs, size_t n, const struct skep_program *p)
{
    for (size_t i = 0; i < n; i++)
        if (skep_streq(programs[i].sensor, p->sensor) &&
            (programs[i].state == SKEP_PROGRAM_LOADED || programs[i].state == SKEP_PROGRAM_ATTACHED))
            return true;
    return false;
}

void skep_view_started(struct skep_view_state *v, const struct skep_program *programs, size_t n)
{
    size_t attached = 0, failed = 0;
    bool lsm = false;
    put_header(v);
    char text[1024];
    for (size_t i = 0; i < n; i++) {
        attached += programs[i].state == SKEP_PROGRAM_ATTACHED;
        failed += programs[i].state == SKEP_PROGRAM_FAILED && !has_stand_in(programs, n, &programs[i]);
        lsm |= is_lsm(&programs[i]) && programs[i].state == SKEP_PROGRAM_ATTACHED;
    }
    int len =
        snprintf(text, sizeof(text), "%zu sensors attached on Linux %s; every event is seen, exec can be %s",
                 attached, v->session->kernel, lsm ? "denied" : "killed but not denied");
    if (failed)
        snprintf(text + len, sizeof(text) - (size_t)len, "; %zu not available here (skep probe tells why)",
                 failed);
    skep_view_message(v, text);
}

void skep_view_lost_life(struct skep_view_state *v, uint64_t n)
{
    char text[160];
    snprintf(text, sizeof(text),
             "warning: %" PRIu64 " life cycle events were lost; the process table will be read again", n);
    skep_view_message(v, text);
    if (!v->json)
        return;
    snprintf(text, sizeof(text), "{\"kind\":\"lost\",\"ring\":\"life\",\"count\":%" PRIu64 "}", n);
    put_line(v, 0, text, strlen(text));
}

void skep_view_command_ended(struct skep_view_state *v, const char *name, int status)
{
    char text[300];
    if (WIFSIGNALED(status))
        snprintf(text, sizeof(text), "%.200s was ended by signal %d", name, WTERMSIG(status));
    else
        snprintf(text, sizeof(text), "%.200s ended with status %d", name, WEXITSTATUS(status));
    skep_view_message(v, text);
}

/* The terminal may have got another width: from here on rows fit that, under a header that does. */
static void follow_width(struct skep_view_state *v)
{
    if (!v->table || !v->width || v->sort) /* rows that are sorted have been made already */
        return;
    unsigned width = skep_terminal_width(v->fd);
    if (width == v->width)
        return;
    v->width = width;
    skep_table_set_width(v->table, width);
    v->header_put = false;
    put_header(v);
}

void skep_view_status(struct skep_view_state *v, const struct skep_pipeline *p, const struct skep_kernel *k)
{
    uint64_t now = skep_clock_boot_ns(), received = 0;
    struct skep_strbuf *sb = &v->status;
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        received += p->received[i];
    double seconds = (double)(now - v->last_status) / 1e9;
    follow_width(v);
    skep_strbuf_reset(sb);
    skep_strbuf_printf(sb, "skep  %.0f events/s  %zu processes  running ",
                       seconds > 0 ? (double)(received - v->last_received) / seconds : 0.0,
                       p->procs.by_id.count);
    skep_duration_put(sb, now - v->began);
    if (skep_kernel_life_lost(k))
        skep_strbuf_printf(sb, "  %" PRIu64 " life cycle events lost", skep_kernel_life_lost(k));
    v->last_received = received;
    v->last_status = now;
    skep_output_status(v->output, sb->s);
    if (v->recorder)
        skep_recorder_flush(v->recorder);
}

void skep_view_give_way(struct skep_view_state *v)
{
    if (v->behind && !v->stuck)
        v->stuck = skep_output_await(v->output, GIVE_WAY_NS) == -ETIMEDOUT;
    v->behind = false;
}

bool skep_view_wait_for_room(struct skep_view_state *v)
{
    while (v->behind)
        v->behind = skep_output_await(v->output, PATIENCE_NS) == -ETIMEDOUT;
    return !skep_output_broken(v->output);
}

int skep_view_parse_ledger(const struct skep_view_state *v, const char *s, size_t n, struct skep_ledger *ret)
{
    return skep_ledger_parse_json(ret, v->names, s, n);
}

void skep_view_flush(struct skep_view_state *v)
{
    hand_over(v);
    skep_output_flush(v->output);
}

int skep_view_broken_fd(const struct skep_view_state *v)
{
    return skep_output_broken_fd(v->output);
}

/* ---- the end ---- */

static void add_output_counts(struct skep_view_state *v, struct skep_ledger *l)
{
    struct skep_output_counts counts[SKEP_KIND_MAX];
    skep_output_counts(v->output, counts);
    v->alerts_lost = counts[ALERT_KIND].queue_full + counts[ALERT_KIND].write_failed;
    for (size_t i = 1; i < ALERT_KIND; i++) {
        l->rows[i].emitted += counts[i].written;
        l->rows[i].lost[SKEP_LOST_queue_full] += counts[i].queue_full;
        l->rows[i].lost[SKEP_LOST_write_failed] += counts[i].write_failed;
    }
}

static void put_ledger_line(struct skep_view_state *v, const struct skep_ledger *l)
{
    skep_strbuf_reset(&v->line);
    skep_ledger_put_json(l, v->names, &v->line);
    put_line(v, 0, v->line.s, v->line.len);
}

/* What could only be shown when all was known. */
static void put_tables(struct skep_view_state *v)
{
    size_t at = 0, n;
    const char *line;
    put_header(v);
    if (v->tally) {
        skep_strbuf_reset(&v->line);
        if (v->json)
            skep_tally_put_json(v->tally, &v->line);
        else
            skep_tally_put_text(v->tally, &v->line, 0, 0);
        put_plain(v, v->line.s, v->line.len);
    }
    if (!v->sort)
        return;
    skep_sort_finish(v->sort);
    while ((line = skep_sort_next(v->sort, &at, &n)))
        put_line(v, 0, line, n);
}

/* Who reads a replay may take its time: nothing happens meanwhile. A year, as good as any. */
static uint64_t patience(const struct skep_view_state *v)
{
    return v->o->replay_path ? 365 * 86400 * 1000000000ULL : FINISH_NS;
}

/* Lines that are given up count as lost, so that the ledger closes also when nobody reads. */
static int settle_output(struct skep_view_state *v)
{
    hand_over(v);
    int r = skep_output_drain(v->output, patience(v));
    if (r == -ETIMEDOUT) {
        skep_view_message(
            v, "warning: the reader of the output does not take the last lines; they count as lost");
        skep_output_finish(v->output, 0);
    }
    return r;
}

/* Without a view the recording is the output, and the ledger counts what became of it. Records of the life cycle, and those
 * that waited, are in it whether they were in scope or not; a lost one counts against those that were. */
static void add_recorder_counts(struct skep_view_state *v, struct skep_ledger *l)
{
    struct skep_recorder_counts counts[SKEP_KIND_MAX];
    uint64_t lost = 0;
    skep_recorder_drain(v->recorder, FINISH_NS);
    skep_recorder_counts(v->recorder, counts);
    for (unsigned i = 0; i < SKEP_KIND_MAX; i++) {
        const struct skep_kind *kind = skep_schema_kind(v->schema, i);
        struct skep_ledger_row *row = &l->rows[i];
        uint64_t full = counts[i].queue_full, failed = counts[i].write_failed;
        lost += full + failed;
        if (v->o->view != SKEP_VIEW_NONE || !kind)
            continue;
        row->emitted += counts[i].put - v->early[i];
        if (i == SKEP_KIND_dns)
            row->emitted -= v->kept; /* counted as filtered */
        full = MIN(full, row->emitted);
        row->emitted -= full;
        failed = MIN(failed, row->emitted);
        row->emitted -= failed;
        row->lost[SKEP_LOST_queue_full] += full;
        row->lost[SKEP_LOST_write_failed] += failed;
    }
    if (lost)
        skep_log(SKEP_LOG_WARNING, "%" PRIu64 " records are missing in %s", lost, v->o->record_path);
}

static int finish_recorder(struct skep_view_state *v, const struct skep_ledger *l)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, SKEP_RECORDING_BLOCK_MAX);
    skep_ledger_put_json(l, v->names, &sb);
    int r = skep_recorder_finish(v->recorder, sb.s, sb.len, FINISH_NS);
    if (r >= 0)
        r = skep_recorder_error(v->recorder);
    return r < 0 ? skep_log_error(r, "the recording %s is not complete: %s", v->o->record_path, strerror(-r))
                 : 0;
}

static uint64_t queue_full(const struct skep_ledger *l)
{
    uint64_t n = 0;
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        n += l->rows[i].lost[SKEP_LOST_queue_full];
    return n;
}

int skep_view_finish(struct skep_view_state *v, struct skep_pipeline *p, struct skep_ledger *recorded)
{
    int status = SKEP_EXIT_OK;
    skep_output_status(v->output, NULL);
    put_tables(v);
    bool heard = settle_output(v) >= 0;
    add_output_counts(v, &p->ledger);
    if (v->recorder)
        add_recorder_counts(v, &p->ledger);
    if (recorded)
        skep_ledger_narrow(recorded, &p->ledger);
    const struct skep_ledger *l = recorded ? recorded : &p->ledger;
    if (v->recorder && finish_recorder(v, l) < 0)
        status = SKEP_EXIT_FAILED;
    bool as_json = v->json && heard && v->shows_events;
    if (as_json) {
        put_ledger_line(v, l);
    } else {
        skep_strbuf_reset(&v->line);
        skep_ledger_put_text(l, v->names, &v->line);
    }
    skep_output_finish(v->output, patience(v));
    if (!as_json)
        fputs(v->line.s, stderr);
    const struct skep_ruleset *where = skep_view_where(v);
    if (where && where->faults) {
        skep_log(SKEP_LOG_ERROR, "--where could not be asked about %" PRIu64 " events: %s", where->faults,
                 where->fault);
        status = SKEP_EXIT_FAILED;
    }
    int r = skep_output_first_error(v->output);
    if (recorded && queue_full(&p->ledger)) { /* their own ledger does not know */
        skep_log(SKEP_LOG_ERROR, "%" PRIu64 " lines were lost: the output did not take them in time",
                 queue_full(&p->ledger));
        status = SKEP_EXIT_FAILED;
    }
    if (v->alerts_lost && r != -EPIPE) { /* the ledger is about events */
        skep_log(SKEP_LOG_ERROR, "%" PRIu64 " of %" PRIu64 " alerts were lost: the output did not take them",
                 v->alerts_lost, v->alerts);
        status = SKEP_EXIT_FAILED;
    }
    if (r < 0 && r != -EPIPE) {
        skep_log(SKEP_LOG_ERROR, "some lines could not be written: %s", strerror(-r));
        status = SKEP_EXIT_FAILED;
    }
    return status;
}
