/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_CLOCK_H
#define SKEP_BASE_CLOCK_H
/*
 * Time. Records carry CLOCK_BOOTTIME nanoseconds (bpf_ktime_get_boot_ns), which neither jump nor stop in
 * suspend; people read UTC. The offset between the two is measured once per session and travels with a
 * recording, so that live and replayed output agree and a clock jump does not reorder anything.
 */
#include "base/strbuf.h"

uint64_t skep_clock_boot_ns(void);
uint64_t skep_clock_mono_ns(void);
/* UTC nanoseconds at boot: add to a record's time to get wall time. */
int64_t skep_clock_boot_offset(void);
/* RFC 3339, UTC, nanoseconds: 2026-01-31T23:59:59.000000001Z. */
void skep_clock_put_rfc3339(struct skep_strbuf *sb, int64_t utc_ns);
/* Its fraction: the nine digits of nanoseconds below a second. */
void skep_clock_digits9(char *to, unsigned ns);
/* Local time of day, HH:MM:SS.mmm, for terminals. */
void skep_clock_put_time_of_day(struct skep_strbuf *sb, int64_t utc_ns);
/* Local time: [2026-01-31 ]23:59:59[.000000001]. */
void skep_clock_put_local(struct skep_strbuf *sb, int64_t utc_ns, bool date, bool fraction);
/* ISO 8601 as Falco writes it, UTC: 2026-01-31T23:59:59.000000001+0000. */
void skep_clock_put_iso8601(struct skep_strbuf *sb, int64_t utc_ns);
/* Text such as 250ms, 5s, 2m, 1h or 1h30m to nanoseconds; -EINVAL, -ERANGE. */
int skep_duration_parse(const char *s, uint64_t *ret_ns);
/* 1.23ms, 4.5s, 2m03s: three significant digits. */
void skep_duration_put(struct skep_strbuf *sb, uint64_t ns);
#endif
