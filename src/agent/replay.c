/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/replay.h"

#include "agent/head.h"
#include "agent/rules/where.h"
#include "agent/schema.h"
#include "agent/select.h"
#include "agent/view.h"
#include "base/log.h"
#include "event/recording.h"

static void narrow(struct skep_scope *s, const struct skep_scope *by)
{
    s->flags |= by->flags;
    if (by->flags & SKEP_SCOPE_UID)
        s->uid = by->uid;
    if (by->flags & SKEP_SCOPE_COMM)
        memcpy(s->comm, by->comm, sizeof(s->comm));
    if (by->container)
        s->container = by->container;
    s->root = by->root;
    s->root_late = by->root != 0;
}

/* A recording of somebody else's, or of an older skep, may have a condition that cannot be read: what was recorded met it,
 * but for the life cycle of processes, which is always recorded. */
static bool is_readable(const struct skep_schema *schema, const char *path, const char *where)
{
    struct skep_where_text text = {path, where};
    struct skep_where_options o = {.no_pushdown = true, .interpret = true};
    _cleanup_where_ struct skep_where *w = NULL;
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_diags_init(&d, path);
    skep_strbuf_init(&sb, 1 << 20);
    if (skep_where_new(schema, &text, 1, &o, &d, &w) >= 0)
        return true;
    skep_diags_put_text(&d, NULL, &sb);
    fputs(sb.s, stderr);
    skep_log(
        SKEP_LOG_WARNING,
        "%s: the condition that it was recorded with cannot be read: of the life cycle of processes more is "
        "shown than was",
        path);
    return false;
}

/* What the recording holds and was not shown, or should hold and does not. */
static void tell_notices(const struct skep_recording *rec, const char *path)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    skep_recording_put_notices(rec, &sb);
    for (char *at = sb.s, *end; (end = strchr(at, '\n')); at = end + 1)
        skep_log(SKEP_LOG_WARNING, "%s: %.*s", path, (int)(end - at), at);
}

void skep_replay_source_feed(struct skep_replay_source *s, struct skep_pipeline *p, bool (*go_on)(void *data),
                             void *data)
{
    const struct skep_hdr *h;
    int r;
    while ((r = skep_recording_next(s->rec, &h)) > 0) {
        p->ledger.rows[h->kind & (SKEP_KIND_MAX - 1)].seen++;
        skep_pipeline_take(p, h, h->len);
        if (go_on && !go_on(data))
            break;
    }
    skep_pipeline_settle(p);
    if (r < 0)
        skep_log(SKEP_LOG_WARNING, "%s: %s; what stands before was shown", s->path,
                 skep_recording_damage(s->rec));
    tell_notices(s->rec, s->path);
}

void skep_replay_source_clear(struct skep_replay_source *s)
{
    skep_head_clear(&s->head);
    s->rec = skep_recording_free(s->rec);
    s->layouts = skep_layouts_free(s->layouts);
    s->schema = skep_schema_free(s->schema);
}

int skep_replay_source_open(const char *path, struct skep_replay_source *ret)
{
    _cleanup_replay_source_ struct skep_replay_source s = {.path = path};
    char reason[512];
    size_t size;
    int r = skep_agent_schema(&s.schema);
    if (r >= 0)
        r = skep_agent_layouts(&s.layouts);
    if (r < 0)
        return SKEP_EXIT_FAILED;
    r = skep_recording_open(path, s.layouts, &s.rec, reason, sizeof(reason));
    if (r < 0) {
        skep_log(SKEP_LOG_ERROR, "%s: %s", path, reason);
        return SKEP_EXIT_USAGE;
    }
    const char *json = skep_recording_json(s.rec, &size);
    r = skep_head_parse(json, size, s.schema, &s.head);
    if (r < 0) {
        skep_log(SKEP_LOG_ERROR, "%s: its description of the session is damaged", path);
        return SKEP_EXIT_FAILED;
    }
    *ret = s;
    s = (struct skep_replay_source){0};
    return SKEP_EXIT_OK;
}

static bool has_room(void *data)
{
    return skep_view_wait_for_room(data);
}

static int replay(const struct skep_agent_options *o, struct skep_replay_source *source)
{
    const struct skep_head *head = &source->head;
    const struct skep_schema *schema = source->schema;
    _cleanup_view_ struct skep_view_state *view = NULL;
    struct skep_agent_options asked = *o;
    struct skep_scope scope = head->scope, given;
    struct skep_pipeline pipeline;
    struct skep_ledger ledger;
    int status = SKEP_EXIT_FAILED;
    bool kinds[SKEP_KIND_MAX];
    if (skep_select_scope(o, head->scope.kinds, &given) < 0)
        return SKEP_EXIT_USAGE;
    narrow(&scope, &given);
    if (o->kinds) {
        if (skep_select_kinds(o, schema, kinds) < 0)
            return SKEP_EXIT_USAGE;
        memcpy(scope.kinds, kinds, sizeof(kinds));
    }
    if (head->where && is_readable(schema, o->replay_path, head->where))
        asked.where_recorded = head->where;
    int r = skep_view_open(&asked, schema, &scope, &head->session, &view, &status);
    if (r < 0)
        return status;
    struct skep_pipeline_ops ops = {.event = skep_view_event,
                                    .data = view,
                                    .judge = skep_view_learns(view) ? skep_view_learn : NULL,
                                    .judge_data = view};
    r = skep_pipeline_init(&pipeline, schema, &head->session, &scope, &ops);
    if (r < 0)
        return r;
    const struct skep_ruleset *asks = skep_view_where(view);
    pipeline.procs.keep_env = asks && asks->wants_environ;
    skep_replay_source_feed(source, &pipeline, has_room, view);
    if (scope.root && !pipeline.root_found)
        skep_log(SKEP_LOG_WARNING, "%s: there is no process %u in it", source->path, scope.root);
    size_t n;
    const char *text = skep_recording_ledger(source->rec, &n);
    bool whole = text && skep_view_parse_ledger(view, text, n, &ledger) >= 0;
    status = skep_view_finish(view, &pipeline, whole ? &ledger : NULL);
    skep_pipeline_clear(&pipeline);
    return *skep_recording_damage(source->rec) ? SKEP_EXIT_FAILED : status;
}

int skep_replay_run(const struct skep_agent_options *o)
{
    _cleanup_replay_source_ struct skep_replay_source source = {0};
    int r = skep_replay_source_open(o->replay_path, &source);
    return r ? r : replay(o, &source);
}
