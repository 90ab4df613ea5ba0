/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_THREAD_H
#define SKEP_BASE_THREAD_H
/*
 * Threads. One thread of skep waits for everything and judges; the few others take from it what may have to wait: a disk,
 * a reader, a server, the kernel's verifier. All of them begin here, and so in the same way:
 *
 *   - with every signal blocked. Signals are for the event loop, which reads them from a descriptor; one that finds a
 *     thread that does not block it is delivered there and lost to the loop, or ends the process. SIGPIPE and SIGXFSZ become
 *     errors of the write;
 *   - with a name, which ps -T, top and perf show.
 *
 * Two kinds are all there is. Work that has an end and a result is a job: base/job.h. The others serve a queue for as long
 * as their owner lives (the output, each sink, the recorder, the resolver, the reader of users): what is shared stands
 * behind one mutex, which is never held while reading or writing files, and whoever waits with a limit does so on a
 * condition made by skep_cond_init(), by the clock that does not jump. Their queues have nothing in common but that (one
 * drops the oldest line, one keeps records in blocks, one is in the order of due times), so there is no queue here.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define SKEP_THREAD_NAME_MAX 16 /* with the NUL: the kernel's limit */

/* Runs run(data) in a thread that has to be joined or detached. name: fewer than SKEP_THREAD_NAME_MAX bytes. -EAGAIN,
 * -ENOMEM. */
int skep_thread_start(pthread_t *ret, const char *name, void *(*run)(void *data), void *data);

/* A condition whose limits are times of skep_clock_mono_ns(). */
void skep_cond_init(pthread_cond_t *c);
/* Waits for a signal, also a spurious one; false: it is `until` already. UINT64_MAX: no limit. */
bool skep_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, uint64_t until);
#endif
