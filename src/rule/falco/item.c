/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spell.h"
#include "rule/falco/load.h"

static void tell(struct skep_falco *f, bool error, const char *code, const struct skep_yaml *y,
                 const char *fmt, va_list ap)
{
    struct skep_rule_place place = y ? skep_yaml_place(y) : (struct skep_rule_place){0};
    char text[512];
    vsnprintf(text, sizeof(text), fmt, ap);
    skep_rule_complain(f->diags, error, &place, code, "%s", text);
}

int skep_falco_error(struct skep_falco *f, const char *code, const struct skep_yaml *y, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tell(f, true, code, y, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

int skep_falco_warn(struct skep_falco *f, const char *code, const struct skep_yaml *y, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tell(f, false, code, y, fmt, ap);
    va_end(ap);
    return 0;
}

int skep_falco_add_part(struct skep_falco *f, struct skep_falco_parts *parts, const struct skep_yaml *y)
{
    struct skep_falco_part *p = skep_arena_alloc(f->arena, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->y = y;
    *(parts->last ? &parts->last->next : &parts->first) = p;
    parts->last = p;
    return 0;
}

int skep_falco_count(struct skep_falco *f, const struct skep_yaml *y, size_t n)
{
    if (n > f->elements_left) {
        f->elements_left = 0;
        return skep_falco_error(f, SKEP_FALCO_FORM, y, "there are too many elements (more than %d in all)",
                                SKEP_FALCO_ITEMS_MAX);
    }
    f->elements_left -= n;
    return 0;
}

int skep_falco_check_text(struct skep_falco *f, const struct skep_yaml *y, const char *key)
{
    if (y->kind != SKEP_YAML_SCALAR)
        return skep_falco_error(f, SKEP_FALCO_FORM, y, "`%s` is a text, not a list or map", key);
    if (skep_yaml_is_null(y) || y->source.len == 0)
        return skep_falco_error(f, SKEP_FALCO_FORM, y, "`%s` is empty", key);
    return 0;
}

int skep_falco_check_texts(struct skep_falco *f, const struct skep_yaml *y, const char *key)
{
    if (y->kind != SKEP_YAML_SEQUENCE)
        return skep_falco_error(f, SKEP_FALCO_FORM, y, "`%s` is a list of texts", key);
    int r = skep_falco_count(f, y, y->n_items);
    for (size_t i = 0; i < y->n_items && r >= 0; i++)
        if (y->items[i]->kind != SKEP_YAML_SCALAR || skep_yaml_is_null(y->items[i]))
            r = skep_falco_error(f, SKEP_FALCO_FORM, y->items[i], "an element of `%s` is a text or a number",
                                 key);
    return r;
}

int skep_falco_check_bool(struct skep_falco *f, const struct skep_yaml *y, const char *key, bool *ret)
{
    if (skep_yaml_bool(y, ret))
        return 0;
    return skep_falco_error(f, SKEP_FALCO_FORM, y, "`%s` is true or false", key);
}

int skep_falco_read_append(struct skep_falco *f, const struct skep_yaml *item, bool *ret)
{
    const struct skep_yaml *y = skep_yaml_get(item, "append");
    *ret = false;
    if (!y)
        return 0;
    int r = skep_falco_check_bool(f, y, "append", ret);
    if (r >= 0 && *ret) {
        skep_falco_warn(f, "LOAD_DEPRECATED_ITEM", skep_yaml_key(item, "append"), "`append` is deprecated");
        skep_diags_hint(f->diags, "use `override`");
    }
    return r;
}

/* Whether a list or macro, whose content is `key`, adds to an earlier one. */
static int read_mode(struct skep_falco *f, enum skep_falco_item kind, const struct skep_yaml *item,
                     const char *key, bool *ret_append)
{
    uint32_t append, replace;
    int r = skep_falco_read_append(f, item, ret_append);
    int r_override = skep_falco_overrides(f, kind, item, &append, &replace);
    if (r < 0 || r_override < 0)
        return -EINVAL;
    if (*ret_append && (append | replace))
        return skep_falco_error(f, SKEP_FALCO_FORM, skep_yaml_key(item, "override"),
                                "`append` and `override` exclude each other");
    *ret_append = *ret_append || append & skep_falco_key(kind, key);
    return 0;
}

static bool is_list_name(const struct skep_yaml *y)
{
    struct skep_lex l = {.s = y->source.text, .n = y->source.len};
    return skep_lex_bare(&l) == l.n;
}

static bool is_macro_name(const struct skep_yaml *y)
{
    struct skep_lex l = {.s = y->source.text, .n = y->source.len};
    return skep_lex_name(&l) == l.n && !memchr(l.s, '.', l.n);
}

/* How lists and macros differ. */
struct form {
    enum skep_falco_item kind;
    const char *what; /* the key of the name */
    const char *key;  /* of the content */
    int (*check)(struct skep_falco *f, const struct skep_yaml *y, const char *key);
    bool (*is_name)(const struct skep_yaml *y);
    const char *code, *names; /* of those that are none */
    size_t size;
};

static const struct form list_form = {
    .kind = SKEP_FALCO_LIST,
    .what = "list",
    .key = "items",
    .check = skep_falco_check_texts,
    .is_name = is_list_name,
    .code = "LOAD_INVALID_LIST_NAME",
    .names = "has no blanks, quotes, commas, parentheses and equals signs",
    .size = sizeof(struct skep_falco_list),
};

static const struct form macro_form = {
    .kind = SKEP_FALCO_MACRO,
    .what = "macro",
    .key = "condition",
    .check = skep_falco_check_text,
    .is_name = is_macro_name,
    .code = "LOAD_INVALID_MACRO_NAME",
    .names = "is made of letters, digits and underscores and begins with a letter",
    .size = sizeof(struct skep_falco_macro),
};

_Static_assert(offsetof(struct skep_falco_list, d) == 0 && offsetof(struct skep_falco_macro, d) == 0,
               "a definition is what lists and macros begin with");

/* The one of this name, which may be new. */
static struct skep_falco_definition *get_definition(struct skep_falco *f, struct skep_falco_definitions *all,
                                                    const struct skep_yaml *name, size_t size)
{
    struct skep_falco_definition *d = skep_textmap_get(&all->by_name, name->source.text, name->source.len);
    if (d)
        return d;
    d = skep_arena_alloc(f->arena, size);
    if (!d || skep_textmap_put(&all->by_name, name->source.text, name->source.len, d) < 0)
        return NULL;
    d->index = f->index;
    *(all->last ? &all->last->next : &all->first) = d;
    all->last = d;
    all->n++;
    return d;
}

static int read_definition(struct skep_falco *f, struct skep_falco_definitions *all, const struct form *form,
                           const struct skep_yaml *item)
{
    const struct skep_yaml *name = skep_yaml_get(item, form->what), *content = skep_yaml_get(item, form->key);
    bool append = false;
    int r = skep_falco_check_text(f, name, form->what);
    if (r < 0)
        return r;
    if (!form->is_name(name))
        skep_falco_warn(f, form->code, name, "the name of a %s %s", form->what, form->names);
    if (read_mode(f, form->kind, item, form->key, &append) < 0)
        r = -EINVAL;
    if (!content)
        r = skep_falco_error(f, SKEP_FALCO_FORM, name, "the %s has no `%s`", form->what, form->key);
    else if (form->check(f, content, form->key) < 0)
        r = -EINVAL;
    if (append && !f->incomplete && !skep_textmap_get(&all->by_name, name->source.text, name->source.len))
        r = skep_falco_error(f, SKEP_FALCO_WRONG, name, "there is no %s of this name to append to",
                             form->what);
    struct skep_falco_definition *d = get_definition(f, all, name, form->size);
    if (!d)
        return -ENOMEM;
    d->visibility = f->index++;
    if (r < 0) {
        d->state = SKEP_FALCO_BROKEN;
        return r;
    }
    if (!append) {
        d->name = name;
        d->parts = (struct skep_falco_parts){0};
        d->state = SKEP_FALCO_NEW;
    } else if (!d->name) {
        d->name = name;
    }
    return skep_falco_add_part(f, &d->parts, content);
}

static int read_list(struct skep_falco *f, const struct skep_yaml *item)
{
    return read_definition(f, &f->lists, &list_form, item);
}

static int read_macro(struct skep_falco *f, const struct skep_yaml *item)
{
    return read_definition(f, &f->macros, &macro_form, item);
}

static int unknown_item(struct skep_falco *f, const struct skep_yaml *item)
{
    static const char *const names[] = {"rule", "macro", "list", "required_engine_version",
                                        "required_plugin_versions"};
    const struct skep_yaml *key = item->n_items ? item->items[0] : item;
    skep_falco_warn(f, "LOAD_UNKNOWN_ITEM", key, "this is no rule, macro, list or version that is demanded");
    if (key->kind != SKEP_YAML_SCALAR || !f->diags->last)
        return 0;
    struct skep_spell sp;
    skep_spell_init(&sp, key->source.text, key->source.len);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        skep_spell_offer(&sp, names[i]);
    if (sp.best)
        skep_diags_hint(f->diags, "did you mean `%s`?", sp.best);
    return 0;
}

static int read_item(struct skep_falco *f, const struct skep_yaml *item)
{
    static const struct {
        const char *key;
        enum skep_falco_item kind;
        int (*read)(struct skep_falco *f, const struct skep_yaml *y);
        bool value; /* it reads what stands at the key, not the item */
    } kinds[] = {
        {"required_engine_version", SKEP_FALCO_ENGINE, skep_falco_engine_version, true},
        {"required_plugin_versions", SKEP_FALCO_PLUGINS, skep_falco_plugin_versions, true},
        {"list", SKEP_FALCO_LIST, read_list, false},
        {"macro", SKEP_FALCO_MACRO, read_macro, false},
        {"rule", SKEP_FALCO_RULE, skep_falco_read_rule, false},
    };
    if (skep_yaml_is_null(item))
        return 0;
    if (item->kind != SKEP_YAML_MAP)
        return skep_falco_error(f, SKEP_FALCO_FORM, item,
                                "an item is a map, such as `rule: NAME` and what belongs to it");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct skep_yaml *value = skep_yaml_get(item, kinds[i].key);
        if (!value)
            continue;
        skep_falco_check_keys(f, kinds[i].kind, item);
        return kinds[i].read(f, kinds[i].value ? value : item);
    }
    return unknown_item(f, item);
}

/* What people have that holds files of rules, and is none. */
static const char *hint_for_map(const struct skep_yaml *doc)
{
    if (skep_yaml_get(doc, "customRules"))
        return "these are values of Falco's Helm chart: each text below `customRules` is a file of rules";
    if (skep_yaml_get(doc, "kind") && skep_yaml_get(doc, "data"))
        return "this is an object of Kubernetes: each text below `data` is a file of rules";
    return "each item begins with `- `";
}

static int read_document(struct skep_falco *f, const struct skep_yaml *doc)
{
    int r = 0;
    if (skep_yaml_is_null(doc))
        return 0;
    if (doc->kind != SKEP_YAML_SEQUENCE) {
        r = skep_falco_error(f, SKEP_FALCO_FORM, doc, "a file of rules is a list of items");
        if (doc->kind == SKEP_YAML_MAP)
            skep_diags_hint(f->diags, "%s", hint_for_map(doc));
        return r;
    }
    for (size_t i = 0; i < doc->n_items; i++) {
        int r_item = read_item(f, doc->items[i]);
        if (r_item == -ENOMEM)
            return r_item;
        r = r_item < 0 ? r_item : r;
    }
    return r;
}

/* What is where in the file, for diagnostics. */
static int index_items(struct skep_falco *f, struct skep_rule_file *file, const struct skep_yaml **docs,
                       size_t n_docs)
{
    static const char *const types[] = {"list", "macro", "rule"};
    size_t n = 0, room = 0;
    for (size_t i = 0; i < n_docs; i++)
        room += docs[i]->kind == SKEP_YAML_SEQUENCE ? docs[i]->n_items : 0;
    struct skep_rule_item *items = skep_arena_array(f->arena, room, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n_docs; i++)
        for (size_t k = 0; docs[i]->kind == SKEP_YAML_SEQUENCE && k < docs[i]->n_items; k++) {
            const struct skep_yaml *y = docs[i]->items[k];
            /* an alias stands elsewhere */
            if (n && y->source.at < items[n - 1].at)
                continue;
            struct skep_rule_item *item = &items[n++];
            *item = (struct skep_rule_item){.at = y->source.at};
            for (size_t t = 0; t < ARRAY_SIZE(types) && !item->type; t++) {
                const struct skep_yaml *name = skep_yaml_get(y, types[t]);
                item->type = name && name->kind == SKEP_YAML_SCALAR ? types[t] : NULL;
                item->name = item->type ? name->source.text : NULL;
            }
        }
    file->items = items;
    file->n_items = n;
    return 0;
}

int skep_falco_collect(struct skep_falco *f, struct skep_rule_file *file)
{
    const struct skep_yaml **docs;
    size_t n;
    int r = skep_yaml_read(f->arena, file, f->diags, &docs, &n);
    if (r == -ENOMEM)
        return r;
    f->incomplete = f->incomplete || r < 0;
    if (index_items(f, file, docs, n) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int r_doc = read_document(f, docs[i]);
        if (r_doc == -ENOMEM)
            return r_doc;
        r = r_doc < 0 ? r_doc : r;
    }
    return r;
}
