/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_ABI_CONFIG_H
#define SKEP_ABI_CONFIG_H
/*
 * What user space tells the sensors, and what they count for it. The configuration is one global variable
 * of the BPF object, changed in place while the sensors run: every field is one aligned word or byte that
 * may be read at any moment.
 */
#include "abi/types.h"

#define SKEP_KIND_MAX 128 /* kinds are numbered below this */
#define SKEP_REASON_MAX 16
#define SKEP_SYSCALL_MAX 512 /* system call numbers below this, per calling convention */
#define SKEP_URING_OPS 128   /* operations of io_uring below this can be told apart by the configuration */
#define SKEP_COMM_LEN 16
#define SKEP_MAX_CPUS 1024

#define SKEP_RECORD_MAX 32768           /* bytes of one record as it stands in a ring */
#define SKEP_PATH_MAX 4096              /* longest path that a record carries */
#define SKEP_ARGS_INLINE 4096           /* bytes of args (and of environment) inside an exec record ... */
#define SKEP_CHUNK_SIZE 4096            /* ... the rest follows in exec_data records of this size */
#define SKEP_EXEC_DATA_MAX (256 * 1024) /* bytes of args, and of environment, that are captured at all */
#define SKEP_SCRATCH_SLOTS 4            /* sensors that may interrupt each other on one processor */
#define SKEP_HELD_MANY 4096 /* operations of io_uring whose result is awaited, powers of two: when it ... */
#define SKEP_HELD_FEW 512   /* ... is asked for from the start, and otherwise */
#define SKEP_HELD_RECORD_MAX 2040 /* bytes that are kept of each */

/* System calls are looked up by number, native ones in the first half of a table, 32-bit ones in the
 * second, SKEP_COMPAT_BASE further on. */
#define SKEP_COMPAT_BASE SKEP_SYSCALL_MAX

enum skep_form_id {
#define SKEP_FORM(number, name, doc) SKEP_FORM_##name = number,
#include "abi/forms.def"
#undef SKEP_FORM
};

enum skep_handler_id {
    SKEP_HANDLER_none = 0,
#define SKEP_HANDLER(slot, name) SKEP_HANDLER_##name = slot,
#include "abi/handlers.def"
#undef SKEP_HANDLER
};
#define SKEP_HANDLER_MAX 64

enum skep_scope_flag {
    SKEP_SCOPE_UID = 1 << 0,
    SKEP_SCOPE_COMM = 1 << 1,
    SKEP_SCOPE_TRACKED = 1 << 2,   /* only processes in skep_tracked (and their descendants, who join it) */
    SKEP_SCOPE_HOST_ONLY = 1 << 3, /* only processes in the host's pid and mount namespaces */
};

/* Of a system call. */
enum skep_ret_class {
    SKEP_RET_OK = 1 << 0,
    SKEP_RET_FAILED = 1 << 1,
};

/*
 * What can be told from the arguments alone, before anything is read and put together: wanted are flags f with
 * (f & mask) == value for one of the n tests; n 0: all are.
 */
#define SKEP_FLAG_TESTS 4
struct skep_flag_tests {
    __u32 n;
    struct {
        __u32 mask;
        __u32 value;
    } test[SKEP_FLAG_TESTS];
};

struct skep_config {
    __u8 handler[2 * SKEP_SYSCALL_MAX]; /* slot of the program; 0: nobody asked for this call */
    __u8 kind[2 * SKEP_SYSCALL_MAX];    /* kind of event that it makes */
    __u8 form[2 * SKEP_SYSCALL_MAX];    /* enum skep_form_id */
    __u8 without[2 * SKEP_SYSCALL_MAX]; /* of a call that makes one of several kinds: the one not wanted */
    __u8 enabled[SKEP_KIND_MAX];        /* kinds that somebody wants */
    __u8 filtered[SKEP_KIND_MAX];       /* kinds that have a filter in skep_filters */
    __u8 unwanted_ret[SKEP_KIND_MAX];   /* enum skep_ret_class: outcomes that no rule wants */
    struct skep_flag_tests open_flags;  /* of opens that some rule may want */
    __u64 uring_unwanted[SKEP_URING_OPS / 64]; /* operations that no rule wants when they are submitted, */
    __u64 uring_done_unwanted[SKEP_URING_OPS / 64]; /* and when they are over */
    __u32 late_raw_path;                            /* 1: the filter of opens copes with SKEP_LATE */
    __u32 scope; /* enum skep_scope_flag; does not apply to the life cycle ring */
    skep_uid uid;
    char comm[SKEP_COMM_LEN];
    skep_pid self; /* our own process: what it does is counted as filtered */
    skep_nsid host_pid_ns;
    skep_nsid host_mnt_ns;
    __u32 n_cpus;
    __u32 held_places;  /* SKEP_HELD_MANY or SKEP_HELD_FEW */
    __u64 wakeup_bytes; /* wake the reader when a ring holds this much */
};

/* The raw_path of an open costs the reading of a user's string, and few filters ask for it before they have dropped most
 * of what they see. Where one does ask, the next SKEP_EAGER opens have it at once, which is cheaper than a second run. */
#define SKEP_EAGER 64
enum skep_late {
    SKEP_LATE_NO,
    SKEP_LATE,       /* it is put behind the rest when the filter has passed the record ... */
    SKEP_LATE_ASKED, /* ... or when the filter asks for it, which then is run once more */
};

/*
 * What became of the records of one kind that were put together in one slot. Who holds the slot is alone with it, and
 * counts with a plain addition; the atomic ones that skep_counters needs cost a filtered event as much as the walk to its
 * path.
 */
struct skep_slot_tally {
    __u64 seen;
    __u64 submitted;
    __u64 filtered;
};

/*
 * Where a record is put together; each CPU has SKEP_SCRATCH_SLOTS of them. Generated filters (rule/compile/frame.h) know
 * this layout, too: the handler of a system call leaves its record in the slot, marks the slot with the address of
 * its context, and hands over to the filter of the kind, which has the same context and looks through the slots of the
 * CPU for this mark. The context lies on the stack of the thread: so the mark is unique among what is under way, and
 * sensors that interrupt on the same CPU never carry it.
 *
 * What costs time and says nothing of the event itself comes last, when the record has passed: of the header time,
 * start, exec_id, cgroup, caps (and what the ring gives, seq and len). A filter does not see these.
 */
struct skep_scratch_slot {
    __u64 busy;    /* 1: taken */
    __u64 waiting; /* the context of the program whose record waits for the filter; 0: none */
    __u32 len;     /* bytes of the record so far */
    __u32 late;    /* enum skep_late */
    __u32 eager;   /* opens still to come whose raw_path is read at once */
    __u32 pad;
    struct skep_slot_tally tally[SKEP_KIND_MAX];
    char record[SKEP_RECORD_MAX +
                SKEP_PATH_MAX];     /* appending stops at SKEP_RECORD_MAX, one string may stand out */
    char path[SKEP_PATH_MAX + 512]; /* paths grow here from the end to the start */
};

/* Slot of skep_filters that ends a record that passed; the others are numbered by kind. */
#define SKEP_FILTER_EMIT 0

/*
 * Per kind and CPU, written by the sensors and by filters only: what happened where no slot was held. Summed up with the
 * tallies of the slots it is the ledger: seen = submitted + filtered + sum(lost), always.
 */
struct skep_counters {
    __u64 seen;
    __u64 submitted;
    __u64 filtered;
    __u64 refused; /* seen, and filtered for what it is: counted once in the kernel, as both in a sum */
    __u64 lost[SKEP_REASON_MAX];
};

/* Per ring and CPU: the life cycle ring counts in [0, SKEP_MAX_CPUS), the data rings behind. */
struct skep_ring_state {
    __u64 seq;  /* of the next record */
    __u64 lost; /* records that found no room */
    __u64 pad[6];
};
#endif
