/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vm_kernel.h"

#include <sys/utsname.h>
#include <zlib.h>

#define CONFIG_MAX (8U << 20)

void skep_vm_kernel_clear(struct skep_vm_kernel *k)
{
    if (k->tried)
        skep_strbuf_clear(&k->config);
    k->tried = false;
}

/* Compressed or not. */
static bool read_config(const char *path, struct skep_strbuf *sb)
{
    gzFile f = gzopen(path, "re");
    if (!f)
        return false;
    int n;
    do {
        char *to = skep_strbuf_reserve(sb, 65536);
        n = to ? gzread(f, to, 65536) : -1;
        sb->len += n > 0 ? (size_t)n : 0;
        if (to)
            sb->s[sb->len] = '\0';
    } while (n > 0);
    gzclose_r(f);
    return n == 0 && sb->len > 0;
}

static void open_config(struct skep_vm_kernel *k)
{
    struct utsname u;
    char path[sizeof(u.release) + 32];
    skep_strbuf_init(&k->config, CONFIG_MAX);
    k->tried = true;
    if (read_config("/proc/config.gz", &k->config))
        return;
    skep_strbuf_reset(&k->config);
    if (uname(&u) < 0)
        return;
    snprintf(path, sizeof(path), "/boot/config-%s", u.release);
    if (!read_config(path, &k->config))
        skep_strbuf_reset(&k->config);
}

/* The text behind "NAME=" up to the end of the line. */
static const char *find_line(const char *config, const char *name, size_t *ret_len)
{
    size_t n = strlen(name);
    for (const char *line = config; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, n) != 0 || line[n] != '=')
            continue;
        *ret_len = strcspn(line + n + 1, "\n");
        return line + n + 1;
    }
    return NULL;
}

int skep_vm_config_value(const char *config, const char *name, uint64_t *ret, char *text, size_t size)
{
    size_t len, out = 0;
    const char *value = find_line(config, name, &len);
    if (!value || len == 0)
        return -ENOENT;
    bool quoted = len >= 2 && value[0] == '"' && value[len - 1] == '"';
    for (size_t i = quoted; i < len - quoted; i++) {
        if (quoted && value[i] == '\\' && i + 1 < len - 1)
            i++;
        if (out + 1 < size)
            text[out] = value[i];
        out++;
    }
    if (size && out >= size)
        return -ERANGE;
    if (size)
        text[out] = '\0';
    *ret = 0;
    if (quoted)
        return 0;
    if (len == 1 && strchr("ynm", value[0])) {
        *ret = value[0] == 'y' ? 1 : value[0] == 'm' ? 2 : 0;
        return 0;
    }
    char *end;
    errno = 0;
    *ret = value[0] == '-' ? (uint64_t)strtoll(value, &end, 0) : strtoull(value, &end, 0);
    return errno || end != value + len ? -EINVAL : 0;
}

int skep_vm_kernel_resolve(void *kernel, enum skep_vm_extern kind, const char *name, uint64_t *ret,
                           char *text, size_t size)
{
    struct skep_vm_kernel *k = kernel;
    if (kind != SKEP_VM_EXTERN_KCONFIG || strncmp(name, "CONFIG_", 7) != 0)
        return -ENOENT;
    if (!k->tried)
        open_config(k);
    return skep_vm_config_value(k->config.s, name, ret, text, size);
}
