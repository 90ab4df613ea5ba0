/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_JOB_H
#define SKEP_BASE_JOB_H
/*
 * A job is work that would keep the event loop waiting (rules to compile, filters to load, a grace period of the kernel) and
 * is done once, aside, in a thread of its own. Its descriptor becomes readable when it is through:
 *
 *     skep_job_begin("skep-rules", compile, data, &job)
 *     epoll says that skep_job_fd(job) is readable:
 *         job = skep_job_end(job);
 *         ... what compile() left in data
 *
 * Until then data belongs to the job. What may be asked for meanwhile (to give up, say) has to be atomic.
 *
 * A job cannot be ended by force, and it begins when the scheduler gives a new thread its turn: under load that may take
 * tens of milliseconds. All functions are for the thread that owns the job.
 */
#include "base/macro.h"

struct skep_job;

/* name: base/thread.h. -ENOMEM, -EAGAIN, -EMFILE: nothing was begun. */
int skep_job_begin(const char *name, void (*work)(void *data), void *data, struct skep_job **ret);
/* For epoll; borrowed, and the same as long as the job is there. */
int skep_job_fd(const struct skep_job *job);
/* Whether the work is done: skep_job_end() would not wait. */
bool skep_job_is_over(const struct skep_job *job);
/* Waits for the end of the work, and frees the job. NULL. */
struct skep_job *skep_job_end(struct skep_job *job);
#endif
