/* SPDX-License-Identifier: Apache-2.0 */
/* One relocation of every kind that the oldest compiler knows, against types of the running kernel: what libbpf makes of
 * each instruction is what we make of it. */
#include "object.h"

#define ACCESS __attribute__((preserve_access_index))

struct list_head {
    struct list_head *next, *prev;
} ACCESS;
struct task_struct {
    int pid;
    int tgid;
    char comm[16];
    struct task_struct *real_parent;
} ACCESS;
struct task_struct___other {
    int nothing_here;
} ACCESS;
struct task_struct___wrong {
    float pid;
} ACCESS;
struct nobody___here {
    int a;
} ACCESS;
struct sk_buff {
    unsigned len;
    unsigned pkt_type : 3;
    u8 ip_summed : 2;
} ACCESS;
struct linux_binprm {
    unsigned have_execfd : 1;
    unsigned secureexec : 1;
} ACCESS;
struct page {
    union {
        struct {
            struct list_head lru;
        };
    };
} ACCESS;
enum bpf_map_type { BPF_MAP_TYPE_HASH = 77, BPF_MAP_TYPE_NOBODY = 78 };
typedef int (*never_t)(int);

enum { OFFSET, SIZE, EXISTS, SIGNED, LSHIFT, RSHIFT };
#define FIELD(field, fact) value = __builtin_preserve_field_info(field, fact)
#define FACTS(field)                                                                                         \
    FIELD(field, OFFSET);                                                                                    \
    FIELD(field, SIZE);                                                                                      \
    FIELD(field, EXISTS);                                                                                    \
    FIELD(field, SIGNED);                                                                                    \
    FIELD(field, LSHIFT);                                                                                    \
    FIELD(field, RSHIFT)
#define ABOUT(type)                                                                                          \
    value = __builtin_preserve_type_info(*(type *)0, 0);                                                     \
    value = __builtin_preserve_type_info(*(type *)0, 1);                                                     \
    value = __builtin_btf_type_id(*(type *)0, 1)
#define ENUMERATOR(type, name)                                                                               \
    value = __builtin_preserve_enum_value(*(type *)name, 0);                                                 \
    value = __builtin_preserve_enum_value(*(type *)name, 1)

#define FROM(type) ((type *)ctx)

SEC("raw_tp") int kinds(void *ctx)
{
    volatile u64 value;
    value = FROM(struct task_struct)->pid;
    value = FROM(struct task_struct)->comm[3];
    value = (u64)FROM(struct task_struct)->real_parent;
    FACTS(FROM(struct task_struct)->tgid);
    FACTS(FROM(struct sk_buff)->pkt_type);
    FACTS(FROM(struct sk_buff)->ip_summed);
    FACTS(FROM(struct sk_buff)->len);
    FACTS(FROM(struct linux_binprm)->secureexec);
    FIELD(FROM(struct page)->lru.prev, OFFSET);
    FIELD(FROM(struct page)->lru.prev, SIZE);
    FIELD(FROM(struct page)->lru.prev, EXISTS);
    FIELD(FROM(struct task_struct)->comm, SIZE);
    FIELD(FROM(struct task_struct___other)->nothing_here, EXISTS);
    FIELD(FROM(struct task_struct___other)->nothing_here, OFFSET);
    FIELD(FROM(struct task_struct___wrong)->pid, EXISTS);
    FIELD(FROM(struct nobody___here)->a, EXISTS);
    ABOUT(struct task_struct);
    ABOUT(struct list_head);
    ABOUT(never_t);
    ENUMERATOR(enum bpf_map_type, BPF_MAP_TYPE_HASH);
    ENUMERATOR(enum bpf_map_type, BPF_MAP_TYPE_NOBODY);
    return 0;
}

char terms[] SEC("license") = "GPL";
