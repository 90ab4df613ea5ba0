/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/column/row.h"

#include "event/fields.h"

#include <inttypes.h>

#define TEXT_MAX 8192 /* of what has to be written */

/* ---- values ---- */

static bool put_written(struct skep_rule_ctx *x, const struct skep_item *item, struct skep_fact *ret)
{
    char text[TEXT_MAX];
    struct skep_strbuf sb;
    skep_strbuf_init_fixed(&sb, text, sizeof(text));
    return skep_item_put(&sb, item, x->ev) && skep_fact_text(x, ret, sb.s, sb.len);
}

static bool put_list(struct skep_rule_ctx *x, const struct skep_value *v, struct skep_fact *ret)
{
    const char *s;
    size_t n = 0, len, at = 0;
    while (skep_list_next(v->s, v->n, &at, &s, &len))
        n++;
    struct skep_fact_item *items = skep_fact_list(x, ret, n);
    at = 0;
    for (size_t i = 0; items && i < n; i++) {
        skep_list_next(v->s, v->n, &at, &s, &len);
        if (!skep_fact_item_text(x, &items[i], s, len))
            return false;
    }
    return items != NULL;
}

static int64_t number_of(const struct skep_value *v)
{
    return v->class == SKEP_CLASS_INT || v->type == SKEP_TYPE_time ? v->i : (int64_t)v->u;
}

static bool get(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    const struct skep_column_row *row = (const struct skep_column_row *)q->field;
    const struct skep_item *item = row->items[x->ev->h->kind & (SKEP_KIND_MAX - 1)];
    struct skep_value v;
    if (!item)
        return false;
    if (item->port && row->form == SKEP_COLUMN_TEXT)
        return put_written(x, item, ret);
    if (!skep_field_get(item->field, x->ev, &v))
        return false;
    switch (row->form) {
    case SKEP_COLUMN_EXISTS:
        return skep_fact_bool(ret, true);
    case SKEP_COLUMN_NUMBER:
        return (v.class == SKEP_CLASS_INT || v.class == SKEP_CLASS_UINT) &&
               skep_fact_number(ret, number_of(&v));
    case SKEP_COLUMN_BOOL:
        return v.class == SKEP_CLASS_UINT && skep_fact_bool(ret, v.u != 0);
    case SKEP_COLUMN_TEXT:
        return v.class == SKEP_CLASS_TEXT ? skep_fact_text(x, ret, v.s, v.n) : put_written(x, item, ret);
    case SKEP_COLUMN_LIST:
        return v.class == SKEP_CLASS_LIST && put_list(x, &v, ret);
    case SKEP_COLUMN_IP:
        return v.class == SKEP_CLASS_IP && skep_fact_ip(x, ret, v.s, v.n);
    case SKEP_COLUMN_BITS:
        return v.class == SKEP_CLASS_UINT && skep_fact_bool(ret, (v.u & row->bits.mask) == row->bits.number);
    }
    return false;
}

static bool read_place(const struct skep_hdr *h, const struct skep_column_place *p, uint64_t *ret)
{
    uint64_t u = skep_field_read(h, p->off, p->size);
    unsigned unused = 64 - 8 * p->size;
    if ((p->of_task && h->flags & SKEP_HDR_NO_TASK) || (p->has_missing && u == p->missing))
        return false;
    *ret = p->is_signed ? (uint64_t)((int64_t)(u << unused) >> unused) : u;
    return true;
}

static bool get_number(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    const struct skep_column_row *row = (const struct skep_column_row *)q->field;
    const struct skep_column_place *p = &row->places[x->ev->h->kind & (SKEP_KIND_MAX - 1)];
    return p->size ? read_place(x->ev->h, p, &ret->value) : get(x, q, ret);
}

static bool get_text(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    const struct skep_column_row *row = (const struct skep_column_row *)q->field;
    const struct skep_column_place *p = &row->places[x->ev->h->kind & (SKEP_KIND_MAX - 1)];
    struct skep_slice slice;
    if (!p->size)
        return get(x, q, ret);
    memcpy(&slice, (const char *)x->ev->h + p->off, sizeof(slice));
    return skep_fact_text(x, ret, skep_slice_get(x->ev->h, slice), slice.len);
}

static bool get_bits(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    const struct skep_column_row *row = (const struct skep_column_row *)q->field;
    const struct skep_column_place *p = &row->places[x->ev->h->kind & (SKEP_KIND_MAX - 1)];
    uint64_t u;
    if (!p->size)
        return get(x, q, ret);
    return read_place(x->ev->h, p, &u) && skep_fact_bool(ret, (u & row->bits.mask) == row->bits.number);
}

/* ---- where it stands in the record ---- */

/* Whether the field is a number that is read as it is. Members of the header have a getter only for processes that are
 * not known, whose records pass every filter. */
static bool is_plain(const struct skep_field *f)
{
    enum skep_class class = skep_type_info(f->type)->class;
    if (class != SKEP_CLASS_INT && class != SKEP_CLASS_UINT)
        return false;
    /* which ring it will be is not known yet when a filter looks */
    return f->size && f->type != SKEP_TYPE_ring && f->type != SKEP_TYPE_time &&
           (!f->get || f->off + f->size <= sizeof(struct skep_hdr));
}

static struct skep_column_place text_place(const struct skep_field *f)
{
    bool plain = !f->get && skep_type_info(f->type)->class == SKEP_CLASS_TEXT;
    return plain ? (struct skep_column_place){.off = (uint16_t)f->off, .size = sizeof(struct skep_slice)}
                 : (struct skep_column_place){0};
}

/* size 0: which numbers mean that it is missing cannot be said in one. */
static struct skep_column_place number_place(const struct skep_field *f)
{
    const struct skep_type_info *info = skep_type_info(f->type);
    struct skep_column_place p = {.off = (uint16_t)f->off,
                                  .size = (uint8_t)f->size,
                                  .is_signed = info->class == SKEP_CLASS_INT,
                                  .of_task = f->off < sizeof(struct skep_hdr) && f->get};
    bool id = f->type == SKEP_TYPE_uid || f->type == SKEP_TYPE_gid;
    bool named = info->names && !info->names->set;
    if (!is_plain(f) || (named && info->names->zero_is_none))
        return (struct skep_column_place){0};
    if (p.is_signed)
        return p;
    p.has_missing =
        id || named || f->type == SKEP_TYPE_nsid || f->type == SKEP_TYPE_inode || f->type == SKEP_TYPE_dev;
    p.missing = id || named ? UINT32_MAX : 0;
    _Static_assert(SKEP_NO_VALUE == UINT32_MAX, "the number for none");
    return p;
}

static bool number_spot(const struct skep_column_place *p, struct skep_rule_spot *ret)
{
    static const enum skep_rule_spot_form forms[] = {
        [1] = SKEP_SPOT_U8, [2] = SKEP_SPOT_U16, [4] = SKEP_SPOT_U32, [8] = SKEP_SPOT_U64};
    if (!p->size || (p->is_signed && p->size < 4))
        return false;
    ret->form = p->is_signed && p->size == 4 ? SKEP_SPOT_S32 : forms[p->size];
    ret->off = p->off;
    ret->has_missing = p->has_missing;
    ret->missing = p->missing;
    return true;
}

/* SKEP_SPOT_BITS looks at 32 bits. */
static bool bits_spot(const struct skep_field *f, const struct skep_word *bits, struct skep_rule_spot *ret)
{
    bool high = f->size == 8 && !(uint32_t)bits->mask;
    uint64_t mask = high ? bits->mask >> 32 : bits->mask, number = high ? bits->number >> 32 : bits->number;
    if ((f->size != 4 && f->size != 8) || !mask || mask > UINT32_MAX)
        return false;
    ret->form = SKEP_SPOT_BITS;
    ret->off = (uint16_t)(f->off + (high ? 4 : 0));
    ret->mask = (uint32_t)mask;
    ret->n_values = 1;
    ret->values[0] = (uint32_t)number;
    return true;
}

static bool text_spot(const struct skep_kind *kind, const struct skep_field *f, struct skep_rule_spot *ret)
{
    if (f->off == offsetof(struct skep_hdr, comm)) {
        ret->form = SKEP_SPOT_CHARS;
        ret->off = (uint16_t)f->off;
        ret->size = SKEP_COMM_LEN;
        return f->size == SKEP_COMM_LEN;
    }
    if (kind->number != SKEP_KIND_open || f->off != offsetof(struct skep_ev_open, path) || f->get)
        return false;
    ret->form = SKEP_SPOT_PATH;
    ret->off = (uint16_t)f->off;
    ret->source_off = offsetof(struct skep_ev_open, path_source);
    return true;
}

static bool spot_of(const struct skep_column_row *row, const struct skep_kind *kind,
                    struct skep_rule_spot *ret)
{
    const struct skep_item *item = &row->column->items[kind->number];
    const struct skep_field *f = item->field;
    *ret = (struct skep_rule_spot){.kind = kind->number};
    if (f->off + f->size > UINT16_MAX || item->port)
        return false;
    switch (row->form) {
    case SKEP_COLUMN_NUMBER:
        if (f == skep_field_find(row->column->columns->schema, NULL, "ret", 3)) {
            ret->form = SKEP_SPOT_RET;
            return true;
        }
        if (f->get == skep_get_endpoint_port) {
            ret->form = SKEP_SPOT_PORT;
            ret->off = (uint16_t)f->off;
            return true;
        }
        return number_spot(&row->places[kind->number], ret);
    case SKEP_COLUMN_BITS:
        return row->places[kind->number].size && bits_spot(f, &row->bits, ret);
    case SKEP_COLUMN_IP:
        ret->form = SKEP_SPOT_ENDPOINT;
        ret->off = (uint16_t)f->off;
        return f->get == skep_get_endpoint_ip;
    case SKEP_COLUMN_TEXT:
        return text_spot(kind, f, ret);
    default:
        return false;
    }
}

/* ---- rows ---- */

typedef bool getter_fn(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret);

static const char *name_of(struct skep_column *c, const struct skep_column_row *row)
{
    static const char *const forms[] = {
        [SKEP_COLUMN_EXISTS] = " (there)", [SKEP_COLUMN_NUMBER] = "", [SKEP_COLUMN_BOOL] = "",
        [SKEP_COLUMN_TEXT] = " (text)",    [SKEP_COLUMN_LIST] = "",   [SKEP_COLUMN_IP] = "",
        [SKEP_COLUMN_BITS] = " (bits ",
    };
    struct skep_arena *a = c->columns->arena;
    if (row->form == SKEP_COLUMN_BITS)
        return skep_arena_printf(a, "%s (%s, bits 0x%" PRIx64 " of 0x%" PRIx64 ")", c->rule.name,
                                 skep_type_info(row->type)->name, row->bits.number, row->bits.mask);
    bool plain = row->type == SKEP_TYPE_text && row->form == SKEP_COLUMN_TEXT;
    return row->type == SKEP_COLUMN_TYPE_ANY
               ? skep_arena_printf(a, "%s%s", c->rule.name, forms[row->form])
               : skep_arena_printf(a, "%s%s (%s)", c->rule.name, plain ? "" : forms[row->form],
                                   skep_type_info(row->type)->name);
}

/* The kinds that it is about, and where it stands in them. */
static int describe(struct skep_column *c, struct skep_column_row *row)
{
    struct skep_columns *all = c->columns;
    _cleanup_strbuf_ struct skep_strbuf kinds;
    struct skep_rule_spot *spots = skep_arena_array(all->arena, SKEP_KIND_MAX, sizeof(*spots));
    size_t n = 0;
    skep_strbuf_init(&kinds, 1 << 16);
    for (unsigned k = 0; spots && k < SKEP_KIND_MAX; k++) {
        enum skep_type type = skep_column_type(c, k);
        if (type < 0 || (row->type != SKEP_COLUMN_TYPE_ANY && type != row->type))
            continue;
        const struct skep_kind *kind = skep_schema_kind(all->schema, k);
        skep_strbuf_puts(&kinds, kinds.len ? "," : "");
        skep_strbuf_puts(&kinds, kind->name);
        row->items[k] = &c->items[k];
        if (row->form == SKEP_COLUMN_NUMBER || row->form == SKEP_COLUMN_BITS)
            row->places[k] = number_place(c->items[k].field);
        else if (row->form == SKEP_COLUMN_TEXT && !c->items[k].port)
            row->places[k] = text_place(c->items[k].field);
        n += spot_of(row, kind, &spots[n]);
    }
    row->rule.kinds = skep_arena_text(all->arena, kinds.s, kinds.len);
    row->rule.spots = spots;
    row->rule.n_spots = n;
    return !spots || !row->rule.kinds || kinds.failed ? -ENOMEM : 0;
}

const struct skep_rule_field *skep_column_row(struct skep_column *c, enum skep_column_form form,
                                              enum skep_type type, const struct skep_word *bits)
{
    static const struct skep_word none;
    static const enum skep_rule_type types[] = {
        [SKEP_COLUMN_EXISTS] = SKEP_RULE_BOOL, [SKEP_COLUMN_NUMBER] = SKEP_RULE_NUMBER,
        [SKEP_COLUMN_BOOL] = SKEP_RULE_BOOL,   [SKEP_COLUMN_TEXT] = SKEP_RULE_TEXT,
        [SKEP_COLUMN_LIST] = SKEP_RULE_TEXT,   [SKEP_COLUMN_IP] = SKEP_RULE_IP,
        [SKEP_COLUMN_BITS] = SKEP_RULE_BOOL,
    };
    static getter_fn *const getters[] = {
        [SKEP_COLUMN_NUMBER] = get_number, [SKEP_COLUMN_TEXT] = get_text, [SKEP_COLUMN_BITS] = get_bits};
    bits = bits ? bits : &none;
    for (struct skep_column_row *row = c->rows; row; row = row->next)
        if (row->form == form && row->type == type && row->bits.number == bits->number &&
            row->bits.mask == bits->mask)
            return &row->rule;
    struct skep_column_row *row = skep_arena_alloc(c->columns->arena, sizeof(*row));
    if (!row)
        return NULL;
    *row = (struct skep_column_row){.column = c, .form = form, .type = type, .bits = *bits};
    row->rule = (struct skep_rule_field){.name = name_of(c, row),
                                         .doc = "",
                                         .type = types[form],
                                         .flags = form == SKEP_COLUMN_LIST ? SKEP_FIELD_ANY : 0,
                                         .get = getters[form] ? getters[form] : get};
    if (!row->rule.name || describe(c, row) < 0)
        return NULL;
    row->next = c->rows;
    c->rows = row;
    return &row->rule;
}
