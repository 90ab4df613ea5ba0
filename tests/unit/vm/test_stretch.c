/* SPDX-License-Identifier: Apache-2.0 */
/* Which accesses are checked together, and that code that does so gives what code that does not gives. */
#include "machine.h"

#include "vm/jit/jit.h"
#include "vm/stretch.h"

/* The groups of the stretch that begins at `first`, as "load 1*r1+1*r2 0..1 by 1; ". "": there is none. */
static const char *groups_of(struct machine *m, const char *text, uint32_t first)
{
    static char out[256];
    const struct skep_vm_program_options o = {.mode = SKEP_VM_MODE_INTERPRET};
    struct skep_vm_program *p = machine_load(m, text, &o);
    struct skep_stretch s;
    size_t len = 0;
    out[0] = '\0';
    if (skep_stretch_find(p, first, &s)) {
        len += (size_t)snprintf(out, sizeof(out), "%s of %u:", s.loop ? "loop" : "block", s.end - s.first);
        for (unsigned i = 0; i < s.n_groups; i++) {
            const struct skep_stretch_group *g = &s.groups[i];
            len += (size_t)snprintf(out + len, sizeof(out) - len, " %s", g->write ? "store" : "load");
            for (unsigned r = 0; r < SKEP_REGS; r++)
                if (g->scale[r])
                    len += (size_t)snprintf(out + len, sizeof(out) - len, " %d*r%u", g->scale[r], r);
            len += (size_t)snprintf(out + len, sizeof(out) - len, " %d..%d by %d;", g->low, g->high, g->step);
        }
        snprintf(out + len, sizeof(out) - len, " cost %u", s.cost);
    }
    skep_vm_program_unref(p);
    return out;
}

static void test_groups(void **state)
{
    (void)state;
    static const struct {
        uint32_t first;
        const char *text, *groups;
    } cases[] = {
        {1, "r2 = 0\na:\nr3 = r1\nr3 += r2\nr4 = *(u8 *)(r3 + 2)\nr2 += 1\nif r2 != 9 goto a\nexit",
         "loop of 5: load 1*r1 1*r2 2..3 by 1; cost 5"},
        {1,
         "r2 = 0\na:\nr3 = r2\nr3 <<= 2\nr3 += r1\n*(u32 *)(r3 + 0) = 1\nr2 += -1\nif r2 s> 0 goto a\nexit",
         "loop of 6: store 1*r1 4*r2 0..4 by -4; cost 6"},
        {0,
         "a:\nr4 = *(u8 *)(r1 + 0)\nr1 += 1\nif r4 == 0 goto b\nr5 = *(u64 *)(r1 + 7)\nif r4 != 1 goto a\nb:\nexit",
         "loop of 5: load 1*r1 0..16 by 1; cost 5"},
        /* a way that not every iteration takes */
        {0,
         "a:\nr4 = *(u8 *)(r1 + 0)\nif r4 == 0 goto b\n*(u8 *)(r1 + 0) = 1\nb:\nr1 += 1\nif r1 != 1 goto a\nexit",
         "loop of 5: load 1*r1 0..1 by 1; store 1*r1 0..1 by 1; cost 4"},
        /* a counter that goes on by another number each time is none, nor what came from memory */
        {0, "a:\nr4 = *(u8 *)(r1 + 0)\nif r4 == 0 goto b\nr1 += 1\nb:\nr1 += 1\nif r1 != 1 goto a\nexit", ""},
        {0, "a:\nr1 = *(u64 *)(r1 + 0)\nif r1 != 0 goto a\nexit", ""},
        {0, "a:\nr4 = *(u8 *)(r1 + 0)\nr1 *= 2\nif r1 != 1 goto a\nexit", ""},
        {0, "a:\nw1 += 1\nr4 = *(u8 *)(r1 + 0)\nif r4 != 1 goto a\nexit", ""},
        /* calls may change what is in reach */
        {0, "a:\nr4 = *(u8 *)(r6 + 0)\ncall 5\nif r0 != 1 goto a\nexit", ""},
        /* by r10 there is only the own frame, found to be so or not one by one */
        {0, "a:\nr4 = *(u8 *)(r10 + 0)\nr1 += 1\nif r1 != 1 goto a\nexit", ""},
        {0, "a:\nr4 = r10\nr4 += -8\nr4 += r1\nr4 = *(u8 *)(r4 + 0)\nr1 += 1\nif r1 != 8 goto a\nexit",
         "loop of 6: load 1*r1 1*r10 -8..-7 by 1; cost 6"},
        /* blocks, when it saves something */
        {0, "r3 = *(u32 *)(r1 + 4)\nr4 = *(u8 *)(r1 + 0)\nr5 = *(u16 *)(r1 + 12)\nexit",
         "block of 4: load 1*r1 0..14 by 0; cost 0"},
        {0, "r3 = *(u32 *)(r1 + 4)\nr4 = *(u8 *)(r1 + 0)\nexit", ""},
        {0, "r3 = *(u32 *)(r1 + 4)\nr4 = *(u8 *)(r2 + 0)\nr5 = *(u16 *)(r3 + 12)\nexit", ""},
    };
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (!skep_streq(groups_of(&m, cases[i].text, cases[i].first), cases[i].groups))
            fail_msg("%s:\n  %s\nnot\n  %s", cases[i].text, groups_of(&m, cases[i].text, cases[i].first),
                     cases[i].groups);
    machine_clear(&m);
}

/* A copy of bytes up to each end: the same fault, at the same place, after the same work. */
static void test_ends(void **state)
{
    (void)state;
    static const char text[] = "r2 = 0\na:\nr3 = r1\nr3 += r2\nr4 = *(u8 *)(r3 + 0)\n*(u8 *)(r3 + 3) = r4\n"
                               "r2 += 1\nif r2 != 40 goto a\nr0 = r2\nexit";
    uint8_t memory[64];
    struct machine m;
    if (!skep_jit_available())
        return;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    for (size_t size = 1; size <= sizeof(memory); size++)
        for (uint64_t fuel = 1; fuel < 300; fuel += 13) {
            uint64_t value[2] = {0}, used[2];
            uint32_t insn[2];
            int r[2];
            for (unsigned i = 0; i < 2; i++) {
                const struct skep_vm_program_options o = {.mode =
                                                              i ? SKEP_VM_MODE_JIT : SKEP_VM_MODE_INTERPRET};
                struct skep_vm_program *p = machine_load(&m, text, &o);
                memset(memory, 7, sizeof(memory));
                skep_vm_thread_set_fuel(m.t, fuel);
                r[i] = skep_vm_run(m.t, p, memory, size, &value[i]);
                insn[i] = skep_vm_thread_error(m.t)->insn;
                used[i] = skep_vm_thread_used(m.t);
                skep_vm_program_unref(p);
            }
            if (r[0] != r[1] || insn[0] != insn[1] || used[0] != used[1] || value[0] != value[1])
                fail_msg("%zu bytes, fuel %llu: %d at %u after %llu, not %d at %u after %llu", size,
                         (unsigned long long)fuel, r[1], insn[1], (unsigned long long)used[1], r[0], insn[0],
                         (unsigned long long)used[0]);
        }
    machine_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
