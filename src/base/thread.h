/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_THREAD_H
#define SKEP_BASE_THREAD_H
/*
 * Threads that do a piece of work aside. They block all signals: these are for the thread that waits for them, and one
 * that is delivered elsewhere could be lost.
 */
#include "base/macro.h"

#include <pthread.h>

/* 0, or -errno: then there is no thread, and the caller does the work himself or does without. */
int skep_thread_start(pthread_t *ret, void *(*run)(void *data), void *data);
#endif
