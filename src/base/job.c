/* SPDX-License-Identifier: Apache-2.0 */
#include "base/job.h"

#include "base/thread.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

enum state {
    AT_WORK,
    OVER, /* the owner joins the thread, and frees */
    LEFT, /* the thread frees */
};

struct skep_job {
    void (*work)(void *data);
    void (*free_data)(void *data); /* set before LEFT */
    void *data;
    pthread_t thread;
    int fd;
    atomic_int state;
};

static void job_free(struct skep_job *job)
{
    skep_fd_close(job->fd);
    free(job);
}

static void *run(void *data)
{
    struct skep_job *job = data;
    job->work(job->data);
    int at_work = AT_WORK;
    if (atomic_compare_exchange_strong(&job->state, &at_work, OVER)) {
        eventfd_write(job->fd, 1); /* whoever sees OVER joins before it closes the descriptor */
        return NULL;
    }
    job->free_data(job->data);
    job_free(job);
    return NULL;
}

int skep_job_begin(const char *name, void (*work)(void *data), void *data, struct skep_job **ret)
{
    struct skep_job *job = malloc(sizeof(*job));
    if (!job)
        return -ENOMEM;
    *job = (struct skep_job){
        .work = work,
        .data = data,
        .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .state = AT_WORK,
    };
    int r = job->fd < 0 ? -errno : skep_thread_start(&job->thread, name, run, job);
    if (r < 0) {
        job_free(job);
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
    return atomic_load(&job->state) == OVER;
}

bool skep_job_wait(const struct skep_job *job, uint64_t timeout_ns)
{
    struct pollfd p = {.fd = job->fd, .events = POLLIN};
    struct timespec limit = {.tv_sec = (time_t)(timeout_ns / 1000000000),
                             .tv_nsec = (long)(timeout_ns % 1000000000)};
    if (!skep_job_is_over(job))
        ppoll(&p, 1, &limit, NULL);
    return skep_job_is_over(job);
}

struct skep_job *skep_job_end(struct skep_job *job)
{
    if (!job)
        return NULL;
    pthread_join(job->thread, NULL);
    job_free(job);
    return NULL;
}

struct skep_job *skep_job_leave(struct skep_job *job, void (*free_data)(void *data))
{
    if (!job)
        return NULL;
    pthread_t thread = job->thread; /* the job may be gone when the exchange has been made */
    void *data = job->data;
    int at_work = AT_WORK;
    job->free_data = free_data;
    if (atomic_compare_exchange_strong(&job->state, &at_work, LEFT)) {
        pthread_detach(thread);
    } else {
        skep_job_end(job);
        free_data(data);
    }
    return NULL;
}
