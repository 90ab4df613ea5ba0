/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include "agent/live.h"
#include "agent/replay.h"
#include "agent/rules/pushdown.h"
#include "agent/schema.h"
#include "agent/select.h"
#include "agent/session.h"
#include "base/log.h"
#include "base/pidns.h"
#include "export/reference.h"

#include <malloc.h>
#include <signal.h>

/* Compiling rules and loading programs take several times of what stays. Left to itself the allocator keeps the more for
 * next time the larger the pieces were that it was given back. */
static void bound_spare_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

/* Whose descendants nobody could be: threads have numbers of the same range. 0: it is a process, as far as known. */
static pid_t process_of_thread(uint32_t number)
{
    char path[64], line[128];
    unsigned tgid = 0;
    snprintf(path, sizeof(path), "/proc/%u/status", number);
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "Tgid: %u", &tgid) == 1)
            break;
    return tgid == number ? 0 : (pid_t)tgid;
}

static int check_pid(uint32_t pid)
{
    if (pid && kill((pid_t)pid, 0) < 0 && errno == ESRCH) {
        skep_log(SKEP_LOG_ERROR, "there is no process %u", pid);
        return -ESRCH;
    }
    pid_t process = pid ? process_of_thread(pid) : 0;
    if (!process)
        return 0;
    skep_log(SKEP_LOG_ERROR, "%u is a thread of process %d: give that one", pid, (int)process);
    return -ESRCH;
}

/* What a pid namespace other than the initial one takes from us. */
static int check_namespace(const struct skep_agent_options *o)
{
    if (skep_pidns_is_initial())
        return 0;
    if (o->host_only) {
        skep_log(SKEP_LOG_ERROR,
                 "--host-only: skep runs in a pid namespace of its own and cannot tell which the host's are");
        return -EINVAL;
    }
    if (!o->pid && !o->command)
        skep_warning(
            "skep runs in a pid namespace of its own: of other processes that already run only the numbers "
            "are known (in a container: give it the host's)");
    return 0;
}

static int run_live(const struct skep_agent_options *o, struct skep_pipeline *p, struct skep_view_state *view,
                    struct skep_rules_live *rules, int *ret_command)
{
    struct skep_live_options live = {.pid = o->pid,
                                     .command = o->command,
                                     .ret_command = ret_command,
                                     .duration_ns = o->duration_ns,
                                     .rules = rules};
    struct skep_selection selection;
    bool always[SKEP_KIND_MAX] = {false};
    /* the process table needs all of the life cycle, whatever is shown of it */
    for (unsigned i = 0; i < SKEP_KIND_MAX; i++) {
        const struct skep_kind *kind = skep_schema_kind(p->schema, i);
        always[i] = kind && kind->ring == SKEP_RING_LIFE;
    }
    struct skep_pushdown pushdown = {rules ? skep_rules_live_rules(rules) : NULL, skep_view_where(view),
                                     p->scope.kinds, always};
    skep_pushdown_selection(&pushdown, &selection);
    live.kernel.selection = &selection;
    live.shown = p->scope.kinds;
    live.always = always;
    live.kernel.scope = p->scope.flags;
    live.kernel.uid = p->scope.uid;
    memcpy(live.kernel.comm, p->scope.comm, sizeof(live.kernel.comm));
    live.kernel.host_pid_ns = p->session.host_ns.pid;
    live.kernel.host_mnt_ns = p->session.host_ns.mnt;
    live.kernel.data_bytes = o->ring_bytes;
    if (check_pid(o->pid) < 0 || check_namespace(o) < 0)
        return SKEP_EXIT_USAGE;
    return skep_live_run(&live, p, view);
}

static void do_nothing(int sig)
{
    (void)sig;
}

/* Caught and not ignored: what a command or a sink's program runs with is the default again. */
static void catch_signal(int sig)
{
    struct sigaction sa;
    if (sigaction(sig, NULL, &sa) < 0 || sa.sa_handler == SIG_IGN)
        return;
    sa = (struct sigaction){.sa_handler = do_nothing, .sa_flags = SA_RESTART};
    sigaction(sig, &sa, NULL);
}

int skep_agent_run(const struct skep_agent_options *o)
{
    _cleanup_schema_ struct skep_schema *schema = NULL;
    _cleanup_rules_live_ struct skep_rules_live *rules = NULL;
    _cleanup_view_ struct skep_view_state *view = NULL;
    struct skep_session session;
    struct skep_scope scope;
    struct skep_pipeline pipeline;
    bool kinds[SKEP_KIND_MAX];
    int status = SKEP_EXIT_FAILED, command = 0;

    bound_spare_memory();
    /* readers that went away, and limits of files, are errors of the writes */
    catch_signal(SIGPIPE);
    catch_signal(SIGXFSZ);
    if (o->replay_path)
        return skep_replay_run(o);
    int r = skep_agent_schema(&schema);
    if (r < 0)
        return r;
    if (skep_select_kinds(o, schema, kinds) < 0 || skep_select_scope(o, kinds, &scope) < 0)
        return SKEP_EXIT_USAGE;
    skep_session_read(&session);
    if (!o->rules.off && skep_rules_live_open(o, &rules, &status) < 0)
        return status;
    r = skep_view_open(o, schema, &scope, &session, &view, &status);
    if (r < 0)
        return status;
    struct skep_pipeline_ops ops = {.event = skep_view_event,
                                    .record = skep_view_record,
                                    .data = view,
                                    .judge = rules                    ? skep_rules_live_event
                                             : skep_view_learns(view) ? skep_view_learn
                                                                      : NULL,
                                    .judge_data = rules ? (void *)rules : view};
    if (rules)
        r = skep_rules_live_begin(rules, view, &session);
    if (r < 0)
        return r;
    r = skep_pipeline_init(&pipeline, schema, &session, &scope, &ops);
    if (r < 0)
        return r;
    const struct skep_ruleset *where = skep_view_where(view);
    pipeline.procs.keep_env =
        (rules && skep_rules_live_rules(rules)->wants_environ) || (where && where->wants_environ);
    status = run_live(o, &pipeline, view, rules, &command);
    if (status >= 0 && status != SKEP_EXIT_USAGE) {
        int told = rules ? skep_rules_live_finish(rules) : SKEP_EXIT_OK;
        status = MAX(status, told);
        int finished = skep_view_finish(view, &pipeline, NULL);
        status = MAX(status, finished);
    }
    skep_pipeline_clear(&pipeline);
    /* what went wrong with skep itself comes first */
    return status == SKEP_EXIT_OK ? command : status;
}

int skep_docs_events(bool json, struct skep_strbuf *sb)
{
    _cleanup_schema_ struct skep_schema *schema = NULL;
    int r = skep_agent_schema(&schema);
    if (r < 0)
        return r;
    if (json)
        skep_reference_put_json(schema, NULL, sb);
    else
        skep_reference_put_text(schema, NULL, sb);
    return 0;
}
