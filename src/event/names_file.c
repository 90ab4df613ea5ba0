/* SPDX-License-Identifier: Apache-2.0 */
#include "event/names.h"

#include <fcntl.h>

/* Values of the kernel that the C library hides or spells otherwise. */
#define KERNEL_O_LARGEFILE 0100000
#define KERNEL_O_TMPFILE 020000000
#define KERNEL_O_SYNC 04000000

/* A row that covers several bits stands before those that it covers. */
static const struct skep_name open_flags_rows[] = {
    {O_RDONLY, O_ACCMODE, "O_RDONLY"},
    {O_WRONLY, O_ACCMODE, "O_WRONLY"},
    {O_RDWR, O_ACCMODE, "O_RDWR"},
    {O_ACCMODE, O_ACCMODE, "O_ACCMODE"},
    {O_CREAT, O_CREAT, "O_CREAT"},
    {O_EXCL, O_EXCL, "O_EXCL"},
    {O_NOCTTY, O_NOCTTY, "O_NOCTTY"},
    {O_TRUNC, O_TRUNC, "O_TRUNC"},
    {O_APPEND, O_APPEND, "O_APPEND"},
    {O_NONBLOCK, O_NONBLOCK, "O_NONBLOCK"},
    {KERNEL_O_SYNC | O_DSYNC, KERNEL_O_SYNC | O_DSYNC, "O_SYNC"},
    {O_DSYNC, O_DSYNC, "O_DSYNC"},
    {O_ASYNC, O_ASYNC, "O_ASYNC"},
    {O_DIRECT, O_DIRECT, "O_DIRECT"},
    {KERNEL_O_LARGEFILE, KERNEL_O_LARGEFILE, "O_LARGEFILE"},
    {KERNEL_O_TMPFILE | O_DIRECTORY, KERNEL_O_TMPFILE | O_DIRECTORY, "O_TMPFILE"},
    {O_DIRECTORY, O_DIRECTORY, "O_DIRECTORY"},
    {O_NOFOLLOW, O_NOFOLLOW, "O_NOFOLLOW"},
    {O_NOATIME, O_NOATIME, "O_NOATIME"},
    {O_CLOEXEC, O_CLOEXEC, "O_CLOEXEC"},
    {O_PATH, O_PATH, "O_PATH"}};
const struct skep_names skep_names_open_flags = {
    .rows = open_flags_rows, .n = ARRAY_SIZE(open_flags_rows), .set = true};

static const struct skep_name at_flags_rows[] = {
    {0x100, 0x100, "AT_SYMLINK_NOFOLLOW"}, {0x200, 0x200, "AT_REMOVEDIR"},
    {0x400, 0x400, "AT_SYMLINK_FOLLOW"},   {0x800, 0x800, "AT_NO_AUTOMOUNT"},
    {0x1000, 0x1000, "AT_EMPTY_PATH"},     {0x8000, 0x8000, "AT_RECURSIVE"}};
const struct skep_names skep_names_at_flags = {
    .rows = at_flags_rows, .n = ARRAY_SIZE(at_flags_rows), .set = true};

static const struct skep_name mount_flags_rows[] = {
    {1 << 0, 1 << 0, "MS_RDONLY"},       {1 << 1, 1 << 1, "MS_NOSUID"},
    {1 << 2, 1 << 2, "MS_NODEV"},        {1 << 3, 1 << 3, "MS_NOEXEC"},
    {1 << 4, 1 << 4, "MS_SYNCHRONOUS"},  {1 << 5, 1 << 5, "MS_REMOUNT"},
    {1 << 6, 1 << 6, "MS_MANDLOCK"},     {1 << 7, 1 << 7, "MS_DIRSYNC"},
    {1 << 8, 1 << 8, "MS_NOSYMFOLLOW"},  {1 << 10, 1 << 10, "MS_NOATIME"},
    {1 << 11, 1 << 11, "MS_NODIRATIME"}, {1 << 12, 1 << 12, "MS_BIND"},
    {1 << 13, 1 << 13, "MS_MOVE"},       {1 << 14, 1 << 14, "MS_REC"},
    {1 << 15, 1 << 15, "MS_SILENT"},     {1 << 16, 1 << 16, "MS_POSIXACL"},
    {1 << 17, 1 << 17, "MS_UNBINDABLE"}, {1 << 18, 1 << 18, "MS_PRIVATE"},
    {1 << 19, 1 << 19, "MS_SLAVE"},      {1 << 20, 1 << 20, "MS_SHARED"},
    {1 << 21, 1 << 21, "MS_RELATIME"},   {1 << 22, 1 << 22, "MS_KERNMOUNT"},
    {1 << 23, 1 << 23, "MS_I_VERSION"},  {1 << 24, 1 << 24, "MS_STRICTATIME"},
    {1 << 25, 1 << 25, "MS_LAZYTIME"}};
const struct skep_names skep_names_mount_flags = {
    .rows = mount_flags_rows, .n = ARRAY_SIZE(mount_flags_rows), .set = true};

static const struct skep_name umount_flags_rows[] = {{1 << 0, 1 << 0, "MNT_FORCE"},
                                                     {1 << 1, 1 << 1, "MNT_DETACH"},
                                                     {1 << 2, 1 << 2, "MNT_EXPIRE"},
                                                     {1 << 3, 1 << 3, "UMOUNT_NOFOLLOW"}};
const struct skep_names skep_names_umount_flags = {
    .rows = umount_flags_rows, .n = ARRAY_SIZE(umount_flags_rows), .set = true};

static const struct skep_name movemount_flags_rows[] = {
    {0x1, 0x1, "MOVE_MOUNT_F_SYMLINKS"},     {0x2, 0x2, "MOVE_MOUNT_F_AUTOMOUNTS"},
    {0x4, 0x4, "MOVE_MOUNT_F_EMPTY_PATH"},   {0x10, 0x10, "MOVE_MOUNT_T_SYMLINKS"},
    {0x20, 0x20, "MOVE_MOUNT_T_AUTOMOUNTS"}, {0x40, 0x40, "MOVE_MOUNT_T_EMPTY_PATH"},
    {0x100, 0x100, "MOVE_MOUNT_SET_GROUP"},  {0x200, 0x200, "MOVE_MOUNT_BENEATH"}};
const struct skep_names skep_names_movemount_flags = {
    .rows = movemount_flags_rows, .n = ARRAY_SIZE(movemount_flags_rows), .set = true};

static const struct skep_name fsopen_flags_rows[] = {{1 << 0, 1 << 0, "FSOPEN_CLOEXEC"}};
const struct skep_names skep_names_fsopen_flags = {
    .rows = fsopen_flags_rows, .n = ARRAY_SIZE(fsopen_flags_rows), .set = true};

static const struct skep_name rename_flags_rows[] = {{1 << 0, 1 << 0, "RENAME_NOREPLACE"},
                                                     {1 << 1, 1 << 1, "RENAME_EXCHANGE"},
                                                     {1 << 2, 1 << 2, "RENAME_WHITEOUT"}};
const struct skep_names skep_names_rename_flags = {
    .rows = rename_flags_rows, .n = ARRAY_SIZE(rename_flags_rows), .set = true};

static const struct skep_name memfd_flags_rows[] = {{1 << 0, 1 << 0, "MFD_CLOEXEC"},
                                                    {1 << 1, 1 << 1, "MFD_ALLOW_SEALING"},
                                                    {1 << 2, 1 << 2, "MFD_HUGETLB"},
                                                    {1 << 3, 1 << 3, "MFD_NOEXEC_SEAL"},
                                                    {1 << 4, 1 << 4, "MFD_EXEC"},
                                                    {16ULL << 26, 63ULL << 26, "MFD_HUGE_64KB"},
                                                    {19ULL << 26, 63ULL << 26, "MFD_HUGE_512KB"},
                                                    {20ULL << 26, 63ULL << 26, "MFD_HUGE_1MB"},
                                                    {21ULL << 26, 63ULL << 26, "MFD_HUGE_2MB"},
                                                    {23ULL << 26, 63ULL << 26, "MFD_HUGE_8MB"},
                                                    {24ULL << 26, 63ULL << 26, "MFD_HUGE_16MB"},
                                                    {25ULL << 26, 63ULL << 26, "MFD_HUGE_32MB"},
                                                    {28ULL << 26, 63ULL << 26, "MFD_HUGE_256MB"},
                                                    {29ULL << 26, 63ULL << 26, "MFD_HUGE_512MB"},
                                                    {30ULL << 26, 63ULL << 26, "MFD_HUGE_1GB"},
                                                    {31ULL << 26, 63ULL << 26, "MFD_HUGE_2GB"},
                                                    {34ULL << 26, 63ULL << 26, "MFD_HUGE_16GB"}};
const struct skep_names skep_names_memfd_flags = {
    .rows = memfd_flags_rows, .n = ARRAY_SIZE(memfd_flags_rows), .set = true};

static const struct skep_name exec_flags_rows[] = {
    {SKEP_EXEC_MEMFD, SKEP_EXEC_MEMFD, "memfd"},
    {SKEP_EXEC_DELETED, SKEP_EXEC_DELETED, "deleted"},
    {SKEP_EXEC_UPPER_LAYER, SKEP_EXEC_UPPER_LAYER, "upper_layer"},
    {SKEP_EXEC_SETUID, SKEP_EXEC_SETUID, "setuid"},
    {SKEP_EXEC_SETGID, SKEP_EXEC_SETGID, "setgid"},
    {SKEP_EXEC_FILECAPS, SKEP_EXEC_FILECAPS, "filecaps"},
    {SKEP_EXEC_SECURE, SKEP_EXEC_SECURE, "secure"},
    {SKEP_EXEC_SCRIPT, SKEP_EXEC_SCRIPT, "script"},
    {SKEP_EXEC_ARGS_TRUNCATED, SKEP_EXEC_ARGS_TRUNCATED, "args_truncated"},
    {SKEP_EXEC_ENV_TRUNCATED, SKEP_EXEC_ENV_TRUNCATED, "env_truncated"},
    {SKEP_EXEC_KTHREAD, SKEP_EXEC_KTHREAD, "kthread"},
    {SKEP_EXEC_ZOMBIE, SKEP_EXEC_ZOMBIE, "zombie"}};
const struct skep_names skep_names_exec_flags = {
    .rows = exec_flags_rows, .n = ARRAY_SIZE(exec_flags_rows), .set = true};

static const struct skep_name fdkind_rows[] = {{SKEP_FD_FILE, 0, "file"},     {SKEP_FD_DIR, 0, "dir"},
                                               {SKEP_FD_SOCKET, 0, "socket"}, {SKEP_FD_PIPE, 0, "pipe"},
                                               {SKEP_FD_FIFO, 0, "fifo"},     {SKEP_FD_CHAR, 0, "char"},
                                               {SKEP_FD_BLOCK, 0, "block"},   {SKEP_FD_SYMLINK, 0, "symlink"},
                                               {SKEP_FD_ANON, 0, "anon"},     {SKEP_FD_MEMFD, 0, "memfd"}};
const struct skep_names skep_names_fdkind = {
    .rows = fdkind_rows, .n = ARRAY_SIZE(fdkind_rows), .unknown = "kind#", .zero_is_none = true};

static const struct skep_name pathsource_rows[] = {{SKEP_PATH_OBJECT, 0, "object"},
                                                   {SKEP_PATH_LEXICAL, 0, "lexical"}};
const struct skep_names skep_names_pathsource = {
    .rows = pathsource_rows, .n = ARRAY_SIZE(pathsource_rows), .unknown = "source#", .zero_is_none = true};
