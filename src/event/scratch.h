/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_SCRATCH_H
#define SKEP_EVENT_SCRATCH_H
/*
 * Room for values that are computed from a record and not simply part of it. Belongs to whoever makes events
 * (one a thread, zeroed once); values that point into it are valid as long as the event is. A record is taken
 * apart once, however many of its fields are asked for.
 */
#include "event/dns.h"
#include "event/event.h"

struct skep_scratch {
    const struct skep_hdr
        *dns_of; /* the record that dns was read from, and marks of it, since buffers are reused */
    uint64_t dns_seq;
    uint64_t dns_time;
    uint32_t dns_ring;
    bool dns_valid;
    struct skep_dns dns;
};
#endif
