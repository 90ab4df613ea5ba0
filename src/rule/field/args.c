/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field/args.h"

#include "event/fields.h"
#include "event/names.h"
#include "rule/evttype.h"
#include "rule/field/actor.h"
#include "rule/field/descriptor.h"
#include "rule/names/users.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>

#define ARG_TEXT_MAX 1024  /* of a value that has to be written */
#define ARG_PLACES_MAX 32  /* of one type */
#define ARG_ANSWER_SEP ',' /* between the answers of a DNS message */

enum form {
    FORM_RESULT,
    FORM_NEW_FD,
    FORM_FD,
    FORM_NAMED_FD,
    FORM_DIRFD,
    FORM_NUMBER,
    FORM_OCTAL,
    FORM_HEX,
    FORM_DEV,
    FORM_USER,
    FORM_GROUP,
    FORM_TEXT,
    FORM_PATH,
    FORM_SET,
    FORM_NAME,
    FORM_CHARS,
    FORM_OF,
    FORM_NONE,
};

/* A value in both its forms: a number, if it is one, and texts. */
struct value {
    bool is_number;
    int64_t number;
    struct skep_strbuf *raw, *readable;
};

struct arg {
    const char *name;
    uint8_t type; /* enum skep_evttype_id */
    uint8_t form;
    uint8_t size;
    bool is_signed;
    uint16_t off, raw_off, source_off;
    const struct skep_names *names;
    const char *prefix;
    bool (*of)(struct skep_rule_ctx *x, struct skep_strbuf *sb);
};

static const struct skep_name mode_rows[] = {
    {04000, 04000, "S_ISUID"}, {02000, 02000, "S_ISGID"}, {01000, 01000, "S_ISVTX"}, {0400, 0400, "S_IRUSR"},
    {0200, 0200, "S_IWUSR"},   {0100, 0100, "S_IXUSR"},   {040, 040, "S_IRGRP"},     {020, 020, "S_IWGRP"},
    {010, 010, "S_IXGRP"},     {04, 04, "S_IROTH"},       {02, 02, "S_IWOTH"},       {01, 01, "S_IXOTH"}};
static const struct skep_names skep_names_mode = {.rows = mode_rows, .n = ARRAY_SIZE(mode_rows), .set = true};

/* ---- computed arguments ---- */

#define OF_FUNCTION(name) static bool of_##name(struct skep_rule_ctx *x, struct skep_strbuf *sb)

static bool put_slice(struct skep_strbuf *sb, const struct skep_hdr *h, struct skep_slice s)
{
    const char *text = skep_slice_get(h, s);
    if (text)
        skep_strbuf_put(sb, text, s.len);
    return text != NULL;
}

/* Elements first and following of a list of strings. */
static bool put_list(struct skep_strbuf *sb, const char *s, size_t n, size_t first, size_t end,
                     char separator)
{
    const char *item;
    size_t at = 0, len;
    if (!s)
        return false;
    for (size_t i = 0; i < end && skep_list_next(s, n, &at, &item, &len); i++) {
        if (i < first)
            continue;
        if (i > first)
            skep_strbuf_putc(sb, separator);
        skep_strbuf_put(sb, item, len);
    }
    return true;
}

OF_FUNCTION(exe)
{
    const struct skep_proc_image *image = x->ev->image;
    return image && put_list(sb, image->args.s, image->args.len, 0, 1, ' ');
}

OF_FUNCTION(args)
{
    const struct skep_proc_image *image = x->ev->image;
    return image && put_list(sb, image->args.s, image->args.len, 1, SIZE_MAX, ' ');
}

/* Of an execution that failed: what it was called with. */
static bool put_given(struct skep_rule_ctx *x, struct skep_strbuf *sb, size_t first, size_t end)
{
    struct skep_slice s = ((const struct skep_ev_exec_failed *)x->ev->h)->args;
    return put_list(sb, skep_slice_get(x->ev->h, s), s.len, first, end, ' ');
}

OF_FUNCTION(given_exe)
{
    return put_given(x, sb, 0, 1);
}

OF_FUNCTION(given_args)
{
    return put_given(x, sb, 1, SIZE_MAX);
}

OF_FUNCTION(cgroups)
{
    return skep_actor_put_cgroups(x->ev, sb);
}

/* Of a fork: who called it. */
static const struct skep_task *caller(const struct skep_rule_ctx *x)
{
    struct skep_actor a;
    return skep_actor_of(x->ev, &a) ? skep_actor_task(&a) : NULL;
}

OF_FUNCTION(parent)
{
    const struct skep_task *t = caller(x);
    if (t)
        skep_strbuf_u64(sb, t->parent_pid);
    return t != NULL;
}

OF_FUNCTION(cwd)
{
    const struct skep_proc *p = x->ev->proc;
    if (p && p->cwd.s)
        skep_strbuf_put(sb, p->cwd.s, p->cwd.len);
    return p && p->cwd.s;
}

OF_FUNCTION(vpid)
{
    const struct skep_task *t = caller(x);
    if (t && t->ns_pid)
        skep_strbuf_u64(sb, t->ns_pid);
    return t && t->ns_pid;
}

OF_FUNCTION(vtid)
{
    uint32_t tid = skep_actor_vtid(x->ev);
    if (tid)
        skep_strbuf_u64(sb, tid);
    return tid != 0;
}

OF_FUNCTION(pidns_start)
{
    const struct skep_task *t = caller(x);
    if (t && t->pid_ns_start)
        skep_strbuf_u64(sb, t->pid_ns_start);
    return t && t->pid_ns_start;
}

OF_FUNCTION(env)
{
    const struct skep_proc_image *image = x->ev->image;
    return image && put_list(sb, image->env.s, image->env.len, 0, SIZE_MAX, ' ');
}

/* What Falco has names for. */
OF_FUNCTION(exe_flags)
{
    const struct skep_ev_exec *ev = (const void *)x->ev->h;
    const struct {
        bool is;
        const char *name;
    } flags[] = {{ev->image.traits & SKEP_IMAGE_WRITABLE, "EXE_WRITABLE"},
                 {ev->flags & SKEP_EXEC_UPPER_LAYER, "EXE_UPPER_LAYER"},
                 {ev->flags & SKEP_EXEC_MEMFD, "EXE_FROM_MEMFD"},
                 {ev->image.traits & SKEP_IMAGE_LOWER_LAYER, "EXE_LOWER_LAYER"}};
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (!flags[i].is)
            continue;
        if (sb->len)
            skep_strbuf_putc(sb, '|');
        skep_strbuf_puts(sb, flags[i].name);
    }
    if (sb->len == 0)
        skep_strbuf_putc(sb, '0');
    return true;
}

OF_FUNCTION(wait_status)
{
    const struct skep_ev_exit *ev = (const void *)x->ev->h;
    skep_strbuf_u64(sb, (uint64_t)ev->code << 8 | (ev->core ? 0x80 : 0) | (ev->signal & 0x7f));
    return true;
}

OF_FUNCTION(cwd_path)
{
    const struct skep_ev_chdir *ev = (const void *)x->ev->h;
    return put_slice(sb, x->ev->h, ev->path.off ? ev->path : ev->raw_path);
}

/* fchmod, fchown, ftruncate: what they change is told by its path. */
OF_FUNCTION(tuple)
{
    struct skep_rule_descriptor d;
    skep_rule_descriptor_of(x->ev, &d);
    bool socket = skep_rule_descriptor_is_inet(&d) || d.type == SKEP_RULE_FD_UNIX;
    return socket && skep_rule_descriptor_put_name(&d, x->ev->h, sb);
}

/* What the caller gave to bind or connect. */
OF_FUNCTION(address)
{
    struct skep_rule_descriptor d;
    char text[INET6_ADDRSTRLEN];
    skep_rule_descriptor_of(x->ev, &d);
    if (d.type == SKEP_RULE_FD_UNIX)
        return put_slice(sb, x->ev->h, d.path);
    if (!d.server)
        return false;
    skep_strbuf_puts(sb, inet_ntop(d.server->family, d.server->ip, text, sizeof(text)));
    skep_strbuf_putc(sb, ':');
    skep_strbuf_u64(sb, d.server->port);
    return true;
}

static const struct skep_field dns_message = {.off = offsetof(struct skep_ev_dns, message)};

OF_FUNCTION(question)
{
    struct skep_value v = {.type = SKEP_TYPE_text};
    if (!skep_get_dns_question(&dns_message, x->ev, &v))
        return false;
    skep_strbuf_put(sb, v.s, v.n);
    return true;
}

OF_FUNCTION(answers)
{
    struct skep_value v = {.type = SKEP_TYPE_textlist};
    return skep_get_dns_answers(&dns_message, x->ev, &v) &&
           put_list(sb, v.s, v.n, 0, SIZE_MAX, ARG_ANSWER_SEP);
}

/* ---- the table ---- */

#define MEMBER(kind, member) (((struct skep_ev_##kind *)0)->member)
#define SIGNED(kind, member) ((__typeof__(MEMBER(kind, member)))-1 < (__typeof__(MEMBER(kind, member)))1)
#define AT(kind, member) .off = offsetof(struct skep_ev_##kind, member)
#define INTEGER(kind, member)                                                                                \
    AT(kind, member), .size = sizeof(MEMBER(kind, member)), .is_signed = SIGNED(kind, member)

#define RESULT .form = FORM_RESULT
#define NEW_FD .form = FORM_NEW_FD
#define FD(kind, member) .form = FORM_FD, INTEGER(kind, member)
#define NAMED_FD(kind, member) .form = FORM_NAMED_FD, INTEGER(kind, member)
#define DIRFD(kind, member) .form = FORM_DIRFD, INTEGER(kind, member)
#define NUMBER(kind, member) .form = FORM_NUMBER, INTEGER(kind, member)
#define OCTAL(kind, member) .form = FORM_OCTAL, INTEGER(kind, member)
#define DEV(kind, member) .form = FORM_DEV, INTEGER(kind, member)
#define HEX(kind, member) .form = FORM_HEX, INTEGER(kind, member)
#define USER(kind, member) .form = FORM_USER, INTEGER(kind, member)
#define GROUP(kind, member) .form = FORM_GROUP, INTEGER(kind, member)
#define TEXT(kind, member) .form = FORM_TEXT, AT(kind, member)
#define PATH(kind, member, raw)                                                                              \
    .form = FORM_PATH, AT(kind, member), .raw_off = offsetof(struct skep_ev_##kind, raw),                    \
    .source_off = offsetof(struct skep_ev_##kind, path_source)
#define SET(kind, member, table, before)                                                                     \
    .form = FORM_SET, INTEGER(kind, member), .names = &skep_names_##table, .prefix = (before)
#define NAME(kind, member, table, before)                                                                    \
    .form = FORM_NAME, INTEGER(kind, member), .names = &skep_names_##table, .prefix = (before)
#define MODE(kind, member) SET(kind, member, mode, "")
#define CHARS(kind, member) .form = FORM_CHARS, AT(kind, member), .size = sizeof(MEMBER(kind, member))
#define OF(function) .form = FORM_OF, .of = of_##function
#define NONE .form = FORM_NONE

static const struct arg table[] = {
#define SKEP_RULE_ARG(event, arg, ...) {.type = SKEP_EVTTYPE_##event, .name = #arg, __VA_ARGS__},
#include "rule/field/args.def"
};

/* Written once, read by all threads. */
static struct {
    uint16_t first[SKEP_EVTTYPE_COUNT]; /* in table */
    uint8_t n[SKEP_EVTTYPE_COUNT];
    struct skep_rule_spot spots[ARRAY_SIZE(table)]; /* of the raw form; UNKNOWN: none */
} places;

static bool is_number(const struct arg *a)
{
    return a->form != FORM_TEXT && a->form != FORM_PATH && a->form != FORM_CHARS && a->form != FORM_OF &&
           a->form != FORM_NONE;
}

/* Records that are made only when the call succeeds, and need not say so: see skep_rule_result(). */
static bool is_result_implied(uint16_t kind)
{
    return kind == SKEP_KIND_exec || kind == SKEP_KIND_fork;
}

static struct skep_rule_spot spot_of(const struct arg *a, uint16_t kind)
{
    struct skep_rule_spot s = {
        .form = SKEP_SPOT_UNKNOWN, .off = a->off, .size = a->size, .source_off = a->source_off};
    switch (a->form) {
    case FORM_RESULT:
    case FORM_NEW_FD:
        if (!is_result_implied(kind))
            s.form = SKEP_SPOT_RET;
        break;
    case FORM_FD:
    case FORM_NAMED_FD:
    case FORM_DIRFD:
    case FORM_NUMBER:
    case FORM_OCTAL:
    case FORM_HEX:
    case FORM_SET:
    case FORM_NAME:
        if (a->size == 8)
            s.form = SKEP_SPOT_U64;
        else if (a->size == 4)
            s.form = a->is_signed ? SKEP_SPOT_S32 : SKEP_SPOT_U32;
        else
            s.form = a->size == 2 ? SKEP_SPOT_U16 : SKEP_SPOT_U8;
        s.has_missing = a->form == FORM_NAME && a->size == 4 && !a->is_signed;
        s.missing = s.has_missing ? SKEP_NO_VALUE : 0;
        break;
    case FORM_TEXT:
        s.form = SKEP_SPOT_SLICE;
        break;
    case FORM_CHARS:
        s.form = SKEP_SPOT_CHARS;
        break;
    case FORM_PATH:
        s.form = SKEP_SPOT_PATH;
        break;
    }
    return s;
}

static void fill_places(void)
{
    size_t n_types;
    const struct skep_evttype *types = skep_evttypes(&n_types);
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (places.n[table[i].type]++ == 0)
            places.first[table[i].type] = (uint16_t)i;
        places.spots[i] = spot_of(&table[i], types[table[i].type].kind);
    }
    for (uint32_t t = 2; t < n_types; t++)
        if (types[t].kind == types[t - 1].kind && !places.n[t]) {
            places.first[t] = places.first[t - 1];
            places.n[t] = places.n[t - 1];
        }
}

static void make_places(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_places);
}

/* A name of digits is a place. */
static bool parse_place(const char *arg, size_t len, size_t *ret)
{
    size_t n = 0;
    if (len == 0 || len > 2)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isdigit((unsigned char)arg[i]))
            return false;
        n = n * 10 + (size_t)(arg[i] - '0');
    }
    *ret = n;
    return true;
}

/* NULL: events of the type have no such argument. */
static const struct arg *find(uint32_t type, const char *name, size_t len)
{
    size_t place;
    const struct arg *first = &table[places.first[type]];
    if (parse_place(name, len, &place))
        return place < places.n[type] ? &first[place] : NULL;
    for (size_t i = 0; i < places.n[type]; i++)
        if (first[i].form != FORM_NONE && strlen(first[i].name) == len &&
            memcmp(first[i].name, name, len) == 0)
            return &first[i];
    return NULL;
}

bool skep_rule_args_known(const char *arg, size_t len, enum skep_rule_type type)
{
    size_t place;
    make_places();
    if (parse_place(arg, len, &place))
        return place < ARG_PLACES_MAX;
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (table[i].form != FORM_NONE && strlen(table[i].name) == len &&
            memcmp(table[i].name, arg, len) == 0 && (type == SKEP_RULE_TEXT || is_number(&table[i])))
            return true;
    return false;
}

const char *skep_rule_args_of(uint32_t type, size_t n)
{
    make_places();
    for (size_t i = 0; type < SKEP_EVTTYPE_COUNT && i < places.n[type]; i++) {
        const struct arg *a = &table[places.first[type] + i];
        if (a->form != FORM_NONE && n-- == 0)
            return a->name;
    }
    return NULL;
}

/* ---- values ---- */

bool skep_rule_result(const struct skep_hdr *h, int64_t *ret)
{
    if (h->flags & SKEP_HDR_RET)
        *ret = h->ret;
    else if (h->kind == SKEP_KIND_exec)
        *ret = 0;
    else if (h->kind == SKEP_KIND_fork)
        *ret = ((const struct skep_ev_fork *)h)->child.pid;
    else
        return false;
    return true;
}

void skep_rule_put_error(struct skep_strbuf *sb, int64_t result)
{
    skep_names_put(sb, &skep_names_errno, -(uint64_t)result);
}

static bool read_number(const struct skep_hdr *h, const struct arg *a, int64_t *ret)
{
    if (a->form == FORM_RESULT || a->form == FORM_NEW_FD)
        return skep_rule_result(h, ret);
    uint64_t u = skep_field_read(h, a->off, a->size);
    unsigned unused = 64 - 8 * a->size;
    *ret = a->is_signed ? (int64_t)(u << unused) >> unused : (int64_t)u;
    switch (a->form) {
    case FORM_NAME:
        return a->is_signed || a->size != 4 || u != SKEP_NO_VALUE;
    case FORM_USER:
    case FORM_GROUP:
        if (u == UINT32_MAX)
            *ret = -1;
        break;
    case FORM_DEV:
        *ret = skep_rule_dev_encode((uint32_t)u);
        break;
    }
    return true;
}

/* <4t>10.0.0.1:40000->1.2.3.4:443: the letter of the type, of sockets also that of the protocol, and the name. */
static void put_descriptor(struct skep_rule_ctx *x, int64_t num, struct skep_strbuf *sb)
{
    struct skep_rule_descriptor d;
    skep_rule_descriptor_of(x->ev, &d);
    bool same = d.has_num && d.num == num;
    if (x->ev->h->kind == SKEP_KIND_dup || x->ev->h->kind == SKEP_KIND_pipe)
        same = num >= 0; /* all numbers of such an event stand for one file */
    if (!same || d.type == SKEP_RULE_FD_NONE)
        return;
    const char *proto = skep_rule_descriptor_l4proto(&d);
    skep_strbuf_putc(sb, '<');
    skep_strbuf_putc(sb, skep_rule_descriptor_char(&d));
    if (proto)
        skep_strbuf_putc(sb, proto[0]);
    skep_strbuf_putc(sb, '>');
    skep_rule_descriptor_put_name(&d, x->ev->h, sb);
}

static void put_names(const struct arg *a, uint64_t value, struct skep_strbuf *sb)
{
    size_t begin = sb->len;
    if (!a->names->set) {
        const char *name = skep_names_get(a->names, value);
        if (!name)
            return;
        skep_strbuf_puts(sb, a->prefix);
        skep_strbuf_puts(sb, name);
    } else {
        skep_names_put(sb, a->names, value);
    }
    for (size_t i = begin; a->prefix[0] && i < sb->len; i++)
        sb->s[i] = (char)toupper((unsigned char)sb->s[i]);
}

static void put_owner(struct skep_rule_ctx *x, const struct arg *a, int64_t id, struct skep_strbuf *sb)
{
    if (id < 0 || !x->users)
        return;
    const char *name = NULL;
    if (a->form == FORM_GROUP) {
        name = skep_rule_group_of(x->users, x->ev, (uint32_t)id);
    } else {
        const struct skep_rule_user *user = skep_rule_user_of(x->users, x->ev, (uint32_t)id);
        name = user ? user->name : NULL;
    }
    skep_strbuf_puts(sb, name ? name : SKEP_USER_UNKNOWN);
}

static struct skep_slice slice_at(const struct skep_hdr *h, uint32_t off)
{
    struct skep_slice s;
    memcpy(&s, (const char *)h + off, sizeof(s));
    return s;
}

static void put_number(struct skep_rule_ctx *x, const struct arg *a, int64_t v, struct skep_strbuf *raw,
                       struct skep_strbuf *readable)
{
    switch (a->form) {
    case FORM_OCTAL:
        skep_strbuf_printf(raw, "0%llo", (unsigned long long)v);
        return;
    case FORM_HEX:
    case FORM_DEV:
        skep_strbuf_printf(raw, "%llX", (unsigned long long)v);
        return;
    case FORM_SET:
        if (a->names == &skep_names_mode)
            skep_strbuf_printf(raw, "0%llo", (unsigned long long)v);
        else
            skep_strbuf_u64(raw, (uint64_t)v);
        put_names(a, (uint64_t)v, readable);
        return;
    }
    skep_strbuf_i64(raw, v);
    switch (a->form) {
    case FORM_RESULT:
    case FORM_NEW_FD:
        if (v < 0)
            skep_rule_put_error(readable, v);
        else if (a->form == FORM_NEW_FD)
            put_descriptor(x, v, readable);
        break;
    case FORM_FD:
        put_descriptor(x, v, readable);
        break;
    case FORM_NAMED_FD: {
        struct skep_slice path = slice_at(x->ev->h, offsetof(struct skep_ev_unlink, path));
        if (path.off) {
            skep_strbuf_puts(readable, "<f>");
            put_slice(readable, x->ev->h, path);
        }
        break;
    }
    case FORM_DIRFD:
        if (v == AT_FDCWD)
            skep_strbuf_puts(readable, "AT_FDCWD");
        break;
    case FORM_USER:
    case FORM_GROUP:
        put_owner(x, a, v, readable);
        break;
    case FORM_NAME:
        put_names(a, (uint64_t)v, readable);
        break;
    }
}

/* Both forms of an argument; false: it is missing. */
static bool put_both(struct skep_rule_ctx *x, const struct arg *a, struct skep_strbuf *raw,
                     struct skep_strbuf *readable)
{
    const struct skep_hdr *h = x->ev->h;
    struct skep_slice s;
    int64_t v;
    switch (a->form) {
    case FORM_TEXT:
        return put_slice(raw, h, slice_at(h, a->off));
    case FORM_CHARS:
        skep_strbuf_put(raw, (const char *)h + a->off, strnlen((const char *)h + a->off, a->size));
        return true;
    case FORM_OF:
        return a->of(x, raw);
    case FORM_NONE:
        return false;
    case FORM_PATH:
        s = a->raw_off ? slice_at(h, a->raw_off) : (struct skep_slice){0};
        if (!s.off)
            return put_slice(raw, h, slice_at(h, a->off));
        put_slice(raw, h, s);
        if (s.len == 0 || *skep_slice_get(h, s) != '/')
            put_slice(readable, h, slice_at(h, a->off));
        return true;
    }
    if (!read_number(h, a, &v))
        return false;
    put_number(x, a, v, raw, readable);
    return true;
}

static bool get_text(struct skep_rule_ctx *x, const struct arg *a, struct skep_fact *ret)
{
    const struct skep_hdr *h = x->ev->h;
    struct skep_slice s = {0};
    if (a->form == FORM_TEXT || a->form == FORM_PATH) {
        s = slice_at(h, a->off);
        if (!s.off && a->form == FORM_PATH)
            s = slice_at(h, a->raw_off);
        return skep_fact_text(x, ret, skep_slice_get(h, s), s.len);
    }
    if (a->form == FORM_OF) { /* an argument list may be long */
        _cleanup_strbuf_ struct skep_strbuf text;
        skep_strbuf_init(&text, SKEP_FACT_TEXT_MAX);
        return a->of(x, &text) && skep_fact_text(x, ret, text.s, text.len);
    }
    char raw_text[ARG_TEXT_MAX], readable_text[SKEP_PATH_MAX + ARG_TEXT_MAX];
    struct skep_strbuf raw, readable;
    skep_strbuf_init_fixed(&raw, raw_text, sizeof(raw_text));
    skep_strbuf_init_fixed(&readable, readable_text, sizeof(readable_text));
    if (!put_both(x, a, &raw, &readable))
        return false;
    const struct skep_strbuf *text = readable.len ? &readable : &raw;
    return skep_fact_text(x, ret, text->s, text->len);
}

bool skep_rule_args_get(struct skep_rule_ctx *x, const char *arg, enum skep_rule_type type,
                        struct skep_fact *ret)
{
    int64_t v;
    make_places();
    const struct arg *a = arg ? find(x->evttype, arg, strlen(arg)) : NULL;
    if (!a)
        return false;
    if (type == SKEP_RULE_TEXT)
        return get_text(x, a, ret);
    return is_number(a) && read_number(x->ev->h, a, &v) && skep_fact_number(ret, v);
}

void skep_rule_args_put(struct skep_rule_ctx *x, struct skep_strbuf *sb)
{
    _cleanup_strbuf_ struct skep_strbuf raw, readable;
    skep_strbuf_init(&raw, SKEP_FACT_TEXT_MAX);
    skep_strbuf_init(&readable, SKEP_FACT_TEXT_MAX);
    make_places();
    const struct arg *first = &table[places.first[x->evttype]];
    for (size_t i = 0; i < places.n[x->evttype]; i++) {
        skep_strbuf_reset(&raw);
        skep_strbuf_reset(&readable);
        if (!put_both(x, &first[i], &raw, &readable))
            continue;
        if (sb->len)
            skep_strbuf_putc(sb, ' ');
        skep_strbuf_puts(sb, first[i].name);
        skep_strbuf_putc(sb, '=');
        skep_strbuf_put(sb, raw.s, raw.len);
        if (readable.len == 0)
            continue;
        skep_strbuf_putc(sb, '(');
        skep_strbuf_put(sb, readable.s, readable.len);
        skep_strbuf_putc(sb, ')');
    }
}

/* ---- for the kernel ---- */

static bool same_place(const struct skep_rule_spot *a, const struct skep_rule_spot *b)
{
    return a->form == b->form && a->off == b->off && a->size == b->size && a->source_off == b->source_off &&
           a->has_missing == b->has_missing && a->missing == b->missing;
}

const struct skep_rule_spot *skep_rule_args_spot(const char *arg, enum skep_rule_type type, uint16_t kind)
{
    size_t n_types;
    const struct skep_rule_spot *spot = NULL;
    const struct skep_evttype *types = skep_evttypes(&n_types);
    make_places();
    for (uint32_t i = 1; i < n_types; i++) {
        if (types[i].kind != kind)
            continue;
        const struct arg *a = find(i, arg, strlen(arg));
        if (!a || is_number(a) != (type == SKEP_RULE_NUMBER))
            return NULL;
        const struct skep_rule_spot *s = &places.spots[a - table];
        if (s->form == SKEP_SPOT_UNKNOWN || (spot && !same_place(s, spot)))
            return NULL;
        spot = s;
    }
    return spot;
}
