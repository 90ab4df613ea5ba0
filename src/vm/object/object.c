/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/object/object.h"

int skep_vm_object_open(struct skep_vm *vm, const void *elf, size_t size,
                        const struct skep_vm_object_options *given, struct skep_vm_object **ret_object)
{
    struct skep_vm_object_options o = {0};
    if (given)
        memcpy(&o, given, MIN(given->size, sizeof(o)));
    struct skep_vm_object *object = skep_vm_calloc(vm, 1, sizeof(*object));
    if (!object)
        return -ENOMEM;
    object->vm = vm;
    object->options = o;
    struct skep_elf_options elf_options = {
        .name = o.name,
        .allocator = &vm->allocator,
        .log = o.log,
        .log_data = o.log_data,
    };
    int r = skep_elf_open(elf, size, &elf_options, &object->elf);
    if (r == 0) {
        object->maps = skep_vm_calloc(vm, object->elf->n_maps, sizeof(struct skep_vm_map *));
        object->programs = skep_vm_calloc(vm, object->elf->n_programs, sizeof(struct skep_vm_program *));
        r = object->maps && object->programs ? 0 : skep_elf_no_memory(object->elf);
    }
    if (r < 0) {
        skep_vm_object_free(object);
        return r;
    }
    *ret_object = object;
    return 0;
}

struct skep_vm_object *skep_vm_object_free(struct skep_vm_object *object)
{
    if (!object)
        return NULL;
    for (uint32_t i = 0; object->programs && i < object->elf->n_programs; i++)
        skep_vm_program_unref(object->programs[i]);
    for (uint32_t i = 0; object->maps && i < object->elf->n_maps; i++)
        skep_vm_map_unref(object->maps[i]);
    skep_vm_release(object->vm, object->programs);
    skep_vm_release(object->vm, object->maps);
    skep_elf_close(object->elf);
    skep_vm_release(object->vm, object);
    return NULL;
}

struct skep_vm_program *skep_vm_object_program(struct skep_vm_object *object, const char *name, size_t number)
{
    for (uint32_t i = 0; i < object->elf->n_programs; i++) {
        if (!object->programs[i])
            continue;
        if (name ? skep_streq(object->elf->programs[i].name, name) : number == 0)
            return object->programs[i];
        number--;
    }
    return NULL;
}

struct skep_vm_map *skep_vm_object_map(struct skep_vm_object *object, const char *name, size_t number)
{
    for (uint32_t i = 0; i < object->elf->n_maps; i++) {
        if (!object->maps[i])
            continue;
        if (name ? skep_streq(object->elf->maps[i].name, name) : number == 0)
            return object->maps[i];
        number--;
    }
    return NULL;
}

int skep_vm_object_load(struct skep_vm_object *object)
{
    if (object->loaded)
        return -EALREADY;
    object->loaded = true;
    int r = skep_object_make_maps(object);
    if (r == 0)
        r = skep_object_fill_maps(object);
    if (r == 0)
        r = skep_object_load_programs(object);
    if (r == 0)
        r = skep_object_fill_slots(object);
    return r == 0 && object->incomplete ? -ENOEXEC : r;
}
