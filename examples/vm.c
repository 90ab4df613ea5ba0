/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program that sums bytes, then one that goes where it must not:
 *     cc vm.c $(pkg-config --cflags --libs skepvm) -o vm && ./vm */
#include <stdio.h>

#include <skep/vm.h>

int main(void)
{
    static const uint8_t sum[][8] = {
        {0xb7, 0x00},             /* r0 = 0 */
        {0x15, 0x02, 0x05},       /* if r2 == 0 goto +5 */
        {0x71, 0x13},             /* r3 = *(u8 *)(r1 + 0) */
        {0x0f, 0x30},             /* r0 += r3 */
        {0x07, 0x01, 0, 0, 1},    /* r1 += 1 */
        {0x17, 0x02, 0, 0, 1},    /* r2 -= 1 */
        {0x05, 0x00, 0xfa, 0xff}, /* goto -6 */
        {0x95},                   /* exit */
    };
    static const uint8_t wild[][8] = {{0xb7, 0x00}, {0x7b, 0x00, 96}, {0x95}}; /* *(u64 *)(r0 + 96) = r0 */
    const void *programs[] = {sum, wild};
    const size_t sizes[] = {sizeof(sum) / 8, sizeof(wild) / 8};
    uint8_t memory[] = {1, 2, 3, 4};
    struct skep_vm *vm;
    struct skep_vm_thread *thread;
    if (skep_vm_new(NULL, &vm) < 0 || skep_vm_thread_new(vm, NULL, &thread) < 0)
        return 1;
    for (int i = 0; i < 2; i++) {
        struct skep_vm_program_options o = {.size = sizeof(o), .insns = programs[i], .n_insns = sizes[i]};
        struct skep_vm_program *program;
        struct skep_vm_error error;
        uint64_t value;
        if (skep_vm_program_load(vm, &o, &program, &error) < 0)
            printf("does not load: %s\n", error.message);
        else if (skep_vm_run(thread, program, memory, sizeof(memory), &value) < 0)
            printf("ended: %s\n", skep_vm_thread_error(thread)->message);
        else
            printf("result: %llu\n", (unsigned long long)value);
    }
    skep_vm_free(vm); /* with its threads and programs */
    return 0;
}
