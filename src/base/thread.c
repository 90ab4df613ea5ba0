/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include "base/macro.h"

#include <assert.h>
#include <signal.h>
#include <time.h>

#define NS_PER_S 1000000000ULL

struct beginning {
    void *(*run)(void *data);
    void *data;
    char name[SKEP_THREAD_NAME_MAX];
};

/* The thread names itself: for anybody else it may be over already. */
static void *begin(void *beginning)
{
    struct beginning b = *(struct beginning *)beginning;
    free(beginning);
    pthread_setname_np(pthread_self(), b.name);
    return b.run(b.data);
}

int skep_thread_start(pthread_t *ret, const char *name, void *(*run)(void *data), void *data)
{
    struct beginning *b = malloc(sizeof(*b));
    if (!b)
        return -ENOMEM;
    *b = (struct beginning){.run = run, .data = data};
    assert(strlen(name) < sizeof(b->name));
    memcpy(b->name, name, strlen(name));

    /* the mask is inherited; setting it within would leave a moment without it */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(ret, NULL, begin, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        free(b);
    return -error;
}

void skep_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

bool skep_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, uint64_t until)
{
    if (until == UINT64_MAX) {
        pthread_cond_wait(c, lock);
        return true;
    }
    struct timespec at = {.tv_sec = (time_t)(until / NS_PER_S), .tv_nsec = (long)(until % NS_PER_S)};
    return pthread_cond_timedwait(c, lock, &at) != ETIMEDOUT;
}
