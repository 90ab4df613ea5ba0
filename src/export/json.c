/* SPDX-License-Identifier: Apache-2.0 */
#include "export/json.h"

#include "base/clock.h"
#include "event/fields.h"

#define MAX_OPEN 8  /* objects inside each other */
#define KEY_SIZE 49 /* with quotes, comma and colon */

enum op_code {
    OP_LEAF,
    OP_NUMBER,   /* a leaf that is a number in the record */
    OP_COMPUTED, /* a leaf that is a number, but not as it stands there */
    OP_TIME,     /* a leaf that is a time */
    OP_KIND,     /* the event's kind, with its key in front: the same for all events of a plan */
    OP_OPEN,
    OP_CLOSE_KEEP, /* the object stays, whatever is in it */
    OP_CLOSE_NULL, /* it becomes null when nothing in it was known */
    OP_CLOSE_OMIT, /* it goes when nothing is in it */
};

struct op {
    enum op_code code;
    const struct skep_field *field; /* of a leaf */
    char key[KEY_SIZE];             /* ,"name": */
    uint8_t key_len;
};

struct plan {
    struct op *ops;
    size_t n;
    size_t n_own; /* those of the event itself; behind them it is about its process */
};

struct skep_json_writer {
    struct plan plans[SKEP_KIND_MAX];
};

/* While a plan is made. */
struct maker {
    struct plan *plan;
    size_t cap;
    const char *open; /* the dotted name whose objects are open: those of the last field */
    size_t depth;
    int r;
};

static void add_op(struct maker *m, enum op_code code, const struct skep_field *field, const char *name,
                   size_t len)
{
    if (m->plan->n == m->cap) {
        size_t cap = MAX(m->cap * 2, (size_t)64);
        struct op *ops = reallocarray(m->plan->ops, cap, sizeof(*ops));
        if (!ops)
            m->r = -ENOMEM;
        if (m->r < 0)
            return;
        m->plan->ops = ops;
        m->cap = cap;
    }
    struct op *op = &m->plan->ops[m->plan->n++];
    *op = (struct op){.code = code, .field = field};
    if (len > sizeof(op->key) - 5)
        m->r = -EINVAL;
    else if (name)
        op->key_len = (uint8_t)snprintf(op->key, sizeof(op->key), ",\"%.*s\":", (int)len, name);
}

/* How many objects the dotted names a and b share from the left. */
static size_t shared_depth(const char *a, const char *b)
{
    size_t depth = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        depth += a[i] == '.';
    return depth;
}

static enum op_code closing_of(const char *name, size_t depth)
{
    if (!skep_startswith(name, "proc."))
        return OP_CLOSE_NULL;
    return depth > 1 && skep_startswith(name, "proc.ns.") ? OP_CLOSE_OMIT : OP_CLOSE_KEEP;
}

static void close_to(struct maker *m, size_t depth)
{
    for (; m->depth > depth; m->depth--)
        add_op(m, closing_of(m->open, m->depth), NULL, NULL, 0);
}

/* Types say whether a value is a number, but for those whose functions make it one. */
static enum op_code leaf_code(const struct skep_field *f)
{
    enum skep_class class = skep_type_info(f->type)->class;
    if (f->type == SKEP_TYPE_time)
        return OP_TIME;
    if (class != SKEP_CLASS_INT && class != SKEP_CLASS_UINT)
        return OP_LEAF;
    return f->get ? OP_COMPUTED : OP_NUMBER;
}

static void add_leaf(struct maker *m, const struct skep_field *f)
{
    close_to(m, m->open ? shared_depth(m->open, f->name) : 0);
    const char *part = f->name;
    size_t depth = 0;
    for (const char *dot; (dot = strchr(part, '.')); part = dot + 1)
        if (++depth > m->depth) {
            add_op(m, OP_OPEN, NULL, part, (size_t)(dot - part));
            m->depth++;
        }
    if (m->depth > MAX_OPEN)
        m->r = -EINVAL;
    m->open = f->name;
    add_op(m, leaf_code(f), f, part, strlen(part));
}

/* It is the first member. */
static void add_kind(struct maker *m, const char *name)
{
    add_op(m, OP_KIND, NULL, NULL, 0);
    if (m->r < 0)
        return;
    struct op *op = &m->plan->ops[m->plan->n - 1];
    int n = snprintf(op->key, sizeof(op->key), ",\"kind\":\"%s\"", name);
    if (n < (int)sizeof(op->key))
        op->key_len = (uint8_t)n;
    else
        m->r = -EINVAL;
}

static int make_plan(const struct skep_kind *kind, struct plan *plan)
{
    struct maker m = {.plan = plan};
    const struct skep_field *f = skep_common_fields();
    for (; f->name && !strchr(f->name, '.'); f++)
        if (skep_streq(f->name, "kind"))
            add_kind(&m, kind->name);
        else
            add_leaf(&m, f);
    for (size_t i = 0; i < kind->n_fields; i++)
        add_leaf(&m, &kind->fields[i]);
    close_to(&m, 0);
    plan->n_own = plan->n;
    for (; f->name; f++)
        add_leaf(&m, f);
    close_to(&m, 0);
    return m.r;
}

int skep_json_writer_new(const struct skep_schema *s, struct skep_json_writer **ret)
{
    SKEP_CLEANUP(skep_json_writer_freep) struct skep_json_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        int r = kind ? make_plan(kind, &w->plans[k]) : 0;
        if (r < 0)
            return r;
    }
    *ret = TAKE_PTR(w);
    return 0;
}

struct skep_json_writer *skep_json_writer_free(struct skep_json_writer *w)
{
    if (!w)
        return NULL;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++)
        free(w->plans[k].ops);
    free(w);
    return NULL;
}

/* Text that begins with a comma, without it where it is the first in its object. Copied with the full size of its
 * memory, comma aside, which is a few moves of fixed size; what is behind it is written over. */
static inline void put_piece(struct skep_strbuf *sb, const char *text, size_t len, size_t size)
{
    bool first = sb->len && sb->s[sb->len - 1] == '{';
    size_t n = len - (size_t)first;
    if (sb->len + size < sb->room) {
        memcpy(sb->s + sb->len, text + first, size - 1);
        sb->len += n;
        sb->s[sb->len] = '\0';
    } else {
        skep_strbuf_put(sb, text + first, n);
    }
}

static void put_key(struct skep_strbuf *sb, const struct op *op)
{
    put_piece(sb, op->key, op->key_len, KEY_SIZE);
}

static void put_member(struct skep_strbuf *sb, const struct skep_json_member *m)
{
    put_piece(sb, m->text, m->len, sizeof(m->text));
}

/* from: where the member begins in sb; len: of what is the same whenever the number is. */
static void remember(struct skep_json_member *m, uint64_t number, enum skep_type type, bool known,
                     const struct skep_strbuf *sb, size_t from, size_t len)
{
    bool comma = len && sb->s[from] == ',';
    m->type = SKEP_JSON_MEMBER_NONE;
    if (sb->failed || len + 1 > SKEP_JSON_MEMBER_MAX)
        return;
    m->text[0] = ',';
    memcpy(m->text + !comma, sb->s + from, len);
    m->number = number;
    m->type = (uint8_t)type;
    m->known = known;
    m->len = (uint8_t)(len + (len && !comma));
}

static void put_unknown(const struct op *op, struct skep_strbuf *sb)
{
    if (op->field->optional)
        return;
    put_key(sb, op);
    skep_strbuf_put(sb, "null", 4);
}

/* Appends the member; false: it is not known. */
static bool put_leaf(const struct op *op, struct skep_strbuf *sb, const struct skep_event *ev)
{
    struct skep_value v;
    bool known = skep_field_get(op->field, ev, &v);
    if (known) {
        put_key(sb, op);
        skep_value_put_json(sb, &v);
    } else {
        put_unknown(op, sb);
    }
    return known;
}

/* The same for a number that stands in the record: its bytes decide what is written. */
static bool put_number(const struct op *op, struct skep_json_member *m, struct skep_strbuf *sb,
                       const struct skep_event *ev)
{
    const struct skep_field *f = op->field;
    uint64_t number = skep_field_read(ev->h, f->off, f->size);
    if (m->type == f->type && m->number == number) {
        if (m->len)
            put_member(sb, m);
        return m->known;
    }
    size_t from = sb->len;
    bool known = put_leaf(op, sb, ev);
    remember(m, number, f->type, known, sb, from, sb->len - from);
    return known;
}

/* And for one that is made of several. */
static bool put_computed(const struct op *op, struct skep_json_member *m, struct skep_strbuf *sb,
                         const struct skep_event *ev)
{
    struct skep_value v;
    if (!skep_field_get(op->field, ev, &v)) {
        put_unknown(op, sb);
        return false;
    }
    uint64_t number = v.class == SKEP_CLASS_INT ? (uint64_t)v.i : v.u;
    if (m->type == v.type && m->number == number) {
        put_member(sb, m);
        return true;
    }
    size_t from = sb->len;
    put_key(sb, op);
    skep_value_put_json(sb, &v);
    remember(m, number, v.type, true, sb, from, sb->len - from);
    return true;
}

/* Of a time all but its fraction stays for a second. */
static bool put_time(const struct op *op, struct skep_json_member *m, struct skep_strbuf *sb,
                     const struct skep_event *ev)
{
    static const size_t rest = sizeof("000000000Z\"") - 1;
    struct skep_value v;
    if (!skep_field_get(op->field, ev, &v)) {
        put_unknown(op, sb);
        return false;
    }
    uint64_t second = (uint64_t)v.i / 1000000000;
    if (m->type == v.type && m->number == second && v.i >= 0) {
        char fraction[] = "000000000Z\"";
        put_member(sb, m);
        skep_clock_digits9(fraction, (unsigned)((uint64_t)v.i % 1000000000));
        skep_strbuf_put(sb, fraction, rest);
        return true;
    }
    size_t from = sb->len;
    put_key(sb, op);
    skep_value_put_json(sb, &v);
    if (v.i >= 0 && sb->len - from > rest)
        remember(m, second, v.type, true, sb, from, sb->len - from - rest);
    return true;
}

/* members: one for each op, as they were written last; NULL: not to be remembered. */
static void run(const struct op *op, const struct op *end, struct skep_json_member *members,
                struct skep_strbuf *sb, const struct skep_event *ev)
{
    struct {
        size_t key, body; /* where the key begins and where the object does */
        bool known;
    } stack[MAX_OPEN + 1];
    size_t depth = 0;

    stack[0].known = false;
    for (struct skep_json_member *m = members; op < end; op++, m = m ? m + 1 : NULL) {
        switch (op->code) {
        case OP_NUMBER:
            stack[depth].known |= m ? put_number(op, m, sb, ev) : put_leaf(op, sb, ev);
            break;
        case OP_COMPUTED:
            stack[depth].known |= m ? put_computed(op, m, sb, ev) : put_leaf(op, sb, ev);
            break;
        case OP_TIME:
            stack[depth].known |= m ? put_time(op, m, sb, ev) : put_leaf(op, sb, ev);
            break;
        case OP_LEAF:
            stack[depth].known |= put_leaf(op, sb, ev);
            break;
        case OP_KIND:
            put_key(sb, op);
            break;
        case OP_OPEN:
            depth++;
            stack[depth].key = sb->len;
            put_key(sb, op);
            stack[depth].body = sb->len;
            stack[depth].known = false;
            skep_strbuf_putc(sb, '{');
            break;
        default:
            if (!stack[depth].known && op->code == OP_CLOSE_NULL) {
                skep_strbuf_truncate(sb, stack[depth].body);
                skep_strbuf_put(sb, "null", 4);
            } else if (!stack[depth].known && op->code == OP_CLOSE_OMIT) {
                skep_strbuf_truncate(sb, stack[depth].key);
            } else {
                skep_strbuf_putc(sb, '}');
                stack[depth - 1].known = true;
            }
            depth--;
        }
    }
}

void skep_json_writer_put(const struct skep_json_writer *w, struct skep_json_memo *memo,
                          struct skep_strbuf *sb, const struct skep_event *ev)
{
    const struct plan *plan = &w->plans[ev->kind->number];
    const struct op *process = plan->ops + plan->n_own, *end = plan->ops + plan->n;
    struct skep_json_memo_key key;
    bool stays = memo && skep_json_memo_key(ev, &key);
    size_t len;
    skep_strbuf_putc(sb, '{');
    run(plan->ops, process, memo ? skep_json_memo_members(memo, ev->kind->number, plan->n_own) : NULL, sb,
        ev);
    const char *said = stays ? skep_json_memo_find(memo, &key, &len) : NULL;
    if (said) {
        skep_strbuf_put(sb, said, len);
    } else {
        size_t from = sb->len;
        run(process, end, NULL, sb, ev);
        if (stays && !sb->failed)
            skep_json_memo_add(memo, &key, sb->s + from, sb->len - from);
    }
    skep_strbuf_putc(sb, '}');
}
