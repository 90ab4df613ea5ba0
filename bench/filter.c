/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter WHAT [CALL...]: the filter stage by itself, for measuring: observes open (the calls named, else all of them),
 * with a filter that is made by hand, says that it is ready, and waits to be ended. Nothing is read from the rings.
 *
 *   drop     drops every record
 *   prefix   drops what does not begin with "/secret/", read as a word
 *   early    the same, by the flags: nothing is read for what is not opened to be written
 *   pass     passes every record
 *   none     no filter
 *   nothing  observes nothing but the life cycle
 */
#include <signal.h>

#include "load/swap.h"
#include "rule/compile/frame.h"

static void body(struct skep_build *b, const char *what, unsigned pass, unsigned drop)
{
    uint64_t word;
    if (strcmp(what, "drop") == 0 || strcmp(what, "early") == 0)
        skep_build_jump(b, drop);
    if (strcmp(what, "pass") == 0)
        skep_build_jump(b, pass);
    if (strcmp(what, "prefix") != 0)
        return;
    memcpy(&word, "/secret/", 8);
    skep_build_load(b, SKEP_OP_LDXW, 1, 6, offsetof(struct skep_ev_open, path));
    skep_build_jump_imm(b, SKEP_OP_JGT_IMM, 1, SKEP_RECORD_MAX, drop);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 2, 6);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 2, 1);
    skep_build_load(b, SKEP_OP_LDXDW, 3, 2, 0);
    skep_build_wide(b, SKEP_OP_LDDW, 4, (uint32_t)word, (uint32_t)(word >> 32));
    skep_build_jump_reg(b, SKEP_OP_JEQ_REG, 3, 4, pass);
    skep_build_jump(b, drop);
}

static int make(struct skep_kernel *k, const char *what, struct skep_filters **ret, char *reason, size_t size)
{
    struct skep_frame frame = {.kind = SKEP_FRAME_KERNEL,
                               .event = SKEP_KIND_open,
                               .scratch_map = 0,
                               .counters_map = 1,
                               .filters_map = 2};
    struct skep_filter_program p = {0};
    struct skep_insn *insns = NULL;
    struct skep_build b;
    unsigned pass, drop;
    skep_build_init(&b, 4096);
    skep_frame_begin(&frame, &b, &pass, &drop);
    body(&b, what, pass, drop);
    skep_frame_end(&frame, &b, pass, drop);
    int r = skep_build_finish(&b, &insns, &p.n_insns);
    skep_build_clear(&b);
    p.insns = insns;
    p.late_raw_path = true;
    if (r >= 0)
        r = skep_filters_new(k, NULL, 0, ret, reason, size);
    if (r >= 0) {
        r = skep_filters_load(*ret, SKEP_KIND_open, &p);
        if (r < 0)
            snprintf(reason, size, "%s", skep_filters_reason(*ret, SKEP_KIND_open));
    }
    const struct skep_filter_early writes = {.flags = {2, {{3, 1}, {3, 2}}}};
    if (r >= 0 && strcmp(what, "early") == 0)
        r = skep_filters_early(*ret, SKEP_KIND_open, &writes);
    free(insns);
    return r;
}

int main(int argc, char **argv)
{
    _cleanup_kernel_ struct skep_kernel *k = NULL;
    _cleanup_filters_ struct skep_filters *filters = NULL;
    struct skep_selection s = {0};
    struct skep_kernel_options o = {.selection = &s};
    char reason[512] = "";
    if (argc < 2)
        return 2;
    const char *what = argv[1];
    int r = 0;
    for (int i = 2; r >= 0 && i < argc; i++)
        r = skep_selection_call(&s, SKEP_KIND_open, argv[i]);
    if (argc == 2 && strcmp(what, "nothing") != 0)
        skep_selection_kind(&s, SKEP_KIND_open);
    if (r >= 0)
        r = skep_kernel_open(&o, &k, reason, sizeof(reason));
    if (r >= 0)
        r = skep_kernel_attach(k, reason, sizeof(reason));
    if (r >= 0 && strcmp(what, "none") != 0 && strcmp(what, "nothing") != 0) {
        r = make(k, what, &filters, reason, sizeof(reason));
        if (r >= 0)
            r = skep_kernel_swap(k, &s, TAKE_PTR(filters), NULL, NULL, reason, sizeof(reason));
    }
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", strerror(-r), reason);
        return 1;
    }
    sigset_t set;
    int sig;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fputs("ready\n", stderr);
    sigwait(&set, &sig);
    static struct skep_counters sum[SKEP_KIND_MAX];
    if (skep_kernel_counters(k, sum) >= 0)
        fprintf(stderr, "open: seen %llu submitted %llu filtered %llu\n",
                (unsigned long long)sum[SKEP_KIND_open].seen,
                (unsigned long long)sum[SKEP_KIND_open].submitted,
                (unsigned long long)sum[SKEP_KIND_open].filtered);
    return 0;
}
