/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the parts that are not merged yet. */
#include "vm/helpers.h"
#include "vm/vm.h"

#define WEAK __attribute__((weak))
WEAK uint64_t skep_helper_ringbuf_output(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_reserve(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_submit(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_discard(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_query(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_dynptr_from_mem(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_reserve_dynptr(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_submit_dynptr(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_discard_dynptr(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_dynptr_read(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_dynptr_write(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_dynptr_data(SKEP_HELPER_ARGS) { return 0; }
