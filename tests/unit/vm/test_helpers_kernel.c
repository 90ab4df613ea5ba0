/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers against the kernel's: random programs that call them one after the other run over the same packet here and in
 * the kernel (BPF_PROG_TEST_RUN), and have to return the same and leave the same packet. */
#include "kernel.h"

#include <time.h>

#include "vm/jit/jit.h"
#include "vm/packet.h"

#define PACKET_MAX 2048
#define PROGRAMS 1200
#define SECONDS 3

/* ---- the kernel ---- */

static int kernel_run(int fd, const void *in, uint32_t size, uint8_t *out, uint32_t *out_size,
                      uint32_t *ret_value)
{
    union bpf_attr a = {0};
    a.test.prog_fd = (uint32_t)fd;
    a.test.data_in = (uintptr_t)in;
    a.test.data_size_in = size;
    a.test.data_out = (uintptr_t)out;
    a.test.data_size_out = *out_size;
    int r = bpf(BPF_PROG_TEST_RUN, &a);
    if (r < 0)
        return r;
    *out_size = a.test.data_size_out;
    *ret_value = a.test.retval;
    return 0;
}

/* ---- random programs ---- */

/* What a call returned goes into r7. */
static void call(struct text *t, unsigned helper)
{
    put(t, "call %u\nr7 *= 31\nr7 += r0\n", helper);
}

static void clear_stack(struct text *t)
{
    for (int at = -64; at < 0; at += 8)
        put(t, "*(u64 *)(r10 %d) = 0\n", at);
}

static uint32_t some_offset(void)
{
    return rnd(8) ? rnd(80) : rnd(3) ? rnd(300) : 65530 + rnd(10);
}

static void xdp_call(struct text *t)
{
    put(t, "r1 = r6\n");
    switch (rnd(6)) {
    case 0:
        put(t, "r2 = %d\n", (int)rnd(500) - 250);
        call(t, 44);
        break;
    case 1:
        put(t, "r2 = %d\n", rnd(2) ? -4 * (int)rnd(20) : (int)rnd(600) - 300);
        call(t, 54);
        break;
    case 2:
        put(t, "r2 = %d\n", (int)rnd(300) - 150);
        call(t, 65);
        break;
    case 3:
        call(t, 188);
        break;
    case 4:
        put(t, "r2 = %u\nr3 = r10\nr3 += -64\nr4 = %u\n", some_offset(), 1 + rnd(40));
        call(t, 189);
        put(t, "r0 = *(u64 *)(r10 -64)\nr7 ^= r0\n");
        break;
    default:
        put(t, "*(u64 *)(r10 -32) = %u\nr2 = %u\nr3 = r10\nr3 += -32\nr4 = %u\n", rnd(1 << 30), some_offset(),
            1 + rnd(16));
        call(t, 190);
    }
}

static uint32_t csum_flags(bool layer4)
{
    static const uint32_t sizes[] = {0, 2, 4, 2, 4, 2, 4, 1, 3};
    uint32_t flags = sizes[rnd(ARRAY_SIZE(sizes))];
    if (layer4)
        flags |= (rnd(2) << 4) | (rnd(2) << 5) | (rnd(4) == 0 ? 1 << 6 : 0);
    return rnd(12) ? flags : flags | 1 << 9;
}

static void skb_call(struct text *t)
{
    put(t, "r1 = r6\n");
    unsigned what = rnd(10);
    switch (what) {
    case 0:
        put(t, "*(u64 *)(r10 -32) = %u\nr2 = %u\nr3 = r10\nr3 += -32\nr4 = %u\nr5 = %u\n", rnd(1 << 30),
            some_offset(), 1 + rnd(16), rnd(6) ? rnd(3) : rnd(20));
        call(t, 9);
        break;
    case 1:
        put(t, "r2 = %u\nr3 = r10\nr3 += -64\nr4 = %u\n", some_offset(), 1 + rnd(40));
        call(t, 26);
        put(t, "r0 = *(u64 *)(r10 -64)\nr7 ^= r0\n");
        break;
    case 2:
        put(t, "r2 = %u\nr3 = r10\nr3 += -64\nr4 = %u\nr5 = %u\n", some_offset(), 1 + rnd(40), rnd(3));
        call(t, 68);
        put(t, "r0 = *(u64 *)(r10 -64)\nr7 ^= r0\n");
        break;
    case 3:
    case 4:
        put(t, "r2 = %u\nr3 = %u\nr4 = %u\nr5 = %u\n", some_offset(), rnd(3) ? rnd(1U << 31) : 0,
            rnd(1U << 31), csum_flags(what == 4));
        call(t, what == 4 ? 11 : 10);
        break;
    case 5:
        put(t, "r2 = %u\nr3 = 0\n", rnd(400));
        call(t, 38);
        break;
    case 6:
        put(t, "r2 = %u\n", rnd(400));
        call(t, 39);
        break;
    case 7:
        put(t, "r2 = %u\nr3 = %u\n", rnd(2) ? 0x0081 : 0xa888, rnd(4096));
        call(t, 18);
        break;
    case 8:
        call(t, 19);
        break;
    default:
        put(t, "r2 = %u\nr3 = 0\n", rnd(40));
        call(t, 43);
    }
}

/* Helpers that know nothing of packets; their input comes from one. */
static void plain_call(struct text *t)
{
    switch (rnd(2)) {
    case 0: /* numbers */
        put(t, "r1 = r6\nr2 = %u\nr3 = r10\nr3 += -64\nr4 = 32\ncall 26\n", 14 + rnd(20));
        put(t, "*(u64 *)(r10 -8) = 77\nr1 = r10\nr1 += -64\nr2 = %u\nr3 = %u\nr4 = r10\nr4 += -8\n",
            1 + rnd(32), (const uint32_t[]){0, 8, 10, 16, 2, 32, 7}[rnd(7)]);
        call(t, rnd(2) ? 105 : 106);
        put(t, "r0 = *(u64 *)(r10 -8)\nr7 ^= r0\n");
        break;
    default: /* sums */
        put(t, "r1 = r6\nr2 = %u\nr3 = r10\nr3 += -64\nr4 = 48\ncall 26\n", rnd(40));
        put(t, "r1 = r10\nr1 += -64\nr2 = %u\nr3 = r10\nr3 += -40\nr4 = %u\nr5 = %u\n", 4 * rnd(6),
            4 * rnd(6), rnd(3) ? rnd(1U << 31) : rnd(2) * 0xffff);
        call(t, 28);
    }
}

static void make_program(struct text *t, void (*some_call)(struct text *t))
{
    t->len = 0;
    put(t, "r6 = r1\nr7 = 0\n");
    clear_stack(t);
    for (uint32_t n = 1 + rnd(rnd(2) ? 8 : 1); n; n--)
        some_call(t);
    /* the two halves of r7, in the 32 bits that a run returns */
    put(t, "r0 = r7\nr0 >>= 32\nr0 ^= r7\nw0 = w0\nexit\n");
}

/* A packet with a tag or a number now and then. */
static uint32_t make_packet(uint8_t *packet)
{
    static const char *const numbers[] = {"0x1f ",
                                          "-12345z",
                                          "  077 ",
                                          "0x",
                                          "9223372036854775808",
                                          "-0x8",
                                          "0888",
                                          "+1",
                                          "\t 0xZ",
                                          "1a2b",
                                          "-9223372036854775808",
                                          "00x1",
                                          "18446744073709551615",
                                          "18446744073709551616",
                                          "-",
                                          " "};
    uint32_t size = 60 + rnd(200);
    for (uint32_t i = 0; i < size; i++)
        packet[i] = (uint8_t)(rnd(3) ? rnd(256) : 0);
    packet[12] = 0x12; /* no protocol whose headers the kernel would look at */
    packet[13] = 0x34;
    for (uint32_t at = 12; rnd(3) == 0 && at < 24; at += 4) {
        packet[at] = rnd(2) ? 0x81 : 0x88;
        packet[at + 1] = packet[at] == 0x81 ? 0x00 : 0xa8;
        packet[at + 4] = 0x12;
        packet[at + 5] = 0x34;
    }
    const char *number = numbers[rnd(ARRAY_SIZE(numbers))];
    memcpy(packet + 18 + rnd(10), number, strlen(number) + rnd(2));
    return size;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The start of a packet, for messages. */
static const char *in_hex(const uint8_t *in)
{
    static char hex[3 * 64 + 1];
    for (int i = 0; i < 64; i++)
        snprintf(hex + i * 3, 4, "%02x ", in[i]);
    return hex;
}

/* One program, both ways. */
static void compare(struct machine *m, struct skep_vm_packet *packet, const struct text *t, uint32_t type,
                    const char *context)
{
    static char log[1 << 16];
    uint8_t in[PACKET_MAX], out[PACKET_MAX];
    const struct skep_vm_program_options o = {.context = context};
    struct skep_vm_program *p = machine_load(m, t->s, &o);
    size_t n;
    const void *insns = skep_vm_program_insns(p, &n);
    int fd = kernel_load(insns, n, type, NULL, log, sizeof(log));
    if (fd < 0)
        fail_msg("%s\n%s", log, t->s);
    for (int run = 0; run < 4; run++) {
        uint32_t size = make_packet(in), out_size = sizeof(out), kernel_value;
        int r = kernel_run(fd, in, size, out, &out_size, &kernel_value);
        assert_int_equal(r, 0);
        assert_int_equal(skep_vm_packet_set(packet, in, size), 0);
        uint64_t value;
        if (skep_vm_run_packet(m->t, p, packet, &value) < 0)
            fail_msg("%s\n%s", skep_vm_thread_error(m->t)->message, t->s);
        /* the kernel copies meta data out too */
        const uint8_t *own = type == BPF_PROG_TYPE_XDP ? packet->meta : packet->data;
        size_t own_size = (size_t)(packet->data_end - own);
        if ((uint32_t)value != kernel_value || own_size != out_size || memcmp(own, out, out_size) != 0)
            fail_msg("kernel: %#x, %u bytes; we: %#x, %zu bytes; the packet had %u: %s\n%s", kernel_value,
                     out_size, (uint32_t)value, own_size, size, in_hex(in), t->s);
    }
    close(fd);
    skep_vm_program_unref(p);
}

static void need_kernel(uint32_t type)
{
    static const uint64_t insns[] = {0xb7, 0x95};
    int fd = kernel_load(insns, 2, type, NULL, NULL, 0);
    if (fd < 0) {
        print_message("[  SKIPPED ] bpf(2): %s\n", strerror(-fd));
        skip();
    }
    close(fd);
}

static void replay(uint32_t type, const char *context, void (*some_call)(struct text *t))
{
    static struct text t;
    need_kernel(type);
    enum skep_vm_mode last = skep_jit_available() ? SKEP_VM_MODE_JIT : SKEP_VM_MODE_INTERPRET;
    for (enum skep_vm_mode mode = SKEP_VM_MODE_INTERPRET; mode <= last; mode++) {
        struct machine m;
        machine_init(&m, mode);
        struct skep_vm_packet *packet;
        assert_int_equal(skep_vm_packet_new(m.vm, PACKET_MAX, &packet), 0);
        double end = now() + SECONDS;
        for (int i = 0; i < PROGRAMS && now() < end; i++) {
            make_program(&t, some_call);
            compare(&m, packet, &t, type, context);
        }
        skep_vm_packet_free(packet);
        machine_clear(&m);
    }
}

static void test_xdp(void **state)
{
    (void)state;
    replay(BPF_PROG_TYPE_XDP, "xdp", xdp_call);
}

static void test_skb(void **state)
{
    (void)state;
    replay(BPF_PROG_TYPE_SCHED_CLS, "skb", skb_call);
}

static void test_plain(void **state)
{
    (void)state;
    replay(BPF_PROG_TYPE_SCHED_CLS, "skb", plain_call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xdp),
        cmocka_unit_test(test_skb),
        cmocka_unit_test(test_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
