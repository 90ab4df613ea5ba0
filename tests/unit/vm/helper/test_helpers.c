/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers by family, from programs: what they return, what they leave, and what ends the run. What can be compared with
 * the kernel's is, in test_helpers_kernel.c. Each program runs in every mode that has checks. */
#include "../machine.h"

#include <linux/bpf.h>

#include "vm/helper/helpers.h"
#include "vm/jit/jit.h"

/* rows leave out what is 0 */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define MAPS 4
enum { ARRAY, HASH, RING, QUEUE };

static struct skep_vm_map *maps[MAPS];

static void make_maps(struct machine *m)
{
    static const struct skep_vm_map_options types[MAPS] = {
        [ARRAY] = {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 256, .max_entries = 2},
        [HASH] = {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 8},
        [RING] = {.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
        [QUEUE] = {.type = BPF_MAP_TYPE_QUEUE, .value_size = 8, .max_entries = 2},
    };
    for (int i = 0; i < MAPS; i++) {
        struct skep_vm_map_options o = types[i];
        o.size = sizeof(o);
        assert_int_equal(skep_vm_map_new(m->vm, &o, &maps[i]), 0);
    }
}

static void drop_maps(void)
{
    for (int i = 0; i < MAPS; i++)
        maps[i] = skep_vm_map_unref(maps[i]);
}

struct row {
    const char *what, *program;
    uint64_t value;
    enum skep_vm_fault fault;
    const char *memory; /* the 256 bytes that r1 of the program points to begin so */
};

static void run_rows(const struct row *rows, size_t n)
{
    for (enum skep_vm_mode mode = SKEP_VM_MODE_INTERPRET; mode <= SKEP_VM_MODE_JIT; mode++) {
        if (mode == SKEP_VM_MODE_JIT && !skep_jit_available())
            continue;
        for (size_t i = 0; i < n; i++) {
            struct machine m;
            machine_init(&m, mode);
            make_maps(&m);
            const struct skep_vm_program_options o = {.maps = maps, .n_maps = MAPS};
            struct skep_vm_program *p = machine_load(&m, rows[i].program, &o);
            char memory[256] = {0};
            if (rows[i].memory)
                snprintf(memory, sizeof(memory), "%s", rows[i].memory);
            uint64_t value = 0;
            int r = skep_vm_run(m.t, p, memory, sizeof(memory), &value);
            const struct skep_vm_error *error = skep_vm_thread_error(m.t);
            if (error->fault != rows[i].fault || (r == 0 && value != rows[i].value))
                fail_msg("%s: %s (%s), value %lld", rows[i].what, skep_vm_fault_name(error->fault),
                         error->message, (long long)value);
            skep_vm_program_unref(p);
            drop_maps();
            machine_clear(&m);
        }
    }
}

#define ERR(e) ((uint64_t) - (e))
/* r2 = address of a key */
#define KEY(n) "*(u32 *)(r10 -4) = " #n "\nr2 = r10\nr2 += -4\n"

static void test_map(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"lookup and write",
         "r1 = map_idx 0\n" KEY(1) "call 1\n*(u64 *)(r0 +248) = 5\nr0 = *(u64 *)(r0 +248)\nexit\n", 5},
        {"beyond the array", "r1 = map_idx 0\n" KEY(2) "call 1\nexit\n", 0},
        {"beyond the area", "r1 = map_idx 0\n" KEY(1) "call 1\nr0 = *(u64 *)(r0 +256)\nexit\n", 0,
         SKEP_VM_FAULT_READ},
        {"no map", "r1 = 7\n" KEY(1) "call 1\nexit\n", 0, SKEP_VM_FAULT_HANDLE},
        {"no key", "r1 = map_idx 0\nr2 = 8\ncall 1\nexit\n", 0, SKEP_VM_FAULT_READ},
        {"key beyond the stack", "r1 = map_idx 0\nr2 = r10\nr2 += -3\ncall 1\nexit\n", 0, SKEP_VM_FAULT_READ},
        {"update, then lookup",
         "r1 = map_idx 1\n" KEY(9) "r3 = r10\nr3 += -16\n*(u64 *)(r10 -16) = 77\nr4 = 0\ncall 2\n"
                                   "r1 = map_idx 1\n" KEY(9) "call 1\nr0 = *(u64 *)(r0 +0)\nexit\n",
         77},
        {"NOEXIST", "r1 = map_idx 0\n" KEY(0) "r3 = r1\nr3 = r10\nr3 += -256\nr4 = 1\ncall 2\nexit\n",
         ERR(EEXIST)},
        {"value is nowhere", "r1 = map_idx 0\n" KEY(0) "r3 = 0\nr4 = 0\ncall 2\nexit\n", 0,
         SKEP_VM_FAULT_READ},
        {"delete what is not there", "r1 = map_idx 1\n" KEY(0) "call 3\nexit\n", ERR(ENOENT)},
        {"lookup in a queue", "r1 = map_idx 3\n" KEY(0) "call 1\nexit\n", 0, SKEP_VM_FAULT_HELPER},
        {"push, pop",
         "r1 = map_idx 3\n*(u64 *)(r10 -8) = 3\nr2 = r10\nr2 += -8\nr3 = 0\ncall 87\n"
         "r1 = map_idx 3\nr2 = r10\nr2 += -16\ncall 88\nr0 = *(u64 *)(r10 -16)\nexit\n",
         3},
        {"pop nothing", "r1 = map_idx 3\nr2 = r10\nr2 += -16\ncall 88\nexit\n", ERR(ENOENT)},
        {"peek at an array", "r1 = map_idx 0\nr2 = r10\nr2 += -16\ncall 89\nexit\n", 0, SKEP_VM_FAULT_HELPER},
        {"pop into read-only memory", "r1 = map_idx 3\nr2 = 4096\ncall 88\nexit\n", 0, SKEP_VM_FAULT_WRITE},
        {"per-CPU lookup of an array", "r1 = map_idx 0\n" KEY(0) "r3 = 0\ncall 195\nexit\n", 0,
         SKEP_VM_FAULT_HELPER},
        {"for each",
         "*(u64 *)(r10 -8) = 0\nr1 = map_idx 0\nr2 = code add\nr3 = r10\nr3 += -8\nr4 = 0\ncall 164\n"
         "r1 = *(u64 *)(r10 -8)\nr1 *= 10\nr0 += r1\nexit\n"
         /* two elements; keys 0 and 1 */
         "add: r0 = *(u32 *)(r2 +0)\nr1 = *(u64 *)(r4 +0)\nr1 += r0\n*(u64 *)(r4 +0) = r1\nr0 = 0\nexit\n",
         12},
        {"for each, stopped",
         "r1 = map_idx 0\nr2 = code f\nr3 = 0\nr4 = 0\ncall 164\nexit\nf: r0 = 1\nexit\n", 1},
        {"for each, flags", "r1 = map_idx 0\nr2 = code f\nr3 = 0\nr4 = 1\ncall 164\nexit\nf: r0 = 1\nexit\n",
         ERR(EINVAL)},
        {"for each, a key is not writable",
         "r1 = map_idx 0\nr2 = code f\nr3 = 0\nr4 = 0\ncall 164\nexit\nf: *(u32 *)(r2 +0) = 1\nr0 = 0\nexit\n",
         0, SKEP_VM_FAULT_WRITE},
        {"for each, no function", "r1 = map_idx 0\nr2 = 5\nr3 = 0\nr4 = 0\ncall 164\nexit\n", 0,
         SKEP_VM_FAULT_HANDLE},
        {"for each, endless nesting",
         "r0 = 0\nf: r1 = map_idx 0\nr2 = code g\nr3 = 0\nr4 = 0\ncall 164\nexit\n"
         "g: r1 = map_idx 0\nr2 = code g\nr3 = 0\nr4 = 0\ncall 164\nexit\n",
         0, SKEP_VM_FAULT_STACK},
    };
    run_rows(rows, ARRAY_SIZE(rows));
}

static void test_ring(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"output", "r1 = map_idx 2\nr2 = r10\nr2 += -8\nr3 = 8\nr4 = 0\ncall 130\nexit\n", 0},
        {"output, flags", "r1 = map_idx 2\nr2 = r10\nr2 += -8\nr3 = 8\nr4 = 8\ncall 130\nexit\n",
         ERR(EINVAL)},
        {"output, too much", "r1 = map_idx 2\nr2 = r10\nr2 += -8\nr3 = 9\nr4 = 0\ncall 130\nexit\n", 0,
         SKEP_VM_FAULT_READ},
        {"output to an array", "r1 = map_idx 0\nr2 = r10\nr2 += -8\nr3 = 8\nr4 = 0\ncall 130\nexit\n", 0,
         SKEP_VM_FAULT_HELPER},
        {"reserve, submit",
         "r1 = map_idx 2\nr2 = 16\nr3 = 0\ncall 131\n*(u64 *)(r0 +8) = 1\nr1 = r0\nr2 = 0\ncall 132\n"
         "r1 = map_idx 2\nr2 = 0\ncall 134\nexit\n",
         24},
        {"reserve, flags", "r1 = map_idx 2\nr2 = 16\nr3 = 1\ncall 131\nexit\n", 0},
        {"reserve too much", "r1 = map_idx 2\nr2 = 4096\nr3 = 0\ncall 131\nexit\n", 0},
        {"beyond the record", "r1 = map_idx 2\nr2 = 16\nr3 = 0\ncall 131\n*(u64 *)(r0 +9) = 1\nexit\n", 0,
         SKEP_VM_FAULT_WRITE},
        {"before the record", "r1 = map_idx 2\nr2 = 16\nr3 = 0\ncall 131\n*(u64 *)(r0 -8) = 1\nexit\n", 0,
         SKEP_VM_FAULT_WRITE},
        {"after it is gone",
         "r1 = map_idx 2\nr2 = 16\nr3 = 0\ncall 131\nr6 = r0\nr1 = r0\nr2 = 0\ncall 132\n"
         "*(u64 *)(r6 +0) = 1\nexit\n",
         0, SKEP_VM_FAULT_WRITE},
        {"submitted twice",
         "r1 = map_idx 2\nr2 = 16\nr3 = 0\ncall 131\nr6 = r0\nr1 = r0\nr2 = 0\ncall 132\n"
         "r1 = r6\nr2 = 0\ncall 133\nexit\n",
         0, SKEP_VM_FAULT_HANDLE},
        {"never submitted", "r1 = map_idx 2\nr2 = 16\nr3 = 0\ncall 131\nr0 = 0\nexit\n", 0,
         SKEP_VM_FAULT_HELPER},
        {"submit nothing", "r1 = 0\nr2 = 0\ncall 132\nexit\n", 0, SKEP_VM_FAULT_HANDLE},
    };
    run_rows(rows, ARRAY_SIZE(rows));
}

/* r10 - 16: a dynptr of the memory of the run */
#define FROM_MEMORY(size) "r2 = " #size "\nr3 = 0\nr4 = r10\nr4 += -16\ncall 197\n"
#define RESERVE "r1 = map_idx 2\nr2 = 16\nr3 = 0\nr4 = r10\nr4 += -16\ncall 198\n"
#define DYNPTR1 "r1 = r10\nr1 += -16\n"

static void test_dynptr(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"from memory", FROM_MEMORY(256) "exit\n", 0},
        {"from more than there is", FROM_MEMORY(257) "exit\n", 0, SKEP_VM_FAULT_WRITE},
        {"flags", "r2 = 8\nr3 = 1\nr4 = r10\nr4 += -16\ncall 197\nexit\n", ERR(EINVAL)},
        {"too large", "r2 = 16777216\nr3 = 0\nr4 = r10\nr4 += -16\ncall 197\nexit\n", ERR(E2BIG)},
        {"data", FROM_MEMORY(8) DYNPTR1 "r2 = 2\nr3 = 6\ncall 203\nr0 = *(u8 *)(r0 +0)\nexit\n", 'c', 0,
         "abcd"},
        {"data beyond it", FROM_MEMORY(8) DYNPTR1 "r2 = 2\nr3 = 7\ncall 203\nexit\n", 0},
        {"data of nothing",
         "*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -8) = 0\n" DYNPTR1 "r2 = 0\nr3 = 1\ncall 203\nexit\n", 0},
        {"data of what is none", "*(u64 *)(r10 -16) = 99\n" DYNPTR1 "r2 = 0\nr3 = 1\ncall 203\nexit\n", 0,
         SKEP_VM_FAULT_HANDLE},
        {"read",
         FROM_MEMORY(8) "r1 = r10\nr1 += -24\nr2 = 2\nr3 = r10\nr3 += -16\nr4 = 1\nr5 = 0\ncall 201\n"
                        "r0 = *(u16 *)(r10 -24)\nexit\n",
         'b' | 'c' << 8, 0, "abcd"},
        {"read beyond it",
         FROM_MEMORY(8) "r1 = r10\nr1 += -24\nr2 = 2\nr3 = r10\nr3 += -16\nr4 = 7\nr5 = 0\ncall 201\nexit\n",
         ERR(E2BIG)},
        {"read, offset that wraps",
         FROM_MEMORY(8) "r1 = r10\nr1 += -24\nr2 = 2\nr3 = r10\nr3 += -16\nr4 = -1\nr5 = 0\ncall 201\nexit\n",
         ERR(E2BIG)},
        {"read, flags",
         FROM_MEMORY(8) "r1 = r10\nr1 += -24\nr2 = 2\nr3 = r10\nr3 += -16\nr4 = 0\nr5 = 1\ncall 201\nexit\n",
         ERR(EINVAL)},
        {"write",
         "r6 = r1\n" FROM_MEMORY(8) "*(u64 *)(r10 -24) = 120\n" DYNPTR1
                                    "r2 = 3\nr3 = r10\nr3 += -24\nr4 = 1\nr5 = 0\ncall 202\n"
                                    "r0 = *(u8 *)(r6 +3)\nexit\n",
         'x', 0, "abcd"},
        {"write, flags",
         FROM_MEMORY(8) DYNPTR1 "r2 = 3\nr3 = r10\nr3 += -24\nr4 = 1\nr5 = 1\ncall 202\nexit\n", ERR(EINVAL)},
        {"many on one place",
         "r6 = r1\nr7 = 1000\nmore: r1 = r6\n" FROM_MEMORY(
             8) "r7 += -1\nif r7 != 0 goto more\n" DYNPTR1
                "r2 = 0\nr3 = 1\ncall 203\nr0 = *(u8 *)(r0 +0)\nexit\n",
         'a', 0, "abcd"},
        {"ring",
         RESERVE DYNPTR1 "r2 = 0\nr3 = 16\ncall 203\n*(u64 *)(r0 +8) = 5\n" DYNPTR1
                         "r2 = 0\ncall 199\nexit\n",
         0},
        {"ring, data after submit",
         RESERVE DYNPTR1 "r2 = 0\nr3 = 16\ncall 203\nr6 = r0\n" DYNPTR1 "r2 = 0\ncall 200\n"
                         "*(u64 *)(r6 +8) = 5\nexit\n",
         0, SKEP_VM_FAULT_WRITE},
        {"ring, submitted twice", RESERVE DYNPTR1 "r2 = 0\ncall 199\n" DYNPTR1 "r2 = 0\ncall 199\nexit\n", 0},
        {"ring, a copy submitted",
         RESERVE "r1 = *(u64 *)(r10 -16)\n*(u64 *)(r10 -32) = r1\n" DYNPTR1 "r2 = 0\ncall 199\n"
                 "r1 = r10\nr1 += -32\nr2 = 0\ncall 199\nexit\n",
         0, SKEP_VM_FAULT_HANDLE},
        {"ring, never submitted", RESERVE "exit\n", 0, SKEP_VM_FAULT_HELPER},
        {"ring, memory submitted", FROM_MEMORY(8) DYNPTR1 "r2 = 0\ncall 199\nexit\n", 0,
         SKEP_VM_FAULT_HANDLE},
        {"ring, flags", "r1 = map_idx 2\nr2 = 16\nr3 = 1\nr4 = r10\nr4 += -16\ncall 198\nexit\n",
         ERR(EINVAL)},
        {"ring, too much", "r1 = map_idx 2\nr2 = 5000\nr3 = 0\nr4 = r10\nr4 += -16\ncall 198\nexit\n",
         ERR(EINVAL)},
    };
    run_rows(rows, ARRAY_SIZE(rows));
}

static void test_flow(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"loop",
         "r1 = 10\nr2 = code f\nr3 = r10\nr3 += -8\n*(u64 *)(r10 -8) = 0\nr4 = 0\ncall 181\nr0 = *(u64 *)(r10 -8)\nexit\n"
         "f: r0 = *(u64 *)(r2 +0)\nr0 += r1\n*(u64 *)(r2 +0) = r0\nr0 = 0\nexit\n",
         45},
        {"loop, stopped",
         "r1 = 10\nr2 = code f\nr3 = 0\nr4 = 0\ncall 181\nexit\nf: r0 = 0\nif r1 != 3 goto out\nr0 = 1\nout: exit\n",
         4},
        {"loop, too often", "r1 = 8388609\nr2 = code f\nr3 = 0\nr4 = 0\ncall 181\nexit\nf: r0 = 0\nexit\n",
         ERR(E2BIG)},
        {"loop, flags", "r1 = 1\nr2 = code f\nr3 = 0\nr4 = 1\ncall 181\nexit\nf: r0 = 0\nexit\n",
         ERR(EINVAL)},
        {"loop, out of fuel", "r1 = 8388608\nr2 = code f\nr3 = 0\nr4 = 0\ncall 181\nexit\nf: r0 = 0\nexit\n",
         0, SKEP_VM_FAULT_FUEL},
        {"lock, unlock",
         "r6 = map_idx_value 0\nr1 = r6\ncall 93\nr1 = r6\ncall 94\nr0 = *(u32 *)(r6 +0)\nexit\n", 0},
        {"lock twice", "r6 = map_idx_value 0\nr1 = r6\ncall 93\nr1 = r6\ncall 93\nexit\n", 0,
         SKEP_VM_FAULT_LOCK},
        {"lock held at the end", "r1 = map_idx_value 0\ncall 93\nr0 = 0\nexit\n", 0, SKEP_VM_FAULT_LOCK},
        {"unlock nothing", "r1 = map_idx_value 0\ncall 94\nexit\n", 0, SKEP_VM_FAULT_LOCK},
        {"unlock another", "r1 = map_idx_value 0\ncall 93\nr1 = map_idx_value 0 + 4\ncall 94\nexit\n", 0,
         SKEP_VM_FAULT_LOCK},
        {"lock across words", "r1 = map_idx_value 0 + 2\ncall 93\nexit\n", 0, SKEP_VM_FAULT_LOCK},
        {"lock that nobody gives back", "r1 = map_idx_value 0\n*(u32 *)(r1 +0) = 1\ncall 93\nexit\n", 0,
         SKEP_VM_FAULT_LOCK},
        {"lock nowhere", "r1 = 64\ncall 93\nexit\n", 0, SKEP_VM_FAULT_WRITE},
        {"lock in a record", "r1 = map_idx 2\nr2 = 16\nr3 = 0\ncall 131\nr1 = r0\ncall 93\nexit\n", 0,
         SKEP_VM_FAULT_HELPER},
    };
    run_rows(rows, ARRAY_SIZE(rows));
}

static void test_probe(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"read", "r3 = r1\nr1 = r10\nr1 += -8\nr2 = 4\ncall 113\nr0 = *(u32 *)(r10 -8)\nexit\n", 0x64636261,
         0, "abcd"},
        {"read from nowhere",
         "*(u64 *)(r10 -8) = -1\nr1 = r10\nr1 += -8\nr2 = 8\nr3 = 0x1000\ncall 4\nexit\n", ERR(EFAULT)},
        {"clears what it could not read",
         "*(u64 *)(r10 -8) = -1\nr1 = r10\nr1 += -8\nr2 = 8\nr3 = 0x1000\ncall 112\nr0 = *(u64 *)(r10 -8)\nexit\n",
         0},
        {"read across the end", "r3 = r1\nr3 += 250\nr1 = r10\nr1 += -8\nr2 = 8\ncall 113\nexit\n",
         ERR(EFAULT)},
        {"write to nowhere", "r3 = r1\nr1 = 0x1000\nr2 = 8\ncall 113\nexit\n", 0, SKEP_VM_FAULT_WRITE},
        {"string", "r3 = r1\nr1 = r10\nr1 += -8\nr2 = 8\ncall 115\nexit\n", 4, 0, "abc"},
        {"string that is longer",
         "r3 = r1\nr1 = r10\nr1 += -8\nr2 = 4\ncall 45\nr0 = *(u32 *)(r10 -8)\nexit\n", 0x636261, 0,
         "abcdef"},
        {"string from nowhere", "r1 = r10\nr1 += -8\nr2 = 8\nr3 = 1\ncall 114\nexit\n", ERR(EFAULT)},
        {"string up to the end", "r3 = r1\nr3 += 255\nr1 = r10\nr1 += -8\nr2 = 8\ncall 115\nexit\n", 1, 0,
         "a"},
    };
    run_rows(rows, ARRAY_SIZE(rows));
}

static void test_string(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"strncmp, same", "r3 = r1\nr2 = 4\ncall 182\nexit\n", 0, 0, "abc"},
        {"strncmp, less", "r3 = r1\nr3 += 1\nr2 = 4\ncall 182\nexit\n", ERR(1), 0, "abc"},
        {"strncmp, more", "r3 = r1\nr1 += 1\nr2 = 4\ncall 182\nexit\n", 1, 0, "abc"},
        {"strncmp, from nowhere", "r3 = 1\nr2 = 4\ncall 182\nexit\n", 0, SKEP_VM_FAULT_READ},
        {"strtol looks at 63 digits", "r2 = 80\nr3 = 10\nr4 = r10\nr4 += -8\ncall 105\nexit\n", 63, 0,
         "00000000000000000000000000000000000000000000000000000000000000000000007"},
        {"strtol", "r2 = 5\nr3 = 0\nr4 = r10\nr4 += -8\ncall 105\nr0 = *(u64 *)(r10 -8)\nexit\n", ERR(18), 0,
         "-0x12"},
        {"strtoul, negative", "r2 = 5\nr3 = 0\nr4 = r10\nr4 += -8\ncall 106\nexit\n", ERR(EINVAL), 0,
         "-0x12"},
        {"trace, not a format", "r2 = 3\ncall 6\nexit\n", ERR(EINVAL), 0, "%q"},
        {"trace, without an end", "r2 = 2\ncall 6\nexit\n", ERR(EINVAL), 0, "abc"},
        {"trace", "r2 = 6\nr3 = 7\ncall 6\nexit\n", 3, 0, "ab%d"},
        {"snprintf, odd arguments",
         "r3 = r1\nr1 = r10\nr1 += -8\nr2 = 8\nr4 = r10\nr4 += -16\nr5 = 7\ncall 165\nexit\n", ERR(EINVAL), 0,
         "a"},
        {"snprintf, too many",
         "r3 = r1\nr1 = r10\nr1 += -8\nr2 = 8\nr4 = r10\nr4 += -128\nr5 = 104\ncall 165\nexit\n", ERR(EINVAL),
         0, "a"},
        {"snprintf, cut off",
         "r3 = r1\nr1 = r10\nr1 += -8\nr2 = 3\nr4 = 0\nr5 = 0\ncall 165\nr1 = *(u32 *)(r10 -8)\nr0 <<= 32\nr0 |= r1\nexit\n",
         7ULL << 32 | 0x6261, 0, "abcdef"},
    };
    run_rows(rows, ARRAY_SIZE(rows));
}

static void test_formats(void **state)
{
    (void)state;
    static const char string[] = "text", address6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
    static const uint8_t address4[4] = {10, 0, 200, 1};
    const struct {
        const char *format;
        uint64_t args[3];
        size_t n;
        int error;
        const char *wanted;
    } rows[] = {
        {"plain %% text", {0}, 0, 0, "plain % text"},
        {"%d %u %x", {UINT64_MAX, UINT64_MAX, 255}, 3, 0, "-1 4294967295 ff"},
        {"%ld %llu %lX", {UINT64_MAX, UINT64_MAX, 255}, 3, 0, "-1 18446744073709551615 FF"},
        {"[%5d] [%-5d] [%05d]", {42, 42, 42}, 3, 0, "[   42] [42   ] [00042]"},
        {"%s, %c", {(uintptr_t)string, 'x'}, 2, 0, "text, x"},
        {"%8s|%-8s|", {(uintptr_t)string, (uintptr_t)string}, 2, 0, "    text|text    |"},
        {"%pks %pus", {(uintptr_t)string, (uintptr_t)string}, 2, 0, "text text"},
        {"[%s]", {8}, 1, 0, "[]"},
        {"%pI4 %pi4", {(uintptr_t)address4, (uintptr_t)address4}, 2, 0, "10.0.200.1 010.000.200.001"},
        {"%pI6", {(uintptr_t)address6}, 1, 0, "2001:0db8:0000:0000:0000:0000:0000:0001"},
        {"%pi6", {(uintptr_t)address6}, 1, 0, "20010db8000000000000000000000001"},
        {"%pI4", {8}, 1, 0, "0.0.0.0"},
        {"%px", {0xabc}, 1, 0, "0000000000000abc"},
        {"[%5px] [%-5px] [%05px]", {0xabc, 0xabc, 0xabc}, 3, 0, "[  abc] [abc  ] [00abc]"},
        {"%4c|%-4c|%cc", {'x', 'y', 'z'}, 3, 0, "   x|y   |zc"},
        {"%9pks|", {(uintptr_t)string}, 1, 0, "text|"}, /* these know of no width */
        {"%pxyz, %pI4x", {0xabc, (uintptr_t)address4}, 2, 0, "0000000000000abc, 10.0.200.1"},
        {"%d", {0}, 0, -EINVAL, NULL},
        {"%", {0}, 1, -EINVAL, NULL},
        {"%l", {0}, 1, -EINVAL, NULL},
        {"%llld", {0}, 1, -EINVAL, NULL},
        {"%n", {0}, 1, -EINVAL, NULL},
        {"%f", {0}, 1, -EINVAL, NULL},
        {"%*d", {0}, 1, -EINVAL, NULL},
        {"%.3d", {0}, 1, -EINVAL, NULL},
        {"%#x", {0}, 1, -EINVAL, NULL},
        {"%sx", {(uintptr_t)string}, 1, -EINVAL, NULL},
        {"%pkx", {0}, 1, -EINVAL, NULL},
        {"%pksx", {(uintptr_t)string}, 1, -EINVAL, NULL},
        {"%999999999d", {0}, 1, -EINVAL, NULL},
        {"\x01", {0}, 0, -EINVAL, NULL},
        {"\xc3\xa4", {0}, 0, 0, "\xc3\xa4"},
    };
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    assert_int_equal(skep_vm_thread_add_region(m.t, (void *)(uintptr_t)string, sizeof(string), false), 0);
    assert_int_equal(skep_vm_thread_add_region(m.t, (void *)(uintptr_t)address4, sizeof(address4), false), 0);
    assert_int_equal(skep_vm_thread_add_region(m.t, (void *)(uintptr_t)address6, sizeof(address6), false), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char out[64] = "";
        int64_t n = skep_format(m.e, out, sizeof(out), rows[i].format, strlen(rows[i].format) + 1,
                                rows[i].args, rows[i].n);
        if (rows[i].error) {
            if (n != rows[i].error)
                fail_msg("%s gives %lld: %s", rows[i].format, (long long)n, out);
            continue;
        }
        if (n < 0)
            fail_msg("%s gives %lld", rows[i].format, (long long)n);
        assert_string_equal(out, rows[i].wanted);
        assert_int_equal(n, strlen(rows[i].wanted));
    }
    machine_clear(&m);
}

/* ---- what the host says ---- */

static uint64_t fixed_clock(void *data, int id)
{
    (void)data;
    return 1000000000ULL * (uint64_t)(id + 1);
}

static uint32_t fixed_random(void *data)
{
    return *(uint32_t *)data;
}

static int fixed_stack(void *data, uint64_t *addresses, size_t max, bool user)
{
    (void)data;
    size_t n = MIN(max, (size_t)4);
    for (size_t i = 0; i < n; i++)
        addresses[i] = (user ? 100 : 200) + i;
    return (int)n;
}

static void test_task(void **state)
{
    (void)state;
    static const struct {
        const char *program;
        uint64_t value;
    } rows[] = {
        {"call 14\nexit\n", 12ULL << 32 | 34},
        {"call 15\nexit\n", 78ULL << 32 | 56},
        {"call 80\nexit\n", 99},
        {"call 35\nexit\n", 0x1234},
        {"call 158\nexit\n", 0x1234},
        {"call 8\nexit\n", 0},
        {"call 42\nexit\n", 0},
        {"call 7\nexit\n", 4711},
        {"call 5\nexit\n", 2000000000},
        {"call 125\nexit\n", 8000000000},
        {"call 208\nexit\n", 12000000000},
        {"r1 = r10\nr1 += -16\nr2 = 16\ncall 16\nr0 = *(u32 *)(r10 -16)\nexit\n", 0x63656562},
        {"r1 = r10\nr1 += -16\nr2 = 3\ncall 16\nr0 = *(u32 *)(r10 -16)\nexit\n", 0x6562},
        {"r1 = 0\nr2 = r10\nr2 += -64\nr3 = 64\nr4 = 1\ncall 67\nr1 = *(u64 *)(r10 -64)\nr0 <<= 32\nr0 |= r1\nexit\n",
         24ULL << 32 | 201},
        {"r1 = 0\nr2 = r10\nr2 += -64\nr3 = 16\nr4 = 256\ncall 67\nr1 = *(u64 *)(r10 -56)\nr0 <<= 32\nr0 |= r1\nexit\n",
         16ULL << 32 | 101},
        {"r1 = 0\nr2 = r10\nr2 += -64\nr3 = 12\nr4 = 0\ncall 67\nexit\n", ERR(EINVAL)},
        {"r1 = 0\nr2 = r10\nr2 += -64\nr3 = 16\nr4 = 9\ncall 67\nexit\n", ERR(EFAULT)},
    };
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    uint32_t random = 4711;
    const struct skep_vm_task task = {.size = sizeof(task),
                                      .pid = 12,
                                      .tid = 34,
                                      .uid = 56,
                                      .gid = 78,
                                      .comm = "beec",
                                      .cgroup_id = 99,
                                      .task = 0x1234,
                                      .clock = fixed_clock,
                                      .random = fixed_random,
                                      .stack = fixed_stack,
                                      .data = &random};
    skep_vm_thread_set_task(m.t, &task);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct skep_vm_program *p = machine_load(&m, rows[i].program, NULL);
        uint64_t value;
        if (skep_vm_run(m.t, p, NULL, 0, &value) < 0 || value != rows[i].value)
            fail_msg("%s gives %lld: %s", rows[i].program, (long long)value,
                     skep_vm_thread_error(m.t)->message);
        skep_vm_program_unref(p);
    }
    machine_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),     cmocka_unit_test(test_ring),  cmocka_unit_test(test_dynptr),
        cmocka_unit_test(test_flow),    cmocka_unit_test(test_probe), cmocka_unit_test(test_string),
        cmocka_unit_test(test_formats), cmocka_unit_test(test_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
