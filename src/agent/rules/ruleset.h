/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_RULES_RULESET_H
#define SKEP_AGENT_RULES_RULESET_H
/*
 * A set of rules that is ready to judge events: files read, policy made, programs compiled and loaded into an engine
 * of its own. This is where the rule compiler and the engine, which do not know each other, meet.
 *
 *     r = skep_ruleset_load(&options, &diags, &rs);
 *     ...
 *     n = skep_ruleset_judge(rs, ev, &matches);       numbers of rules, ascending
 *
 * A set is made once and not changed: a reload makes another one, if need be in another thread. It is used by one
 * thread at a time.
 */
#include "rule/alert/format.h"
#include "rule/compile/compile.h"
#include "skep/vm.h"

#define SKEP_RULES_DIR "/etc/skep/rules.d"

struct skep_falco_files;
struct skep_ruleset_options {
    const char *const
        *paths; /* files and directories in order; none: SKEP_RULES_DIR, else the built-in rules */
    size_t n_paths;
    struct skep_falco_files *kept; /* standard input and pipes, for the next time; NULL: there is none */
    const struct skep_rule_choice *choices;
    size_t n_choices;
    enum skep_priority min_priority;
    bool all;            /* every rule that matches an event, not only the first */
    bool no_pushdown;    /* no filter programs for the kernel */
    bool interpret;      /* judge by the interpreter instead of machine code */
    bool notes;          /* tell where each atom is decided, for `skep rules explain` */
    bool no_suggestions; /* outputs as they are, without the container's id and name behind them */
    const struct skep_atom_weight *weights; /* how often comparisons were true, as measured; borrowed */
    size_t n_weights;
    uint32_t only; /* 1 + number of the only rule that is on; 0: all (to tell what each costs) */
};

struct skep_ruleset {
    struct skep_policy *policy;
    struct skep_compiled *compiled;
    struct skep_format **formats; /* by rule; NULL: the rule is off */
    bool kinds[SKEP_KIND_MAX];    /* that some rule can match */
    bool weighed;                 /* made with weights that were measured */
    bool wants_names;             /* of addresses: dns events are needed */
    bool wants_environ;           /* whole environments: the process table has to keep them */
    uint64_t faults;              /* runs of a program that ended with an error: a defect of ours */
    char fault[224];              /* the last of them */
    /* private */
    bool borrowed; /* the policy is another set's */
    struct skep_vm *vm;
    struct skep_vm_thread *thread;
    struct skep_vm_map **maps;
    struct skep_vm_program *exact[SKEP_KIND_MAX];
    struct skep_rule_ctx *ctx;
};

/* Warnings and errors are in diags. -EINVAL: there are errors; -ENOENT and the like: a file cannot be read (also in
 * diags); -ENOMEM. */
int skep_ruleset_load(const struct skep_ruleset_options *o, struct skep_diags *diags,
                      struct skep_ruleset **ret);
/* The same for a policy that somebody made; takes it over also on failure. */
int skep_ruleset_make(const struct skep_ruleset_options *o, struct skep_policy *policy,
                      struct skep_diags *diags, struct skep_ruleset **ret);
struct skep_ruleset *skep_ruleset_free(struct skep_ruleset *rs);
SKEP_DEFINE_CLEANUP(struct skep_ruleset, skep_ruleset_free)
#define _cleanup_ruleset_ SKEP_CLEANUP(skep_ruleset_freep)

/* What rules know beyond the event; members may be NULL. */
struct skep_ruleset_world {
    struct skep_rule_users *users; /* names of users and groups */
    struct skep_rule_hosts *hosts; /* names of addresses */
};

/* Which rules match an event: how many, and their numbers (borrowed until the next call), ascending; with rule_matching
 * first at most one. */
size_t skep_ruleset_judge(struct skep_ruleset *rs, const struct skep_event *ev,
                          const struct skep_ruleset_world *world, const uint32_t **ret_rules);

/*
 * What comparisons are worth. A profile is run over a sample of the events and counts how often each comparison of a set
 * of rules is true; a set that is loaded with these weights asks first what is cheap and decides most.
 */
struct skep_ruleset_profile;

/* rs must live as long. */
int skep_ruleset_profile_new(const struct skep_ruleset *rs, struct skep_ruleset_profile **ret);
struct skep_ruleset_profile *skep_ruleset_profile_free(struct skep_ruleset_profile *p);
void skep_ruleset_profile_event(struct skep_ruleset_profile *p, const struct skep_event *ev,
                                const struct skep_ruleset_world *world);
/* Events that were looked at. */
uint64_t skep_ruleset_profile_samples(const struct skep_ruleset_profile *p);
/* A weight for each comparison that was looked at often enough; one block, to be freed. */
int skep_ruleset_profile_weights(const struct skep_ruleset_profile *p, struct skep_atom_weight **ret,
                                 size_t *ret_n);
#endif
