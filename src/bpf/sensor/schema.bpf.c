/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes the compiler describe the struct of every kind of event in the object's BTF, also of those that no
 * sensor writes: user space builds its schema from that description. The pointers themselves are never used.
 */
#include "abi/event.h"

#define SKEP_EVENT(number, name, ring, group, show, text, doc) struct skep_ev_##name *skep_schema_##name;
#include "abi/events.def"
#undef SKEP_EVENT
