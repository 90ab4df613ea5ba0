/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_DNS_H
#define SKEP_EVENT_DNS_H
/*
 * One DNS message (RFC 1035; AAAA RFC 3596, SRV RFC 2782, SVCB and HTTPS RFC 9460) as text: what was asked,
 * and what was answered. Packets are hostile: names are bounded, compression pointers may only point
 * backwards, and a message that was cut short gives what is complete in it.
 *
 * Names come without the final dot ("." for the root); bytes that are no printable ASCII, dots inside a label
 * and backslashes are written as in zone files: \DDD, \. and \\.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SKEP_DNS_NAME_MAX 1024 /* 255 bytes of name, each at most four characters, and a NUL */
#define SKEP_DNS_ANSWERS_MAX 4096

struct skep_dns {
    uint16_t id;
    uint16_t qtype;
    uint8_t rcode;
    bool is_response;
    bool truncated; /* the list of answers is not whole: the message was cut, or they did not fit */
    char question[SKEP_DNS_NAME_MAX];
    unsigned n_answers;
    size_t answers_len;
    /* each ended by a NUL: addresses as text, names, TXT strings in quotes, other types as TYPE65 */
    char answers[SKEP_DNS_ANSWERS_MAX];
};

/* -EBADMSG: there is no header with a question in it. */
int skep_dns_parse(const void *msg, size_t n, struct skep_dns *ret);
#endif
