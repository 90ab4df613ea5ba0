/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/falco/files.h"

#include "base/array.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static int complain(struct skep_diags *d, const char *path, const char *fmt, ...) SKEP_PRINTF(3, 4);
static int complain(struct skep_diags *d, const char *path, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    skep_diags_add_in(d, false, path, NULL, 0, 0, 0, "LOAD_ERR_FILE_READ", fmt, ap);
    va_end(ap);
    return -EINVAL;
}

void skep_falco_files_clear(struct skep_falco_files *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free((char *)(uintptr_t)f->list[i].name);
        free((char *)(uintptr_t)f->list[i].text);
    }
    free(f->list);
    *f = (struct skep_falco_files){0};
}

/* Takes text over. */
static int add(struct skep_falco_files *f, const char *name, char **text, size_t len)
{
    if (SKEP_ARRAY_RESERVE(f->list, f->n, 1, f->room) < 0)
        return -ENOMEM;
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    f->list[f->n++] = (struct skep_falco_input){.name = copy, .text = TAKE_PTR(*text), .len = len};
    f->size += len;
    return 0;
}

/* All bytes of fd, at most max; -E2BIG: there are more. */
static int read_all(int fd, size_t max, char **ret, size_t *ret_len)
{
    _cleanup_free_ char *text = NULL;
    size_t len = 0, room = 0;
    for (;;) {
        if (len == room) {
            room = MIN(MAX(room * 2, (size_t)65536), max + 1);
            char *bigger = realloc(text, room);
            if (!bigger)
                return -ENOMEM;
            text = bigger;
        }
        ssize_t n = read(fd, text + len, room - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += (size_t)n;
        if (len > max)
            return -E2BIG;
    }
    *ret = TAKE_PTR(text);
    *ret_len = len;
    return 0;
}

static int add_copy(struct skep_falco_files *f, const char *name, const char *from, size_t len)
{
    _cleanup_free_ char *text = malloc(len + 1);
    if (!text)
        return -ENOMEM;
    memcpy(text, from, len);
    return add(f, name, &text, len);
}

/* NULL also where a file that can be read again has taken its place. */
static const struct skep_falco_input *find_kept(const struct skep_falco_files *kept, const char *path)
{
    struct stat st;
    if (kept && !skep_streq(path, "-") && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        return NULL;
    for (size_t i = 0; kept && i < kept->n; i++)
        if (skep_streq(kept->list[i].name, path))
            return &kept->list[i];
    return NULL;
}

static bool is_read_once(int fd, bool input)
{
    struct stat st;
    return input || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode);
}

static int read_file(struct skep_falco_files *f, const char *path, struct skep_falco_files *kept,
                     struct skep_diags *d)
{
    bool input = skep_streq(path, "-");
    const struct skep_falco_input *known = find_kept(kept, path);
    if (known)
        return add_copy(f, input ? "(standard input)" : path, known->text, known->len);
    _cleanup_close_ int fd = input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    _cleanup_free_ char *text = NULL;
    size_t len = 0;
    if (fd < 0)
        return complain(d, path, "cannot be opened: %s", strerror(errno));
    if (f->n == SKEP_FALCO_FILES_MAX)
        return complain(d, path, "there are too many files (more than %d)", SKEP_FALCO_FILES_MAX);
    int r = read_all(fd, MIN(SKEP_FALCO_FILE_MAX, SKEP_FALCO_FILES_SIZE_MAX - f->size), &text, &len);
    if (r == -ENOMEM)
        return r;
    if (r == -E2BIG)
        return complain(d, path, "is too large (more than %u MiB, or all files more than %u MiB)",
                        SKEP_FALCO_FILE_MAX >> 20, SKEP_FALCO_FILES_SIZE_MAX >> 20);
    if (r < 0)
        return complain(d, path, "cannot be read: %s", strerror(-r));
    if (kept && is_read_once(fd, input) && add_copy(kept, path, text, len) < 0)
        return -ENOMEM;
    return add(f, input ? "(standard input)" : path, &text, len);
}

static int is_rule_file(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return e->d_name[0] != '.' && dot && (skep_streq(dot, ".yaml") || skep_streq(dot, ".yml"));
}

/* By bytes, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_directory(struct skep_falco_files *f, const char *path, struct skep_falco_files *kept,
                          struct skep_diags *d)
{
    struct dirent **names;
    int n = scandir(path, &names, is_rule_file, by_name), r = 0;
    if (n < 0 && errno == ENOMEM)
        return -ENOMEM;
    if (n < 0)
        return complain(d, path, "cannot be read: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
        _cleanup_free_ char *full = NULL;
        struct stat st;
        int r_one = 0;
        if (r == -ENOMEM ||
            asprintf(&full, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", names[i]->d_name) < 0) {
            full = NULL;
            r = -ENOMEM;
        } else if (stat(full, &st) < 0 || S_ISREG(st.st_mode)) {
            r_one = read_file(f, full, kept, d);
        }
        r = r_one < 0 ? r_one : r;
        free(names[i]);
    }
    free(names);
    return r;
}

int skep_falco_files_read(const char *const *paths, size_t n, struct skep_falco_files *kept,
                          struct skep_diags *diags, struct skep_falco_files *ret)
{
    int r = 0;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        bool directory = paths[i][0] && stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode);
        int r_one =
            directory ? read_directory(ret, paths[i], kept, diags) : read_file(ret, paths[i], kept, diags);
        if (r_one == -ENOMEM)
            return r_one;
        r = r_one < 0 ? r_one : r;
    }
    return r;
}

const char *skep_falco_code_doc(const char *code)
{
    static const char *const docs[][2] = {
#define SKEP_FALCO_CODE(name, doc) {#name, doc},
#include "rule/falco/codes.def"
#undef SKEP_FALCO_CODE
    };
    for (size_t i = 0; i < ARRAY_SIZE(docs); i++)
        if (skep_streq(docs[i][0], code))
            return docs[i][1];
    return NULL;
}
