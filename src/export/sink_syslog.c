/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#include "export/sink_kind.h"

#define PATH_DEFAULT "/dev/log"
#define SEND_BUFFER (1 << 20) /* most alerts are far shorter; with the default of 208K long ones do not fit */
#define CUT_BYTES 8192        /* of a message that the socket refuses as too long */

/* The one-line form that daemons on the same host read: <PRI>Mmm dd hh:mm:ss TAG[PID]: TEXT. Source: RFC
 * 3164, 4.1, and syslog(3) for leaving the host's name out. */
struct syslogd {
    const char *tag;
    const char *path;

    struct skep_sink *sink;
    int facility; /* LOG_DAEMON, ... */
    int fd;
};

static const struct {
    const char *name;
    int value;
} facilities[] = {
    {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},     {"daemon", LOG_DAEMON},
    {"ftp", LOG_FTP},       {"kern", LOG_KERN},         {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},     {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},
    {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},     {"lpr", LOG_LPR},       {"mail", LOG_MAIL},
    {"news", LOG_NEWS},     {"syslog", LOG_SYSLOG},     {"user", LOG_USER},     {"uucp", LOG_UUCP},
};

static void init(void *state)
{
    struct syslogd *l = state;
    *l = (struct syslogd){.tag = "skep", .path = PATH_DEFAULT, .facility = LOG_DAEMON, .fd = -1};
}

static int open_sink(void *state, struct skep_sink *s, struct skep_sink_spec *spec)
{
    struct syslogd *l = state;
    struct sockaddr_un sa;
    l->sink = s;
    if (strlen(l->path) >= sizeof(sa.sun_path))
        return skep_sink_spec_error(spec, "path", "sink-value", "path is too long for a socket");
    for (const char *c = l->tag; *c; c++)
        if (*c <= ' ' || *c == ':' || *c == '[' || *c >= 0x7f || c - l->tag >= 32)
            return skep_sink_spec_error(
                spec, "tag", "sink-value",
                "tag is a word of at most 32 printable characters without ':' and '['");
    if (!spec->address)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(facilities); i++) {
        if (skep_streq(facilities[i].name, spec->address)) {
            l->facility = facilities[i].value;
            return 0;
        }
    }
    skep_sink_spec_error(spec, NULL, "sink-address", "there is no facility '%s'", spec->address);
    skep_diags_hint(spec->diags, "daemon, authpriv, user, local0 to local7, ... as in syslog(3)");
    return -EINVAL;
}

static int connect_daemon(struct syslogd *l)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    memcpy(sa.sun_path, l->path, strlen(l->path) + 1);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        return -errno;
    int bytes = SEND_BUFFER;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)); /* best effort: long ones are cut */
    l->fd = TAKE_FD(fd);
    return 0;
}

/* In local time, as everybody else on the host, and in English. */
static size_t put_header(const struct syslogd *l, const struct skep_sink_item *item, char *to, size_t size)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)item->utc_s;
    struct tm tm = {0};
    localtime_r(&t, &tm);
    int n = snprintf(to, size, "<%d>%s %2d %02d:%02d:%02d %s[%d]: ", l->facility | (int)item->priority,
                     months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, l->tag, getpid());
    return MIN((size_t)n, size - 1);
}

static int send_one(struct syslogd *l, const struct skep_sink_item *item)
{
    char header[128];
    struct iovec iov[3] = {
        {.iov_base = header, .iov_len = put_header(l, item, header, sizeof(header))},
        {.iov_base = (char *)item->data, .iov_len = item->len - 1}, /* a datagram ends by itself */
    };
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
    for (;;) {
        if (sendmsg(l->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return 0;
        if (errno == EMSGSIZE && iov[1].iov_len > CUT_BYTES) {
            iov[1].iov_len = CUT_BYTES;
            iov[2] = (struct iovec){.iov_base = "...", .iov_len = 3};
            m.msg_iovlen = 3;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
}

static enum skep_sink_verdict send_datagrams(void *state, const struct skep_sink_item *items, size_t n,
                                             size_t *ret_n)
{
    struct syslogd *l = state;
    size_t done = 0;
    int r = l->fd < 0 ? connect_daemon(l) : 0;
    while (r == 0 && done < n) {
        r = send_one(l, &items[done]);
        if (r == 0)
            done++;
        if (r == -EAGAIN && done == 0) { /* its queue is full: it is slow, or stopped */
            r = skep_sink_wait(l->sink, l->fd, POLLOUT, UINT64_MAX);
            if (r == -EINTR)
                return SKEP_SINK_INTERRUPTED;
            r = 0;
        }
    }
    *ret_n = done;
    if (done)
        return SKEP_SINK_WRITTEN;
    *ret_n = 1;
    skep_sink_note(l->sink, "%s: %s", l->path,
                   r == -EPROTOTYPE ? "the daemon does not listen for datagrams" : strerror(-r));
    if (r == -EMSGSIZE)
        return SKEP_SINK_REFUSED;
    /* a daemon that was restarted has another socket under the same name */
    if (l->fd >= 0)
        skep_sink_count_restart(l->sink);
    l->fd = skep_fd_close(l->fd);
    return SKEP_SINK_RETRY;
}

static void close_socket(void *state, uint64_t deadline)
{
    struct syslogd *l = state;
    (void)deadline;
    l->fd = skep_fd_close(l->fd);
}

static const struct skep_sink_option options[] = {
    {"tag", "TAG", SKEP_SINK_OPTION_TEXT, offsetof(struct syslogd, tag),
     .doc = "The name of the program in the log; skep by default."},
    {"path", "SOCKET", SKEP_SINK_OPTION_TEXT, offsetof(struct syslogd, path),
     .doc = "The datagram socket of the daemon; /dev/log by default."},
    {0},
};

const struct skep_sink_kind skep_sink_kind_syslog = {
    .example = "syslog:authpriv",
    .size = sizeof(struct syslogd),
    .options = options,
    .format = SKEP_SINK_TEXT,
    .retries = UINT64_MAX,
    .init = init,
    .open = open_sink,
    .send = send_datagrams,
    .close = close_socket,
};
