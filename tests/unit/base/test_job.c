/* SPDX-License-Identifier: Apache-2.0 */
#include "base/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>
#include <poll.h>
#include <sys/resource.h>

/* What jobs work with here; on the heap, so that the sanitizers see who frees it, and when. */
struct work {
    int go[2]; /* a pipe: the work waits for a byte */
    int answer;
};

static struct work *work_new(void)
{
    struct work *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    assert_int_equal(pipe(w->go), 0);
    return w;
}

static void work_free(struct work *w)
{
    close(w->go[0]);
    close(w->go[1]);
    free(w);
}

static void wait_and_answer(void *data)
{
    struct work *w = data;
    char c;
    while (read(w->go[0], &c, 1) != 1)
        ;
    w->answer = 42;
}

static bool is_readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

static void test_result(void **state)
{
    struct work *w = work_new();
    struct skep_job *job;
    (void)state;
    assert_int_equal(skep_job_begin("test", wait_and_answer, w, &job), 0);
    assert_false(skep_job_is_over(job));
    assert_false(is_readable(skep_job_fd(job), 0));
    assert_false(is_readable(skep_job_fd(job), 10));
    assert_int_equal(write(w->go[1], "g", 1), 1);
    assert_true(is_readable(skep_job_fd(job), 10000));
    assert_true(skep_job_is_over(job));
    assert_true(is_readable(skep_job_fd(job), 0)); /* until it is ended */
    assert_null(skep_job_end(job));
    assert_int_equal(w->answer, 42);
    work_free(w);
}

/* Ended before it is through: the end waits. */
static void test_end_waits(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct work *w = work_new();
        struct skep_job *job;
        assert_int_equal(skep_job_begin("test", wait_and_answer, w, &job), 0);
        assert_int_equal(write(w->go[1], "g", 1), 1);
        skep_job_end(job);
        assert_int_equal(w->answer, 42);
        work_free(w);
    }
}

static void test_none(void **state)
{
    (void)state;
    assert_null(skep_job_end(NULL));
}

/* Without a descriptor nothing is begun. */
static void test_no_descriptor(void **state)
{
    struct work *w = work_new();
    struct skep_job *job = NULL;
    struct rlimit before, none;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int r = skep_job_begin("test", wait_and_answer, w, &job);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(r, -EMFILE);
    assert_null(job);
    work_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result),
        cmocka_unit_test(test_end_waits),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
