/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_MAPS_H
#define SKEP_BPF_LIB_MAPS_H
/*
 * What the sensors share. User space sets the sizes that depend on the machine before it loads the object.
 *
 *   skep_life      ring of the life cycle, one for the machine
 *   skep_data      rings of all else, one for each CPU
 *   skep_scratch   where records are put together: SKEP_SCRATCH_SLOTS for each CPU, see lib/emit.h
 *   skep_counters  the ledger, per kind and CPU
 *   skep_handlers  programs that the system call dispatcher hands over to, by slot (abi/syscalls.def)
 *   skep_filters   programs that judge a record of their kind (by number) before it goes into the ring;
 *                  SKEP_FILTER_EMIT puts it there
 *   skep_tracked   processes in scope, when the scope is a process tree: tgid -> 1
 *   skep_cgroups   cgroups whose path was told already
 *   skep_creds     credentials of each task before its last call that changed them, and the call that it executes by
 *   skep_ended     processes of several threads whose exit was told already
 *   skep_cfg       the configuration, written by user space
 *   skep_rings     sequence numbers, and events lost on the life cycle ring
 */
#include "bpf/kernel.h"

struct skep_ring_template {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} skep_life SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __array(values, struct skep_ring_template);
} skep_data SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SKEP_SCRATCH_SLOTS);
    __type(key, __u32);
    __type(value, struct skep_scratch_slot);
} skep_scratch SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SKEP_KIND_MAX);
    __type(key, __u32);
    __type(value, struct skep_counters);
} skep_counters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, SKEP_HANDLER_MAX);
    __type(key, __u32);
    __type(value, __u32);
} skep_handlers SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, SKEP_KIND_MAX);
    __type(key, __u32);
    __type(value, __u32);
} skep_filters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 65536);
    __type(key, __u32);
    __type(value, __u8);
} skep_tracked SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, __u8);
} skep_cgroups SEC(".maps");

/* A system call as a record's header names it; flags 0: none, or not known. */
struct skep_call_name {
    __u16 nr;
    __u16 flags; /* of SKEP_HDR_SYSCALL, SKEP_HDR_COMPAT */
};

/* What a task's credentials were when they were last looked at: at sys_exit the old ones are gone. And by which call it
 * is executing a program, noted before the kernel forgets it. */
struct skep_cred_note {
    __u32 uid, euid, gid, egid;
    __u64 caps;
    struct skep_call_name exec_call;
    __u32 pad;
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct skep_cred_note);
} skep_creds SEC(".maps");

struct skep_ended_key {
    __u64 start;
    __u64 pid;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1024);
    __type(key, struct skep_ended_key);
    __type(value, __u8);
} skep_ended SEC(".maps");

volatile struct skep_config skep_cfg;
struct skep_ring_state skep_rings[2 * SKEP_MAX_CPUS];
#endif
