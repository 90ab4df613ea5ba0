/* SPDX-License-Identifier: Apache-2.0 */
/* Types as a program was compiled with; core_target.bpf.c has those that it meets. */
#include "object.h"

struct inner {
    u32 a, b;
};
struct thing {
    u32 first;
    u32 second;
    struct inner in;
    u16 array[4];
    u32 bits : 5, more : 7;
    u32 number;
    s32 sign;
    void *pointer;
    u32 gone;
    u32 changed;
};
struct thing___flavour {
    u32 second;
};
struct nobody {
    u32 x;
};
struct twin {
    u32 x;
};
struct far {
    u32 x;
};
struct same {
    u32 x;
    struct inner *in;
};
struct differs {
    u32 x;
    u32 y;
};
union choice {
    u32 x;
};
enum color { RED = 1, GREEN = 2, BLUE = 3 };
enum large { LARGE = 1 };
typedef u32 number_t;
typedef void (*callback_t)(u32);
typedef void (*other_t)(u32);

struct thing g_thing;
struct thing___flavour g_flavour;
struct nobody g_nobody;
struct twin g_twin;
struct far g_far;
struct same g_same;
struct differs g_differs;
union choice g_choice;
enum color g_color;
enum large g_large;
number_t g_number;
callback_t g_callback;
other_t g_other;
