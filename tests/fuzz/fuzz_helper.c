/* SPDX-License-Identifier: Apache-2.0 */
/* Any helpers with any arguments, over a packet and maps of all types: a result or a fault, never more. Arguments are
 * often what a helper wants: a map, a place on the stack, in the packet or in a value, the context, a small number. */
#include <linux/bpf.h>

#include "isa/insn.h"
#include "vm/exec.h"
#include "vm/map/map.h"
#include "vm/packet.h"
#include "vm/program.h"

#define MAPS 10
#define CALLS 12
#define PACKET 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct skep_vm *vm;
static struct skep_vm_thread *t;
static struct skep_vm_map *maps[MAPS];
static struct skep_vm_packet *packet;

static const uint32_t numbers[] = {
#define SKEP_HELPER(number, name, family) number,
#include "vm/helper/helpers.def"
#undef SKEP_HELPER
};

static uint64_t no_clock(void *data, int id)
{
    (void)data;
    return (uint64_t)id;
}

static int stack(void *data, uint64_t *addresses, size_t max, bool user)
{
    (void)data, (void)user;
    for (size_t i = 0; i < MIN(max, (size_t)5); i++)
        addresses[i] = i * 16;
    return 5;
}

static void make(void)
{
    static const struct skep_vm_map_options types[MAPS] = {
        {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 64, .max_entries = 2},
        {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 16, .max_entries = 3},
        {.type = BPF_MAP_TYPE_LRU_PERCPU_HASH, .key_size = 8, .value_size = 8, .max_entries = 3},
        {.type = BPF_MAP_TYPE_QUEUE, .value_size = 12, .max_entries = 3},
        {.type = BPF_MAP_TYPE_BLOOM_FILTER, .value_size = 8, .max_entries = 9},
        {.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
        {.type = BPF_MAP_TYPE_STACK_TRACE, .key_size = 4, .value_size = 64, .max_entries = 2},
        {.type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2},
        {.type = BPF_MAP_TYPE_LPM_TRIE,
         .key_size = 8,
         .value_size = 8,
         .max_entries = 3,
         .flags = BPF_F_NO_PREALLOC},
        {.type = BPF_MAP_TYPE_ARRAY,
         .key_size = 4,
         .value_size = 8,
         .max_entries = 2,
         .flags = BPF_F_RDONLY_PROG},
    };
    const struct skep_vm_options o = {.size = sizeof(o), .mode = SKEP_VM_MODE_INTERPRET, .cpus = 2};
    const struct skep_vm_task task = {.size = sizeof(task), .pid = 1, .clock = no_clock, .stack = stack};
    const struct skep_vm_thread_options to = {.size = sizeof(to), .fuel = 2000, .task = &task};
    if (skep_vm_new(&o, &vm) < 0 || skep_vm_thread_new(vm, &to, &t) < 0 ||
        skep_vm_packet_new(vm, PACKET, &packet) < 0)
        abort();
    for (int i = 0; i < MAPS; i++) {
        struct skep_vm_map_options mo = types[i];
        mo.size = sizeof(mo);
        if (skep_vm_map_new(vm, &mo, &maps[i]) < 0)
            abort();
    }
}

struct code {
    struct skep_insn insns[512];
    size_t n;
};

static void emit(struct code *c, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
    c->insns[c->n++] =
        (struct skep_insn){.code = code, .regs = (uint8_t)(dst | src << 4), .off = off, .imm = imm};
}

/* One argument from two bytes. */
static void argument(struct code *c, uint8_t reg, uint8_t kind, uint8_t b)
{
    switch (kind % 8) {
    case 0: /* map */
        emit(c, 0x18, reg, 5, 0, b % MAPS);
        emit(c, 0, 0, 0, 0, 0);
        break;
    case 1:
    case 2: /* stack */
        emit(c, 0xbf, reg, 10, 0, 0);
        emit(c, 0x07, reg, 0, 0, -(int32_t)b * 2);
        break;
    case 3: /* context */
        emit(c, 0xbf, reg, 6, 0, 0);
        break;
    case 4: /* what an earlier call returned */
        emit(c, 0x79, reg, 10, (int16_t)(-8 - 8 * (b % 4)), 0);
        break;
    case 5: /* packet */
        emit(c, 0x61, reg, 6, 76, 0);
        emit(c, 0x07, reg, 0, 0, b);
        break;
    case 6:
        emit(c, 0xb7, reg, 0, 0, (int8_t)b);
        break;
    default: /* value of a map, or the function */
        if (b % 4 == 0) {
            emit(c, 0x18, reg, 4, 0, 1); /* patched */
            emit(c, 0, 0, 0, 0, 0);
        } else {
            emit(c, 0x18, reg, 6, 0, b & 1 ? 0 : 9);
            emit(c, 0, 0, 0, 0, b % 8);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct code c;
    if (!vm)
        make();
    c.n = 0;
    bool skb = size && data[0] & 1;
    emit(&c, 0xbf, 6, 1, 0, 0);
    if (!skb) /* where an skb has data */
        emit(&c, 0xbf, 0, 0, 0, 0);
    for (unsigned call = 0; call < CALLS && size >= 12; call++, data += 12, size -= 12) {
        for (uint8_t reg = 1; reg <= 5; reg++)
            argument(&c, reg, data[2 * reg], data[2 * reg + 1]);
        emit(&c, 0x85, 0, 0, 0, (int32_t)numbers[data[1] % ARRAY_SIZE(numbers)]);
        emit(&c, 0x7b, 10, 0, (int16_t)(-8 - 8 * (call % 4)), 0);
        if (data[0] & 2) { /* and what it points to */
            emit(&c, 0x15, 0, 0, 1, 0);
            emit(&c, 0x79, 7, 0, 0, 0);
        }
    }
    emit(&c, 0xb7, 0, 0, 0, 0);
    emit(&c, 0x95, 0, 0, 0, 0);
    size_t function = c.n;
    emit(&c, 0xbf, 0, 1, 0, 0);
    emit(&c, 0x57, 0, 0, 0, 3);
    emit(&c, 0x95, 0, 0, 0, 0);
    for (size_t i = 0; i < function; i++)
        if (c.insns[i].code == 0x18 && c.insns[i].regs >> 4 == 4)
            c.insns[i].imm = (int32_t)(function - i - 1);
    const struct skep_vm_program_options o = {.size = sizeof(o),
                                              .insns = c.insns,
                                              .n_insns = c.n,
                                              .maps = maps,
                                              .n_maps = MAPS,
                                              .context = skb ? "skb" : "xdp"};
    struct skep_vm_program *p;
    struct skep_vm_error error;
    if (skep_vm_program_load(vm, &o, &p, &error) < 0)
        return 0;
    static const uint8_t bytes[PACKET / 2] = {[12] = 8};
    skep_vm_packet_set(packet, bytes, sizeof(bytes));
    uint64_t value;
    int r = skep_vm_run_packet(t, p, packet, &value);
    if ((r < 0) != (skep_vm_thread_error(t)->fault != SKEP_VM_FAULT_NONE))
        abort();
    const struct skep_exec *e = skep_exec_of(t);
    if (e->n_refs || e->lock || e->n_host || packet->data < packet->start || packet->data_end > packet->end ||
        packet->data > packet->data_end)
        abort();
    skep_vm_ring_consume(maps[5], 0, NULL, NULL);
    skep_vm_program_unref(p);
    return 0;
}
