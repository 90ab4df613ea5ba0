/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differential [--count N] [--kernel N] [--seed N]
 *
 * Runs random programs (generate.h) in every mode of the engine, and some in the kernel, and compares what they say:
 * result, memory, instructions that were paid for, and for faults their kind, instruction and address. The first that differs is printed and ends it with
 * status 1. "kernel: refused: ..." tells why there was no kernel.
 */
#include <linux/bpf.h>
#include <sys/syscall.h>

#include "generate.h"
#include "isa/disasm.h"
#include "vm/exec.h"
#include <skep/vm.h>

#define FUEL 500

struct outcome {
    int r;
    uint64_t value, used;
    struct skep_vm_error error;
    uint8_t memory[GENERATE_MEMORY];
};

struct world {
    struct skep_vm *vm;
    struct skep_vm_thread *thread;
    uint8_t memory[GENERATE_MEMORY];
};

static uint64_t mix(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, struct skep_vm_thread *t)
{
    (void)t;
    return r1 ^ r2 << 1 ^ r3 << 2 ^ r4 << 3 ^ r5 << 4;
}

static uint64_t refuse(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                       struct skep_vm_thread *t)
{
    (void)r2, (void)r3, (void)r4, (void)r5;
    if (r1 & 1)
        skep_vm_thread_fail(t, SKEP_VM_FAULT_HELPER, "odd");
    return r1;
}

static void show(const struct generate *g)
{
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, 1 << 20);
    skep_disasm(g->insns, g->n, NULL, &text);
    fputs(text.s, stdout);
}

static int run(struct world *w, const struct generate *g, enum skep_vm_mode mode, struct outcome *ret)
{
    struct skep_vm_program *p;
    struct skep_vm_program_options o = {
        .size = sizeof(o), .name = "random", .insns = g->insns, .n_insns = g->n, .mode = mode};
    int r = skep_vm_program_load(w->vm, &o, &p, &ret->error);
    if (r < 0) {
        printf("does not load: %s\n", ret->error.message);
        return r;
    }
    for (size_t i = 0; i < GENERATE_MEMORY; i++)
        w->memory[i] = (uint8_t)(i * 37);
    ret->value = 0;
    ret->r = skep_vm_run(w->thread, p, w->memory, sizeof(w->memory), &ret->value);
    ret->used = mode == SKEP_VM_MODE_TRUSTED ? 0 : skep_vm_thread_used(w->thread);
    ret->error = *skep_vm_thread_error(w->thread);
    memcpy(ret->memory, w->memory, sizeof(ret->memory));
    skep_vm_program_unref(p);
    return 0;
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    return a->r == b->r && (a->used == b->used || !b->used) &&
           memcmp(a->memory, b->memory, sizeof(a->memory)) == 0 &&
           (a->r < 0 ? a->error.fault == b->error.fault && a->error.insn == b->error.insn &&
                           a->error.address == b->error.address
                     : a->value == b->value);
}

static void tell(const char *name, const struct outcome *o)
{
    if (o->r < 0)
        printf("%s: %s at %u, address 0x%llx: %s\n", name, skep_vm_fault_name(o->error.fault), o->error.insn,
               (unsigned long long)o->error.address, o->error.message);
    else
        printf("%s: 0x%llx\n", name, (unsigned long long)o->value);
    printf("%llu instructions\n", (unsigned long long)o->used);
    for (size_t i = 0; i < GENERATE_MEMORY; i++)
        printf("%02x%s", o->memory[i], i + 1 == GENERATE_MEMORY ? "\n" : "");
}

/* One program in all modes; 1: they differ. */
static int compare(struct world *w, uint64_t seed, enum generate_kind kind, unsigned *faults)
{
    static const char *const names[] = {"", "interpreter", "jit", "trusted"};
    struct generate g;
    struct outcome first, other;
    generate(&g, seed, kind);
    skep_vm_thread_set_fuel(w->thread, kind == GENERATE_LOOP ? 20 + seed * 7919 % 1500 : FUEL);
    if (run(w, &g, SKEP_VM_MODE_INTERPRET, &first) < 0)
        return 1;
    *faults += first.r < 0;
    for (enum skep_vm_mode mode = SKEP_VM_MODE_JIT; mode <= SKEP_VM_MODE_TRUSTED; mode++) {
        /* without checks only what is known to be good, and to ask nobody for what it may not see */
        if (mode == SKEP_VM_MODE_TRUSTED && (first.r < 0 || kind == GENERATE_WILD || kind == GENERATE_LOOP))
            continue;
        if (run(w, &g, mode, &other) < 0)
            return 1;
        if (!same(&first, &other)) {
            printf("seed %llu, kind %d: modes differ\n", (unsigned long long)seed, (int)kind);
            show(&g);
            tell(names[SKEP_VM_MODE_INTERPRET], &first);
            tell(names[mode], &other);
            return 1;
        }
    }
    return 0;
}

static int bpf(int command, union bpf_attr *attr)
{
    long r = syscall(__NR_bpf, command, attr, sizeof(*attr));
    return r < 0 ? -errno : (int)r;
}

/* The program in the kernel: r0 comes back as 32 bits, so a second program gives the upper half. 1: it differs. */
static int compare_kernel(struct world *w, uint64_t seed, unsigned *refused)
{
    struct generate g;
    struct outcome ours;
    generate(&g, seed, GENERATE_PURE);
    if (run(w, &g, SKEP_VM_MODE_JIT, &ours) < 0)
        return 1;
    uint64_t theirs = 0;
    for (unsigned half = 0; half < 2; half++) {
        struct skep_insn insns[GENERATE_MAX + 1];
        memcpy(insns, g.insns, (g.n - 1) * sizeof(*insns));
        insns[g.n - 1] = skep_insn_make(SKEP_OP_RSH64_IMM, 0, 0, 0, half ? 32 : 0);
        insns[g.n] = skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0);
        /* jumps to the exit now pass the shift: they land on it */
        uint8_t packet[64] = {0};
        union bpf_attr load = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
                               .insns = (uintptr_t)insns,
                               .insn_cnt = (uint32_t)g.n + 1,
                               .license = (uintptr_t) "GPL"};
        int fd = bpf(BPF_PROG_LOAD, &load);
        if (fd == -EPERM || fd == -ENOSYS)
            return fd;
        if (fd < 0) {
            ++*refused;
            return 0;
        }
        union bpf_attr test = {
            .test = {.prog_fd = (uint32_t)fd, .data_in = (uintptr_t)packet, .data_size_in = sizeof(packet)}};
        int r = bpf(BPF_PROG_TEST_RUN, &test);
        close(fd);
        if (r < 0)
            return r;
        theirs |= (uint64_t)test.test.retval << (32 * half);
    }
    if (ours.r < 0 || ours.value != theirs) {
        printf("seed %llu: the kernel says 0x%llx\n", (unsigned long long)seed, (unsigned long long)theirs);
        show(&g);
        tell("jit", &ours);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t count = 20000, kernel = 1000, seed = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t *to = strcmp(argv[i], "--count") == 0    ? &count
                       : strcmp(argv[i], "--kernel") == 0 ? &kernel
                       : strcmp(argv[i], "--seed") == 0   ? &seed
                                                          : NULL;
        if (!to) {
            fprintf(stderr, "usage: differential [--count N] [--kernel N] [--seed N]\n");
            return 2;
        }
        *to = strtoull(argv[i + 1], NULL, 0);
    }
    struct world w;
    struct skep_vm_thread_options to = {.size = sizeof(to), .fuel = FUEL};
    if (skep_vm_new(NULL, &w.vm) < 0 || skep_vm_thread_new(w.vm, &to, &w.thread) < 0)
        return 2;
    skep_vm_helper_register(w.vm, 1, "mix", mix);
    skep_vm_helper_register(w.vm, 2, "refuse", refuse);
    /* clocks and random numbers say something else each time */
    skep_vm_helper_register(w.vm, 5, "mix", mix);
    skep_vm_helper_register(w.vm, 7, "mix", mix);
    unsigned faults = 0, refused = 0;
    int r = 0;
    uint64_t done = 0, asked = 0;
    for (; done < count && r == 0; done++)
        r = compare(&w, seed + done, (enum generate_kind)(done % 4), &faults);
    for (; asked < kernel && r == 0; asked++)
        r = compare_kernel(&w, seed + count + asked, &refused);
    skep_vm_thread_free(w.thread);
    skep_vm_free(w.vm);
    if (r < 0)
        printf("kernel: refused: %s\n", strerror(-r));
    printf("%llu programs, %u of them ended by a fault; %llu in the kernel, %u of them refused\n",
           (unsigned long long)done, faults, (unsigned long long)(r < 0 ? 0 : asked), refused);
    return r > 0;
}
