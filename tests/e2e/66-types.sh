#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Types as C: what `skep vm btf --c` prints of the running kernel compiles, and every structure has the size, and every
# member the offset, that the kernel's BTF tells.
. "${0%/*}/lib.sh"
need_command clang
[ -r /sys/kernel/btf/vmlinux ] || { t_skip "types of the kernel as C" "this kernel tells none of its types"; exit 0; }

t_check "the kernel's types as C" sh -c "'$SKEP' vm btf --c /sys/kernel/btf/vmlinux >vmlinux.h"
t_check "a compiler takes them" clang -fsyntax-only -w -x c vmlinux.h
t_check "as JSON" sh -c "'$SKEP' vm btf --json /sys/kernel/btf/vmlinux >vmlinux.json"
python3 - >asserts.c 2>python.log <<'P'
import json
types = json.load(open("vmlinux.json"))
types = types["types"] if isinstance(types, dict) else types
names = [t.get("name") for t in types if t["kind"] in ("struct", "union", "enum", "enum64")]
# types that share a name are told apart by a number in C
once, n = {}, 0
for name in names:
    once[name] = once.get(name, 0) + 1
seen = {name for name, times in once.items() if times > 1}
print('#include "vmlinux.h"')
print("#define AT(type, member) __builtin_offsetof(type, member)")
for t in types:
    if t["kind"] not in ("struct", "union") or not t.get("name") or t["name"] in seen:
        continue
    seen.add(t["name"])
    name = f"{t['kind']} {t['name']}"
    print(f"_Static_assert(sizeof({name}) == {t['size']}, \"size of {name}\");")
    n += 1
    for m in t.get("parts", []):
        bits = m["bits_offset"]
        if m["name"] and not m.get("bits") and bits % 8 == 0:
            print(f"_Static_assert(AT({name}, {m['name']}) == {bits // 8}, \"{name}.{m['name']}\");")
            n += 1
print(f"/* {n} assertions */")
P
t_check "there are many of them" grep -Eq '[0-9]{5} assertions' asserts.c
t_check "sizes and offsets are the kernel's" clang -fsyntax-only -w asserts.c
