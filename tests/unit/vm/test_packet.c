/* SPDX-License-Identifier: Apache-2.0 */
/* Packets and their contexts. What helpers do to packets is compared with the kernel in test_helpers_kernel.c. */
#include "machine.h"

#include <linux/bpf.h>

#include "vm/packet.h"

#define ROOM 200

static struct skep_vm_packet *make(struct machine *m, size_t max)
{
    struct skep_vm_packet *p;
    assert_int_equal(skep_vm_packet_new(m->vm, max, &p), 0);
    return p;
}

static struct skep_vm_program *load(struct machine *m, const char *context, const char *text)
{
    const struct skep_vm_program_options o = {.context = context};
    return machine_load(m, text, &o);
}

/* Runs it once and drops it. */
static int run(struct machine *m, struct skep_vm_packet *p, const char *context, const char *text,
               uint64_t *ret_value)
{
    struct skep_vm_program *program = load(m, context, text);
    int r = skep_vm_run_packet(m->t, program, p, ret_value);
    skep_vm_program_unref(program);
    return r;
}

static void expect(struct machine *m, struct skep_vm_packet *p, const char *context, const char *text,
                   uint64_t value)
{
    uint64_t got = ~value;
    if (run(m, p, context, text, &got) < 0)
        fail_msg("%s\n%s", skep_vm_thread_error(m->t)->message, text);
    assert_int_equal(got, value);
}

static void expect_fault(struct machine *m, struct skep_vm_packet *p, const char *context, const char *text,
                         enum skep_vm_fault fault)
{
    uint64_t value;
    assert_true(run(m, p, context, text, &value) < 0);
    assert_int_equal(skep_vm_thread_error(m->t)->fault, fault);
}

static void packets_are_set_and_bounded(void **state)
{
    struct machine *m = *state;
    struct skep_vm_packet *p = make(m, ROOM), *none;
    uint8_t bytes[ROOM + 1];
    size_t len;
    memset(bytes, 7, sizeof(bytes));
    assert_int_equal(skep_vm_packet_set(p, bytes, ROOM + 1), -E2BIG);
    assert_int_equal(skep_vm_packet_set(p, bytes, ROOM), 0);
    assert_memory_equal(skep_vm_packet_data(p, &len), bytes, ROOM);
    assert_int_equal(len, ROOM);
    assert_true((uintptr_t)p->data + ROOM < 1ULL << 32);
    assert_int_equal(skep_vm_packet_new(m->vm, 0, &none), -EINVAL);
    assert_int_equal(skep_vm_packet_new(m->vm, SIZE_MAX, &none), -EINVAL);
    assert_null(skep_vm_packet_free(NULL));
    skep_vm_packet_free(p);
}

static void only_the_packet_can_be_touched(void **state)
{
    struct machine *m = *state;
    struct skep_vm_packet *p = make(m, ROOM);
    static const uint8_t bytes[64] = {[0] = 5, [63] = 9};
    skep_vm_packet_set(p, bytes, sizeof(bytes));
    expect(m, p, "xdp", "r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 +0)\nexit\n", 5);
    expect(m, p, "xdp", "r2 = *(u32 *)(r1 +4)\nr0 = *(u8 *)(r2 -1)\nexit\n", 9);
    expect(m, p, "xdp", "r2 = *(u32 *)(r1 +0)\nr0 = *(u32 *)(r1 +4)\nr0 -= r2\nexit\n", 64);
    expect(m, p, "xdp", "r2 = *(u32 *)(r1 +0)\n*(u8 *)(r2 +1) = 3\nr0 = 0\nexit\n", 0);
    size_t len;
    assert_int_equal(((const uint8_t *)skep_vm_packet_data(p, &len))[1], 3);
    expect_fault(m, p, "xdp", "r2 = *(u32 *)(r1 +4)\nr0 = *(u8 *)(r2 +0)\nexit\n", SKEP_VM_FAULT_READ);
    expect_fault(m, p, "xdp", "r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 -1)\nexit\n", SKEP_VM_FAULT_READ);
    expect_fault(m, p, "xdp", "r2 = *(u32 *)(r1 +4)\nr0 = *(u16 *)(r2 -1)\nexit\n", SKEP_VM_FAULT_READ);
    /* the context of XDP is read-only, and ends */
    expect_fault(m, p, "xdp", "*(u32 *)(r1 +0) = 0\nexit\n", SKEP_VM_FAULT_WRITE);
    expect_fault(m, p, "xdp", "r0 = *(u32 *)(r1 +24)\nexit\n", SKEP_VM_FAULT_READ);
    expect_fault(m, p, "skb", "*(u32 *)(r1 +0) = 0\nexit\n", SKEP_VM_FAULT_WRITE);
    expect_fault(m, p, "skb", "r0 = *(u64 *)(r1 +192)\nexit\n", SKEP_VM_FAULT_READ);
    skep_vm_packet_free(p);
}

/* A packet that moves takes the rights to where it was with it. */
static void what_moved_is_forgotten(void **state)
{
    struct machine *m = *state;
    struct skep_vm_packet *p = make(m, ROOM);
    static const uint8_t bytes[64];
    skep_vm_packet_set(p, bytes, sizeof(bytes));
    expect_fault(m, p, "xdp",
                 "r6 = *(u32 *)(r1 +4)\nr0 = *(u8 *)(r6 -1)\nr2 = -10\ncall 65\nr0 = *(u8 *)(r6 -1)\nexit\n",
                 SKEP_VM_FAULT_READ);
    skep_vm_packet_set(p, bytes, sizeof(bytes));
    expect_fault(m, p, "xdp",
                 "r6 = *(u32 *)(r1 +0)\n*(u8 *)(r6 +0) = 1\nr2 = 4\ncall 44\n*(u8 *)(r6 +0) = 1\nexit\n",
                 SKEP_VM_FAULT_WRITE);
    skep_vm_packet_set(p, bytes, sizeof(bytes));
    expect(m, p, "xdp", "r6 = r1\nr2 = -40\ncall 44\nr2 = *(u32 *)(r6 +0)\nr0 = *(u64 *)(r2 +0)\nexit\n", 0);
    size_t len;
    skep_vm_packet_data(p, &len);
    assert_int_equal(len, 104);
    skep_vm_packet_free(p);
}

/* What a program writes over the fields of an skb does not move the packet. */
static void scribbling_is_harmless(void **state)
{
    struct machine *m = *state;
    struct skep_vm_packet *p = make(m, ROOM);
    static const uint8_t bytes[64] = {1};
    skep_vm_packet_set(p, bytes, sizeof(bytes));
    expect(
        m, p, "skb",
        "*(u32 *)(r1 +76) = 0\n*(u32 *)(r1 +80) = -1\n*(u32 *)(r1 +20) = -1\n*(u32 *)(r1 +24) = -1\nr0 = 0\nexit\n",
        0);
    size_t len;
    assert_memory_equal(skep_vm_packet_data(p, &len), bytes, 64);
    assert_int_equal(len, 64);
    expect_fault(m, p, "skb", "*(u32 *)(r1 +80) = -1\nr2 = *(u32 *)(r1 +76)\nr0 = *(u8 *)(r2 +64)\nexit\n",
                 SKEP_VM_FAULT_READ);
    skep_vm_packet_free(p);
}

static void fields_go_in_and_out(void **state)
{
    struct machine *m = *state;
    struct skep_vm_packet *p = make(m, ROOM);
    static const uint8_t bytes[64] = {[12] = 8, [13] = 0};
    skep_vm_packet_set(p, bytes, sizeof(bytes));
    struct skep_vm_packet_fields f = {.size = sizeof(f)};
    skep_vm_packet_get_fields(p, &f);
    assert_int_equal(f.ifindex, 1);
    assert_int_equal(f.protocol, 8);
    f.mark = 17;
    f.priority = 18;
    f.ifindex = 3;
    f.rx_queue = 4;
    f.tstamp = 1ULL << 40;
    f.cb[2] = 5;
    skep_vm_packet_set_fields(p, &f);
    expect(m, p, "xdp", "r0 = *(u32 *)(r1 +12)\nr2 = *(u32 *)(r1 +16)\nr0 <<= 32\nr0 |= r2\nexit\n",
           3ULL << 32 | 4);
    expect(m, p, "skb",
           "r0 = *(u32 *)(r1 +8)\nr2 = *(u32 *)(r1 +0)\nr0 <<= 32\nr0 |= r2\n"
           "*(u32 *)(r1 +8) = 99\n*(u32 *)(r1 +48) = 7\nexit\n",
           17ULL << 32 | 64);
    skep_vm_packet_get_fields(p, &f);
    assert_int_equal(f.mark, 99);
    assert_int_equal(f.priority, 18);
    assert_int_equal(f.cb[0], 7);
    assert_int_equal(f.cb[2], 5);
    assert_int_equal(f.tstamp, 1ULL << 40);
    /* a shorter structure, of an older header, is filled as far as it goes */
    struct skep_vm_packet_fields old = {.size = offsetof(struct skep_vm_packet_fields, mark), .mark = 4711};
    skep_vm_packet_get_fields(p, &old);
    assert_int_equal(old.ifindex, 3);
    assert_int_equal(old.mark, 4711);
    skep_vm_packet_free(p);
}

static void redirection_is_told(void **state)
{
    struct machine *m = *state;
    struct skep_vm_packet *p = make(m, ROOM);
    static const uint8_t bytes[64];
    struct skep_vm_packet_fields f = {.size = sizeof(f)};
    skep_vm_packet_set(p, bytes, sizeof(bytes));
    expect(m, p, "xdp", "r1 = 9\nr2 = 0\ncall 23\nexit\n", XDP_REDIRECT);
    skep_vm_packet_get_fields(p, &f);
    assert_int_equal(f.redirect_ifindex, 9);
    expect(m, p, "xdp", "r1 = 9\nr2 = 1\ncall 23\nexit\n", XDP_ABORTED);
    skep_vm_packet_get_fields(p, &f);
    assert_int_equal(f.redirect_ifindex, 0);
    expect(m, p, "skb", "r1 = 8\nr2 = 1\ncall 23\nexit\n", 7);
    skep_vm_packet_get_fields(p, &f);
    assert_int_equal(f.redirect_ifindex, 8);
    assert_int_equal(f.redirect_flags, 1);
    expect(m, p, "skb", "r1 = 8\nr2 = 2\ncall 23\nexit\n", 2);
    skep_vm_packet_free(p);
}

static void contexts_are_of_one_kind(void **state)
{
    struct machine *m = *state;
    struct skep_vm_packet *p = make(m, ROOM);
    static const uint8_t bytes[64];
    uint64_t value;
    skep_vm_packet_set(p, bytes, sizeof(bytes));
    expect_fault(m, p, "skb", "r2 = 0\ncall 44\nexit\n", SKEP_VM_FAULT_HELPER);
    expect_fault(m, p, "xdp", "r2 = 0\ncall 39\nexit\n", SKEP_VM_FAULT_HELPER);
    expect_fault(m, p, "xdp", "r1 += 4\nr2 = 0\ncall 44\nexit\n", SKEP_VM_FAULT_HELPER);
    struct skep_vm_program *plain = machine_load(m, "r2 = 0\ncall 44\nexit\n", NULL);
    assert_int_equal(skep_vm_run_packet(m->t, plain, p, &value), -EINVAL);
    assert_int_equal(skep_vm_run(m->t, plain, NULL, 0, &value), -EINVAL);
    assert_int_equal(skep_vm_thread_error(m->t)->fault, SKEP_VM_FAULT_HELPER);
    skep_vm_program_unref(plain);
    struct skep_vm_program *xdp = load(m, "xdp", "r0 = 2\nexit\n");
    assert_int_equal(skep_vm_run(m->t, xdp, NULL, 0, &value), -EINVAL);
    skep_vm_program_unref(xdp);
    skep_vm_packet_free(p);
}

/* The short ones: no helper may reach beyond them. */
static void short_packets(void **state)
{
    struct machine *m = *state;
    struct skep_vm_packet *p = make(m, ROOM);
    static const unsigned helpers[] = {9, 10, 11, 18, 19, 26, 34, 38, 39, 43, 44, 54, 65, 68, 188, 189, 190};
    for (size_t len = 0; len <= 20; len++)
        for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
            char text[256];
            uint8_t bytes[20];
            uint64_t value;
            memset(bytes, 0x81, sizeof(bytes));
            snprintf(text, sizeof(text),
                     "r6 = r1\nr2 = 0\nr3 = r10\nr3 += -16\nr4 = 16\nr5 = 0\ncall %u\nr0 = 0\nexit\n",
                     helpers[i]);
            bool xdp = helpers[i] == 44 || helpers[i] == 54 || helpers[i] == 65 || helpers[i] >= 188;
            assert_int_equal(skep_vm_packet_set(p, bytes, len), 0);
            assert_int_equal(run(m, p, xdp ? "xdp" : "skb", text, &value), 0);
            assert_true(p->data >= p->start && p->data <= p->data_end && p->data_end <= p->end);
        }
    skep_vm_packet_free(p);
}

static int setup(void **state)
{
    static struct machine m;
    machine_init(&m, SKEP_VM_MODE_DEFAULT);
    *state = &m;
    return 0;
}

static int teardown(void **state)
{
    machine_clear(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_set_and_bounded), cmocka_unit_test(only_the_packet_can_be_touched),
        cmocka_unit_test(what_moved_is_forgotten),     cmocka_unit_test(scribbling_is_harmless),
        cmocka_unit_test(fields_go_in_and_out),        cmocka_unit_test(redirection_is_told),
        cmocka_unit_test(contexts_are_of_one_kind),    cmocka_unit_test(short_packets),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
