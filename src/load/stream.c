/* SPDX-License-Identifier: Apache-2.0 */
#include "load/kernel_internal.h"

#include "base/clock.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/epoll.h>

#define RELEASE_BYTES (256 * 1024)
#define SNAPSHOT_MAX (512UL << 20)

/* ---- a heap of input numbers, by the time of their next record ---- */

static uint64_t head_time(const struct skep_kernel *k, size_t at)
{
    return k->inputs[k->heap[at]].head->time;
}

/* Equal times: the life cycle goes first. */
static bool older(const struct skep_kernel *k, size_t a, size_t b)
{
    uint64_t ta = head_time(k, a), tb = head_time(k, b);
    return ta < tb || (ta == tb && k->heap[a] < k->heap[b]);
}

static void heap_swap(struct skep_kernel *k, size_t a, size_t b)
{
    uint32_t t = k->heap[a];
    k->heap[a] = k->heap[b];
    k->heap[b] = t;
}

static void heap_down(struct skep_kernel *k, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1, right = left + 1;
        if (left < k->heap_n && older(k, left, least))
            least = left;
        if (right < k->heap_n && older(k, right, least))
            least = right;
        if (least == at)
            return;
        heap_swap(k, at, least);
        at = least;
    }
}

static void heap_add(struct skep_kernel *k, uint32_t input)
{
    size_t at = k->heap_n++;
    k->heap[at] = input;
    while (at && older(k, at, (at - 1) / 2)) {
        heap_swap(k, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

/* ---- inputs ---- */

static void memory_peek(struct skep_input *in)
{
    const struct skep_hdr *h = (const void *)(in->memory + in->memory_pos);
    size_t left = in->memory_len - in->memory_pos;
    if (left < sizeof(*h) || h->len < sizeof(*h) || h->len > left) {
        in->head = NULL;
        free(in->memory);
        in->memory = NULL;
        in->memory_len = in->memory_pos = 0;
        return;
    }
    in->head = h;
    in->head_size = h->len;
}

static void input_peek(struct skep_input *in)
{
    if (in->memory)
        memory_peek(in);
    else if (in->ring.fd >= 0)
        in->head = skep_ring_peek(&in->ring, &in->head_size);
    else
        in->head = NULL;
}

static void input_take(struct skep_input *in)
{
    if (in->memory) {
        in->memory_pos += ROUND_UP(in->head_size, (size_t)8);
        return;
    }
    skep_ring_advance(&in->ring);
}

static int input_open(struct skep_kernel *k, size_t at, int map_fd, size_t size)
{
    int fd = fcntl(map_fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return -errno;
    /* Only when the kernel asks: a ring is never empty, its youngest records wait until they are old enough. */
    struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u32 = (uint32_t)at};
    int r = skep_ring_open(&k->inputs[at].ring, fd, size);
    if (r < 0) {
        close(fd);
        return r;
    }
    return epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* The life ring is a map of the object; the data rings are made here and put into their map of maps. */
int skep_stream_open(struct skep_kernel *k)
{
    struct bpf_object *obj = skep_kernel_object(k);
    k->n_inputs = (size_t)k->n_cpus + 2;
    k->inputs = calloc(k->n_inputs, sizeof(*k->inputs));
    k->heap = calloc(k->n_inputs, sizeof(*k->heap));
    if (!k->inputs || !k->heap)
        return -ENOMEM;
    for (size_t i = 0; i < k->n_inputs; i++)
        k->inputs[i].ring.fd = -1;
    k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (k->epoll_fd < 0)
        return -errno;
    int r = input_open(k, SKEP_INPUT_LIFE, bpf_object__find_map_fd_by_name(obj, "skep_life"), k->life_bytes);
    int outer = bpf_object__find_map_fd_by_name(obj, "skep_data");
    for (int cpu = 0; r >= 0 && cpu < k->n_cpus; cpu++) {
        _cleanup_close_ int fd =
            bpf_map_create(BPF_MAP_TYPE_RINGBUF, "skep_data_cpu", 0, 0, (uint32_t)k->data_bytes, NULL);
        if (fd < 0)
            return -errno;
        if (bpf_map_update_elem(outer, &cpu, &fd, BPF_ANY) < 0)
            return -errno;
        r = input_open(k, SKEP_INPUT_DATA + (size_t)cpu, fd, k->data_bytes);
    }
    return r;
}

void skep_stream_close(struct skep_kernel *k)
{
    for (size_t i = 0; k->inputs && i < k->n_inputs; i++) {
        if (k->inputs[i].ring.fd >= 0)
            skep_ring_close(&k->inputs[i].ring);
        free(k->inputs[i].memory);
    }
    free(k->inputs);
    free(k->heap);
    k->inputs = NULL;
    k->heap = NULL;
    k->epoll_fd = skep_fd_close(k->epoll_fd);
}

int skep_kernel_fd(const struct skep_kernel *k)
{
    return k->epoll_fd;
}

void skep_kernel_refill(struct skep_kernel *k)
{
    struct epoll_event e[16];
    while (epoll_wait(k->epoll_fd, e, ARRAY_SIZE(e), 0) == ARRAY_SIZE(e))
        ;
    k->heap_n = 0;
    for (size_t i = 0; i < k->n_inputs; i++) {
        input_peek(&k->inputs[i]);
        if (k->inputs[i].head)
            heap_add(k, (uint32_t)i);
    }
}

/* What next() returned last stays valid until the following call: it is taken then. */
int skep_kernel_next(struct skep_kernel *k, uint64_t limit, const struct skep_hdr **ret, size_t *ret_size)
{
    if (k->pending) {
        struct skep_input *in = &k->inputs[k->heap[0]];
        k->pending = false;
        input_take(in);
        if (in->ring.fd >= 0 && skep_ring_held(&in->ring) >= RELEASE_BYTES)
            skep_ring_release(&in->ring);
        input_peek(in);
        if (!in->head)
            k->heap[0] = k->heap[--k->heap_n];
        heap_down(k, 0);
    }
    if (k->heap_n == 0 || head_time(k, 0) > limit)
        return 0;
    const struct skep_input *in = &k->inputs[k->heap[0]];
    *ret = in->head;
    *ret_size = in->head_size;
    k->pending = true;
    return 1;
}

void skep_kernel_release(struct skep_kernel *k)
{
    for (size_t i = 0; i < k->n_inputs; i++)
        if (k->inputs[i].ring.fd >= 0)
            skep_ring_release(&k->inputs[i].ring);
}

/* ---- snapshot ---- */

static int read_all(int fd, char **ret, size_t *ret_len)
{
    _cleanup_free_ char *buf = NULL;
    size_t len = 0, cap = 0;
    for (;;) {
        if (cap - len < 65536) {
            cap = cap ? cap * 2 : 1 << 20;
            char *bigger = cap > SNAPSHOT_MAX ? NULL : realloc(buf, cap);
            if (!bigger)
                return -ENOMEM;
            buf = bigger;
        }
        ssize_t n = read(fd, buf + len, cap - len);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *ret = TAKE_PTR(buf);
    *ret_len = len;
    return 0;
}

int skep_kernel_snapshot(struct skep_kernel *k, uint64_t *ret_begin, uint64_t *ret_end)
{
    struct skep_plan_row *row = NULL;
    for (size_t i = 0; i < k->plan.n; i++)
        if (k->plan.rows[i].attach == SKEP_ATTACH_ITER && k->plan.rows[i].info.state >= SKEP_PROGRAM_LOADED)
            row = &k->plan.rows[i];
    struct skep_input *in = &k->inputs[k->n_inputs - 1];
    if (!row)
        return -EOPNOTSUPP;
    if (in->memory) /* the last one is not through yet */
        return -EBUSY;
    uint64_t begin = skep_clock_boot_ns();
    struct bpf_link *link = bpf_program__attach_iter(row->prog, NULL);
    if (!link)
        return -errno;
    _cleanup_close_ int fd = bpf_iter_create(bpf_link__fd(link));
    int r = fd < 0 ? -errno : 0;
    if (r >= 0)
        r = read_all(fd, &in->memory, &in->memory_len);
    bpf_link__destroy(link);
    if (r < 0)
        return r;
    in->memory_pos = 0;
    *ret_begin = begin;
    *ret_end = skep_clock_boot_ns();
    return 0;
}
