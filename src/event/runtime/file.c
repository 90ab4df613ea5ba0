/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "event/runtime/state.h"

#define OPEN_TRIES 4 /* openat2 gives EAGAIN when a rename crosses its walk */
#define USERS_MAX 256
#define FIRST_USER 1000

/* Without openat2 (before 5.6, or refused by a system call filter) no symbolic link is followed at all. */
static int open_by_steps(int root, const char *path)
{
    _cleanup_close_ int at = fcntl(root, F_DUPFD_CLOEXEC, 3);
    if (at < 0)
        return -errno;
    while (*(path += strspn(path, "/"))) {
        char name[NAME_MAX + 1];
        size_t n = strcspn(path, "/");
        if (n >= sizeof(name))
            return -ENAMETOOLONG;
        memcpy(name, path, n);
        name[n] = '\0';
        path += n;
        if (skep_streq(name, ".."))
            return -EXDEV;
        int next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return -errno;
        skep_fd_close(at);
        at = next;
        struct stat st;
        if (fstat(at, &st) < 0)
            return -errno;
        if (S_ISLNK(st.st_mode))
            return -ELOOP;
    }
    return TAKE_FD(at);
}

/* flags: O_NOFOLLOW, or none */
static int open_path(int root, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    for (int i = 0; i < OPEN_TRIES; i++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
        if (fd >= 0)
            return (int)fd;
        if (errno == ENOSYS || errno == EPERM)
            return open_by_steps(root, path);
        if (errno != EAGAIN)
            return -errno;
    }
    return -EAGAIN;
}

/* The object is looked at before it is opened: opening a device or a pipe has effects. */
static int open_checked(int root, uid_t owner, const char *path, mode_t type, struct stat *st)
{
    _cleanup_close_ int fd = open_path(root, path, 0);
    if (fd < 0)
        return fd;
    if (fstat(fd, st) < 0)
        return -errno;
    if ((st->st_mode & S_IFMT) != type)
        return -EPERM;
    if (owner != SKEP_STATE_NO_UID && st->st_uid != owner)
        return -EPERM;
    char again[sizeof("/proc/self/fd/") + 11];
    snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
    int opened = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return opened < 0 ? -errno : opened;
}

int skep_state_read(int root, uid_t owner, const char *path, char **ret, size_t *ret_len)
{
    size_t max = owner == SKEP_STATE_NO_UID ? SKEP_STATE_FILE_MAX : SKEP_STATE_USER_FILE_MAX;
    struct stat st;
    _cleanup_close_ int fd = open_checked(root, owner, path, S_IFREG, &st);
    if (fd < 0)
        return fd;
    if ((uint64_t)st.st_size > max)
        return -EFBIG;

    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, max);
    for (;;) {
        size_t room = MIN(max - sb.len, (size_t)MAX(st.st_size + 1, 4096));
        char *to = skep_strbuf_reserve(&sb, room);
        if (!to)
            return -ENOMEM;
        ssize_t n = read(fd, to, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        sb.len += (size_t)n;
        sb.s[sb.len] = '\0';
        if (sb.len == max)
            return -EFBIG;
    }
    *ret_len = sb.len;
    *ret = TAKE(sb.s, NULL);
    sb.cap = 0;
    return 0;
}

/* -ENAMETOOLONG instead of a path that was cut. */
static int format_path(char *buf, size_t size, const char *fmt, va_list ap)
{
    int n = vsnprintf(buf, size, fmt, ap);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int skep_state_open(int root, uid_t owner, const char *fmt, ...)
{
    char path[SKEP_PATH_MAX];
    va_list ap;
    va_start(ap, fmt);
    int r = format_path(path, sizeof(path), fmt, ap);
    va_end(ap);
    struct stat st;
    return r < 0 ? r : open_checked(root, owner, path, S_IFREG, &st);
}

int skep_state_readlink(int root, const char *path, char *buf, size_t size)
{
    struct stat st;
    _cleanup_close_ int fd = open_path(root, path, O_NOFOLLOW);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISLNK(st.st_mode) || st.st_uid != 0)
        return -EPERM;
    ssize_t n = readlinkat(fd, "", buf, size);
    if (n < 0 || (size_t)n >= size)
        return n < 0 ? -errno : -ENAMETOOLONG;
    buf[n] = '\0';
    return 0;
}

int skep_state_read_json(int root, uid_t owner, json_t **ret, const char *fmt, ...)
{
    char path[SKEP_PATH_MAX];
    va_list ap;
    va_start(ap, fmt);
    int r = format_path(path, sizeof(path), fmt, ap);
    va_end(ap);
    if (r < 0)
        return r;

    _cleanup_free_ char *text = NULL;
    size_t len;
    r = skep_state_read(root, owner, path, &text, &len);
    if (r < 0)
        return r;
    json_t *j = json_loadb(text, len, 0, NULL);
    if (!j)
        return -EBADMSG;
    *ret = j;
    return 0;
}

bool skep_state_exists(int root, const char *fmt, ...)
{
    char path[SKEP_PATH_MAX];
    va_list ap;
    va_start(ap, fmt);
    int r = format_path(path, sizeof(path), fmt, ap);
    va_end(ap);
    if (r < 0)
        return false;
    _cleanup_close_ int fd = open_path(root, path, 0);
    return fd >= 0;
}

static void dir_closep(DIR **d)
{
    if (*d)
        closedir(*d);
}

int skep_state_list(int root, const char *dir, int (*each)(void *arg, const char *name), void *arg)
{
    struct stat st;
    _cleanup_close_ int fd = open_checked(root, SKEP_STATE_NO_UID, dir, S_IFDIR, &st);
    if (fd < 0)
        return 0;
    SKEP_CLEANUP(dir_closep) DIR *d = fdopendir(fd);
    if (!d)
        return 0;
    fd = -1;
    struct dirent *e;
    for (int n = 0; n < SKEP_STATE_LIST_MAX && (e = readdir(d)); n++) {
        if (e->d_name[0] == '.')
            continue;
        int r = each(arg, e->d_name);
        if (r != 0)
            return r;
    }
    return 0;
}

int skep_state_users(int root, int (*each)(void *arg, uid_t uid, const char *home), void *arg)
{
    _cleanup_free_ char *text = NULL;
    size_t len;
    if (skep_state_read(root, SKEP_STATE_NO_UID, "/etc/passwd", &text, &len) < 0)
        return 0;
    char *rest = text, *line;
    for (int n = 0; n < USERS_MAX && (line = strsep(&rest, "\n"));) {
        char *field[7] = {0};
        for (size_t i = 0; i < ARRAY_SIZE(field); i++)
            field[i] = strsep(&line, ":");
        if (!field[5] || field[5][0] != '/')
            continue;
        char *end;
        errno = 0;
        unsigned long uid = strtoul(field[2], &end, 10);
        if (errno || end == field[2] || *end || uid < FIRST_USER || uid >= SKEP_STATE_NO_UID)
            continue;
        n++;
        int r = each(arg, (uid_t)uid, field[5]);
        if (r != 0)
            return r;
    }
    return 0;
}

struct home_search {
    uid_t uid;
    char *buf;
    size_t size;
};

static int match_home(void *arg, uid_t uid, const char *home)
{
    struct home_search *s = arg;
    if (uid != s->uid || strlen(home) >= s->size)
        return 0;
    strcpy(s->buf, home);
    return 1;
}

int skep_state_home(int root, uid_t uid, char *buf, size_t size)
{
    struct home_search s = {.uid = uid, .buf = buf, .size = size};
    return skep_state_users(root, match_home, &s) > 0 ? 0 : -ENOENT;
}
