/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_RULES_RELOAD_H
#define SKEP_AGENT_RULES_RELOAD_H
/*
 * New rules while the old ones are in force. Rule files are watched (their directories, since editors and packages
 * replace files, and those that links lead to), and SIGHUP asks for a reload, too. What can be read only once, as a pipe,
 * stays as it was. The new set is read and compiled aside (base/job.h); the
 * event loop goes on meanwhile and takes the result when the descriptor becomes readable:
 *
 *     if (skep_reload_take(reload, &rs, &text) > 0) ... put rs in force
 *
 * A set that has errors changes nothing: its diagnostics are handed out as text. Changes that come while one is being
 * compiled lead to another one afterwards; changes that come close together (SKEP_RELOAD_SETTLE_NS) to one.
 */
#include "agent/rules/ruleset.h"

#define SKEP_RELOAD_SETTLE_NS 200000000ULL

struct skep_reload;

/* What o points to is borrowed. -errno. */
int skep_reload_new(const struct skep_ruleset_options *o, struct skep_reload **ret);
/* Waits for a compilation that is under way. */
struct skep_reload *skep_reload_free(struct skep_reload *l);
SKEP_DEFINE_CLEANUP(struct skep_reload, skep_reload_free)
#define _cleanup_reload_ SKEP_CLEANUP(skep_reload_freep)

int skep_reload_fd(const struct skep_reload *l); /* for epoll; borrowed */
/* Somebody asked for it. */
void skep_reload_ask(struct skep_reload *l);
/* The same rules again, in the order that the weights suggest; takes them over. -EBUSY: other rules are on their way. */
int skep_reload_weigh(struct skep_reload *l, struct skep_atom_weight *weights, size_t n);
/* What became of it: 1: a new set; 0: nothing yet; -EINVAL: the files are bad; another -errno: it could not be tried. ret_text: diagnostics
 * (also warnings), to be freed, or NULL. */
int skep_reload_take(struct skep_reload *l, struct skep_ruleset **ret, char **ret_text);
#endif
