/* SPDX-License-Identifier: Apache-2.0 */
#include "export/json.h"

#define MAX_OPEN 8  /* objects inside each other */
#define KEY_SIZE 49 /* with quotes, comma and colon */

enum op_code {
    OP_LEAF,
    OP_KIND, /* the event's kind, with its key in front: the same for all events of a plan */
    OP_OPEN,
    OP_CLOSE_KEEP, /* the object stays, whatever is in it */
    OP_CLOSE_NULL, /* it becomes null when nothing in it was known */
    OP_CLOSE_OMIT, /* it goes when nothing is in it */
};

struct op {
    enum op_code code;
    const struct skep_field *field; /* OP_LEAF */
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
    add_op(m, OP_LEAF, f, part, strlen(part));
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

/* The key without its comma where it is the first in its object. Copied with its full room, which is a few
 * moves of fixed size; what is behind the key is written over. */
static void put_key(struct skep_strbuf *sb, const struct op *op)
{
    bool first = sb->len && sb->s[sb->len - 1] == '{';
    size_t n = op->key_len - (size_t)first;
    if (sb->len + KEY_SIZE < sb->room) {
        memcpy(sb->s + sb->len, op->key + first, KEY_SIZE - 1);
        sb->len += n;
        sb->s[sb->len] = '\0';
    } else {
        skep_strbuf_put(sb, op->key + first, n);
    }
}

static void run(const struct op *op, const struct op *end, struct skep_strbuf *sb,
                const struct skep_event *ev)
{
    struct {
        size_t key, body; /* where the key begins and where the object does */
        bool known;
    } stack[MAX_OPEN + 1];
    size_t depth = 0;

    stack[0].known = false;
    for (; op < end; op++) {
        struct skep_value v;
        switch (op->code) {
        case OP_LEAF:
            if (skep_field_get(op->field, ev, &v)) {
                put_key(sb, op);
                skep_value_put_json(sb, &v);
                stack[depth].known = true;
            } else if (!op->field->optional) {
                put_key(sb, op);
                skep_strbuf_put(sb, "null", 4);
            }
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
    run(plan->ops, process, sb, ev);
    const char *said = stays ? skep_json_memo_find(memo, &key, &len) : NULL;
    if (said) {
        skep_strbuf_put(sb, said, len);
    } else {
        size_t from = sb->len;
        run(process, end, sb, ev);
        if (stays && !sb->failed)
            skep_json_memo_add(memo, &key, sb->s + from, sb->len - from);
    }
    skep_strbuf_putc(sb, '}');
}
