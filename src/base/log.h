/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_LOG_H
#define SKEP_BASE_LOG_H
/*
 * Messages to the operator, on standard error, one line each: "skep: error: ...". Library code logs at
 * debug only and returns errors; commands and the agent decide what a person should read. The level is one
 * of the two globals of the project.
 */
#include "base/macro.h"

enum skep_log_level {
    SKEP_LOG_ERROR,
    SKEP_LOG_WARNING,
    SKEP_LOG_INFO,
    SKEP_LOG_DEBUG,
};

void skep_log_set_level(enum skep_log_level level);
void skep_log(enum skep_log_level level, const char *fmt, ...) SKEP_PRINTF(2, 3);
/* Logs the error and returns r, for one-line failure paths. */
int skep_log_error(int r, const char *fmt, ...) SKEP_PRINTF(2, 3);

#define skep_debug(...) skep_log(SKEP_LOG_DEBUG, __VA_ARGS__)
#define skep_info(...) skep_log(SKEP_LOG_INFO, __VA_ARGS__)
#define skep_warning(...) skep_log(SKEP_LOG_WARNING, __VA_ARGS__)
#endif
