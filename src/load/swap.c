/* SPDX-License-Identifier: Apache-2.0 */
#include "load/swap.h"

#include "base/clock.h"
#include "base/job.h"
#include "load/kernel_internal.h"

#include "skep.skel.h"

#include <bpf/bpf.h>
#include <time.h>

/* Where the kernel has no memory for the update, time has to do: longer than any program runs. */
#define GRACE_FALLBACK_NS 200000000L

struct skep_swap {
    struct skep_selection to;
    struct skep_filters *filters;
    uint64_t time; /* 0: before the boundary */
    int outer_fd, inner_fd;
    struct skep_job *grace; /* NULL: it has passed */
};

static void wait_grace(void *data)
{
    struct skep_swap *s = data;
    uint32_t first = 0;
    const struct timespec fallback = {.tv_nsec = GRACE_FALLBACK_NS};
    if (bpf_map_update_elem(s->outer_fd, &first, &s->inner_fd, BPF_ANY) < 0)
        nanosleep(&fallback, NULL);
}

static void grace_begin(struct skep_swap *s)
{
    if (skep_job_begin("skep-swap", wait_grace, s, &s->grace) < 0)
        wait_grace(s);
}

static bool grace_over(struct skep_swap *s)
{
    if (s->grace && !skep_job_is_over(s->grace))
        return false;
    s->grace = skep_job_end(s->grace);
    return true;
}

struct skep_swap *skep_swap_free(struct skep_swap *s)
{
    if (!s)
        return NULL;
    skep_job_end(s->grace);
    skep_filters_free(s->filters);
    free(s);
    return NULL;
}

int skep_swap_begin(struct skep_kernel *k, const struct skep_selection *selection, struct skep_filters *given,
                    char *ret_reason, size_t reason_size)
{
    _cleanup_filters_ struct skep_filters *filters = given;
    struct skep_selection both = k->selection;
    ret_reason[0] = '\0';
    if (k->swap)
        return -EBUSY;
    struct skep_swap *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    *s = (struct skep_swap){.to = *selection};
    /* the ring that is there is put there again: it is the waiting that matters */
    s->outer_fd = bpf_map__fd(k->bpf->maps.skep_data);
    s->inner_fd = k->inputs[SKEP_INPUT_DATA].ring.fd;
    skep_selection_join(&both, selection);
    int r = skep_kernel_enable(k, &both, ret_reason, reason_size);
    if (r >= 0)
        r = skep_kernel_install(k, NULL);
    if (r < 0) {
        skep_swap_free(s);
        return r;
    }
    s->filters = TAKE_PTR(filters);
    k->swap = s;
    grace_begin(s);
    return 0;
}

/* Step 5. The old programs were out of their slots for a grace period: nobody runs them. */
static int finish(struct skep_kernel *k, struct skep_swap *s)
{
    char reason[256];
    int r = s->filters ? skep_kernel_install(k, s->filters) : 0;
    if (r < 0)
        return r;
    skep_filters_free(k->filters);
    k->filters = TAKE_PTR(s->filters);
    return skep_kernel_enable(k, &s->to, reason, sizeof(reason));
}

int skep_swap_step(struct skep_kernel *k, uint64_t *ret_time)
{
    struct skep_swap *s = k->swap;
    if (!s || !grace_over(s))
        return SKEP_SWAP_WAIT;
    if (!s->time) {
        *ret_time = s->time = skep_clock_boot_ns();
        grace_begin(s);
        return SKEP_SWAP_BOUNDARY;
    }
    *ret_time = s->time;
    int r = finish(k, s);
    k->swap = skep_swap_free(s);
    return r < 0 ? r : SKEP_SWAP_DONE;
}

int skep_kernel_swap(struct skep_kernel *k, const struct skep_selection *selection,
                     struct skep_filters *filters, void (*at_boundary)(void *data, uint64_t time), void *data,
                     char *ret_reason, size_t reason_size)
{
    const struct timespec nap = {.tv_nsec = 500000};
    int r = skep_swap_begin(k, selection, filters, ret_reason, reason_size);
    while (r >= 0) {
        uint64_t time;
        r = skep_swap_step(k, &time);
        if (r == SKEP_SWAP_DONE)
            return 0;
        if (r == SKEP_SWAP_BOUNDARY && at_boundary)
            at_boundary(data, time);
        if (r == SKEP_SWAP_WAIT)
            nanosleep(&nap, NULL);
    }
    return r;
}

int skep_kernel_select(struct skep_kernel *k, const struct skep_selection *selection, char *ret_reason,
                       size_t reason_size)
{
    struct skep_selection copy = *selection;
    ret_reason[0] = '\0';
    return k->swap ? -EBUSY : skep_kernel_enable(k, &copy, ret_reason, reason_size);
}
