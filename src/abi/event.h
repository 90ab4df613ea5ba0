/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_ABI_EVENT_H
#define SKEP_ABI_EVENT_H
/*
 * The records that the sensors write and that every reader, recording and test reads: one struct a kind,
 * named struct skep_ev_<name> after its row in events.def, each beginning with the same header. The structs
 * are the only description of the events: columns, JSON members, documentation and recordings are derived
 * from their BTF at run time (src/event/schema.c). A member's name is the name that people see; a member
 * that is a struct becomes an object (remote {ip, port}); members whose name begins with pad are hidden.
 *
 * Strings are slices (see types.h) that point behind the struct, inside the same record.
 *
 * To add a kind: a row in events.def, a struct here, a sensor. Numbers and offsets may change between
 * versions (recordings carry their own schema); the numbers in events.def may not.
 */
#include "abi/config.h"

#include <stddef.h>

enum skep_header_flag {
    SKEP_HDR_RET = 1 << 0,       /* ret holds the call's return value */
    SKEP_HDR_TRUNCATED = 1 << 1, /* some string was cut */
    SKEP_HDR_COMPAT = 1 << 2,    /* a 32-bit system call */
    SKEP_HDR_FAULT = 1 << 3,     /* some user memory could not be read */
    SKEP_HDR_SYSCALL = 1 << 4,   /* nr is a system call number */
    SKEP_HDR_NO_TASK = 1 << 5,   /* the acting process is not known (interrupt context) */
    SKEP_HDR_INDIRECT = 1 << 6,  /* the process was remembered, not seen: it may be gone by now */
};

struct skep_hdr {
    __u32 len;   /* of the whole record, a multiple of 8 */
    __u16 kind;  /* events.def */
    __u16 flags; /* enum skep_header_flag */
    __u64 seq;   /* counts up by one per record offered to this ring */
    __u64 time;  /* CLOCK_BOOTTIME */
    __u64 start; /* start of the process; with pid, its identity */
    __u32 pid;   /* of the process (tgid), in the initial pid namespace */
    __u32 tid;
    __u32 exec_id; /* counts the execs of the process and its ancestors: which image acts */
    __u32 ring;    /* 0: life cycle, else 1 + CPU */
    __s64 ret;
    __u64 cgroup; /* SKEP_CGROUP_ID() */
    __u64 caps;   /* effective capabilities */
    __u32 uid;
    __u32 gid;
    __u32 euid;
    __u32 egid;
    __u32 cpu;
    __u32 nr; /* system call number */
    char comm[SKEP_COMM_LEN];
};
SKEP_STATIC_ASSERT(sizeof(struct skep_hdr) == 112, "header layout");

/* Which namespaces a process is in, by inode number; 0 where the kernel lacks the kind. */
struct skep_namespaces {
    skep_nsid mnt;
    skep_nsid pid;
    skep_nsid net;
    skep_nsid user;
    skep_nsid uts;
    skep_nsid ipc;
    skep_nsid cgroup;
    skep_nsid time;
};

/* What is known of a process as a whole. It stands in the records that make or change a row of the process
 * table (fork, exec, process) and reaches other events through that table. */
struct skep_task {
    __u64 parent_start;
    __u32 parent_pid;
    skep_pid ns_pid; /* in the process's own pid namespace */
    skep_uid loginuid;
    __u32 audit_session;
    skep_pid session;
    skep_pid pgid;
    __u32 suid;
    __u32 fsuid;
    skep_caps permitted;
    skep_caps inheritable;
    struct skep_namespaces ns;
    char tty[16];           /* empty: none */
    skep_time pid_ns_start; /* of the first process of its pid namespace; 0: not known */
    __u32 tty_nr;           /* the terminal's device as stat(2) encodes it; 0: none, or not known */
    skep_pid ns_session; /* session and process group as seen from its own pid namespace; 0: not seen there */
    skep_pid ns_pgid;
    __u32 pad;
};
SKEP_STATIC_ASSERT(sizeof(struct skep_task) == 128, "task layout");

/* ---- life cycle ---- */

struct skep_ev_fork {
    struct skep_hdr h;     /* the parent, who called */
    struct skep_task task; /* the child */
    struct {
        skep_pid pid SKEP_DOC("process id of the child");
        skep_pid ns_pid SKEP_DOC("process id of the child in its own pid namespace");
    } child;
    __u64 pad_child_start;
    __u32 pad_child_exec_id;
    __u32 pad;
    skep_clone_flags flags SKEP_DOC("flags given to clone");
};

/* Common to exec and process: the image that a process runs. */
struct skep_image {
    skep_text exe; /* canonical path of the image */
    skep_text cwd;
    skep_textlist args; /* the first SKEP_ARGS_INLINE bytes; exec_data carries the rest */
    skep_environ env;
    __u32 args_size; /* bytes of all args in the process, and of those captured in all records */
    __u32 args_captured;
    __u32 env_size;
    __u32 env_captured;
    __u64 ctime; /* of the image's file when it was executed, nanoseconds since 1970; 0: not known */
    __u64 mtime;
    __u32 traits; /* enum skep_image_trait */
    __u32 pad;
};

struct skep_ev_exec {
    struct skep_hdr h;
    struct skep_task task;
    struct skep_image image;
    skep_text script
        SKEP_DOC("what was executed when that is not the image itself: the script that named an interpreter");
    skep_text raw_path SKEP_DOC("the file name as given to execve");
    skep_inode inode SKEP_DOC("inode of the image");
    skep_dev dev SKEP_DOC("device of the image");
    skep_exec_flags flags
        SKEP_DOC("memfd, deleted, upper_layer, setuid, setgid, filecaps, secure, script, ...");
    skep_mode mode SKEP_DOC("permissions of the image");
    skep_uid owner SKEP_DOC("owner of the image");
    skep_uid old_uid SKEP_DOC("effective user before");
    __u32 pad;
    struct skep_fd stdin SKEP_DOC("standard input");
    struct skep_fd stdout SKEP_DOC("standard output");
    skep_environ env SKEP_DOC("chosen variables of the environment");
};

/* What is said of the program is what the caller wrote: nothing of it was executed, and some of it may have been
 * changed by another thread since the kernel read it. */
struct skep_ev_exec_failed {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of what was to be executed, from the name; of a descriptor alone "
                            "(execveat with an empty name) that of its file");
    skep_text raw_path SKEP_DOC("the file name as given");
    skep_textlist args SKEP_DOC("arguments as given, as far as they could be read: the first 4 KiB");
    skep_pathsource path_source SKEP_DOC("lexical; object: of a descriptor alone");
    skep_at_flags flags SKEP_DOC("AT_ flags (execveat)");
    skep_fdnum dirfd SKEP_DOC("directory that a relative name starts from (execveat)");
    __u32 pad;
};

struct skep_ev_exit {
    struct skep_hdr h;
    __u32 code SKEP_DOC("exit status");
    skep_signal signal SKEP_DOC("signal that ended the process");
    skep_bool core SKEP_DOC("a core was dumped");
    __u8 pad[7];
    skep_duration duration SKEP_DOC("time since the process was created");
};

struct skep_ev_process {
    struct skep_hdr h;
    struct skep_task task;
    struct skep_image image;
    skep_inode inode;
    skep_dev dev;
    skep_exec_flags flags;
};

struct skep_ev_cgroup {
    struct skep_hdr h;
    skep_cgroupid id;
    skep_text path; /* from the root of its hierarchy */
};

/* Pieces follow their exec or process record in the same ring, not always at once. */
struct skep_ev_exec_data {
    struct skep_hdr h;
    __u64 of_seq; /* seq of the exec (or process) record, which has the same pid and start */
    __u32 which;  /* 0: args, 1: environment */
    __u32 offset; /* of data in the whole */
    skep_text data;
};

struct skep_ev_chdir {
    struct skep_hdr h;
    skep_text path SKEP_DOC("the new current directory");
    skep_text raw_path SKEP_DOC("the path as given");
};

struct skep_ev_setsid {
    struct skep_hdr h;
    skep_pid session SKEP_DOC("the new session");
    __u32 pad;
};

struct skep_ev_container {
    struct skep_hdr h;
    skep_text id;
    skep_text name;
    skep_text image;
    skep_text runtime;
    skep_text pod;
    skep_text namespace_;
    skep_text image_id;     /* digest of the image's configuration, in hexadecimal */
    skep_text image_digest; /* of the image in its registry: sha256:... */
    skep_text pod_uid;
    skep_text sandbox; /* id of the container that holds the pod together */
    skep_text ip;
    skep_text cni;           /* what the network plugins answered: JSON */
    skep_textlist mounts;    /* five strings each: source, destination, mode, true (may be written) or false,
                                 propagation */
    skep_environ labels;     /* key=value */
    skep_environ pod_labels; /* of the pod, in the same way */
    skep_textlist healthcheck; /* command and arguments */
    __u64 started;             /* when the runtime started it, nanoseconds since 1970; 0: not known */
    __u32 traits;              /* enum skep_container_trait */
    __u32 pad;
};

struct skep_ev_snapshot {
    struct skep_hdr h;
    __u64 begin;      /* processes that it did not confirm since then are gone */
    skep_pid root;    /* process tree that was asked for, 0: none */
    skep_pid command; /* command that skep started, 0: none */
};

/* ---- files ---- */

struct skep_ev_open {
    struct skep_hdr h;
    skep_text path
        SKEP_DOC("canonical path, from the opened file; when the call failed, from the name given");
    skep_text raw_path SKEP_DOC("the path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_open_flags flags SKEP_DOC("open flags");
    skep_mode mode SKEP_DOC("permissions for a new file, 0 of a call that makes none");
    skep_pathsource path_source SKEP_DOC("object: from the kernel's file; lexical: from the name");
    skep_fdnum dirfd SKEP_DOC("directory that a relative name starts from");
    skep_bool created SKEP_DOC("the file did not exist before");
    __u8 pad[3];
};

/* unlink, rmdir and the other calls that name one path: all begin alike, up to path_source. */
struct skep_ev_unlink {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the name that went away");
    skep_text raw_path SKEP_DOC("the path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_at_flags flags SKEP_DOC("AT_ flags");
    skep_fdnum dirfd SKEP_DOC("directory that a relative name starts from");
};

/* rename and the other calls that name two paths: all begin alike, up to path_source. It says object only when
 * both paths come from kernel objects. */
struct skep_ev_rename {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path before");
    skep_text target SKEP_DOC("canonical path after");
    skep_text raw_path SKEP_DOC("the old path as given");
    skep_text raw_target SKEP_DOC("the new path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_rename_flags flags SKEP_DOC("RENAME_ flags");
    skep_fdnum dirfd SKEP_DOC("directory that the old name starts from");
    skep_fdnum target_dirfd SKEP_DOC("directory that the new name starts from");
    __u32 pad;
};

struct skep_ev_link {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the existing file");
    skep_text target SKEP_DOC("canonical path of the new name");
    skep_text raw_path SKEP_DOC("the existing path as given");
    skep_text raw_target SKEP_DOC("the new path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_at_flags flags SKEP_DOC("AT_ flags");
    skep_fdnum dirfd SKEP_DOC("directory that the existing name starts from");
    skep_fdnum target_dirfd SKEP_DOC("directory that the new name starts from");
    __u32 pad;
};

struct skep_ev_symlink {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the new link");
    skep_text raw_path SKEP_DOC("the link's path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_fdnum dirfd SKEP_DOC("directory that a relative name starts from");
    __u32 pad;
    skep_text target SKEP_DOC("what the link says");
};

struct skep_ev_mkdir {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the new directory");
    skep_text raw_path SKEP_DOC("the path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_mode mode SKEP_DOC("permissions asked for");
    skep_fdnum dirfd SKEP_DOC("directory that a relative name starts from");
};

struct skep_ev_rmdir {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the directory that went away");
    skep_text raw_path SKEP_DOC("the path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_at_flags flags SKEP_DOC("AT_ flags");
    skep_fdnum dirfd SKEP_DOC("directory that a relative name starts from");
};

struct skep_ev_chmod {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the file");
    skep_text raw_path SKEP_DOC("the path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_mode mode SKEP_DOC("the new permissions");
    skep_at_flags flags SKEP_DOC("AT_ flags");
    skep_fdnum dirfd SKEP_DOC("directory that a relative name starts from, or the descriptor (fchmod)");
    __u32 pad;
};

struct skep_ev_chown {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the file");
    skep_text raw_path SKEP_DOC("the path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_uid owner SKEP_DOC("the new owner; null: unchanged");
    skep_gid group SKEP_DOC("the new group; null: unchanged");
    skep_at_flags flags SKEP_DOC("AT_ flags");
    skep_fdnum dirfd SKEP_DOC("directory that a relative name starts from, or the descriptor (fchown)");
};

struct skep_ev_truncate {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the file");
    skep_text raw_path SKEP_DOC("the path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_fdnum dirfd SKEP_DOC("the descriptor (ftruncate)");
    __u32 pad;
    skep_size length SKEP_DOC("the new length");
};

struct skep_ev_mount {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the mount point");
    skep_text raw_path SKEP_DOC("the mount point as given");
    skep_inode inode SKEP_DOC("inode number of the mount point, as it was before");
    skep_dev dev SKEP_DOC("device of the file system that the mount point is on");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_mount_flags flags SKEP_DOC("MS_ flags");
    __u32 pad;
    skep_text source SKEP_DOC("device, directory or name as given");
    skep_text fstype SKEP_DOC("file system type as given");
    skep_text options SKEP_DOC("options as given");
};

struct skep_ev_umount {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the mount point");
    skep_text raw_path SKEP_DOC("the mount point as given");
    skep_inode inode SKEP_DOC("inode number of the root of what was mounted");
    skep_dev dev SKEP_DOC("device of what was mounted");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_umount_flags flags SKEP_DOC("MNT_ and UMOUNT_ flags");
    __u32 pad;
};

struct skep_ev_move_mount {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the mount that moves; / when it was attached nowhere");
    skep_text target SKEP_DOC("canonical path that it is attached to");
    skep_text raw_path SKEP_DOC("the source as given");
    skep_text raw_target SKEP_DOC("the target as given");
    skep_inode inode SKEP_DOC("inode number of the root of the mount");
    skep_dev dev SKEP_DOC("device of what is mounted");
    skep_pathsource path_source SKEP_DOC("object or lexical");
    skep_movemount_flags flags SKEP_DOC("MOVE_MOUNT_ flags");
    skep_fdnum dirfd SKEP_DOC("descriptor that the source starts from");
    skep_fdnum target_dirfd SKEP_DOC("descriptor that the target starts from");
    __u32 pad;
};

struct skep_ev_fsopen {
    struct skep_hdr h;
    skep_text fstype SKEP_DOC("file system type");
    skep_fsopen_flags flags SKEP_DOC("FSOPEN_ flags");
    __u32 pad;
};

struct skep_ev_pivot_root {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the new root, before the call");
    skep_text target SKEP_DOC("canonical path of where the old root goes, before the call");
    skep_text raw_path SKEP_DOC("the new root as given");
    skep_text raw_target SKEP_DOC("put_old as given");
    skep_inode inode SKEP_DOC("inode number of the new root");
    skep_dev dev SKEP_DOC("device of the new root");
    skep_pathsource path_source SKEP_DOC("object or lexical");
};

struct skep_ev_chroot {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the new root, from the root of the mount namespace");
    skep_text raw_path SKEP_DOC("the path as given");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system");
    skep_pathsource path_source SKEP_DOC("object or lexical");
};

/* ---- descriptors ---- */

struct skep_ev_dup {
    struct skep_hdr h;
    skep_fdnum oldfd SKEP_DOC("descriptor that was duplicated");
    skep_fdnum newfd SKEP_DOC("0, 1 or 2: where it went");
    struct skep_fd fd SKEP_DOC("what both now refer to");
    struct skep_endpoint local SKEP_DOC("own address, when it is an inet socket");
    struct skep_endpoint remote SKEP_DOC("address of the peer, when it is an inet socket");
    skep_proto proto SKEP_DOC("protocol of the socket");
    skep_family family SKEP_DOC("address family of the socket");
};

struct skep_ev_memfd_create {
    struct skep_hdr h;
    skep_text name SKEP_DOC("name given to the file");
    skep_inode inode SKEP_DOC("inode number");
    skep_dev dev SKEP_DOC("device of the file system in memory");
    skep_memfd_flags flags SKEP_DOC("MFD_ flags");
};

struct skep_ev_pipe {
    struct skep_hdr h;
    skep_fdnum readfd SKEP_DOC("the end to read from");
    skep_fdnum writefd SKEP_DOC("the end to write to");
    skep_inode inode SKEP_DOC("inode that both ends share");
    skep_open_flags flags SKEP_DOC("flags given to pipe2");
    __u32 pad;
};

/* ---- network ---- */

struct skep_ev_socket {
    struct skep_hdr h;
    skep_family family SKEP_DOC("address family");
    skep_socktype type SKEP_DOC("stream, dgram, raw, ...");
    skep_proto proto SKEP_DOC("protocol");
    __u32 pad;
};

/* Addresses come from struct sock after the call; those that it does not know (destinations and senders of
 * datagrams, what a failed call named) from the caller. */
struct skep_ev_bind {
    struct skep_hdr h;
    skep_fdnum fd SKEP_DOC("the socket's descriptor");
    skep_family family SKEP_DOC("address family");
    skep_socktype type SKEP_DOC("stream, dgram, raw, ...");
    skep_proto proto SKEP_DOC("protocol");
    struct skep_endpoint local SKEP_DOC("address bound to");
    skep_text path SKEP_DOC("path of a unix socket; @ first: abstract");
};

struct skep_ev_listen {
    struct skep_hdr h;
    skep_fdnum fd SKEP_DOC("the socket's descriptor");
    skep_family family SKEP_DOC("address family");
    skep_socktype type SKEP_DOC("stream, seqpacket, ...");
    skep_proto proto SKEP_DOC("protocol");
    struct skep_endpoint local SKEP_DOC("address listened on");
    skep_text path SKEP_DOC("path of a unix socket; @ first: abstract");
    __u32 backlog SKEP_DOC("connections that may wait");
    __u32 pad;
};

struct skep_ev_accept {
    struct skep_hdr h;
    skep_fdnum fd SKEP_DOC("descriptor of the new connection");
    skep_family family SKEP_DOC("address family");
    skep_socktype type SKEP_DOC("stream, seqpacket, ...");
    skep_proto proto SKEP_DOC("protocol");
    struct skep_endpoint local SKEP_DOC("own address");
    struct skep_endpoint remote SKEP_DOC("address of the peer");
    skep_text path SKEP_DOC("path of a unix socket; @ first: abstract");
};

struct skep_ev_connect {
    struct skep_hdr h;
    skep_fdnum fd SKEP_DOC("the socket's descriptor");
    skep_family family SKEP_DOC("address family");
    skep_socktype type SKEP_DOC("stream, dgram, ...");
    skep_proto proto SKEP_DOC("protocol");
    struct skep_endpoint local SKEP_DOC("own address");
    struct skep_endpoint remote SKEP_DOC("address of the peer");
    skep_text path SKEP_DOC("path of a unix socket; @ first: abstract");
};

struct skep_ev_send {
    struct skep_hdr h;
    skep_fdnum fd SKEP_DOC("the socket's descriptor");
    skep_family family SKEP_DOC("address family");
    skep_socktype type SKEP_DOC("stream, dgram, ...");
    skep_proto proto SKEP_DOC("protocol");
    struct skep_endpoint local SKEP_DOC("own address");
    struct skep_endpoint remote
        SKEP_DOC("address of the peer; of several messages, of the first that names one");
    skep_text path SKEP_DOC("path of a unix socket; @ first: abstract");
    skep_size size SKEP_DOC("bytes sent; of several messages, of the first 64");
};

struct skep_ev_recv {
    struct skep_hdr h;
    skep_fdnum fd SKEP_DOC("the socket's descriptor");
    skep_family family SKEP_DOC("address family");
    skep_socktype type SKEP_DOC("stream, dgram, ...");
    skep_proto proto SKEP_DOC("protocol");
    struct skep_endpoint local SKEP_DOC("own address");
    struct skep_endpoint remote
        SKEP_DOC("address of the peer; of several messages, of the first that names one");
    skep_text path SKEP_DOC("path of a unix socket; @ first: abstract");
    skep_size size SKEP_DOC("bytes received; of several messages, of the first 64");
};

/* The process is the one that opened or accepted the connection, also when an interrupt closes it; until
 * somebody accepted it, the one that listens. That another process than the listener accepts is known when
 * accept events are wanted too. */
struct skep_ev_tcp {
    struct skep_hdr h;
    skep_tcp_action action SKEP_DOC("open, established or close");
    skep_direction direction SKEP_DOC("out: this side connected; in: this side accepted");
    struct skep_endpoint local SKEP_DOC("own address; port 0 when the kernel has not chosen one yet (open)");
    struct skep_endpoint remote SKEP_DOC("address of the peer");
    skep_addr cookie SKEP_DOC("identity of the socket, the same in all its events");
    skep_duration duration SKEP_DOC(
        "since the connection was opened (established); since it was established, else opened (close)");
    skep_size bytes_sent SKEP_DOC("bytes of data that the peer acknowledged");
    skep_size bytes_received SKEP_DOC("bytes of data received in order");
    skep_count retransmits SKEP_DOC("segments sent again");
    __u32 srtt SKEP_DOC("smoothed round trip time at the end, microseconds");
    skep_errno reason SKEP_DOC("error of the socket at its end; null: none");
};

struct skep_ev_dns {
    struct skep_hdr h;
    skep_direction direction SKEP_DOC("out: a question of this process; in: an answer to it");
    skep_proto proto SKEP_DOC("udp or tcp");
    struct skep_endpoint local SKEP_DOC("address of the asking side");
    struct skep_endpoint server SKEP_DOC("address of the name server");
    skep_dnsmsg message SKEP_DOC("the message: question, qtype, id, rcode, answers");
    skep_size size SKEP_DOC(
        "bytes of the message on the wire, of which the first 1232 are read; over TCP those "
        "in the segment that it begins in");
};

/* ---- privileges ---- */

struct skep_ev_setuid {
    struct skep_hdr h;
    skep_uid old_uid SKEP_DOC("real user before, as far as known");
    skep_uid old_euid SKEP_DOC("effective user before, as far as known");
    skep_uid new_uid SKEP_DOC("real user after");
    skep_uid new_euid SKEP_DOC("effective user after");
    skep_uid new_suid SKEP_DOC("saved user after");
    skep_uid new_fsuid SKEP_DOC("file system user after");
    skep_uid asked_first SKEP_DOC("user that the call asked for; real user of setreuid, setresuid");
    skep_uid asked_second SKEP_DOC("effective user that setreuid, setresuid asked for");
    skep_uid asked_third SKEP_DOC("saved user that setresuid asked for");
    __u32 pad;
    skep_caps effective SKEP_DOC("effective capabilities after");
    skep_caps gained SKEP_DOC("effective capabilities that were not there before");
};

struct skep_ev_setgid {
    struct skep_hdr h;
    skep_gid old_gid SKEP_DOC("real group before, as far as known");
    skep_gid old_egid SKEP_DOC("effective group before, as far as known");
    skep_gid new_gid SKEP_DOC("real group after");
    skep_gid new_egid SKEP_DOC("effective group after");
    skep_gid new_sgid SKEP_DOC("saved group after");
    skep_gid new_fsgid SKEP_DOC("file system group after");
    skep_gid asked_first SKEP_DOC("group that the call asked for; real group of setregid, setresgid");
    skep_gid asked_second SKEP_DOC("effective group that setregid, setresgid asked for");
    skep_gid asked_third SKEP_DOC("saved group that setresgid asked for");
    __u32 pad;
};

struct skep_ev_capset {
    struct skep_hdr h;
    skep_caps effective SKEP_DOC("effective capabilities after");
    skep_caps permitted SKEP_DOC("permitted capabilities after");
    skep_caps inheritable SKEP_DOC("inheritable capabilities after");
    skep_caps gained SKEP_DOC("effective capabilities that were not there before");
};

struct skep_target {
    skep_pid pid SKEP_DOC("process id of the other process; 0: not known");
    skep_uid uid SKEP_DOC("its user");
    skep_pid ns_pid SKEP_DOC("number of the process or thread in the caller's pid namespace");
    __u32 pad;
    __u64 pad_start;
    char comm[SKEP_COMM_LEN] SKEP_DOC("its command name");
};

struct skep_ev_ptrace {
    struct skep_hdr h;
    skep_ptrace_req request
        SKEP_DOC("what was asked: attach, seize, poketext, setregs, ...; not peeks, continues and the like");
    __u32 pad;
    struct skep_target target SKEP_DOC("the traced process");
    skep_addr addr SKEP_DOC("address in the traced process");
    skep_addr data SKEP_DOC("data argument");
};

struct skep_ev_process_vm {
    struct skep_hdr h;
    skep_direction direction SKEP_DOC("in: read from the other process; out: written into it");
    __u32 pad;
    struct skep_target target SKEP_DOC("the other process");
    skep_size size SKEP_DOC("bytes moved");
};

struct skep_ev_signal {
    struct skep_hdr h;
    skep_signal signal SKEP_DOC("the signal");
    skep_uid target_uid SKEP_DOC("user of the receiver");
    struct skep_target target SKEP_DOC("the receiver");
    skep_bool group SKEP_DOC("to the whole process");
    __u8 pad[7];
};

struct skep_ev_setns {
    struct skep_hdr h;
    struct skep_namespaces new_ns SKEP_DOC("namespaces after the call");
    struct skep_fd fd SKEP_DOC("the namespace, or the process whose namespaces are joined");
    skep_clone_flags flags SKEP_DOC("kinds of namespace asked for");
};

struct skep_ev_unshare {
    struct skep_hdr h;
    struct skep_namespaces new_ns SKEP_DOC("namespaces after the call");
    skep_clone_flags flags SKEP_DOC("what was unshared");
};

/* ---- the kernel ---- */

struct skep_ev_module {
    struct skep_hdr h;
    skep_text name SKEP_DOC("name of the module");
    skep_text path SKEP_DOC("canonical path of its file (finit_module)");
    skep_text params SKEP_DOC("parameters given");
    skep_size size SKEP_DOC("bytes of the image (init_module)");
    skep_module_flags flags SKEP_DOC("MODULE_INIT_ flags");
    skep_bool unload SKEP_DOC("the module was removed (delete_module)");
    __u8 pad[3];
};

struct skep_ev_bpf {
    struct skep_hdr h;
    skep_bpf_cmd command SKEP_DOC("prog_load, map_create, link_create, ...");
    skep_bpf_progtype prog_type SKEP_DOC("program type (prog_load)");
    skep_bpf_maptype map_type SKEP_DOC("map type (map_create)");
    skep_bpf_attachtype attach_type
        SKEP_DOC("attach type (prog_load, prog_attach, prog_detach, link_create)");
    skep_text name SKEP_DOC("name of the program or map");
    skep_text path SKEP_DOC("pinned path as given (obj_pin, obj_get)");
    __u32 id SKEP_DOC("id of the program or map that the call names or makes; 0: none");
    __u32 insns SKEP_DOC("instructions of the program (prog_load)");
};

struct skep_ev_perf_event_open {
    struct skep_hdr h;
    skep_perf_type type SKEP_DOC("hardware, software, tracepoint, ...");
    __s32 target_pid SKEP_DOC("process observed, as given; -1: all");
    skep_addr config SKEP_DOC("which event of its type");
    __s32 target_cpu SKEP_DOC("CPU observed; -1: all");
    skep_perf_flags flags SKEP_DOC("PERF_FLAG_ flags");
};

struct skep_ev_userfaultfd {
    struct skep_hdr h;
    skep_uffd_flags flags SKEP_DOC("flags");
    __u32 pad;
};

struct skep_ev_keyctl {
    struct skep_hdr h;
    skep_keyctl_op operation SKEP_DOC("what was asked; add_key and request_key have names of their own");
    __s32 key SKEP_DOC("serial number of the key, or the special keyring");
    skep_text type SKEP_DOC("type of key (add_key, request_key)");
    skep_text description SKEP_DOC("description of the key (add_key, request_key, join_session)");
};

struct skep_ev_kexec {
    struct skep_hdr h;
    skep_text path SKEP_DOC("canonical path of the kernel image (kexec_file_load)");
    skep_text cmdline SKEP_DOC("command line of the new kernel (kexec_file_load)");
    skep_kexec_flags flags SKEP_DOC("KEXEC_ flags (kexec_load)");
    skep_kexec_file_flags file_flags SKEP_DOC("KEXEC_FILE_ flags (kexec_file_load)");
    __u32 segments SKEP_DOC("segments (kexec_load)");
    __u32 pad;
};

/* What an operation of io_uring is, common to uring and uring_done: the second begins as the first. */
struct skep_ev_uring {
    struct skep_hdr h;
    skep_uring_op op SKEP_DOC("operation");
    skep_sqe_flags sqe_flags SKEP_DOC("IOSQE_ flags");
    skep_addr user_data SKEP_DOC("tag given by the caller");
    skep_text path
        SKEP_DOC("path that the operation names; of a unix socket to connect to (@ first: abstract)");
    skep_text target SKEP_DOC("second path (renameat, linkat)");
    skep_text raw_path SKEP_DOC("the path as the kernel copied it from the caller");
    skep_text raw_target SKEP_DOC("the second path, or what the link says (symlinkat)");
    struct skep_endpoint local SKEP_DOC("address to bind to, or that the socket has");
    struct skep_endpoint remote SKEP_DOC("address to connect or send to, or that the socket is connected to");
    struct skep_fd fd SKEP_DOC("file that the operation works on; num -1: not a descriptor");
    skep_pathsource path_source SKEP_DOC("lexical");
    skep_open_flags open_flags SKEP_DOC("open flags (openat, openat2)");
    skep_family family SKEP_DOC("of the socket that the operation makes or works on");
    skep_socktype type SKEP_DOC("type of that socket");
    skep_proto proto SKEP_DOC("protocol of that socket");
    __u32 command SKEP_DOC("what is asked of the file's driver (uring_cmd)");
    skep_bool sqpoll SKEP_DOC("submitted by the kernel's polling thread");
    __u8 pad[7];
    __u64 pad_done[2]; /* the two are put together in one place */
};

struct skep_ev_uring_done {
    struct skep_hdr h;
    skep_uring_op op SKEP_DOC("operation");
    skep_sqe_flags sqe_flags SKEP_DOC("IOSQE_ flags");
    skep_addr user_data SKEP_DOC("tag given by the caller");
    skep_text path SKEP_DOC("path that the operation named; of what was opened that of the file itself");
    skep_text target SKEP_DOC("second path (renameat, linkat)");
    skep_text raw_path SKEP_DOC("the path as the kernel copied it from the caller");
    skep_text raw_target SKEP_DOC("the second path, or what the link says (symlinkat)");
    struct skep_endpoint local SKEP_DOC("address to bind to, or that the socket has");
    struct skep_endpoint remote SKEP_DOC(
        "address to connect or send to, or that the socket is connected to; of accept who connected");
    struct skep_fd fd SKEP_DOC("file that the operation worked on; num -1: not a descriptor");
    skep_pathsource path_source SKEP_DOC("object: of the file that was opened; lexical: from the name");
    skep_open_flags open_flags SKEP_DOC("open flags (openat, openat2)");
    skep_family family SKEP_DOC("of the socket that the operation made or worked on");
    skep_socktype type SKEP_DOC("type of that socket");
    skep_proto proto SKEP_DOC("protocol of that socket");
    __u32 command SKEP_DOC("what was asked of the file's driver (uring_cmd)");
    skep_bool sqpoll SKEP_DOC("submitted by the kernel's polling thread");
    __u8 pad[7];
    skep_duration duration SKEP_DOC("time since the operation was submitted");
    skep_uring_unknown unknown
        SKEP_DOC("why there is no result: not_posted, table_full, too_large, displaced or unseen");
    skep_cqe_flags cqe_flags SKEP_DOC("IORING_CQE_F_ flags");
};
SKEP_STATIC_ASSERT(sizeof(struct skep_ev_uring) == sizeof(struct skep_ev_uring_done), "one layout");
SKEP_STATIC_ASSERT(offsetof(struct skep_ev_uring, pad) == offsetof(struct skep_ev_uring_done, pad),
                   "one layout");

/* kinds by name: SKEP_KIND_exec */
enum skep_kind_id {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) SKEP_KIND_##name = number,
#include "abi/events.def"
#undef SKEP_EVENT
};

enum skep_reason_id {
#define SKEP_REASON(number, name, side, doc) SKEP_LOST_##name = number,
#include "abi/reasons.def"
#undef SKEP_REASON
};
#endif
