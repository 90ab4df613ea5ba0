/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that BTF makes possible: maps in .maps with initialisers, values of all kinds of data sections, static and
 * global subprograms, callbacks, externs. */
#include "object.h"

struct value {
    u64 count;
    u32 last;
};

struct {
    NUMBER(type, MAP_HASH);
    NUMBER(max_entries, 16);
    TYPE(key, u32);
    TYPE(value, struct value);
} counts SEC(".maps");

struct {
    NUMBER(type, MAP_ARRAY);
    NUMBER(max_entries, 4);
    NUMBER(key_size, 4);
    NUMBER(value_size, 8);
} sums SEC(".maps");

static struct {
    NUMBER(type, MAP_ARRAY);
    NUMBER(max_entries, 2);
    NUMBER(map_flags, 0);
    TYPE(key, u32);
    TYPE(value, u32);
} hidden SEC(".maps");

struct inner {
    NUMBER(type, MAP_ARRAY);
    NUMBER(max_entries, 1);
    TYPE(key, u32);
    TYPE(value, u32);
} inner_a SEC(".maps"), inner_b SEC(".maps");

struct {
    NUMBER(type, MAP_ARRAY_OF_MAPS);
    NUMBER(max_entries, 4);
    TYPE(key, u32);
    VALUES(values, struct inner);
} outer SEC(".maps") = {.values = {[1] = &inner_a, [3] = &inner_b}};

struct {
    NUMBER(type, MAP_HASH_OF_MAPS);
    NUMBER(max_entries, 4);
    TYPE(key, u32);
    VALUES(
        values, struct {
            NUMBER(type, MAP_HASH);
            NUMBER(max_entries, 8);
            TYPE(key, u64);
            TYPE(value, u64);
        });
} dynamic SEC(".maps");

int tail_one(void *ctx);
int tail_two(void *ctx);
struct {
    NUMBER(type, MAP_PROG_ARRAY);
    NUMBER(max_entries, 3);
    NUMBER(key_size, 4);
    VALUES(values, int(void *));
} jumps SEC(".maps") = {.values = {[0] = (void *)&tail_one, [2] = (void *)&tail_two}};

const volatile u64 factor = 3;
u64 counter = 40;
u32 zeroed[8];
static volatile u64 hidden_counter = 5;
u64 custom SEC(".data.custom") = 11;
u64 other SEC("settings") = 13;
const char *const words[] = {"alpha", "beta"};

extern u32 LINUX_KERNEL_VERSION KCONFIG;
extern _Bool CONFIG_SKEP KCONFIG;
extern char CONFIG_NAME[8] KCONFIG;
extern u64 CONFIG_NOWHERE KCONFIG WEAK;
extern const void known_symbol KSYM;
extern const void unknown_symbol KSYM WEAK;
extern u64 host_add(u64 a, u64 b) KSYM;
extern u64 host_unknown(u64 a) KSYM WEAK;

static NOINLINE u64 times(u64 a, u64 b)
{
    return a * b + hidden_counter;
}

NOINLINE u64 shared(u64 a)
{
    return times(a, factor) + 1;
}

SEC("raw") int data(void *ctx)
{
    counter += custom + other;
    zeroed[1]++;
    return (int)(counter + zeroed[1]); /* 40 + 11 + 13 + 1 = 65, then 90 */
}

SEC("raw") int calls(void *ctx)
{
    return (int)(shared(10) + times(2, 4)); /* 10 * 3 + 5 + 1 + 2 * 4 + 5 = 49 */
}

SEC("raw") int maps(void *ctx)
{
    u32 key = 7, zero = 0, three = 3;
    struct value fresh = {.count = 1};
    struct value *v = map_lookup(&counts, &key);
    if (v)
        return (int)++v->count;
    map_update(&counts, &key, &fresh, 0);
    u32 *n = map_lookup(&hidden, &zero);
    if (n)
        *n = 5;
    void *m = map_lookup(&outer, &three);
    u32 *in = m ? map_lookup(m, &zero) : 0;
    if (in)
        *in = 77;
    return in ? 100 : -1;
}

static long each(const void *map, const u32 *key, u64 *value, u64 *sum)
{
    *sum += *value;
    return 0;
}

SEC("raw") int callback(void *ctx)
{
    u64 sum = 0;
    for_each_map_elem(&sums, each, &sum, 0);
    return (int)sum;
}

SEC("raw/one") int tail_one(void *ctx)
{
    return 1001;
}

SEC("raw/two") int tail_two(void *ctx)
{
    return 1002;
}

SEC("raw") int jump(void *ctx)
{
    tail_call(ctx, &jumps, 2);
    return -1;
}

SEC("raw") int no_jump(void *ctx)
{
    tail_call(ctx, &jumps, 1);
    return 17;
}

SEC("raw") int externs(void *ctx)
{
    if (&unknown_symbol)
        return -1;
    if (!CONFIG_SKEP || CONFIG_NAME[0] != 's' || CONFIG_NAME[3] != 'p' || CONFIG_NOWHERE)
        return -2;
    if (host_unknown)
        return -3;
    return (int)((u64)&known_symbol + host_add(LINUX_KERNEL_VERSION, 2));
}

SEC("raw") int reaches_unknown(void *ctx)
{
    return (int)host_unknown(1);
}

SEC("raw") int pointers(void *ctx)
{
    const char *const volatile *w = words;
    return w[1][0]; /* 'b' */
}

static SEC("raw/static") int hidden_program(void *ctx)
{
    return 4711;
}

char terms[] SEC("license") = "GPL";
