/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_MATCH_TEXT_H
#define SKEP_RULE_MATCH_TEXT_H
/*
 * Bytes of text, as rules compare them. Case is that of ASCII letters, whatever the locale.
 */
#include "base/macro.h"

static inline uint8_t skep_byte_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}
static inline uint8_t skep_byte_upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c;
}

bool skep_text_begins(const char *s, size_t n, const char *with, size_t len);
bool skep_text_ends(const char *s, size_t n, const char *with, size_t len);
/* needle is in lower case when fold. An empty one is in every text. */
bool skep_text_contains(const char *s, size_t n, const char *needle, size_t len, bool fold);
#endif
