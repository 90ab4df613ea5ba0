/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_FIELDS_H
#define SKEP_EVENT_FIELDS_H
/*
 * Getters of fields that are not simply a number or a string in the record; see struct skep_field. For
 * schema.c, which knows when a member needs one.
 */
#include "event/schema.h"

typedef bool skep_field_get_fn(const struct skep_field *f, const struct skep_event *ev,
                               struct skep_value *ret);

skep_field_get_fn skep_get_endpoint_ip; /* off: a struct skep_endpoint */
skep_field_get_fn skep_get_endpoint_port;
skep_field_get_fn skep_get_chars;        /* off, size: an array of char, text up to its NUL */
skep_field_get_fn skep_get_proto;        /* off: the protocol; beside: the family of the same socket */
skep_field_get_fn skep_get_kexec_flags;  /* the two system calls have flags of their own */
skep_field_get_fn skep_get_env;          /* the image's chosen variables */
skep_field_get_fn skep_get_dns_question; /* off: the slice with the message */
skep_field_get_fn skep_get_dns_qtype;
skep_field_get_fn skep_get_dns_id;
skep_field_get_fn skep_get_dns_rcode;
skep_field_get_fn skep_get_dns_answers;

/* A number of 1, 2, 4 or 8 bytes in the record. */
uint64_t skep_field_read(const struct skep_hdr *h, uint32_t off, uint32_t size);
#endif
