/* SPDX-License-Identifier: Apache-2.0 */
/* Any options as a map, and any operations on it: codes of the kernel, no crash; what is in a hash, an array or a trie
 * is what a list of pairs that is searched from end to end would hold. */
#include <linux/bpf.h>

#include "vm/map/map.h"
#include "vm/vm.h"

#define KEY_MAX 24
#define VALUE_MAX 64
#define ENTRIES_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct skep_vm *vm;

struct pair {
    uint8_t key[KEY_MAX], value[VALUE_MAX];
};

struct list {
    struct pair pairs[ENTRIES_MAX];
    uint32_t n;
    bool exact; /* the map is one that the list knows the rules of */
};

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct input *in, size_t size)
{
    uint32_t value = 0;
    size_t n = MIN(size, in->left);
    if (n)
        memcpy(&value, in->at, n);
    in->at += n;
    in->left -= n;
    return value;
}

static void check(bool right)
{
    if (!right)
        abort();
}

static struct pair *find(struct list *l, const void *key, uint32_t key_size)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (memcmp(l->pairs[i].key, key, key_size) == 0)
            return &l->pairs[i];
    return NULL;
}

static void update(struct skep_vm_map *m, struct list *l, const uint8_t *key, const uint8_t *value,
                   uint64_t flags)
{
    struct pair *p = l->exact ? find(l, key, m->key_size) : NULL;
    int r = skep_vm_map_update(m, key, value, flags);
    if (!l->exact)
        return;
    int wanted = flags > BPF_EXIST              ? -EINVAL
                 : p && flags == BPF_NOEXIST    ? -EEXIST
                 : !p && flags == BPF_EXIST     ? -ENOENT
                 : !p && l->n == m->max_entries ? -E2BIG
                                                : 0;
    check(r == wanted);
    if (r < 0)
        return;
    if (!p) {
        p = &l->pairs[l->n++];
        memcpy(p->key, key, m->key_size);
    }
    memcpy(p->value, value, m->value_size);
}

static void remove_key(struct skep_vm_map *m, struct list *l, const uint8_t *key, bool taking)
{
    uint8_t value[VALUE_MAX * 4];
    struct pair *p = l->exact ? find(l, key, m->key_size) : NULL;
    int r = taking ? skep_vm_map_lookup_and_delete(m, key, value, 0) : skep_vm_map_delete(m, key);
    if (!l->exact)
        return;
    check(r == (p ? 0 : -ENOENT));
    if (!p)
        return;
    check(!taking || memcmp(value, p->value, m->value_size) == 0);
    *p = l->pairs[--l->n];
}

static void look(struct skep_vm_map *m, struct list *l, const uint8_t *key)
{
    uint8_t value[VALUE_MAX * 4] = {0};
    int r = skep_vm_map_lookup(m, key, value, 0);
    if (!l->exact)
        return;
    const struct pair *p = find(l, key, m->key_size);
    check(r == (p ? 0 : -ENOENT));
    check(!p || memcmp(value, p->value, m->value_size) == 0);
}

static void walk(struct skep_vm_map *m, struct list *l)
{
    uint8_t key[KEY_MAX], last[KEY_MAX];
    uint32_t n = 0;
    int r = skep_vm_map_next_key(m, NULL, key);
    while (r == 0 && n <= 4 * ENTRIES_MAX) {
        check(!l->exact || find(l, key, m->key_size));
        memcpy(last, key, m->key_size);
        n++;
        r = skep_vm_map_next_key(m, last, key);
    }
    check(n <= 2 * ENTRIES_MAX);
    check(!l->exact || n == l->n);
}

static void batch(struct skep_vm_map *m, struct input *in)
{
    uint8_t keys[ENTRIES_MAX * KEY_MAX], values[ENTRIES_MAX * VALUE_MAX * 4], cursor[KEY_MAX] = {0};
    uint32_t count = take(in, 1) % (ENTRIES_MAX + 1), given = count;
    memcpy(cursor, &given, sizeof(given));
    skep_vm_map_lookup_batch(m, take(in, 1) & 1 ? cursor : NULL, cursor, keys, values, &count, 0);
    check(count <= MAX(given, count) && count <= ENTRIES_MAX);
}

static void operate(struct skep_vm_map *m, struct list *l, struct input *in)
{
    uint8_t bytes[KEY_MAX] = {0}, value[VALUE_MAX * 4];
    for (uint32_t i = 0; i < MIN(m->key_size, 4u); i++)
        bytes[i] = (uint8_t)(i ? 0 : take(in, 1) % 20);
    if (m->key_size > 4)
        bytes[m->key_size - 1] = bytes[4] = (uint8_t)take(in, 1);
    memset(value, (int)take(in, 1), sizeof(value));
    const uint8_t *key = m->key_size ? bytes : NULL;
    switch (take(in, 1) % 8) {
    case 0:
    case 1:
    case 2:
        update(m, l, key, value, take(in, 1) % 4);
        break;
    case 3:
        remove_key(m, l, key, false);
        break;
    case 4:
        remove_key(m, l, key, true);
        break;
    case 5:
        if (key)
            walk(m, l);
        break;
    case 6:
        if (key)
            batch(m, in);
        break;
    default:
        look(m, l, key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct skep_vm_options vo = {.size = sizeof(vo), .mode = SKEP_VM_MODE_INTERPRET, .cpus = 2};
    if (!vm && skep_vm_new(&vo, &vm) < 0)
        abort();
    struct input in = {data, MIN(size, (size_t)4096)};
    struct skep_vm_map_options o = {.size = sizeof(o)};
    o.type = take(&in, 1) % 32;
    o.key_size = take(&in, 1) % (KEY_MAX + 1);
    o.value_size = take(&in, 1) % (VALUE_MAX + 1);
    o.max_entries = take(&in, 1) % (ENTRIES_MAX + 1);
    o.flags = take(&in, 2) & ~(uint32_t)(BPF_F_RDONLY | BPF_F_WRONLY);
    if (o.type == BPF_MAP_TYPE_RINGBUF)
        o.max_entries *= 4096;
    struct skep_vm_map *m;
    if (skep_vm_map_new(vm, &o, &m) < 0)
        return 0;
    struct list l = {.exact = o.type == BPF_MAP_TYPE_HASH};
    while (in.left)
        operate(m, &l, &in);
    skep_vm_map_unref(m);
    return 0;
}
