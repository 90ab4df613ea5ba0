/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_ABI_TYPES_H
#define SKEP_ABI_TYPES_H
/*
 * The vocabulary of event records. Each typedef below names a meaning, not only a width: the name travels
 * in the BTF of the compiled BPF object, and user space picks the rendering, the comparison and the
 * documentation of a field by it (rows in types.def). A field that needs a new meaning gets a new typedef
 * here and a row there.
 *
 * Both compilers read this file: fixed widths, explicit padding, no bitfields, no pointers.
 */
#ifdef __bpf__
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
/* The documentation of a field travels in BTF too. gcc has no such attribute and needs none. */
#define SKEP_DOC(text) __attribute__((btf_decl_tag("doc:" text)))
#else
#include <linux/types.h>
#define SKEP_DOC(text)
#endif

/* Bytes inside the record: offset from the record's start, and length without a terminating NUL.
 * off 0 means that the field was not available; len 0 with an offset is an empty string. */
struct skep_slice {
    __u32 off;
    __u32 len;
};

typedef struct skep_slice skep_text;     /* one string; bytes as the kernel has them, not always UTF-8 */
typedef struct skep_slice skep_textlist; /* strings, each ended by a NUL */
typedef struct skep_slice skep_environ;  /* NAME=value strings, each ended by a NUL */
typedef struct skep_slice skep_dnsmsg;   /* a DNS message as it stood in the packet (RFC 1035) */

typedef __u8 skep_bool;
typedef __u32 skep_pid;
typedef __u32 skep_uid; /* -1 (unset) is shown as null */
typedef __u32 skep_gid;
typedef __s32 skep_fdnum; /* AT_FDCWD is shown by name */
typedef __u64 skep_inode;
typedef __u32 skep_dev;      /* the kernel's dev_t: major << 20 | minor; shown as major:minor */
typedef __u32 skep_nsid;     /* inode number of a namespace */
typedef __u64 skep_time;     /* CLOCK_BOOTTIME nanoseconds; shown as wall time */
typedef __u64 skep_duration; /* nanoseconds */
typedef __u64 skep_size;     /* bytes */
typedef __u64 skep_count;
typedef __u64 skep_addr;     /* an address or a cookie, shown in hexadecimal */
typedef __u32 skep_mode;     /* permission bits, shown in octal */
typedef __u64 skep_caps;     /* a set of capabilities */
typedef __u64 skep_cgroupid; /* SKEP_CGROUP_ID(); shown as the cgroup's path */

/* Sets of flags and enumerations: shown by name. A sensor that has no value for an enumeration writes
 * SKEP_NO_VALUE, which is shown as null. */
#define SKEP_NO_VALUE 0xffffffffU
typedef __u32 skep_open_flags;
typedef __u64 skep_clone_flags; /* clone3 has more than 32 */
typedef __u32 skep_exec_flags;  /* enum skep_exec_flag */
typedef __u32 skep_signal;
typedef __u32 skep_family;     /* AF_ */
typedef __u32 skep_socktype;   /* SOCK_ without its flags */
typedef __u32 skep_proto;      /* IPPROTO_ on inet sockets */
typedef __u32 skep_fdkind;     /* enum skep_fd_kind */
typedef __u32 skep_pathsource; /* enum skep_path_source */
typedef __u32 skep_mount_flags;
typedef __u32 skep_at_flags; /* AT_ */
typedef __u32 skep_memfd_flags;
typedef __u32 skep_tcp_action; /* enum skep_tcp_action_id */
typedef __u32 skep_direction;  /* enum skep_direction_id */
typedef __s32 skep_ptrace_req;
typedef __u32 skep_bpf_cmd;
typedef __u32 skep_bpf_progtype;
typedef __u32 skep_bpf_maptype;
typedef __u32 skep_bpf_attachtype;
typedef __u32 skep_perf_type;
typedef __u32 skep_keyctl_op;
typedef __u32 skep_uring_op;
typedef __u32 skep_uffd_flags;
typedef __u32 skep_kexec_flags;
typedef __u32 skep_kexec_file_flags;
typedef __u32 skep_module_flags;
typedef __u32 skep_rename_flags;
typedef __u32 skep_umount_flags;
typedef __u32 skep_movemount_flags;
typedef __u32 skep_fsopen_flags;
typedef __u32 skep_perf_flags;
typedef __u32 skep_sqe_flags;
typedef __u32 skep_cqe_flags;
typedef __u32 skep_uring_unknown; /* enum skep_uring_unknown_id */
typedef __u32 skep_errno;         /* a positive error number */

/* An address on a socket. An IPv4 address stands in the first four bytes of ip. */
struct skep_endpoint {
    __u8 ip[16];
    __u16 port;   /* host order */
    __u16 family; /* AF_INET, AF_INET6, or 0: not available */
    __u32 scope;  /* interface index of a link-local IPv6 address */
};

/* What a descriptor of the calling process refers to, from struct file at the moment of the event. */
struct skep_fd {
    skep_fdnum num SKEP_DOC("number of the descriptor");
    skep_fdkind kind SKEP_DOC("what it refers to: file, dir, socket, pipe, ...");
    skep_text name SKEP_DOC("path, pipe:[inode], socket:[inode] or the anonymous inode's class");
};

#define SKEP_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
SKEP_STATIC_ASSERT(sizeof(struct skep_endpoint) == 24, "endpoint layout");
SKEP_STATIC_ASSERT(sizeof(struct skep_fd) == 16, "fd layout");

enum skep_exec_flag {
    SKEP_EXEC_MEMFD = 1 << 0,       /* the image is a memfd */
    SKEP_EXEC_DELETED = 1 << 1,     /* the image's file has no name any more */
    SKEP_EXEC_UPPER_LAYER = 1 << 2, /* on overlayfs: the file is in the upper layer, not from the image */
    SKEP_EXEC_SETUID = 1 << 3,      /* the effective user came from the file's set-user-ID bit */
    SKEP_EXEC_SETGID = 1 << 4,
    SKEP_EXEC_FILECAPS = 1 << 5, /* capabilities came from the file */
    SKEP_EXEC_SECURE = 1 << 6,   /* AT_SECURE is set */
    SKEP_EXEC_SCRIPT = 1 << 7,   /* started through an interpreter (#! or binfmt_misc) */
    SKEP_EXEC_ARGS_TRUNCATED = 1 << 8,
    SKEP_EXEC_ENV_TRUNCATED = 1 << 9,
    SKEP_EXEC_KTHREAD = 1 << 10, /* a kernel thread (snapshot only) */
    SKEP_EXEC_ZOMBIE = 1 << 11,  /* already dead, not yet waited for (snapshot only) */
};

/* More about the file of an image. They are for rules and not among the flags that people are shown: half of all
 * programs are writable by root. */
enum skep_image_trait {
    SKEP_IMAGE_WRITABLE = 1 << 0,    /* the process may write the file, by its credentials and the mount */
    SKEP_IMAGE_LOWER_LAYER = 1 << 1, /* on overlayfs: the file is in a lower layer */
    SKEP_IMAGE_SEEN = 1 << 2,        /* the file was looked at: what is not said of it above is not so */
};

enum skep_container_trait {
    SKEP_CONTAINER_PRIVILEGED = 1 << 0,
    SKEP_CONTAINER_HOST_PID = 1 << 1, /* it is in the host's namespace of this sort */
    SKEP_CONTAINER_HOST_NETWORK = 1 << 2,
    SKEP_CONTAINER_HOST_IPC = 1 << 3,
    /* What is known: the bits above say nothing without. */
    SKEP_CONTAINER_KNOWN_PRIVILEGES = 1 << 8,
    SKEP_CONTAINER_KNOWN_NAMESPACES = 1 << 9,
    SKEP_CONTAINER_KNOWN_MOUNTS = 1 << 10,
    SKEP_CONTAINER_KNOWN_LABELS = 1 << 11,
    SKEP_CONTAINER_KNOWN_HEALTHCHECK = 1 << 12,
};

enum skep_fd_kind {
    SKEP_FD_NONE = 0, /* not open */
    SKEP_FD_FILE = 1,
    SKEP_FD_DIR = 2,
    SKEP_FD_SOCKET = 3,
    SKEP_FD_PIPE = 4,
    SKEP_FD_FIFO = 5,
    SKEP_FD_CHAR = 6,
    SKEP_FD_BLOCK = 7,
    SKEP_FD_SYMLINK = 8,
    SKEP_FD_ANON = 9, /* anonymous inode; the name says which: eventfd, eventpoll, bpf-map, ... */
    SKEP_FD_MEMFD = 10,
};

/* Where the canonical path of an event comes from. */
enum skep_path_source {
    SKEP_PATH_NONE = 0,
    SKEP_PATH_OBJECT = 1,  /* the kernel's dentry */
    SKEP_PATH_LEXICAL = 2, /* directory from the kernel's dentry, joined with the name that the caller gave;
                              symbolic links inside that name are not resolved */
};

/* Why the result of an operation of io_uring is not known. */
enum skep_uring_unknown_id {
    SKEP_URING_KNOWN = 0,
    SKEP_URING_NOT_POSTED = 1, /* the caller wants no word of its success (IOSQE_CQE_SKIP_SUCCESS) */
    SKEP_URING_TABLE_FULL = 2, /* too many operations were on their way */
    SKEP_URING_TOO_LARGE = 3,  /* its paths are too long to be kept */
    SKEP_URING_DISPLACED = 4,  /* it took so long that others got its place */
    SKEP_URING_UNSEEN = 5,     /* it is over, and nothing told what became of it */
};

enum skep_tcp_action_id {
    SKEP_TCP_OPEN = 1,        /* SYN sent */
    SKEP_TCP_ESTABLISHED = 2, /* handshake done, either side */
    SKEP_TCP_CLOSE = 3,
};

enum skep_direction_id {
    SKEP_DIR_OUT = 1,
    SKEP_DIR_IN = 2,
};

/* skep_keyctl_op of the two calls that are not operations of keyctl(2). */
#define SKEP_KEYCTL_ADD_KEY 1000
#define SKEP_KEYCTL_REQUEST_KEY 1001

/* A cgroup is named by its kernfs id within one hierarchy; the hierarchy's number (0: the v2 tree) stands
 * in the top byte. */
#define SKEP_CGROUP_ID(hierarchy, id) (((__u64)(hierarchy) << 56) | (0x00ffffffffffffffULL & (id)))
#endif
