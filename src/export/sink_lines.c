/* SPDX-License-Identifier: Apache-2.0 */
#include "export/sink_lines.h"

int skep_sink_lines_write(struct skep_sink_lines *l, const struct skep_sink_item *items, size_t n,
                          size_t *ret_n)
{
    struct iovec iov[SKEP_SINK_BATCH] = {0};
    size_t done = 0;
    n = MIN(n, (size_t)SKEP_SINK_BATCH);
    for (size_t i = 0; i < n; i++) {
        size_t skip = i == 0 ? l->cut : 0;
        iov[i] = (struct iovec){.iov_base = (char *)items[i].data + skip, .iov_len = items[i].len - skip};
    }
    ssize_t r = skep_descriptor_write(&l->d, iov, (int)n);
    *ret_n = 0;
    if (r < 0)
        return (int)r;
    size_t left = l->cut + (size_t)r;
    while (done < n && left >= items[done].len)
        left -= items[done++].len;
    l->cut = left;
    *ret_n = done;
    return 0;
}
