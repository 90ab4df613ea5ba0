/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/pcap.h"
#include "cli/vm_input.h"
#include "cli/vm_records.h"
#include "isa/disasm.h"
#include "vm/btf/btf.h"
#include "vm/exec.h"
#include "vm/program.h"
#include "vm/vm.h"

#define TEXT_MAX (1U << 20)

struct run_options {
    const char *memory, *context, *pcap, *records, *out, *type, *btf;
    enum skep_vm_mode mode;
    uint64_t fuel;
    bool trace, json;
};

#define TO(member) offsetof(struct run_options, member)

static const struct skep_option input[] = {
    {"mem", 'm', "HEX", SKEP_OPTION_STRING, TO(memory),
     .help = "memory of the program (r1 is its address, r2 its size), or its packet"},
    {"ctx", 'c', "FILE", SKEP_OPTION_STRING, TO(context), .help = "the same from a file"},
    {"pcap", 0, "FILE", SKEP_OPTION_STRING, TO(pcap), .help = "run over each packet of a capture"},
    {"records", 0, "FILE", SKEP_OPTION_STRING, TO(records),
     .help =
         "run over each record of a recording (skep record); a program in a section skep/KIND over those of that "
         "kind"},
    {"type", 0, "NAME", SKEP_OPTION_STRING, TO(type),
     .help = "context of a program that is no object: xdp or skb; with --pcap xdp unless said otherwise"},
    {0},
};

static const struct skep_option how[] = {
    {"interpret", 0, NULL, SKEP_OPTION_VALUE, TO(mode),
     .help = "interpret the program, as it is unless --pcap or --records is given",
     .value = SKEP_VM_MODE_INTERPRET},
    {"jit", 0, NULL, SKEP_OPTION_VALUE, TO(mode), .help = "translate it to machine code with all checks",
     .value = SKEP_VM_MODE_JIT},
    {"btf", 0, "FILE", SKEP_OPTION_STRING, TO(btf),
     .help = "fit the object to these types (CO-RE): raw BTF, as /sys/kernel/btf/vmlinux"},
    {"fuel", 0, "NUMBER", SKEP_OPTION_NUMBER, TO(fuel), .help = "most instructions of a run, else 1000000"},
    {0},
};

static const struct skep_option output[] = {
    {"trace", 0, NULL, SKEP_OPTION_FLAG, TO(trace), .help = "print registers before each instruction"},
    {"out", 'o', "FILE", SKEP_OPTION_STRING, TO(out),
     .help = "write the packets that pass, as the program left them, to a capture"},
    {"json", 'j', NULL, SKEP_OPTION_FLAG, TO(json), .help = "JSON objects, one on each line"},
    {0},
};

static const struct skep_option_group groups[] = {{"Input", input}, {"How", how}, {"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep vm run sum.s --mem 01020304", "run an assembly program over four bytes"},
    {"skep vm run filter.o:xdp_drop --pcap in.pcap --out out.pcap",
     "see what an XDP program does with a capture"},
    {"skep vm run filter.o:classify --ctx record.bin --trace", "see what a program does with some bytes"},
    {"skep vm run count.o --records host.skep", "run a program over what skep record has recorded"},
    {0},
};

/* ---- trace ---- */

struct tracer {
    struct skep_strbuf text;
    bool json;
};

static void put_registers(struct skep_json *j, const uint64_t registers[11])
{
    skep_json_open(j, "registers", '[');
    for (unsigned i = 0; i < 11; i++) {
        char text[19];
        snprintf(text, sizeof(text), "0x%llx", (unsigned long long)registers[i]);
        skep_json_strz(j, NULL, text);
    }
    skep_json_close(j, ']');
}

static void disassemble(const struct skep_vm_program *p, uint32_t insn, struct skep_strbuf *sb)
{
    size_t n;
    const struct skep_insn *insns = skep_vm_program_insns(p, &n);
    if (insn < n)
        skep_disasm_insn(insns, n, insn, SKEP_SYNTAX_C, sb);
}

static void trace(void *data, const struct skep_vm_program *p, uint32_t insn, const uint64_t registers[11])
{
    struct tracer *t = data;
    _cleanup_strbuf_ struct skep_strbuf code;
    skep_strbuf_init(&code, 1024);
    disassemble(p, insn, &code);
    skep_strbuf_reset(&t->text);
    if (t->json) {
        struct skep_json j;
        skep_json_init(&j, &t->text);
        skep_json_open(&j, NULL, '{');
        skep_json_strz(&j, "program", skep_vm_program_name(p));
        skep_json_u64(&j, "instruction", insn);
        skep_json_str(&j, "code", code.s, code.len);
        put_registers(&j, registers);
        skep_json_close(&j, '}');
    } else {
        skep_strbuf_printf(&t->text, "%5u: %-40s", insn, code.s);
        for (unsigned i = 0; i < 11; i++)
            skep_strbuf_printf(&t->text, " r%u=%llx", i, (unsigned long long)registers[i]);
    }
    skep_strbuf_putc(&t->text, '\n');
    fputs(t->text.s, stdout);
}

/* ---- results ---- */

static void put_result(struct skep_vm_thread *t, const struct skep_vm_program *p, int r, uint64_t value,
                       const struct run_options *o, struct skep_strbuf *sb)
{
    const struct skep_vm_error *error = skep_vm_thread_error(t);
    _cleanup_strbuf_ struct skep_strbuf code;
    skep_strbuf_init(&code, 1024);
    if (r < 0)
        disassemble(p, error->insn, &code);
    if (!o->json) {
        if (r == 0)
            skep_strbuf_printf(sb, "0x%llx\n", (unsigned long long)value);
        else if (code.len)
            skep_strbuf_printf(sb, "    %u: %s\n", error->insn, code.s);
        const struct skep_exec *e = skep_exec_of(t);
        for (unsigned i = 0; r < 0 && e->has_registers && i < ARRAY_SIZE(e->registers); i++)
            skep_strbuf_printf(sb, "%sr%u=0x%llx%s", i % 4 ? " " : "    ", i,
                               (unsigned long long)e->registers[i], i % 4 == 3 || i == 10 ? "\n" : "");
        return;
    }
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    skep_json_strz(&j, "program", skep_vm_program_name(p));
    if (r == 0) {
        skep_json_u64(&j, "result", value);
    } else {
        skep_json_open(&j, "error", '{');
        skep_json_strz(&j, "fault", skep_vm_fault_name(error->fault));
        if (error->insn != UINT32_MAX)
            skep_json_u64(&j, "instruction", error->insn);
        if (code.len)
            skep_json_str(&j, "code", code.s, code.len);
        skep_json_strz(&j, "message", error->message);
        if (skep_exec_of(t)->has_registers)
            put_registers(&j, skep_exec_of(t)->registers);
        skep_json_close(&j, '}');
    }
    skep_json_u64(&j, "instructions", skep_vm_thread_used(t));
    skep_json_close(&j, '}');
    skep_strbuf_putc(sb, '\n');
}

struct memory {
    uint8_t *bytes;
    size_t size;
};

static int run_over(struct skep_vm_thread *t, const struct skep_vm_program *p, const struct memory *m,
                    const struct run_options *o)
{
    struct tracer tracer = {.json = o->json};
    skep_strbuf_init(&tracer.text, TEXT_MAX);
    if (o->trace)
        skep_vm_thread_set_trace(t, trace, &tracer);
    uint64_t value = 0;
    int r = skep_vm_run_bytes(t, p, m->bytes, m->size, &value);
    skep_strbuf_clear(&tracer.text);
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, TEXT_MAX);
    put_result(t, p, r, value, o, &text);
    if (r < 0 && !o->json) {
        fflush(stdout);
        const char *message = skep_vm_thread_error(t)->message;
        skep_log_error(r, "%s", message[0] ? message : strerror(-r));
        fputs(text.s, stderr);
        return SKEP_EXIT_FAILED;
    }
    int status = skep_print(&text);
    return r < 0 ? SKEP_EXIT_FAILED : status;
}

/* ---- captures ---- */

struct replay {
    struct skep_vm_thread *t;
    const struct skep_vm_program *p;
    struct skep_vm_packet *packet;
    const struct run_options *o;
    struct skep_strbuf text, kept;
    uint64_t n, failed;
};

static const char *verdict_name(uint64_t value)
{
    static const char *const names[] = {"ABORTED", "DROP", "PASS", "TX", "REDIRECT"};
    return value < ARRAY_SIZE(names) ? names[value] : "UNKNOWN";
}

/* Whether the packet goes on: XDP_PASS, XDP_TX and XDP_REDIRECT, or for skb anything but TC_ACT_SHOT and
 * its like. */
static bool goes_on(const struct replay *r, uint64_t value)
{
    bool skb = r->p->context && skep_streq(r->p->context->name, "skb");
    const uint64_t shot = 2, stolen = 4, queued = 5;
    return skb ? value != shot && value != stolen && value != queued : value >= 2 && value <= 4;
}

static void put_verdict(struct replay *r, int error, uint64_t value, size_t size)
{
    const bool xdp = r->p->context && skep_streq(r->p->context->name, "xdp");
    const char *message = skep_vm_thread_error(r->t)->message;
    if (!r->o->json) {
        if (error < 0)
            skep_strbuf_printf(&r->text, "%llu: error: %s\n", (unsigned long long)r->n, message);
        else if (xdp)
            skep_strbuf_printf(&r->text, "%llu: %s %zu\n", (unsigned long long)r->n, verdict_name(value),
                               size);
        else
            skep_strbuf_printf(&r->text, "%llu: %lld %zu\n", (unsigned long long)r->n,
                               (long long)(int32_t)value, size);
        return;
    }
    struct skep_json j;
    skep_json_init(&j, &r->text);
    skep_json_open(&j, NULL, '{');
    skep_json_u64(&j, "packet", r->n);
    if (error < 0) {
        skep_json_strz(&j, "fault", skep_vm_fault_name(skep_vm_thread_error(r->t)->fault));
        skep_json_strz(&j, "message", message);
    } else {
        skep_json_u64(&j, "result", value);
        if (xdp)
            skep_json_strz(&j, "verdict", verdict_name(value));
        skep_json_u64(&j, "size", size);
    }
    skep_json_close(&j, '}');
    skep_strbuf_putc(&r->text, '\n');
}

static int replay_packet(struct replay *r, const struct skep_pcap_packet *in)
{
    int error = skep_vm_packet_set(r->packet, in->data, in->size);
    if (error < 0)
        return error;
    uint64_t value = 0;
    r->n++;
    error = skep_vm_run_packet(r->t, r->p, r->packet, &value);
    r->failed += error < 0;
    size_t size;
    const void *data = skep_vm_packet_data(r->packet, &size);
    value &= UINT32_MAX;
    put_verdict(r, error, value, size);
    if (r->o->out && error == 0 && goes_on(r, value))
        skep_pcap_put_packet(in, data, size, &r->kept);
    int status = skep_print(&r->text);
    skep_strbuf_reset(&r->text);
    return status == SKEP_EXIT_OK ? 0 : -EIO;
}

static int write_kept(const struct replay *r)
{
    if (r->kept.failed)
        return skep_log_error(SKEP_EXIT_FAILED, "%s would be larger than 1 GiB", r->o->out);
    _cleanup_fclose_ FILE *f = fopen(r->o->out, "we");
    if (!f || fwrite(r->kept.s, 1, r->kept.len, f) != r->kept.len || fflush(f))
        return skep_log_error(SKEP_EXIT_FAILED, "cannot write %s: %s", r->o->out, strerror(errno));
    return SKEP_EXIT_OK;
}

static int replay_all(struct replay *r)
{
    _cleanup_free_ uint8_t *bytes = NULL;
    size_t size;
    struct skep_pcap in;
    struct skep_pcap_packet packet;
    if (skep_vm_read_file(r->o->pcap, &bytes, &size) < 0)
        return SKEP_EXIT_FAILED;
    if (skep_pcap_open(bytes, size, &in) < 0)
        return skep_log_error(
            SKEP_EXIT_FAILED, "%s is no capture in the pcap format%s", r->o->pcap,
            skep_pcap_is_ng(bytes, size) ? ", but in pcapng: editcap -F pcap turns it into one" : "");
    if (in.link != SKEP_PCAP_ETHERNET)
        return skep_log_error(SKEP_EXIT_FAILED, "%s has no Ethernet packets (link type %u)", r->o->pcap,
                              in.link);
    skep_pcap_put_header(&in, &r->kept);
    int more;
    while ((more = skep_pcap_next(&in, &packet)) > 0) {
        int error = replay_packet(r, &packet);
        if (error < 0)
            return skep_log_error(SKEP_EXIT_FAILED, "packet %llu: %s", (unsigned long long)r->n,
                                  strerror(-error));
    }
    if (more < 0)
        return skep_log_error(SKEP_EXIT_FAILED, "%s is cut off behind packet %llu", r->o->pcap,
                              (unsigned long long)r->n);
    int status = r->o->out ? write_kept(r) : SKEP_EXIT_OK;
    return r->failed ? SKEP_EXIT_FAILED : status;
}

static int run_capture(struct skep_vm *vm, struct skep_vm_thread *t, const struct skep_vm_program *p,
                       const struct run_options *o)
{
    struct replay r = {.t = t, .p = p, .o = o};
    int error = skep_vm_packet_new(vm, SKEP_PCAP_PACKET_MAX, &r.packet);
    if (error < 0)
        return error;
    skep_strbuf_init(&r.text, TEXT_MAX);
    skep_strbuf_init(&r.kept, 1U << 30);
    int status = replay_all(&r);
    skep_strbuf_clear(&r.text);
    skep_strbuf_clear(&r.kept);
    skep_vm_packet_free(r.packet);
    return status;
}

/* What programs print goes where errors go: results stay alone on standard output. */
static void print(void *data, const char *text, size_t len)
{
    (void)data;
    _cleanup_strbuf_ struct skep_strbuf line;
    skep_strbuf_init(&line, TEXT_MAX);
    skep_strbuf_put_visible(&line, text, len);
    fflush(stdout);
    fprintf(stderr, "printk: %s\n", line.s);
}

static int run_input(struct skep_vm_input *in, const struct memory *m, const struct run_options *o)
{
    struct skep_vm *vm;
    const struct skep_vm_options vm_options = {.size = sizeof(vm_options), .print = print};
    int r = skep_vm_new(&vm_options, &vm);
    if (r < 0)
        return r;
    const struct skep_vm_thread_options thread_options = {.size = sizeof(thread_options), .fuel = o->fuel};
    struct skep_vm_thread *t;
    struct skep_vm_object *object = NULL;
    struct skep_vm_program *p;
    in->context = o->type ? o->type : o->pcap ? "xdp" : NULL;
    r = skep_vm_thread_new(vm, &thread_options, &t);
    if (r == 0) {
        /* single runs are short, and an interpreted one can show its registers */
        enum skep_vm_mode mode = o->mode || o->pcap || o->records ? o->mode : SKEP_VM_MODE_INTERPRET;
        if (skep_vm_input_load(in, vm, mode, &object, &p) < 0)
            r = SKEP_EXIT_FAILED;
        else
            r = o->pcap      ? run_capture(vm, t, p, o)
                : o->records ? skep_vm_run_records(t, p, o->records, o->json)
                             : run_over(t, p, m, o);
    }
    skep_vm_object_free(object);
    skep_vm_free(vm);
    return r;
}

/* Also objects that have nothing to be fitted are told that the file is none of types. */
static int read_types(const char *path, struct skep_vm_input *in)
{
    struct skep_btf *btf;
    char message[SKEP_BTF_MESSAGE_MAX] = "no memory";
    int r = skep_vm_read_file(path, &in->btf, &in->btf_size);
    if (r < 0)
        return r;
    r = skep_btf_new(in->btf, in->btf_size, NULL, NULL, &btf, message);
    if (r < 0)
        return skep_log_error(r, "%s: %s", path, message);
    skep_btf_free(btf);
    return 0;
}

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct run_options *o = options;
    if ((o->memory != NULL) + (o->context != NULL) + (o->pcap != NULL) + (o->records != NULL) > 1)
        return skep_usage_error(self, "--mem, --ctx, --pcap and --records exclude each other");
    if ((o->pcap || o->records) && o->trace)
        return skep_usage_error(self, "--trace is for a single run, not for --pcap or --records");
    if (o->out && !o->pcap)
        return skep_usage_error(self, "--out goes with --pcap");
    if (o->trace && o->mode == SKEP_VM_MODE_JIT)
        return skep_usage_error(self, "--trace is for interpreted programs");
    _cleanup_free_ uint8_t *bytes = NULL;
    struct memory m = {0};
    if (o->memory && skep_vm_hex(o->memory, strlen(o->memory), &bytes, &m.size) < 0)
        return skep_usage_error(self, "--mem wants bytes in hex");
    if (o->context && skep_vm_read_file(o->context, &bytes, &m.size) < 0)
        return SKEP_EXIT_FAILED;
    m.bytes = bytes;
    _cleanup_vm_input_ struct skep_vm_input in = {0};
    if (skep_vm_input_open(args->args[0], &in) < 0)
        return SKEP_EXIT_FAILED;
    if (o->btf && !in.elf)
        return skep_usage_error(self, "--btf is for objects");
    if (o->btf && read_types(o->btf, &in) < 0)
        return SKEP_EXIT_FAILED;
    return run_input(&in, &m, o);
}

static const struct run_options defaults;

const struct skep_command skep_command_vm_run = {
    .description =
        "Runs a program once and prints its result, r0; or over each packet of a capture and prints what it "
        "says of it. OBJ is an ELF object (PROGRAM names one of its programs, else "
        "it is the first), instructions as bytes or hex text, or assembly.",
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .options_size = sizeof(struct run_options),
    .defaults = &defaults,
    .run = run,
};
