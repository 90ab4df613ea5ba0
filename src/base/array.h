/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_ARRAY_H
#define SKEP_BASE_ARRAY_H
/*
 * Arrays that grow: a pointer, how many elements it has, and room for how many. They belong to whoever declares them,
 * start as NULL, 0 and 0, and are freed with free().
 *
 *     struct thing *list = NULL;
 *     size_t n = 0, room = 0;
 *     int r = SKEP_ARRAY_RESERVE(list, n, 1, room);
 *     if (r < 0)
 *         return r;
 *     list[n++] = ...
 */
#include "base/macro.h"

/* Room for `more` elements behind the n that there are; 0, or -ENOMEM and nothing changed. list and room are variables,
 * n <= room. */
#define SKEP_ARRAY_RESERVE(list, n, more, room)                                                              \
    ({                                                                                                       \
        size_t reserve_room = (room);                                                                        \
        int reserve_r = 0;                                                                                   \
        if ((size_t)(more) > reserve_room - (n)) {                                                           \
            void *reserve_list = skep_array_bigger((list), sizeof(*(list)), (n), (more), &reserve_room);     \
            if (reserve_list) {                                                                              \
                (list) = reserve_list;                                                                       \
                (room) = reserve_room;                                                                       \
            } else {                                                                                         \
                reserve_r = -ENOMEM;                                                                         \
            }                                                                                                \
        }                                                                                                    \
        reserve_r;                                                                                           \
    })

/* The same elements in a place with room for n + more, at least twice of *room; NULL: there is no memory, and the old
 * one stays. */
void *skep_array_bigger(void *list, size_t size, size_t n, size_t more, size_t *room);
#endif
