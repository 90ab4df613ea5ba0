/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"

struct seen {
    char name[SKEP_THREAD_NAME_MAX];
    sigset_t mask;
};

static void *look(void *data)
{
    struct seen *seen = data;
    pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
    pthread_sigmask(SIG_SETMASK, NULL, &seen->mask);
    return seen;
}

static void test_name_and_mask(void **state)
{
    struct seen seen;
    sigset_t mine;
    pthread_t thread;
    void *result;
    (void)state;
    assert_int_equal(skep_thread_start(&thread, "fifteen-letters", look, &seen), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &seen);
    assert_string_equal(seen.name, "fifteen-letters");
    for (int sig = 1; sig < SIGRTMIN; sig++)
        if (sig != SIGKILL && sig != SIGSTOP && sig < 32)
            assert_int_equal(sigismember(&seen.mask, sig), 1);
    /* and whoever began it goes on as before */
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    assert_int_equal(sigismember(&mine, SIGTERM), 0);
}

struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rings;
    bool rung;
};

static void *ring(void *data)
{
    struct bell *b = data;
    pthread_mutex_lock(&b->lock);
    b->rung = true;
    pthread_cond_signal(&b->rings);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void test_wait(void **state)
{
    struct bell b = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;
    (void)state;
    skep_cond_init(&b.rings);
    for (int limit = 0; limit < 2; limit++) {
        pthread_mutex_lock(&b.lock);
        b.rung = false;
        uint64_t until = limit ? skep_clock_mono_ns() + 30000000000ULL : UINT64_MAX;
        assert_int_equal(skep_thread_start(&thread, "test", ring, &b), 0);
        while (!b.rung)
            assert_true(skep_cond_wait(&b.rings, &b.lock, until));
        pthread_mutex_unlock(&b.lock);
        pthread_join(thread, NULL);
    }

    uint64_t before = skep_clock_mono_ns(), until = before + 20000000;
    pthread_mutex_lock(&b.lock);
    while (skep_cond_wait(&b.rings, &b.lock, until))
        ;
    assert_true(skep_clock_mono_ns() >= until);
    assert_false(skep_cond_wait(&b.rings, &b.lock, 0)); /* long past */
    pthread_mutex_unlock(&b.lock);
    pthread_cond_destroy(&b.rings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_and_mask),
        cmocka_unit_test(test_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
