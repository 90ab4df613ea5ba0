/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing but .text, as a compiler leaves it: the global functions are the programs. */
#include "object.h"

static NOINLINE int twice(int a)
{
    return 2 * a;
}

int program(u8 *memory, u64 size)
{
    return size ? twice(memory[0]) : twice(21);
}
