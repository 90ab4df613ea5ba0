/* SPDX-License-Identifier: Apache-2.0 */
#include "base/job.h"

#include "base/thread.h"

#include <stdatomic.h>
#include <sys/eventfd.h>

struct skep_job {
    void (*work)(void *data);
    void *data;
    pthread_t thread;
    int fd;
    atomic_bool over;
};

static void *run(void *data)
{
    struct skep_job *job = data;
    job->work(job->data);
    atomic_store(&job->over, true);
    eventfd_write(job->fd, 1);
    return NULL;
}

int skep_job_begin(const char *name, void (*work)(void *data), void *data, struct skep_job **ret)
{
    struct skep_job *job = malloc(sizeof(*job));
    if (!job)
        return -ENOMEM;
    *job = (struct skep_job){.work = work, .data = data, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    int r = job->fd < 0 ? -errno : skep_thread_start(&job->thread, name, run, job);
    if (r < 0) {
        skep_fd_close(job->fd);
        free(job);
        return r;
    }
    *ret = job;
    return 0;
}

int skep_job_fd(const struct skep_job *job)
{
    return job->fd;
}

bool skep_job_is_over(const struct skep_job *job)
{
    return atomic_load(&job->over);
}

struct skep_job *skep_job_end(struct skep_job *job)
{
    if (!job)
        return NULL;
    pthread_join(job->thread, NULL);
    skep_fd_close(job->fd);
    free(job);
    return NULL;
}
