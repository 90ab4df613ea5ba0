/* SPDX-License-Identifier: Apache-2.0 */
/* A call through a pointer. Compilers before clang 19 have the register in another place of the instruction. */
#include "object.h"

static NOINLINE u64 twice(u64 a)
{
    return 2 * a;
}

static NOINLINE u64 square(u64 a)
{
    return a * a;
}

int program(u8 *memory, u64 size)
{
    u64 (*f)(u64) = size ? twice : square;
    __asm__ volatile("" : "+r"(f)); /* or it would be two calls */
    return (int)f(size ? memory[0] : 9);
}
