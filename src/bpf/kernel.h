/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_KERNEL_H
#define SKEP_BPF_KERNEL_H
/*
 * The kernel's types, as far as the sensors read them: only the members that are used, in any order. CO-RE
 * relocates every access to the running kernel's layout, so any machine can build for any kernel. A member
 * that a kernel may lack, or that has another shape there, is read through a function in compat.h.
 */
#include "abi/event.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef unsigned int umode_t;

struct list_head {
    struct list_head *next, *prev;
};

struct hlist_node {
    struct hlist_node *next;
};

struct timespec64 {
    long long tv_sec;
    long tv_nsec;
};

struct qstr {
    __u32 len;
    __u32 hash;
    const unsigned char *name;
};

struct super_block {
    __u32 s_dev;
    unsigned long s_flags;
    unsigned long s_magic;
};

struct kuid {
    __u32 val;
};

struct inode {
    unsigned short i_mode;
    unsigned int i_flags;
    struct kuid i_uid;
    struct kuid i_gid;
    unsigned long i_ino;
    unsigned int i_nlink;
    unsigned int i_rdev;
    struct super_block *i_sb;
    void *i_private;
};

struct dentry {
    unsigned int d_flags;
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    struct super_block *d_sb;
};

struct vfsmount {
    struct dentry *mnt_root;
    int mnt_flags;
};

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct file {
    unsigned int f_mode;
    unsigned int f_flags;
    struct path f_path;
    struct inode *f_inode;
    void *private_data;
};

struct file_system_type {
    const char *name;
};

struct fs_context {
    struct file_system_type *fs_type;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

struct fs_struct {
    struct path root;
    struct path pwd;
};

struct mm_struct {
    unsigned long arg_start, arg_end, env_start, env_end;
    struct file *exe_file;
};

struct pid_namespace;

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct pid {
    unsigned int level;
    struct upid numbers[1];
};

struct proc_ns_operations {
    const char *name;
};

struct ns_common {
    const struct proc_ns_operations *ops;
    unsigned int inum;
};

struct uid_gid_extent {
    __u32 first;
    __u32 lower_first;
    __u32 count;
};

struct uid_gid_map {
    __u32 nr_extents;
    struct uid_gid_extent extent[5]; /* of more they stand elsewhere */
};

struct user_namespace {
    struct uid_gid_map uid_map;
    struct uid_gid_map gid_map;
    int level;
    struct ns_common ns;
};

struct task_struct;

struct pid_namespace {
    struct task_struct *child_reaper;
    unsigned int level;
    struct ns_common ns;
};

struct mnt_namespace {
    struct ns_common ns;
};

struct uts_namespace {
    struct ns_common ns;
};

struct ipc_namespace {
    struct ns_common ns;
};

struct net {
    struct ns_common ns;
};

struct cgroup_namespace {
    struct ns_common ns;
};

struct time_namespace {
    struct ns_common ns;
};

struct nsproxy {
    struct uts_namespace *uts_ns;
    struct ipc_namespace *ipc_ns;
    struct mnt_namespace *mnt_ns;
    struct pid_namespace *pid_ns_for_children;
    struct net *net_ns;
    struct time_namespace *time_ns;
    struct cgroup_namespace *cgroup_ns;
};

struct group_info {
    int ngroups;
    struct kuid gid[1]; /* ascending */
};

struct cred {
    struct kuid uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
    struct user_namespace *user_ns;
    struct group_info *group_info;
};

struct tty_driver {
    int major;
    int minor_start;
};

struct tty_struct {
    struct tty_driver *driver;
    int index;
    char name[64];
};

typedef struct {
    int counter;
} atomic_t;

enum pid_type {
    PIDTYPE_PID,
    PIDTYPE_TGID,
    PIDTYPE_PGID,
    PIDTYPE_SID,
};

struct signal_struct {
    atomic_t live;
    int nr_threads;
    int group_exit_code;
    unsigned int flags;
    struct tty_struct *tty;
    struct pid *pids[4];
};

struct kernfs_node {
    const char *name;
    __u64 id;
};

struct cgroup_root {
    int hierarchy_id;
};

struct cgroup {
    int level;
    struct kernfs_node *kn;
    struct cgroup_root *root;
};

struct cgroup_subsys_state {
    struct cgroup *cgroup;
};

/* Values are relocated by name, see lib/cgroup.h. */
enum cgroup_subsys_id {
    cpuset_cgrp_id,
    cpu_cgrp_id,
    memory_cgrp_id,
    devices_cgrp_id,
    freezer_cgrp_id,
    pids_cgrp_id,
};

struct css_set {
    struct cgroup_subsys_state *subsys[16];
    struct cgroup *dfl_cgrp;
};

struct thread_info {
    __u32 status;
};

struct task_struct {
    struct thread_info thread_info;
    unsigned int flags;
    int exit_code;
    int exit_state;
    int pid;
    int tgid;
    __u64 start_boottime;
    __u64 self_exec_id;
    char comm[16];
    struct task_struct *real_parent;
    struct task_struct *group_leader;
    struct mm_struct *mm;
    struct fs_struct *fs;
    struct files_struct *files;
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    const struct cred *cred;
    const struct cred *real_cred;
    struct css_set *cgroups;
    struct pid *thread_pid;
    struct kuid loginuid;
    struct list_head ptraced;
    struct list_head ptrace_entry;
    unsigned int sessionid;
};

struct linux_binprm {
    struct file *file;
    const char *filename;
    const char *interp;
    const char *fdpath;
    unsigned int secureexec : 1;
};

struct pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags,
        sp, ss;
};

struct seq_file;

/* privileges and the kernel's own facilities */

struct kernel_siginfo {
    int si_signo;
    int si_errno;
    int si_code;
};

struct module {
    char name[56];
};

struct bpf_prog_aux {
    __u32 id;
    char name[16];
};

struct bpf_prog {
    enum bpf_prog_type type;
    enum bpf_attach_type expected_attach_type;
    struct bpf_prog_aux *aux;
};

struct bpf_map {
    __u32 id;
    enum bpf_map_type map_type;
    char name[16];
};

struct filename {
    const char *name;
};

struct open_how {
    __u64 flags;
    __u64 mode;
    __u64 resolve;
};

struct sockaddr_storage {
    unsigned short ss_family;
};

struct io_cqe {
    __u64 user_data;
    int res;
    union {
        __u32 flags;
        int fd; /* until the operation runs */
    };
};

struct io_ring_ctx {
    unsigned int flags;
};

struct io_kiocb {
    __u8 opcode;
    __u32 flags; /* 64 bits in newer kernels, of which the lower ones are read */
    struct io_cqe cqe;
    struct io_ring_ctx *ctx;
    void *async_data;
};

/* What an operation keeps stands at the start of its io_kiocb. */

struct io_open {
    int dfd;
    __u32 file_slot; /* of the ring's own table, counted from 1; 0: it gets a descriptor */
    struct filename *filename;
    struct open_how how;
};

struct io_unlink {
    int dfd;
    struct filename *filename;
};

struct io_mkdir {
    int dfd;
    struct filename *filename;
};

struct io_rename {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
};

struct io_link {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
};

struct io_close {
    int fd;
};

struct io_connect {
    void *addr;
    int addr_len;
};

struct io_bind {
    int addr_len;
};

struct io_accept {
    __u32 file_slot;
};

struct io_socket {
    int domain, type, protocol;
};

struct user_msghdr {
    void *msg_name;
    int msg_namelen;
};

struct io_sr_msg {
    struct user_msghdr *umsg;
    __u16 addr_len;
    void *addr;
};

struct io_uring_cmd {
    __u32 cmd_op;
};

struct msghdr {
    void *msg_name;
    int msg_namelen;
};

struct bpf_iter_meta {
    struct seq_file *seq;
    __u64 session_id;
    __u64 seq_num;
};

struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};

/* ---- sockets ---- */

typedef struct {
    __s64 counter;
} atomic64_t;

struct in6_addr {
    union {
        __u32 u6_addr32[4];
    } in6_u;
};

struct sock_common {
    __u32 skc_daddr;
    __u32 skc_rcv_saddr;
    __u16 skc_dport;
    unsigned short skc_family;
    unsigned char skc_state;
    int skc_bound_dev_if;
    unsigned long skc_flags;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
    atomic64_t skc_cookie;
};

struct sock {
    struct sock_common __sk_common;
    __u16 sk_protocol;
    __u16 sk_type;
    int sk_err;
};

struct socket {
    struct sock *sk;
};

struct inet_sock {
    struct sock sk;
    __u16 inet_sport;
};

struct tcp_sock {
    __u64 bytes_acked;
    __u64 bytes_received;
    __u32 snd_una;
    __u32 write_seq;
    __u32 total_retrans;
    __u32 srtt_us;
};

struct sockaddr_un {
    unsigned short sun_family;
    char sun_path[108];
};

struct unix_address {
    int len;
    struct sockaddr_un name[0];
};

struct unix_sock {
    struct unix_address *addr;
    struct path path;
    struct sock *peer;
};

struct bpf_iter__task_file {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
    __u32 fd;
    struct file *file;
};

#pragma clang attribute pop

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AT_FDCWD (-100)
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_ISUID 04000
#define S_ISGID 02000
#define S_IWUSR 00200
#define S_IWGRP 00020
#define S_IWOTH 00002
#define S_IMMUTABLE 8
#define SB_RDONLY 1
#define MNT_READONLY 0x40
#define CAP_DAC_OVERRIDE 1
#define PF_EXITING 0x4
#define PF_IO_WORKER 0x10
#define PF_KTHREAD 0x00200000
#define TS_COMPAT 0x2
#define SIGNAL_GROUP_EXIT 0x4
#define FMODE_CREATED 0x100000
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_REMOVEDIR 0x200
#define AT_EMPTY_PATH 0x1000
#define MOVE_MOUNT_F_EMPTY_PATH 0x4
#define MOVE_MOUNT_T_EMPTY_PATH 0x40
#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030
#define CLONE_THREAD 0x00010000

#define SOCK_STREAM 1
#define SOCK_RAW 3
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define SOCK_DONE 1 /* bit of skc_flags: the peer's FIN was received */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_FIN_WAIT2 5
#define TCP_CLOSE 7
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define TCP_CLOSING 11
#define EINTR 4
#define EAGAIN 11
#define EALREADY 114
#define EINPROGRESS 115
#define ERESTARTSYS 512 /* stands in ret when a signal came; the call returns EINTR or is made again */
#define ERESTART_RESTARTBLOCK 516

#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#endif
