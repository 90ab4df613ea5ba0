/* SPDX-License-Identifier: Apache-2.0 */
#include "load/btf.h"

#include "abi/event.h"
#include "base/macro.h"

#include "skep.skel.h"

#include <elf.h>

/* The object is our own, but it is read like any other: nothing outside of its bounds. */
int skep_object_btf(const void **ret, size_t *ret_size)
{
    size_t size;
    const char *elf = skep_bpf__elf_bytes(&size);
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)elf;
    if (size < sizeof(*eh) || eh->e_shoff > size || eh->e_shnum > (size - eh->e_shoff) / sizeof(Elf64_Shdr) ||
        eh->e_shstrndx >= eh->e_shnum)
        return -EBADMSG;
    const Elf64_Shdr *sh = (const Elf64_Shdr *)(elf + eh->e_shoff), *names = &sh[eh->e_shstrndx];
    for (size_t i = 0; i < eh->e_shnum; i++) {
        if (names->sh_offset > size || sh[i].sh_name > size - names->sh_offset ||
            size - names->sh_offset - sh[i].sh_name < sizeof(".BTF"))
            continue;
        if (memcmp(elf + names->sh_offset + sh[i].sh_name, ".BTF", sizeof(".BTF")) != 0)
            continue;
        if (sh[i].sh_offset > size || sh[i].sh_size > size - sh[i].sh_offset)
            return -EBADMSG;
        *ret = elf + sh[i].sh_offset;
        *ret_size = sh[i].sh_size;
        return 0;
    }
    return -EBADMSG;
}
