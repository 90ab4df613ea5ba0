/* SPDX-License-Identifier: Apache-2.0 */
/* Types as they are where a program of core_local.bpf.c runs. */
#include "object.h"

struct inner {
    u64 before;
    u32 b, a;
};
struct thing {
    u64 new;
    union {
        struct {
            u32 unused;
            u32 second;
        };
    };
    u32 first;
    struct inner in;
    u32 padding;
    u16 array[8];
    u32 other : 9, bits : 4, more : 3;
    u64 number;
    s64 sign;
    void *pointer;
    float changed;
};
struct twin {
    u32 a, x;
};
struct twin___2 {
    u32 x;
};
struct far {
    u8 space[40000];
    u32 x;
};
struct same {
    struct inner *in;
    u32 x;
    u32 more;
};
struct differs {
    u32 x;
};
union choice {
    u32 x;
};
enum color { GREEN = 20, RED = 10 };
enum large { LARGE = 0x100000005 };
typedef u32 number_t;
typedef void (*callback_t)(u32);
typedef void (*other_t)(u32, u32);

struct thing g_thing;
struct twin g_twin;
struct twin___2 g_twin2;
struct far g_far;
struct same g_same;
struct differs g_differs;
union choice g_choice;
enum color g_color;
enum large g_large;
number_t g_number;
callback_t g_callback;
other_t g_other;
