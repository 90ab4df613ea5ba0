/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "cli/command.h"
#include "cli/vm_input.h"

/* The suite's programs loop a little, not more. */
#define FUEL 100000000
#define TEXT_MAX 4096

struct plugin_options {
    enum skep_vm_mode mode;
    bool elf;
};

#define TO(member) offsetof(struct plugin_options, member)

static const struct skep_option how[] = {
    {"interpret", 0, NULL, SKEP_OPTION_VALUE, TO(mode), .help = "interpret the program",
     .value = SKEP_VM_MODE_INTERPRET},
    {"jit", 0, NULL, SKEP_OPTION_VALUE, TO(mode), .help = "translate it to machine code with all checks",
     .value = SKEP_VM_MODE_JIT},
    {"trusted", 0, NULL, SKEP_OPTION_VALUE, TO(mode), .help = "translate it to machine code without checks",
     .value = SKEP_VM_MODE_TRUSTED},
    {"elf", 0, NULL, SKEP_OPTION_FLAG, TO(elf), .help = "standard input is an ELF object"},
    {0},
};

static const struct skep_option_group groups[] = {{"How", how}, {0}};

static const struct skep_example examples[] = {
    {"skep vm asm t.s | skep vm plugin 0011", "run t.s over two bytes"},
    {0},
};

/* ---- the helpers that the programs of the suite expect ---- */

static uint64_t gather_bytes(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                             struct skep_vm_thread *t)
{
    (void)t;
    return (a & 0xff) << 32 | (b & 0xff) << 24 | (c & 0xff) << 16 | (d & 0xff) << 8 | (e & 0xff);
}

static uint64_t memory_frob(uint64_t at, uint64_t n, uint64_t c, uint64_t d, uint64_t e,
                            struct skep_vm_thread *t)
{
    (void)c, (void)d, (void)e;
    uint8_t *bytes = skep_vm_thread_memory(t, at, n, true);
    for (uint64_t i = 0; bytes && i < n; i++)
        bytes[i] ^= 42;
    return at;
}

static uint64_t nothing(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, struct skep_vm_thread *t)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)t;
    return 0;
}

static uint64_t square_root(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                            struct skep_vm_thread *t)
{
    (void)b, (void)c, (void)d, (void)e, (void)t;
    uint64_t low = 0, high = UINT32_MAX;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (middle * middle <= a)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static uint64_t compare_strings(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                struct skep_vm_thread *t)
{
    (void)c, (void)d, (void)e;
    for (;; a++, b++) {
        const uint8_t *x = skep_vm_thread_memory(t, a, 1, false), *y = skep_vm_thread_memory(t, b, 1, false);
        if (!x || !y)
            return 0;
        if (*x != *y || *x == 0)
            return (uint64_t)(int64_t)(*x - *y);
    }
}

/* Ends the program with the result 0 when it is called with 0. */
static uint64_t unwind(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, struct skep_vm_thread *t)
{
    (void)b, (void)c, (void)d, (void)e;
    if (a == 0)
        skep_vm_thread_fail(t, SKEP_VM_FAULT_STOPPED, NULL);
    return a;
}

static int register_helpers(struct skep_vm *vm)
{
    static const struct {
        const char *name;
        skep_vm_helper_fn fn;
    } helpers[] = {
        {"gather_bytes", gather_bytes}, {"memfrob", memory_frob},        {"trash_registers", nothing},
        {"sqrti", square_root},         {"strcmp_ext", compare_strings}, {"unwind", unwind},
    };
    for (uint32_t i = 0; i < ARRAY_SIZE(helpers); i++) {
        int r = skep_vm_helper_register(vm, i, helpers[i].name, helpers[i].fn);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- the protocol ---- */

static int run_loaded(struct skep_vm *vm, const struct skep_vm_program *p, uint8_t *memory, size_t size)
{
    const struct skep_vm_thread_options o = {.size = sizeof(o), .fuel = FUEL};
    struct skep_vm_thread *t;
    int r = skep_vm_thread_new(vm, &o, &t);
    if (r < 0)
        return r;
    uint64_t value = 0;
    r = skep_vm_run_bytes(t, p, memory, size, &value);
    const struct skep_vm_error *error = skep_vm_thread_error(t);
    if (r < 0 && error->fault != SKEP_VM_FAULT_STOPPED)
        return skep_log_error(SKEP_EXIT_FAILED, "%s", error->message[0] ? error->message : strerror(-r));
    printf("%llx\n", (unsigned long long)value);
    return fflush(stdout) ? -errno : SKEP_EXIT_OK;
}

static int run_input(const struct skep_vm_input *in, enum skep_vm_mode mode, uint8_t *memory, size_t size)
{
    struct skep_vm *vm;
    int r = skep_vm_new(NULL, &vm);
    if (r < 0)
        return r;
    r = register_helpers(vm);
    struct skep_vm_object *object = NULL;
    struct skep_vm_program *p;
    if (r == 0) {
        r = skep_vm_input_load(in, vm, mode, &object, &p);
        r = r < 0 ? SKEP_EXIT_FAILED : run_loaded(vm, p, memory, size);
    }
    skep_vm_object_free(object);
    skep_vm_free(vm);
    return r;
}

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct plugin_options *o = options;
    _cleanup_free_ uint8_t *memory = NULL;
    size_t size = 0;
    /* older runners pass what they do not have as an empty argument, options too */
    if (args->n == 2 && args->args[1][0])
        return skep_usage_error(self, "unexpected argument '%s'", args->args[1]);
    if (args->n && skep_vm_hex(args->args[0], strlen(args->args[0]), &memory, &size) < 0)
        return skep_usage_error(self, "the memory is not given as bytes in hex");
    _cleanup_vm_input_ struct skep_vm_input in = {.path = strdup("-")};
    if (!in.path)
        return -ENOMEM;
    if (skep_vm_read_file("-", &in.bytes, &in.size) < 0)
        return SKEP_EXIT_FAILED;
    uint8_t *bytes;
    size_t n;
    /* the suite sends everything as hex, also objects */
    if (skep_vm_hex((const char *)in.bytes, in.size, &bytes, &n) == 0) {
        free(in.bytes);
        in.bytes = bytes;
        in.size = n;
    } else if (!o->elf) {
        return skep_log_error(SKEP_EXIT_FAILED, "standard input is not a program in hex");
    }
    in.elf = o->elf;
    if (!o->elf) {
        if (in.size % sizeof(struct skep_insn))
            return skep_log_error(SKEP_EXIT_FAILED, "%zu bytes are no whole number of instructions", in.size);
        in.n = in.size / sizeof(struct skep_insn);
        in.insns = (struct skep_insn *)(void *)TAKE_PTR(in.bytes);
    }
    return run_input(&in, o->mode, memory, size);
}

static const struct plugin_options defaults;

const struct skep_command skep_command_vm_plugin = {
    .description =
        "Speaks the plugin protocol of the public BPF conformance suite: the program comes in hex on "
        "standard input, "
        "its memory in hex as an argument (none: no memory); the result goes to standard output in hex, an "
        "error to "
        "standard error. Helpers 0 to 5 are those of the suite.",
    .groups = groups,
    .examples = examples,
    .max_args = 2,
    .options_size = sizeof(struct plugin_options),
    .defaults = &defaults,
    .run = run,
};
