/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vm_input.h"

#include <ctype.h>
#include <fcntl.h>

#include "base/log.h"
#include "cli/vm_kernel.h"
#include "isa/asm.h"
#include "vm/program.h"
#include "vm/vm.h"

#define FILE_MAX (64U << 20)
#define TEXT_MAX (1U << 20)

void skep_vm_input_clear(struct skep_vm_input *in)
{
    free(in->path);
    free(in->program);
    free(in->bytes);
    free(in->insns);
    free(in->btf);
    *in = (struct skep_vm_input){0};
}

static int read_all(int fd, struct skep_strbuf *sb)
{
    for (;;) {
        char *to = skep_strbuf_reserve(sb, 65536);
        if (!to)
            return sb->len > sb->max - 65536 ? -EFBIG : -ENOMEM;
        ssize_t n = read(fd, to, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        sb->len += (size_t)n;
        sb->s[sb->len] = '\0';
    }
}

int skep_vm_read_file(const char *path, uint8_t **ret_bytes, size_t *ret_size)
{
    _cleanup_close_ int fd = -1;
    bool standard = skep_streq(path, "-");
    if (!standard) {
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return skep_log_error(-errno, "cannot open %s: %s", path, strerror(errno));
    }
    struct skep_strbuf sb;
    skep_strbuf_init(&sb, FILE_MAX + 65536);
    int r = read_all(standard ? STDIN_FILENO : fd, &sb);
    if (r < 0) {
        skep_strbuf_clear(&sb);
        return skep_log_error(r, "cannot read %s: %s", standard ? "standard input" : path, strerror(-r));
    }
    /* an empty file still has its 0; the buffer always was allocated */
    *ret_size = sb.len;
    *ret_bytes = (uint8_t *)sb.s;
    return 0;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int skep_vm_hex(const char *text, size_t len, uint8_t **ret_bytes, size_t *ret_size)
{
    _cleanup_free_ uint8_t *bytes = malloc(len / 2 + 1);
    if (!bytes)
        return -ENOMEM;
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        if (isspace((unsigned char)text[i])) {
            i++;
            continue;
        }
        if (len - i < 2)
            return -EINVAL;
        if (text[i] == '0' && (text[i + 1] | 0x20) == 'x') {
            i += 2;
            continue;
        }
        int high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0)
            return -EINVAL;
        bytes[n++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *ret_bytes = TAKE_PTR(bytes);
    *ret_size = n;
    return 0;
}

/* Beyond ASCII only what may be UTF-8. A stray delete in a comment is none of our business. */
static bool is_text(const uint8_t *bytes, size_t size)
{
    if (size >= 4 && memcmp(bytes,
                            "\x7f"
                            "ELF",
                            4) == 0)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((bytes[i] < 0x20 && !isspace(bytes[i])) || bytes[i] >= 0xf8)
            return false;
    return true;
}

int skep_vm_assemble(const char *name, const uint8_t *text, size_t len, struct skep_insn **ret_insns,
                     size_t *ret_n)
{
    if (!is_text(text, len))
        return skep_log_error(-EINVAL, "%s is not text", name);
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, name);
    int r = skep_asm((const char *)text, len, NULL, &d, ret_insns, ret_n);
    if (r < 0) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, TEXT_MAX);
        skep_diags_put_text(&d, (const char *)text, &sb);
        if (sb.len)
            fputs(sb.s, stderr);
        else
            skep_log_error(r, "cannot assemble %s: %s", name, strerror(-r));
    }
    return r;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && skep_streq(s + n - m, end);
}

static int as_insns(const char *name, uint8_t *bytes, size_t size, struct skep_vm_input *in)
{
    if (size % sizeof(struct skep_insn)) {
        free(bytes);
        return skep_log_error(-EINVAL, "%s: %zu bytes are no whole number of instructions", name, size);
    }
    in->insns = (struct skep_insn *)(void *)bytes;
    in->n = size / sizeof(struct skep_insn);
    return 0;
}

static const char *name_of(const struct skep_vm_input *in)
{
    return skep_streq(in->path, "-") ? "standard input" : in->path;
}

static int classify(struct skep_vm_input *in)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};
    const char *name = name_of(in);
    in->elf = in->size >= sizeof(magic) && memcmp(in->bytes, magic, sizeof(magic)) == 0;
    if (in->elf)
        return 0;
    if (ends_with(in->path, ".s") || ends_with(in->path, ".asm"))
        return skep_vm_assemble(name, in->bytes, in->size, &in->insns, &in->n);
    uint8_t *bytes;
    size_t size;
    int r = skep_vm_hex((const char *)in->bytes, in->size, &bytes, &size);
    if (r == 0)
        return as_insns(name, bytes, size, in);
    if (r == -ENOMEM)
        return skep_log_error(r, "no memory");
    if (is_text(in->bytes, in->size))
        return skep_vm_assemble(name, in->bytes, in->size, &in->insns, &in->n);
    bytes = malloc(in->size + 1);
    if (!bytes)
        return skep_log_error(-ENOMEM, "no memory");
    memcpy(bytes, in->bytes, in->size);
    return as_insns(name, bytes, in->size, in);
}

int skep_vm_input_open(const char *name, struct skep_vm_input *ret)
{
    struct skep_vm_input in = {.path = strdup(name)};
    if (!in.path)
        return skep_log_error(-ENOMEM, "no memory");
    char *colon = strrchr(in.path, ':');
    if (colon && colon != in.path && access(in.path, F_OK) < 0) {
        *colon = '\0';
        in.program = strdup(colon + 1);
    }
    int r = skep_vm_read_file(in.path, &in.bytes, &in.size);
    if (r == 0)
        r = classify(&in);
    if (r == 0 && in.program && !in.elf)
        r = skep_log_error(-EINVAL, "%s is no object, it has no program %s", in.path, in.program);
    if (r < 0)
        skep_vm_input_clear(&in);
    else
        *ret = in;
    return r;
}

/* What was said about an object while it was loaded: a line each, with a mark in front. */
enum { MARK_ERROR = 'e', MARK_WARNING = 'w' };

static void keep(void *data, bool error, const char *text)
{
    struct skep_strbuf *said = data;
    skep_strbuf_printf(said, "%c%s%c", error ? MARK_ERROR : MARK_WARNING, text, '\0');
}

/* Errors of other programs are none when the one that is wanted is there. */
static void say(const struct skep_strbuf *said, bool loaded)
{
    for (size_t i = 0; i < said->len; i += strlen(said->s + i) + 1)
        skep_log(said->s[i] == MARK_ERROR && !loaded ? SKEP_LOG_ERROR : SKEP_LOG_WARNING, "%s",
                 said->s + i + 1);
}

static void say_missing(struct skep_vm_object *object, const char *name, const char *program, bool all_loaded)
{
    _cleanup_strbuf_ struct skep_strbuf others;
    skep_strbuf_init(&others, TEXT_MAX);
    const struct skep_vm_program *p;
    for (size_t i = 0; (p = skep_vm_object_program(object, NULL, i)); i++) {
        const char *one = skep_vm_program_name(p);
        skep_strbuf_puts(&others, i ? ", " : "; it has ");
        skep_strbuf_put_visible(&others, one, strlen(one));
    }
    skep_log_error(0, "%s has no program%s%s%s%s", name, program ? " " : "", program ? program : "",
                   all_loaded ? "" : " that could be loaded", others.s);
}

static int load_object(const struct skep_vm_input *in, struct skep_vm *vm, enum skep_vm_mode mode,
                       struct skep_vm_object **ret_object, struct skep_vm_program **ret_program)
{
    _cleanup_vm_kernel_ struct skep_vm_kernel kernel = {0};
    _cleanup_strbuf_ struct skep_strbuf said;
    skep_strbuf_init(&said, TEXT_MAX);
    const struct skep_vm_object_options o = {
        .size = sizeof(o),
        .name = name_of(in),
        .mode = mode,
        .btf = in->btf,
        .btf_size = in->btf_size,
        .resolve = skep_vm_kernel_resolve,
        .resolve_data = &kernel,
        .log = keep,
        .log_data = &said,
    };
    struct skep_vm_object *object = NULL;
    struct skep_vm_program *p = NULL;
    int r = skep_vm_object_open(vm, in->bytes, in->size, &o, &object);
    if (r == 0) {
        r = skep_vm_object_load(object);
        p = skep_vm_object_program(object, in->program, 0);
        if (r == -ENOEXEC && p)
            r = 0; /* others could not be loaded */
    }
    say(&said, r == 0 && p);
    if (object && (r == 0 || r == -ENOEXEC) && !p) {
        say_missing(object, o.name, in->program, r == 0);
        r = -ENOENT;
    }
    if (r < 0) {
        if (said.len == 0 && r != -ENOENT)
            skep_log_error(r, "%s cannot be loaded: %s", o.name, strerror(-r));
        skep_vm_object_free(object);
        return r;
    }
    *ret_object = object;
    *ret_program = p;
    return 0;
}

int skep_vm_input_load(const struct skep_vm_input *in, struct skep_vm *vm, enum skep_vm_mode mode,
                       struct skep_vm_object **ret_object, struct skep_vm_program **ret_program)
{
    if (in->elf)
        return load_object(in, vm, mode, ret_object, ret_program);
    const struct skep_vm_program_options o = {
        .size = sizeof(o), .insns = in->insns, .n_insns = in->n, .mode = mode, .context = in->context};
    struct skep_vm_error error;
    int r = skep_vm_program_load(vm, &o, ret_program, &error);
    if (r < 0)
        return skep_log_error(r, "%s: %s", name_of(in), error.message);
    *ret_object = NULL;
    return 0;
}

int skep_vm_run_bytes(struct skep_vm_thread *t, const struct skep_vm_program *p, void *bytes, size_t size,
                      uint64_t *ret_value)
{
    if (!p->context || !p->context->packet)
        return skep_vm_run(t, p, size ? bytes : NULL, size, ret_value);
    struct skep_vm_packet *packet;
    int r = skep_vm_packet_new(p->vm, MAX(size, (size_t)1), &packet);
    if (r == 0) {
        r = skep_vm_packet_set(packet, bytes, size);
        if (r == 0)
            r = skep_vm_run_packet(t, p, packet, ret_value);
        skep_vm_packet_free(packet);
    }
    return r;
}
