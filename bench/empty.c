/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaches a program that does nothing to the raw tracepoint sys_exit, says so, and waits to be ended: what
 * watching system calls costs at the very least.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    static const struct bpf_insn insns[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
    attr.insns = (uintptr_t)insns;
    attr.insn_cnt = 2;
    attr.license = (uintptr_t) "GPL";
    int prog = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
    memset(&attr, 0, sizeof(attr));
    attr.raw_tracepoint.name = (uintptr_t) "sys_exit";
    attr.raw_tracepoint.prog_fd = (uint32_t)prog;
    if (prog < 0 || syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr)) < 0) {
        perror("bpf");
        return 1;
    }
    fputs("ready\n", stderr);
    pause();
    return 0;
}
