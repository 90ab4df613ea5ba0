/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The list of sensors: all that skep loads into the kernel is one object, compiled in one go. (Objects of
 * their own, linked with bpftool, would be nicer; libbpf before 1.3 cannot link two objects that call the same
 * kfunc.) Static functions of a sensor therefore carry its name.
 */
/* first: a kernel that refuses trampolines says so before the others are loaded, which then have to be loaded once
 * only */
#include "bpf/sensor/note.bpf.c"

#include "bpf/sensor/cred.bpf.c"
#include "bpf/sensor/cwd.bpf.c"
#include "bpf/sensor/dns.bpf.c"
#include "bpf/sensor/exec_failed.bpf.c"
#include "bpf/sensor/fd.bpf.c"
#include "bpf/sensor/filter.bpf.c"
#include "bpf/sensor/kernel.bpf.c"
#include "bpf/sensor/life.bpf.c"
#include "bpf/sensor/mount.bpf.c"
#include "bpf/sensor/net.bpf.c"
#include "bpf/sensor/ns.bpf.c"
#include "bpf/sensor/open.bpf.c"
#include "bpf/sensor/owners.bpf.c"
#include "bpf/sensor/path.bpf.c"
#include "bpf/sensor/ptrace.bpf.c"
#include "bpf/sensor/snapshot.bpf.c"
#include "bpf/sensor/syscall.bpf.c"
#include "bpf/sensor/tcp.bpf.c"
#include "bpf/sensor/uring.bpf.c"

/* Brings every record's type into BTF, which the schema of events is made from. */
#define SKEP_EVENT(number, name, ring, group, show, text, doc) struct skep_ev_##name *skep_schema_##name;
#include "abi/events.def"
#undef SKEP_EVENT

/* The kernel's verifier asks for it: sensors use helpers that are open to GPL-compatible programs only. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
