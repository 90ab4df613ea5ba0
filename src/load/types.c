/* SPDX-License-Identifier: Apache-2.0 */
#include "load/types.h"

#include "base/flavour.h"
#include "base/log.h"
#include "base/textmap.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define MODULES_PATH "/sys/kernel/btf"

/* What is kept, and those of them whose parts have not been looked at yet. */
struct cut {
    uint32_t n; /* types of the kernel, with the one that is none */
    bool *kept;
    uint32_t *todo;
    size_t n_todo;
    uint32_t last;
};

/* A type that libbpf may look for by name; NULL: none. */
static const char *name_of(const struct btf *btf, const struct btf_type *t)
{
    switch (btf_kind(t)) {
    case BTF_KIND_INT:
    case BTF_KIND_FLOAT:
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
    case BTF_KIND_TYPEDEF:
        return t->name_off ? btf__name_by_offset(btf, t->name_off) : NULL;
    default:
        return NULL;
    }
}

static int names_read(const struct btf *object, struct skep_textmap *names)
{
    for (uint32_t id = 1; id < btf__type_cnt(object); id++) {
        const char *name = name_of(object, btf__type_by_id(object, id));
        int r = name ? skep_textmap_put(names, name, skep_flavour_plain_len(name), names) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static void keep(struct cut *c, uint32_t id)
{
    if (id == 0 || id >= c->n || c->kept[id])
        return;
    c->kept[id] = true;
    c->todo[c->n_todo++] = id;
    c->last = MAX(c->last, id);
}

/* What a type is built of. What pointers point to libbpf does not follow. */
static void keep_parts(struct cut *c, const struct btf_type *t)
{
    switch (btf_kind(t)) {
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        for (uint16_t i = 0; i < btf_vlen(t); i++)
            keep(c, btf_members(t)[i].type);
        break;
    case BTF_KIND_ARRAY:
        keep(c, btf_array(t)->type);
        keep(c, btf_array(t)->index_type);
        break;
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_CONST:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_TYPE_TAG:
        keep(c, t->type);
        break;
    default:
        break;
    }
}

static void cut_clear(struct cut *c)
{
    free(c->kept);
    free(c->todo);
}

static int cut_find(struct cut *c, const struct btf *kernel, const struct btf *object)
{
    _cleanup_textmap_ struct skep_textmap names = {0};
    c->n = btf__type_cnt(kernel);
    c->kept = calloc(c->n, sizeof(*c->kept));
    c->todo = calloc(c->n, sizeof(*c->todo));
    if (!c->kept || !c->todo)
        return -ENOMEM;
    int r = names_read(object, &names);
    if (r < 0)
        return r;
    for (uint32_t id = 1; id < c->n; id++) {
        const char *name = name_of(kernel, btf__type_by_id(kernel, id));
        if (name && skep_textmap_get(&names, name, skep_flavour_plain_len(name)))
            keep(c, id);
    }
    while (c->n_todo)
        keep_parts(c, btf__type_by_id(kernel, c->todo[--c->n_todo]));
    return c->last ? 0 : -ENOENT;
}

static void blank(uint32_t *type, uint32_t last)
{
    if (*type > last)
        *type = 0;
}

/* What is not there must not be named: none of it is anything that libbpf asks for. */
static void blank_missing(struct btf_type *t, uint32_t last)
{
    switch (btf_kind(t)) {
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        for (uint16_t i = 0; i < btf_vlen(t); i++)
            blank(&btf_members(t)[i].type, last);
        break;
    case BTF_KIND_ARRAY:
        blank(&btf_array(t)->type, last);
        blank(&btf_array(t)->index_type, last);
        break;
    case BTF_KIND_FUNC_PROTO:
        blank(&t->type, last);
        for (uint16_t i = 0; i < btf_vlen(t); i++)
            blank(&btf_params(t)[i].type, last);
        break;
    case BTF_KIND_DATASEC:
        for (uint16_t i = 0; i < btf_vlen(t); i++)
            blank(&btf_var_secinfos(t)[i].type, last);
        break;
    case BTF_KIND_INT:
    case BTF_KIND_FLOAT:
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
    case BTF_KIND_FWD:
        break; /* refers to nothing */
    default:
        blank(&t->type, last);
    }
}

static int write_file(const struct btf_header *head, const char *types, const char *strings, int *ret_fd)
{
    struct iovec parts[] = {
        {(void *)head, sizeof(*head)}, {(void *)types, head->type_len}, {(void *)strings, head->str_len}};
    size_t size = sizeof(*head) + head->type_len + head->str_len;
    _cleanup_close_ int fd = memfd_create("skep-types", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = writev(fd, parts, ARRAY_SIZE(parts));
    if (n < 0 || (size_t)n != size)
        return n < 0 ? -errno : -EIO;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int skep_types_cut(const struct btf *kernel, const struct btf *object, int *ret_fd)
{
    SKEP_CLEANUP(cut_clear) struct cut c = {0};
    uint32_t size;
    const char *raw = btf__raw_data(kernel, &size);
    const struct btf_header *from = (const void *)raw;
    int r = raw ? cut_find(&c, kernel, object) : -ENOMEM;
    if (r < 0)
        return r;
    const char *first = (const char *)btf__type_by_id(kernel, 1), *end = first + from->type_len;
    if (first != raw + from->hdr_len + from->type_off)
        return -EOPNOTSUPP; /* not as it was read */
    if (c.last + 1 < c.n)
        end = (const char *)btf__type_by_id(kernel, c.last + 1);
    struct btf_header head = {.magic = from->magic,
                              .version = from->version,
                              .hdr_len = sizeof(head),
                              .type_len = (uint32_t)(end - first),
                              .str_off = (uint32_t)(end - first),
                              .str_len = from->str_len};
    _cleanup_free_ char *types = malloc(head.type_len);
    if (!types)
        return -ENOMEM;
    memcpy(types, first, head.type_len);
    for (uint32_t id = 1; id <= c.last; id++) {
        struct btf_type *t = (struct btf_type *)(types + ((const char *)btf__type_by_id(kernel, id) - first));
        blank_missing(t, c.last);
        if (!c.kept[id] && (btf_is_composite(t) || btf_is_any_enum(t)))
            t->name_off = 0; /* passed over sooner */
    }
    skep_debug("%u of the %u types of the kernel will do", c.last, c.n - 1);
    return write_file(&head, types, raw + from->hdr_len + from->str_off, ret_fd);
}

bool skep_types_in_modules(void)
{
    DIR *d = opendir(MODULES_PATH);
    struct dirent *e;
    bool found = !d;
    while (!found && (e = readdir(d)))
        found = e->d_name[0] != '.' && !skep_streq(e->d_name, "vmlinux");
    if (d)
        closedir(d);
    return found;
}
