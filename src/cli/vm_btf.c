/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/vm_object.h"
#include "vm/btf/btf.h"
#include "vm/btf/btf_dump.h"

#define TEXT_MAX (512U << 20)

struct btf_options {
    bool json, c;
};

static const struct skep_option output[] = {
    {"json", 'j', NULL, SKEP_OPTION_FLAG, offsetof(struct btf_options, json), .help = "one JSON document"},
    {"c", 'c', NULL, SKEP_OPTION_FLAG, offsetof(struct btf_options, c),
     .help = "declarations of C, in an order that a compiler takes"},
    {0},
};

static const struct skep_option_group groups[] = {{"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep vm btf filter.o", "the types of an object"},
    {"skep vm btf /sys/kernel/btf/vmlinux", "those of the running kernel"},
    {"skep vm btf --c /sys/kernel/btf/vmlinux >vmlinux.h", "the same for programs in C"},
    {0},
};

static const char *const kinds[] = {
    "void", "int",     "ptr",      "array",    "struct",   "union",  "enum",
    "fwd",  "typedef", "volatile", "const",    "restrict", "func",   "func_proto",
    "var",  "datasec", "float",    "decl_tag", "type_tag", "enum64",
};

static const char *kind_name(const struct btf_type *t)
{
    unsigned kind = BTF_INFO_KIND(t->info);
    return kind < ARRAY_SIZE(kinds) ? kinds[kind] : "unknown";
}

/* One fact of a type or of a thing in it. */
struct fact {
    const char *name;
    int64_t value;
};

/* Puts facts into an open object, or as " name=value". */
static void put_facts(const struct fact *facts, size_t n, struct skep_json *j, struct skep_strbuf *sb)
{
    for (size_t i = 0; i < n; i++) {
        if (j)
            skep_json_i64(j, facts[i].name, facts[i].value);
        else
            skep_strbuf_printf(sb, " %s=%lld", facts[i].name, (long long)facts[i].value);
    }
}

static void put_name(const char *name, struct skep_json *j, struct skep_strbuf *sb)
{
    if (j) {
        skep_json_strz(j, "name", name);
        return;
    }
    skep_strbuf_puts(sb, " '");
    skep_strbuf_put_visible(sb, name, strlen(name));
    skep_strbuf_putc(sb, '\'');
}

/* Facts about the type itself; returns how many. */
static size_t type_facts(const struct btf_type *t, struct fact facts[4])
{
    const uint32_t *extra = (const uint32_t *)(t + 1);
    const struct btf_array *a = (const struct btf_array *)(t + 1);
    size_t n = 0;
    switch (BTF_INFO_KIND(t->info)) {
    case BTF_KIND_INT:
        facts[n++] = (struct fact){"size", t->size};
        facts[n++] = (struct fact){"bits", BTF_INT_BITS(*extra)};
        facts[n++] = (struct fact){"signed", !!(BTF_INT_ENCODING(*extra) & BTF_INT_SIGNED)};
        break;
    case BTF_KIND_ARRAY:
        facts[n++] = (struct fact){"type", a->type};
        facts[n++] = (struct fact){"index", a->index_type};
        facts[n++] = (struct fact){"length", a->nelems};
        break;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
    case BTF_KIND_DATASEC:
    case BTF_KIND_FLOAT:
        facts[n++] = (struct fact){"size", t->size};
        break;
    case BTF_KIND_FWD:
        facts[n++] = (struct fact){"union", BTF_INFO_KFLAG(t->info)};
        break;
    case BTF_KIND_VAR:
        facts[n++] = (struct fact){"type", t->type};
        facts[n++] = (struct fact){"linkage", *extra};
        break;
    case BTF_KIND_FUNC:
        facts[n++] = (struct fact){"type", t->type};
        facts[n++] = (struct fact){"linkage", BTF_INFO_VLEN(t->info)};
        break;
    case BTF_KIND_DECL_TAG:
        facts[n++] = (struct fact){"type", t->type};
        facts[n++] = (struct fact){"component", (int32_t)*extra};
        break;
    default:
        facts[n++] = (struct fact){"type", t->type};
        break;
    }
    return n;
}

/* How many things there are in a type: what was read counts them only where there are some, and functions have their linkage
 * in that place. */
static uint32_t count_parts(const struct btf_type *t)
{
    return BTF_INFO_KIND(t->info) == BTF_KIND_FUNC ? 0 : BTF_INFO_VLEN(t->info);
}

static size_t part_facts(const struct btf_type *t, uint32_t i, uint32_t *ret_name, struct fact facts[4])
{
    size_t n = 0;
    const void *extra = t + 1;
    *ret_name = 0;
    switch (BTF_INFO_KIND(t->info)) {
    case BTF_KIND_ENUM: {
        const struct btf_enum *e = (const struct btf_enum *)extra + i;
        *ret_name = e->name_off;
        facts[n++] = (struct fact){"value", BTF_INFO_KFLAG(t->info) ? e->val : (int64_t)(uint32_t)e->val};
        break;
    }
    case BTF_KIND_ENUM64: {
        const struct btf_enum64 *e = (const struct btf_enum64 *)extra + i;
        *ret_name = e->name_off;
        facts[n++] = (struct fact){"value", (int64_t)((uint64_t)e->val_hi32 << 32 | e->val_lo32)};
        break;
    }
    case BTF_KIND_FUNC_PROTO: {
        const struct btf_param *p = (const struct btf_param *)extra + i;
        *ret_name = p->name_off;
        facts[n++] = (struct fact){"type", p->type};
        break;
    }
    case BTF_KIND_DATASEC: {
        const struct btf_var_secinfo *v = (const struct btf_var_secinfo *)extra + i;
        facts[n++] = (struct fact){"type", v->type};
        facts[n++] = (struct fact){"offset", v->offset};
        facts[n++] = (struct fact){"size", v->size};
        break;
    }
    default: {
        const struct btf_member *m = (const struct btf_member *)extra + i;
        bool fields = BTF_INFO_KFLAG(t->info);
        *ret_name = m->name_off;
        facts[n++] = (struct fact){"type", m->type};
        facts[n++] = (struct fact){"bits_offset", fields ? BTF_MEMBER_BIT_OFFSET(m->offset) : m->offset};
        if (fields && BTF_MEMBER_BITFIELD_SIZE(m->offset))
            facts[n++] = (struct fact){"bits", BTF_MEMBER_BITFIELD_SIZE(m->offset)};
        break;
    }
    }
    return n;
}

/* j NULL: as text. */
static void put_type(const struct skep_btf *btf, uint32_t id, struct skep_json *j, struct skep_strbuf *sb)
{
    const struct btf_type *t = skep_btf_type(btf, id);
    struct fact facts[4];
    uint32_t n = count_parts(t), name;
    if (j) {
        skep_json_open(j, NULL, '{');
        skep_json_u64(j, "id", id);
        skep_json_strz(j, "kind", kind_name(t));
    } else {
        skep_strbuf_printf(sb, "[%u] %s", id, kind_name(t));
    }
    put_name(skep_btf_name(btf, t), j, sb);
    put_facts(facts, type_facts(t, facts), j, sb);
    if (j && n)
        skep_json_open(j, "parts", '[');
    for (uint32_t i = 0; i < n; i++) {
        size_t n_facts = part_facts(t, i, &name, facts);
        if (j)
            skep_json_open(j, NULL, '{');
        else
            skep_strbuf_puts(sb, "\n   ");
        put_name(skep_btf_string(btf, name), j, sb);
        put_facts(facts, n_facts, j, sb);
        if (j)
            skep_json_close(j, '}');
    }
    if (j && n)
        skep_json_close(j, ']');
    if (j)
        skep_json_close(j, '}');
    else
        skep_strbuf_putc(sb, '\n');
}

static void put_all(const struct skep_btf *btf, bool json, struct skep_strbuf *sb)
{
    struct skep_json j;
    if (json) {
        skep_json_init(&j, sb);
        skep_json_open(&j, NULL, '{');
        skep_json_open(&j, "types", '[');
    }
    for (uint32_t id = 1; id < skep_btf_count(btf) && !sb->failed; id++)
        put_type(btf, id, json ? &j : NULL, sb);
    if (json) {
        skep_json_close(&j, ']');
        skep_json_close(&j, '}');
        skep_strbuf_putc(sb, '\n');
    }
}

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct btf_options *o = options;
    if (o->c && o->json)
        return skep_usage_error(self, "--c and --json exclude each other");
    const char *path = args->args[0];
    _cleanup_free_ uint8_t *bytes = NULL;
    size_t size;
    SKEP_CLEANUP(skep_elf_closep) struct skep_elf *elf = NULL;
    SKEP_CLEANUP(skep_btf_freep) struct skep_btf *raw = NULL;
    if (skep_vm_read_file(path, &bytes, &size) < 0)
        return SKEP_EXIT_FAILED;
    const uint16_t magic = BTF_MAGIC;
    if (size >= sizeof(magic) && memcmp(bytes, &magic, sizeof(magic)) == 0) {
        char message[SKEP_BTF_MESSAGE_MAX];
        if (skep_btf_new(bytes, size, NULL, NULL, &raw, message) < 0)
            return skep_log_error(SKEP_EXIT_FAILED, "%s: %s", path, message);
    } else if (skep_vm_elf_read(path, bytes, size, &elf) < 0) {
        return SKEP_EXIT_FAILED;
    } else if (!elf->btf) {
        return skep_log_error(SKEP_EXIT_FAILED, "%s has no section .BTF", path);
    }
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, TEXT_MAX);
    const struct skep_btf *btf = raw ? raw : elf->btf;
    if (!o->c)
        put_all(btf, o->json, &text);
    else if (skep_btf_dump_c(btf, &text) < 0)
        return skep_log_error(SKEP_EXIT_FAILED, "%s: %s", path, strerror(ENOMEM));
    return skep_print(&text);
}

static const struct btf_options defaults;

const struct skep_command skep_command_vm_btf = {
    .description =
        "Prints the types (BTF) of an object, or of a file that holds nothing else, as the kernel's own.",
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .options_size = sizeof(struct btf_options),
    .defaults = &defaults,
    .run = run,
};
