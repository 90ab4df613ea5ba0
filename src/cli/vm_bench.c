/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "cli/bench/bench.h"
#include "cli/command.h"

#define TEXT_MAX (1U << 20)

struct bench_options {
    uint64_t rounds;
    uint64_t each;
    bool json;
};

static const struct bench_options defaults = {.rounds = 7, .each = 5000000};

static const struct skep_option how[] = {
    {"rounds", 0, "N", SKEP_OPTION_NUMBER, offsetof(struct bench_options, rounds),
     .help = "measure each variant N times and take the least (7)"},
    {"each", 0, "DURATION", SKEP_OPTION_DURATION, offsetof(struct bench_options, each),
     .help = "run each program for about that long, natively (5ms)"},
    {0},
};

static const struct skep_option output[] = {
    {"json", 'j', NULL, SKEP_OPTION_FLAG, offsetof(struct bench_options, json), .help = "one JSON document"},
    {0},
};

static const struct skep_option_group groups[] = {{"How", how}, {"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep vm bench", "the table, after about a minute"},
    {"skep vm bench --rounds 1 --each 1ms", "a quick look"},
    {0},
};

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct bench_options *o = options;
    (void)args;
    if (o->rounds > 1000 || o->each > 1000000000)
        return skep_usage_error(self, "at most 1000 rounds, of at most a second each");
    struct skep_bench_result result;
    _cleanup_strbuf_ struct skep_strbuf error, text;
    skep_strbuf_init(&error, 1024);
    skep_strbuf_init(&text, TEXT_MAX);
    if (skep_bench_run((unsigned)o->rounds, (double)o->each / 1e9, &result, &error) < 0) {
        return skep_log_error(-EINVAL, "%s", error.s), SKEP_EXIT_FAILED;
    }
    if (o->json) {
        struct skep_json j;
        skep_json_init(&j, &text);
        skep_bench_put_json(&result, &j);
        skep_strbuf_putc(&text, '\n');
    } else {
        skep_bench_put_text(&result, &text);
    }
    return skep_print(&text);
}

const struct skep_command skep_command_vm_bench = {
    .description =
        "Measures the engine on this machine: the same programs as C, interpreted, as machine code with and "
        "without checks, and in the kernel where it lets us. All must give the same results; times are the "
        "least of several rounds in which the variants take turns.",
    .groups = groups,
    .examples = examples,
    .options_size = sizeof(struct bench_options),
    .defaults = &defaults,
    .run = run,
};
