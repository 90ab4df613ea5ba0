/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers that work on memory of maps (formats, numbers in text, dynptrs, ring buffers) against the kernel's: random
 * programs that call them run here and there (BPF_PROG_TEST_RUN) over maps of their own, and have to return the same
 * and leave the same values. */
#include "kernel.h"

#include <time.h>

#include "vm/jit/jit.h"

#define PROGRAMS 2000
#define SECONDS 3
#define TEXT 512 /* bytes of a map's value */
#define STRING_AT 256
#define ADDRESS_AT 400
#define RING 4096
#define RESULTS_AT 192
#define RESULTS 40

/* ---- the maps: text that programs read, room that they write, a ring ---- */

enum { IN, OUT, RINGBUF, MAPS };

struct world {
    struct machine m;
    struct skep_vm_map *maps[MAPS];
    int fds[MAPS];
    uint8_t in[TEXT];
};

static const struct skep_vm_map_options map_options[MAPS] = {
    [IN] = {.type = BPF_MAP_TYPE_ARRAY,
            .key_size = 4,
            .value_size = TEXT,
            .max_entries = 1,
            .flags = BPF_F_RDONLY_PROG},
    [OUT] = {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = TEXT, .max_entries = 1},
    [RINGBUF] = {.type = BPF_MAP_TYPE_RINGBUF, .max_entries = RING},
};

static int element(struct world *w, int cmd, int map, void *value)
{
    uint32_t zero = 0;
    union bpf_attr a = {0};
    a.map_fd = (uint32_t)w->fds[map];
    a.key = (uintptr_t)&zero;
    a.value = (uintptr_t)value;
    return bpf(cmd, &a);
}

static void make_maps(struct world *w)
{
    uint32_t zero = 0;
    for (int i = 0; i < MAPS; i++) {
        struct skep_vm_map_options o = map_options[i];
        o.size = sizeof(o);
        assert_int_equal(skep_vm_map_new(w->m.vm, &o, &w->maps[i]), 0);
        union bpf_attr a = {0};
        a.map_type = o.type;
        a.key_size = o.key_size;
        a.value_size = o.value_size;
        a.max_entries = o.max_entries;
        a.map_flags = o.flags;
        w->fds[i] = bpf(BPF_MAP_CREATE, &a);
        assert_true(w->fds[i] >= 0);
    }
    union bpf_attr freeze = {0};
    freeze.map_fd = (uint32_t)w->fds[IN];
    assert_int_equal(element(w, BPF_MAP_UPDATE_ELEM, IN, w->in), 0);
    assert_int_equal(bpf(BPF_MAP_FREEZE, &freeze), 0);
    assert_int_equal(skep_vm_map_update(w->maps[IN], &zero, w->in, 0), 0);
}

static void drop_maps(struct world *w)
{
    for (int i = 0; i < MAPS; i++) {
        close(w->fds[i]);
        w->maps[i] = skep_vm_map_unref(w->maps[i]);
    }
}

/* ---- the same program here and there ---- */

static int kernel_run(struct world *w, const struct text *t, char *log, size_t log_size, uint32_t *ret_value)
{
    struct skep_diags d;
    struct skep_insn *insns = NULL;
    size_t n;
    skep_diags_init(&d, "test");
    if (skep_asm(t->s, t->len, NULL, &d, &insns, &n) < 0)
        fail_msg("%s\n%s", d.n ? d.list[0].message : "cannot assemble", t->s);
    skep_diags_clear(&d);
    union bpf_attr test = {0};
    int fd = kernel_load(insns, n, BPF_PROG_TYPE_SCHED_CLS, w->fds, log, log_size);
    free(insns);
    if (fd < 0)
        return fd;
    uint8_t packet[64] = {0};
    test.test.prog_fd = (uint32_t)fd;
    test.test.data_in = (uintptr_t)packet;
    test.test.data_size_in = sizeof(packet);
    int r = bpf(BPF_PROG_TEST_RUN, &test);
    close(fd);
    *ret_value = test.test.retval;
    return r;
}

static void compare(struct world *w, const struct text *t)
{
    static char log[1 << 16];
    uint8_t theirs[TEXT], ours[TEXT];
    uint32_t zero = 0, kernel_value = 0;
    make_maps(w);
    int r = kernel_run(w, t, log, sizeof(log), &kernel_value);
    /* the kernel reads formats when it loads a program */
    const bool refused = r == -EINVAL && strstr(log, "Invalid format string");
    if (refused)
        kernel_value = (uint32_t)-EINVAL;
    else if (r < 0)
        fail_msg("%s\n%s\n%s", strerror(-r), log, t->s);
    const struct skep_vm_program_options o = {.context = "skb", .maps = w->maps, .n_maps = MAPS};
    struct skep_vm_program *p = machine_load(&w->m, t->s, &o);
    struct skep_vm_packet *packet;
    uint64_t value;
    assert_int_equal(skep_vm_packet_new(w->m.vm, 64, &packet), 0);
    assert_int_equal(skep_vm_packet_set(packet, "packet, no protocol of any kind", 32), 0);
    if (skep_vm_run_packet(w->m.t, p, packet, &value) < 0)
        fail_msg("%s\n%s%s", skep_vm_thread_error(w->m.t)->message, t->s, w->in);
    assert_int_equal(element(w, BPF_MAP_LOOKUP_ELEM, OUT, theirs), 0);
    assert_int_equal(skep_vm_map_lookup(w->maps[OUT], &zero, ours, 0), 0);
    for (unsigned at = RESULTS_AT; at < TEXT; at += 8) {
        int64_t their_result, our_result;
        memcpy(&their_result, theirs + at, 8);
        memcpy(&our_result, ours + at, 8);
        if (t->calls && their_result != our_result)
            fail_msg("call %u: kernel: %lld, we: %lld\n%s", (at - RESULTS_AT) / 8, (long long)their_result,
                     (long long)our_result, t->s);
    }
    if ((uint32_t)value != kernel_value || (!refused && memcmp(ours, theirs, TEXT) != 0))
        fail_msg("kernel: %d, '%.200s'; we: %d, '%.200s'; the text was '%s'\n%s", (int)kernel_value, theirs,
                 (int)(uint32_t)value, ours, w->in, t->s);
    skep_vm_packet_free(packet);
    skep_vm_program_unref(p);
    drop_maps(w);
}

static void replay(void (*make)(struct world *w, struct text *t))
{
    static struct text t;
    static struct world w;
    union bpf_attr probe = {0};
    probe.map_type = BPF_MAP_TYPE_RINGBUF;
    probe.max_entries = RING;
    int fd = bpf(BPF_MAP_CREATE, &probe);
    if (fd < 0) {
        print_message("[  SKIPPED ] bpf(2): %s\n", strerror(-fd));
        skip();
    }
    close(fd);
    enum skep_vm_mode last = skep_jit_available() ? SKEP_VM_MODE_JIT : SKEP_VM_MODE_INTERPRET;
    for (enum skep_vm_mode mode = SKEP_VM_MODE_INTERPRET; mode <= last; mode++) {
        machine_init(&w.m, mode);
        time_t end = time(NULL) + SECONDS;
        for (int i = 0; i < PROGRAMS && time(NULL) < end; i++) {
            memset(w.in, 0, sizeof(w.in));
            t.len = t.calls = 0;
            make(&w, &t);
            compare(&w, &t);
        }
        machine_clear(&w.m);
    }
}

/* ---- formats ---- */

static const char *one_of(const char *const *words, size_t n)
{
    return words[rnd((uint32_t)n)];
}

/* A conversion, mostly one that is allowed; hashed pointers are left out, they differ from boot to boot. */
static void put_conversion(char *to, size_t size)
{
    static const char *const flags[] = {"", "", "", "", "0", "-", "+", " ", "-0", "+0", " 0", "- +"};
    static const char *const widths[] = {"", "", "", "1", "3", "8", "20", "45", "08"};
    static const char *const kinds[] = {"d",   "i",   "u",   "x",    "X",   "ld", "lu", "lx", "lld", "llu",
                                        "llx", "llX", "lli", "s",    "s",   "c",  "c",  "px", "pI4", "pi4",
                                        "pI6", "pi6", "pks", "llld", "lc",  "hd", "n",  "pz", "pI5", "f",
                                        "ls",  "pk",  "",    "*d",   ".3d", "#x", "zu"};
    static const char *const behind[] = {"", "", "", " ", ",", "a", "7", "d", "x", "%%", "_"};
    snprintf(to, size, "%%%s%s%s%s", one_of(flags, ARRAY_SIZE(flags)), one_of(widths, ARRAY_SIZE(widths)),
             rnd(12) ? kinds[rnd(23)] : one_of(kinds, ARRAY_SIZE(kinds)), one_of(behind, ARRAY_SIZE(behind)));
}

static void put_argument(struct text *t, unsigned i)
{
    static const uint64_t numbers[] = {0,          1,
                                       10,         'x',
                                       255,        0x7fffffff,
                                       0x80000000, 0xffffffff,
                                       UINT64_MAX, 0x8000000000000000ULL,
                                       123456789,  0x123456789abcdefULL};
    put(t, "r0 = %#llx ll\n", (unsigned long long)numbers[rnd(ARRAY_SIZE(numbers))]);
    put(t, "*(u64 *)(r10 %d) = r0\n", -96 + 8 * (int)i);
}

/* Strings and addresses for the conversions that want one, so that what is printed can be compared. */
static void put_arguments(const char *format, struct text *t, unsigned n)
{
    unsigned i = 0;
    for (const char *p = format; *p && i < n; p++) {
        if (p[0] != '%')
            continue;
        if (p[1] == '%') {
            p++;
            continue;
        }
        p += 1 + strspn(p + 1, "0+- 123456789");
        if (*p == 's' || (*p == 'p' && p[1] == 'k'))
            put(t, "r0 = %s\n*(u64 *)(r10 %d) = r0\n", rnd(8) ? "map_idx_value 0 + 256" : "8",
                -96 + 8 * (int)i);
        else if (*p == 'p' && (p[1] == 'I' || p[1] == 'i'))
            put(t, "r0 = %s\n*(u64 *)(r10 %d) = r0\n", rnd(8) ? "map_idx_value 0 + 400" : "8",
                -96 + 8 * (int)i);
        else
            put_argument(t, i);
        i++;
        if (!*p)
            break;
    }
    for (; i < n; i++)
        put_argument(t, i);
}

static void make_format(struct world *w, struct text *t)
{
    char format[200] = "", one[40];
    unsigned conversions = rnd(4), n = conversions;
    for (unsigned i = 0; i < conversions; i++) {
        put_conversion(one, sizeof(one));
        snprintf(format + strlen(format), sizeof(format) - strlen(format), "%s%s", rnd(2) ? "[" : "", one);
    }
    if (rnd(20) == 0)
        strcat(format, rnd(2) ? "\t\n" : "\x01");
    if (rnd(10) == 0 && n)
        n--;
    memcpy(w->in, format, strlen(format));
    memset(w->in + STRING_AT, 'a', rnd(rnd(3) ? 12 : 130));
    for (unsigned i = 0; i < 16; i++)
        w->in[ADDRESS_AT + i] = (uint8_t)rnd(256);
    put_arguments(format, t, n);
    static const unsigned sizes[] = {TEXT, TEXT, TEXT, 64, 10, 1, 0};
    /* the kernel does not count what pointers point to behind the end */
    const bool all = strpbrk(format, "p");
    put(t, "r1 = map_idx_value 1\nr2 = %u\nr3 = map_idx_value 0\n",
        all ? TEXT : sizes[rnd(ARRAY_SIZE(sizes))]);
    if (n)
        put(t, "r4 = r10\nr4 += -96\n");
    else
        put(t, "r4 = 0\n");
    put(t, "r5 = %u\ncall 165\nexit\n", 8 * n);
}

static void test_formats(void **state)
{
    (void)state;
    replay(make_format);
}

/* ---- numbers in longer text than a packet has room for ---- */

static void make_number(struct world *w, struct text *t)
{
    static const char *const numbers[] = {"1", "-1", "0x1f", "077", "9223372036854775808",
                                          "-", "x",  "+5",   "0X7"};
    unsigned blanks = rnd(3) ? rnd(4) : rnd(90), zeros = rnd(3) ? 0 : rnd(90);
    memset(w->in, ' ', blanks);
    memset(w->in + blanks, '0', zeros);
    strcpy((char *)w->in + blanks + zeros, one_of(numbers, ARRAY_SIZE(numbers)));
    static const unsigned bases[] = {0, 8, 10, 16, 0, 10, 2, 36};
    put(t, "*(u64 *)(r10 -8) = 77\nr1 = map_idx_value 0\nr2 = %u\nr3 = %u\nr4 = r10\nr4 += -8\ncall %u\n",
        1 + rnd(200), bases[rnd(ARRAY_SIZE(bases))], 105 + rnd(2));
    put(t, "r1 = map_idx_value 1\nr2 = *(u64 *)(r10 -8)\n*(u64 *)(r1 + 0) = r2\nexit\n");
}

static void test_numbers(void **state)
{
    (void)state;
    replay(make_number);
}

/* ---- dynptrs and rings ---- */

/* What a call returned goes into the map, behind what dynptrs view. */
static void call(struct text *t, unsigned helper)
{
    put(t, "call %u\nr1 = map_idx_value 1\n*(u64 *)(r1 + %u) = r0\n", helper, RESULTS_AT + 8 * t->calls);
    t->calls = (t->calls + 1) % RESULTS;
}

static uint32_t some_offset(void)
{
    return rnd(6) ? rnd(40) : rnd(2) ? rnd(300) : 0xfffffff0u + rnd(16);
}

/* r1 is the address of a dynptr, at r10 + at. */
static void use_dynptr(struct text *t, int at)
{
    switch (rnd(3)) {
    case 0:
        put(t, "r1 = r10\nr1 += -128\nr2 = %u\nr3 = r10\nr3 += %d\nw4 = %d\nr5 = %u\n", rnd(41), at,
            (int)some_offset(), rnd(10) == 0);
        call(t, 201);
        break;
    case 1:
        put(t, "r1 = r10\nr1 += %d\nw2 = %d\nr3 = r10\nr3 += -128\nr4 = %u\nr5 = %u\n", at,
            (int)some_offset(), rnd(41), rnd(10) == 0);
        call(t, 202);
        break;
    default: {
        unsigned size = rnd(41);
        put(t, "r1 = r10\nr1 += %d\nw2 = %d\nr3 = %u\ncall 203\nif r0 == 0 goto +%u\n", at,
            (int)some_offset(), size, size ? 3 : 2);
        put(t, size ? "r0 = *(u8 *)(r0 + 0)\nr7 += r0\n" : "r7 += 3\n");
        put(t, "r7 *= 3\n");
    }
    }
}

static void one_dynptr(struct text *t)
{
    put(t, "r1 = map_idx_value 1\nr1 += %u\nr2 = %u\nr3 = %u\nr4 = r10\nr4 += -16\n", rnd(64), rnd(80),
        rnd(10) == 0);
    call(t, 197);
    for (unsigned n = rnd(5); n; n--)
        use_dynptr(t, -16);
}

static void one_record(struct text *t)
{
    static const uint32_t sizes[] = {0,    1,    7,    8,    9,    100,     1000,
                                     4000, 4080, 4088, 4089, 4096, 1 << 20, 1 << 24};
    put(t, "r1 = map_idx 2\nr2 = %u\nr3 = %u\nr4 = r10\nr4 += -32\n", sizes[rnd(ARRAY_SIZE(sizes))],
        rnd(10) == 0);
    call(t, 198);
    for (unsigned n = rnd(4); n; n--)
        use_dynptr(t, -32);
    put(t, "r1 = r10\nr1 += -32\nr2 = %u\ncall %u\n", rnd(4), 199 + rnd(2));
}

static void one_output(struct text *t)
{
    put(t, "r1 = map_idx 2\nr2 = r10\nr2 += -128\nr3 = %u\nr4 = %u\n", 1 + rnd(64), rnd(5));
    call(t, 130);
}

static void make_dynptrs(struct world *w, struct text *t)
{
    (void)w;
    put(t, "r7 = 0\n");
    for (int at = -128; at < -32; at += 8)
        put(t, "*(u64 *)(r10 %d) = %u\n", at, rnd(1u << 30));
    for (unsigned n = 1 + rnd(rnd(2) ? 6 : 1); n; n--) {
        void (*const some[])(struct text * t) = {one_dynptr, one_record, one_output};
        some[rnd(3)](t);
        put(t, "r1 = map_idx 2\nr2 = %u\n", rnd(4));
        call(t, 134);
    }
    put(t, "r1 = map_idx_value 1\n");
    for (int at = -128; at < -32; at += 8)
        put(t, "r0 = *(u64 *)(r10 %d)\nr7 *= 5\nr7 += r0\n", at);
    put(t, "r0 = r7\nr0 >>= 32\nr0 ^= r7\nw0 = w0\nexit\n");
}

static void test_dynptrs(void **state)
{
    (void)state;
    replay(make_dynptrs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_dynptrs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
