/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/replay.h"

#include "agent/head.h"
#include "agent/schema.h"
#include "agent/select.h"
#include "agent/view.h"
#include "base/log.h"
#include "event/recording.h"

#define CHECK_OUTPUT_EVERY 128 /* records */

/* The tables read life cycle records through this build's structs. */
static int check_layouts(const struct skep_schema *file, const char *path)
{
    _cleanup_schema_ struct skep_schema *own = NULL;
    int r = skep_agent_schema(&own);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < SKEP_KIND_MAX; i++) {
        const struct skep_kind *ours = skep_schema_kind(own, i), *theirs = skep_schema_kind(file, i);
        if (!ours || !theirs || ours->ring != SKEP_RING_LIFE || skep_kind_same_layout(ours, theirs))
            continue;
        skep_log(SKEP_LOG_ERROR,
                 "%s was made by a version of skep whose records of the kind %s are laid out differently; replay it with "
                 "that version",
                 path, ours->name);
        return -EBADMSG;
    }
    return 0;
}

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
}

/* Both conditions have to hold. */
static char *join_where(const char *recorded, const char *given)
{
    char *both;
    if (!recorded || !given)
        return recorded || given ? strdup(recorded ? recorded : given) : NULL;
    return asprintf(&both, "%s and %s", recorded, given) < 0 ? NULL : both;
}

static void feed(struct skep_recording *rec, struct skep_pipeline *p, struct skep_view_state *view, const char *path)
{
    const struct skep_hdr *h;
    size_t size, n = 0;
    int r;
    while ((r = skep_recording_next(rec, &h, &size)) > 0) {
        p->ledger.rows[h->kind & (SKEP_KIND_MAX - 1)].seen++;
        skep_pipeline_take(p, h, size);
        if (++n % CHECK_OUTPUT_EVERY == 0 && !skep_view_wait_for_room(view))
            break;
    }
    skep_pipeline_settle(p);
    if (r < 0)
        skep_log(SKEP_LOG_WARNING, "%s: %s; what stands before was shown", path, skep_recording_damage(rec));
}

static int replay(const struct skep_agent_options *o, struct skep_recording *rec, const struct skep_schema *schema,
                  const struct skep_head *head)
{
    _cleanup_view_ struct skep_view_state *view = NULL;
    _cleanup_free_ char *where = join_where(head->where, o->where);
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
    asked.where = where;
    int r = skep_view_open(&asked, schema, &scope, &head->session, &view, &status);
    if (r < 0)
        return status;
    struct skep_pipeline_ops ops = {.event = skep_view_event, .data = view};
    r = skep_pipeline_init(&pipeline, schema, &head->session, &scope, &ops);
    if (r < 0)
        return r;
    feed(rec, &pipeline, view, o->replay_path);
    size_t n;
    const char *text = skep_recording_ledger(rec, &n);
    bool whole = text && skep_view_parse_ledger(view, text, n, &ledger) >= 0;
    status = skep_view_finish(view, &pipeline, whole ? &ledger : NULL);
    skep_pipeline_clear(&pipeline);
    return *skep_recording_damage(rec) ? SKEP_EXIT_FAILED : status;
}

int skep_replay_run(const struct skep_agent_options *o)
{
    _cleanup_recording_ struct skep_recording *rec = NULL;
    _cleanup_schema_ struct skep_schema *schema = NULL;
    struct skep_head head;
    char reason[512];
    size_t btf_len, json_len;
    int r = skep_recording_open(o->replay_path, &rec, reason, sizeof(reason));
    if (r < 0) {
        skep_log(SKEP_LOG_ERROR, "%s", reason);
        return SKEP_EXIT_USAGE;
    }
    const void *btf = skep_recording_btf(rec, &btf_len);
    const char *json = skep_recording_json(rec, &json_len);
    r = skep_schema_new(btf, btf_len, &schema);
    if (r >= 0)
        r = check_layouts(schema, o->replay_path);
    else
        skep_log(SKEP_LOG_ERROR, "%s: its description of events is damaged", o->replay_path);
    if (r < 0)
        return SKEP_EXIT_FAILED;
    r = skep_head_parse(json, json_len, schema, &head);
    if (r < 0) {
        skep_log(SKEP_LOG_ERROR, "%s: its description of the session is damaged", o->replay_path);
        return SKEP_EXIT_FAILED;
    }
    r = replay(o, rec, schema, &head);
    skep_head_clear(&head);
    return r;
}
