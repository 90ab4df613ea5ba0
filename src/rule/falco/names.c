/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spell.h"
#include "rule/falco/load.h"

/* Nearest names are looked for as long as there are few errors: it costs a walk over all names. */
#define HINTS_MAX 64

int skep_falco_join(struct skep_falco *f, const struct skep_falco_parts *parts, struct skep_rule_text *ret)
{
    size_t n = 0, n_parts = 0, at = 0, i = 0;
    for (const struct skep_falco_part *p = parts->first; p; p = p->next) {
        n += p->y->source.len + 1;
        n_parts++;
    }
    char *s = skep_arena_alloc(f->arena, n + 1);
    struct skep_rule_piece *pieces = skep_arena_array(f->arena, n_parts, sizeof(*pieces));
    if (!s || !pieces)
        return -ENOMEM;
    for (const struct skep_falco_part *p = parts->first; p; p = p->next) {
        pieces[i++] = (struct skep_rule_piece){.source = &p->y->source, .at = at};
        memcpy(s + at, p->y->source.text, p->y->source.len);
        at += p->y->source.len;
        s[at++] = p->next ? ' ' : '\0';
    }
    *ret = (struct skep_rule_text){.s = s, .n = at ? at - 1 : 0, .pieces = pieces, .n_pieces = n_parts};
    return 0;
}

struct skep_rule_text skep_falco_text_of(struct skep_falco *f, const struct skep_yaml *y)
{
    struct skep_rule_piece *piece = skep_arena_alloc(f->arena, sizeof(*piece));
    if (piece)
        piece->source = &y->source;
    return (struct skep_rule_text){.s = y->source.text, .n = y->source.len, .pieces = piece, .n_pieces = 1};
}

int skep_falco_parse_item(struct skep_falco *f, const struct skep_yaml *y, struct skep_literal **ret,
                          size_t *ret_n)
{
    struct skep_rule_text text = skep_falco_text_of(f, y);
    return text.pieces ? skep_parse_item(&f->parse, &text, ret, ret_n) : -ENOMEM;
}

/* ---- lists ---- */

static int list_failed(struct skep_falco *f, struct skep_falco_list *l, const char *why)
{
    l->d.state = SKEP_FALCO_BROKEN;
    return skep_falco_error(f, SKEP_FALCO_WRONG, l->d.name, "%s", why);
}

/* What an item stands for, behind those that are there. */
static int expand_item(struct skep_falco *f, const struct skep_yaml *y, struct skep_literals *all)
{
    struct skep_literal *some;
    size_t n;
    int r = skep_falco_parse_item(f, y, &some, &n);
    if (r < 0)
        return r;
    r = skep_literals_add(all, some, n);
    if (r == -E2BIG)
        return list_failed(f, f->list, "the list has too many items, with those of the lists in it");
    return r;
}

static int expand_parts(struct skep_falco *f, struct skep_falco_list *l)
{
    _cleanup_literals_ struct skep_literals all = {0};
    struct skep_literal *kept;
    for (const struct skep_falco_part *p = l->d.parts.first; p; p = p->next)
        for (size_t i = 0; i < p->y->n_items; i++) {
            int r = expand_item(f, p->y->items[i], &all);
            if (r < 0)
                return r;
        }
    int r = skep_literals_keep(&all, f->arena, &kept);
    if (r < 0)
        return r;
    l->literals = kept;
    l->n_literals = all.n;
    return 0;
}

static int expand_list(struct skep_falco *f, struct skep_falco_list *l)
{
    struct skep_falco_list *outer = f->list;
    if (f->depth >= SKEP_RULE_DEPTH_MAX)
        return list_failed(f, l, "lists stand in lists too deeply");
    l->d.state = SKEP_FALCO_BUSY;
    f->list = l;
    f->depth++;
    int r = expand_parts(f, l);
    f->depth--;
    f->list = outer;
    l->d.state = r < 0 ? SKEP_FALCO_BROKEN : SKEP_FALCO_DONE;
    return r;
}

static int on_list(void *data, const char *name, size_t len, const struct skep_literal **ret, size_t *ret_n)
{
    struct skep_falco *f = data;
    struct skep_falco_list *l = skep_textmap_get(&f->lists.by_name, name, len);
    if (!l)
        return 0;
    /* A list sees those before it; its own name is an item like others, also by way of another list. */
    if (f->list && (l->d.index >= f->list->d.visibility || l->d.state == SKEP_FALCO_BUSY))
        return 0;
    l->d.used = true;
    if (l->d.state == SKEP_FALCO_NEW) {
        int r = expand_list(f, l);
        if (r < 0)
            return r;
    }
    if (l->d.state == SKEP_FALCO_BROKEN)
        return -EINVAL;
    *ret = l->literals;
    *ret_n = l->n_literals;
    return 1;
}

/* ---- macros ---- */

static int undefined_macro(struct skep_falco *f, const char *name, size_t len,
                           const struct skep_rule_place *place, bool later)
{
    skep_rule_complain(f->diags, true, place, SKEP_FALCO_WRONG,
                       later ? "the macro `%.*s` is defined later than it is used"
                             : "there is no macro `%.*s`",
                       (int)MIN(len, (size_t)100), name);
    if (later) {
        skep_diags_hint(f->diags, "a macro sees only those that stand before it");
        return -EINVAL;
    }
    if (skep_textmap_get(&f->lists.by_name, name, len)) {
        skep_diags_hint(f->diags, "it is a list: FIELD in (%.*s)", (int)MIN(len, (size_t)100), name);
        return -EINVAL;
    }
    if (!f->diags->last || f->diags->n_errors > HINTS_MAX)
        return -EINVAL;
    struct skep_spell sp;
    skep_spell_init(&sp, name, len);
    for (const struct skep_falco_definition *d = f->macros.first; d; d = d->next)
        if (d->name && !memchr(d->name->source.text, '\0', d->name->source.len))
            skep_spell_offer(&sp, d->name->source.text);
    if (sp.best)
        skep_diags_hint(f->diags, "did you mean `%s`?", sp.best);
    return -EINVAL;
}

static int parse_macro(struct skep_falco *f, struct skep_falco_macro *m)
{
    struct skep_rule_text text;
    int r = skep_falco_join(f, &m->d.parts, &text);
    if (r >= 0)
        r = skep_parse_condition(&f->parse, &text, &m->parsed);
    return r;
}

/* Sets of types of event are kept with the macro, since many rules share it. */
static int keep_types(struct skep_falco *f, const struct skep_expr *e)
{
    if (e->evttypes)
        return 0;
    struct skep_evtsets *s = skep_arena_alloc(f->arena, sizeof(*s));
    if (!s)
        return -ENOMEM;
    *s = skep_evtsets_of(e);
    /* It was made just now, and nobody else has it yet. */
    ((struct skep_expr *)(uintptr_t)e)->evttypes = s;
    return 0;
}

static int build_macro(struct skep_falco *f, struct skep_falco_macro *m)
{
    struct skep_falco_macro *outer = f->macro;
    struct skep_falco_use *outer_uses = f->uses;
    if (f->depth >= SKEP_RULE_DEPTH_MAX) {
        m->d.state = SKEP_FALCO_BROKEN;
        return skep_falco_error(f, SKEP_FALCO_WRONG, m->d.name, "macros stand in macros too deeply");
    }
    m->d.state = SKEP_FALCO_BUSY;
    f->macro = m;
    f->uses = NULL;
    f->depth++;
    int r = parse_macro(f, m);
    f->depth--;
    m->uses = f->uses;
    f->macro = outer;
    f->uses = outer_uses;
    if (r >= 0)
        r = keep_types(f, m->parsed.e);
    m->d.state = r < 0 ? SKEP_FALCO_BROKEN : SKEP_FALCO_DONE;
    if (r >= 0) {
        m->unknown = skep_falco_unknown(&m->parsed, m->uses);
        m->wrong = skep_falco_wrong(&m->parsed, m->uses);
    }
    return r;
}

static const struct skep_parsed *on_macro(void *data, const char *name, size_t len,
                                          const struct skep_rule_place *place)
{
    struct skep_falco *f = data;
    struct skep_falco_macro *m = skep_textmap_get(&f->macros.by_name, name, len);
    if (!m && f->incomplete)
        return NULL;
    bool later = m && f->macro && m->d.index >= f->macro->d.visibility;
    if (!m || later) {
        undefined_macro(f, name, len, place, later);
        return NULL;
    }
    m->d.used = true;
    if (m->d.state == SKEP_FALCO_BUSY) {
        skep_rule_complain(f->diags, true, place, SKEP_FALCO_WRONG, "the macro `%.*s` refers to itself",
                           (int)MIN(len, (size_t)100), name);
        return NULL;
    }
    if (m->d.state == SKEP_FALCO_NEW && build_macro(f, m) < 0)
        return NULL;
    if (m->d.state == SKEP_FALCO_BROKEN)
        return NULL;
    struct skep_falco_use *use = skep_arena_alloc(f->arena, sizeof(*use));
    if (!use)
        return NULL;
    *use = (struct skep_falco_use){.next = f->uses, .macro = m};
    f->uses = use;
    return &m->parsed;
}

void skep_falco_names_init(struct skep_falco *f)
{
    f->names = (struct skep_parse_names){.data = f, .macro = on_macro, .list = on_list};
    f->parse = (struct skep_parse){.arena = f->arena,
                                   .diags = f->diags,
                                   .code = SKEP_FALCO_CONDITION,
                                   .names = &f->names,
                                   .literals_left = &f->literals_left,
                                   .values_left = &f->values_left,
                                   .fields = &f->fields};
}

int skep_falco_build_macros(struct skep_falco *f)
{
    int r = 0;
    for (struct skep_falco_definition *d = f->macros.first; d; d = d->next) {
        if (d->state != SKEP_FALCO_NEW)
            continue;
        int r_macro = build_macro(f, (struct skep_falco_macro *)d);
        if (r_macro == -ENOMEM || skep_arena_failed(f->arena))
            return -ENOMEM;
        r = r_macro < 0 ? r_macro : r;
    }
    return r;
}

const struct skep_rule_issue *skep_falco_unknown(const struct skep_parsed *p,
                                                 const struct skep_falco_use *uses)
{
    for (const struct skep_rule_issue *i = p->issues; i; i = i->next)
        if (i->kind == SKEP_ISSUE_FIELD || (i->kind == SKEP_ISSUE_TYPE && i->error))
            return i;
    for (; uses; uses = uses->next)
        if (uses->macro->unknown)
            return uses->macro->unknown;
    return NULL;
}

bool skep_falco_wrong(const struct skep_parsed *p, const struct skep_falco_use *uses)
{
    bool wrong = false;
    for (const struct skep_rule_issue *i = p->issues; i; i = i->next)
        wrong |= i->error;
    for (; uses; uses = uses->next)
        wrong |= uses->macro->wrong;
    return wrong;
}

static void report_issues(struct skep_falco *f, const struct skep_rule_issue *issues)
{
    for (const struct skep_rule_issue *i = issues; i; i = i->next)
        skep_rule_issue_report(i, f->diags);
}

/* Puts macros that were not reported yet in front of a walk. */
static void push_uses(struct skep_falco_macro **todo, const struct skep_falco_use *uses)
{
    for (; uses; uses = uses->next) {
        struct skep_falco_macro *m = uses->macro;
        if (m->reported)
            continue;
        m->reported = true;
        m->todo = *todo;
        *todo = m;
    }
}

void skep_falco_report(struct skep_falco *f, const struct skep_parsed *p, const struct skep_falco_use *uses)
{
    struct skep_falco_macro *todo = NULL;
    report_issues(f, p->issues);
    push_uses(&todo, uses);
    while (todo) {
        struct skep_falco_macro *m = todo;
        todo = m->todo;
        report_issues(f, m->parsed.issues);
        push_uses(&todo, m->uses);
    }
}

/* Lists that stand in others count as used, also where those are not. */
static void mark_lists_in_lists(struct skep_falco *f)
{
    for (const struct skep_falco_definition *d = f->lists.first; d; d = d->next)
        for (const struct skep_falco_part *p = d->parts.first; p && d->state == SKEP_FALCO_NEW; p = p->next)
            for (size_t i = 0; i < p->y->n_items; i++) {
                const struct skep_rule_source *s = &p->y->items[i]->source;
                struct skep_falco_definition *other = skep_textmap_get(&f->lists.by_name, s->text, s->len);
                if (other && other->index < d->visibility)
                    other->used = true;
            }
}

static void warn_unused(struct skep_falco *f, const struct skep_falco_definitions *all, const char *code,
                        const char *what)
{
    for (const struct skep_falco_definition *d = all->first; d; d = d->next)
        if (!d->used && d->name)
            skep_falco_warn(f, code, d->name, "the %s `%.100s` is not used", what, d->name->source.text);
}

void skep_falco_warn_unused(struct skep_falco *f)
{
    mark_lists_in_lists(f);
    warn_unused(f, &f->macros, "LOAD_UNUSED_MACRO", "macro");
    warn_unused(f, &f->lists, "LOAD_UNUSED_LIST", "list");
}
