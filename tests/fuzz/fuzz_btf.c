/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as BTF, and instructions relocated from it to itself and to what the rest of the bytes hold: the first four
 * bytes say how long the first one is.
 */
#include "vm/btf/btf.h"
#include "vm/btf/btf_dump.h"
#include "vm/btf/core.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* What was accepted can be walked without looking. */
static void walk(const struct skep_btf *btf)
{
    for (uint32_t id = 1; id < skep_btf_count(btf); id++) {
        const struct btf_type *t = skep_btf_type(btf, id);
        check(t != NULL);
        check(skep_btf_name(btf, t)[0] == '\0' || strlen(skep_btf_name(btf, t)) > 0);
        const struct btf_type *to = skep_btf_resolve(btf, id);
        check(!to || BTF_INFO_KIND(to->info) != BTF_KIND_TYPEDEF);
        check(skep_btf_size(btf, id) >= -EINVAL);
    }
    check(skep_btf_type(btf, 0) == NULL && skep_btf_type(btf, skep_btf_count(btf)) == NULL);
}

static void relocate(const struct skep_btf *local, const struct skep_btf *target)
{
    static const char *const accesses[] = {"0", "0:0", "0:1", "1:0", "0:0:0", "0:2:1"};
    SKEP_CLEANUP(skep_core_freep) struct skep_core *core = NULL;
    check(skep_core_new(local, target, NULL, &core) == 0);
    for (uint32_t id = 0; id <= skep_btf_count(local) && id < 12; id++)
        for (uint32_t kind = 0; kind <= 13; kind++)
            for (size_t i = 0; i < ARRAY_SIZE(accesses); i++) {
                struct skep_insn insns[2] = {{.code = 0xb7}, {.code = 0x95}};
                char message[SKEP_CORE_MESSAGE_MAX] = "";
                int r = skep_core_relocate(core, id, kind, accesses[i], insns, 2, 0, message);
                check(r == -EINVAL || r == 0 || r == 1);
                check((r == 0) == (message[0] == '\0'));
                check(insns[1].code == 0x95);
            }
}

static void dump(const struct skep_btf *btf)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    check(skep_btf_dump_c(btf, &sb) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint32_t first;
    char message[SKEP_BTF_MESSAGE_MAX];
    if (n < sizeof(first))
        return 0;
    memcpy(&first, data, sizeof(first));
    data += sizeof(first);
    n -= sizeof(first);
    SKEP_CLEANUP(skep_btf_freep) struct skep_btf *local = NULL;
    SKEP_CLEANUP(skep_btf_freep) struct skep_btf *target = NULL;
    SKEP_CLEANUP(skep_btf_freep) struct skep_btf *split = NULL;
    size_t len = MIN((size_t)first, n);
    if (skep_btf_new(data, len, NULL, NULL, &local, message) < 0)
        return 0;
    walk(local);
    dump(local);
    relocate(local, local);
    if (skep_btf_new(data + len, n - len, NULL, NULL, &target, message) == 0)
        relocate(local, target);
    if (skep_btf_new(data + len, n - len, local, NULL, &split, message) == 0) {
        walk(split);
        dump(split);
    }
    return 0;
}
