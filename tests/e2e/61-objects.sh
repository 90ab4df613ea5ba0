#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Objects from C, in every dialect: what skep says of them, and what their programs return.
. "${0%/*}/lib.sh"

command -v clang >/dev/null || skip_all "no clang"
source=$HERE/../bpf
[ -d "$source" ] || skip_all "no sources of test objects"

compile() { # NAME OUTPUT FLAGS...
    clang -target bpf -std=gnu17 -O2 -Wno-unused "${@:3}" -c "$source/$1.bpf.c" -o "$2"
}
for name in modern legacy iproute2 plain; do
    t_need "clang makes $name.o" compile $name $name.o -mcpu=v3 -g
done
for name in legacy iproute2 plain; do
    t_need "clang makes an old $name.o" compile $name $name-old.o -mcpu=v1
done

# returns VALUE OBJ[:PROGRAM] OPTIONS...: whether running it says VALUE
returns() {
    local got
    # other programs of the object may want what this machine does not have
    got=$("$SKEP" vm run "${@:2}" 2>err.txt)
    [ "$got" = "$1" ] && return 0
    echo "$got instead of $1"
    cat err.txt
    return 1
}
for how in --interpret --jit; do
    t_check "subprograms of two sections $how" returns 0x31 modern.o:calls $how
    t_check "sections of data $how" returns 0x41 modern.o:data $how
    t_check "a map with an inner map $how" returns 0x64 modern.o:maps $how
    t_check "a tail call by an initialiser $how" returns 0x3ea modern.o:jump $how
    t_check "addresses in data $how" returns 0x62 modern.o:pointers $how
    for object in legacy.o legacy-old.o; do
        t_check "struct bpf_map_def, $object $how" returns 0x6d $object $how
    done
    for object in plain.o plain-old.o; do
        t_check "nothing but .text, $object $how" returns 0xe $object:program --mem 07 $how
    done
done

# names OBJ: of its maps, in order
names() {
    "$SKEP" vm maps --json "$1" | tr ',' '\n' | sed -n 's/.*"name":"\([^"]*\)".*/\1/p' | tr '\n' ' '
}
t_check "maps of struct bpf_map_def" test "$(names legacy.o)" = "first second third "
t_check "maps of iproute2" test "$(names iproute2.o)" = "jumps inner outer "
"$SKEP" vm maps iproute2.o >maps.txt
t_check "programs in a prog array by their sections" grep -q '^  3 = third$' maps.txt
t_check "inner maps by their ids" grep -q '^  2 = inner$' maps.txt
"$SKEP" vm maps modern.o >maps.txt
t_check "initialisers of a map of maps" grep -q '^  3 = inner_b$' maps.txt
t_check "initialisers of a prog array" grep -q '^  2 = tail_two$' maps.txt
t_check "sections of any name" grep -q '^settings .* settings$' maps.txt

"$SKEP" vm disasm --source modern.o:calls >calls.txt
t_check "source lines" grep -q 'modern.bpf.c:[0-9]*: return times(a, factor) + 1;$' calls.txt
t_check "names of functions" grep -q 'call local .*# shared$' calls.txt
t_check "names of data" grep -q '# .rodata + 0$' calls.txt
# without the names, what was printed is the program
"$SKEP" vm disasm plain.o:program | "$SKEP" vm asm - >again.hex
t_check "a listing can be assembled and run" returns 0xe again.hex --mem 07

# whatever is wrong is told and is no crash
head -c 300 modern.o >cut.o
t_check "an object that is cut off" ended_with 1 "$SKEP" vm maps cut.o
clang -O2 -x c -c - -o native.o <<<'int x;'
"$SKEP" vm run native.o 2>err.txt
t_check "an object of another machine" grep -q 'not a BPF object' err.txt
clang -target bpfeb -O2 -x c -c - -o big.o <<<'int f(void *p) { return 1; }'
"$SKEP" vm run big.o 2>err.txt
t_check "an object of the other byte order" grep -q 'big-endian' err.txt

# our own sensors
if [ -f "$BUILD/src/bpf/skep.bpf.o" ]; then
    t_check "maps of skep's sensors" grep -q skep_counters <("$SKEP" vm maps "$BUILD/src/bpf/skep.bpf.o")
    t_check "instructions of skep's sensors" test "$("$SKEP" vm disasm "$BUILD/src/bpf/skep.bpf.o" | grep -c '^# .* in section ')" -gt 40
fi

# CO-RE: what a program says of types depends on those that it is given
cat >sizes.bpf.c <<'EOC'
struct thing { int a; } __attribute__((preserve_access_index));
__attribute__((section("raw"))) int size(struct thing *t) { return __builtin_preserve_type_info(*t, 1); }
__attribute__((section("raw"))) int gone(struct thing *t) { return __builtin_preserve_field_info(t->a, 0); }
EOC
echo 'struct thing { char a[24]; } thing;' >types.c
if clang -target bpf -O2 -g -c sizes.bpf.c && clang -target bpf -O2 -g -c types.c &&
    llvm-objcopy --dump-section .BTF=types.btf types.o 2>/dev/null; then
    t_check "the size of a type as compiled" returns 0x4 sizes.bpf.o:size
    t_check "the size of a type as it is" returns 0x18 sizes.bpf.o:size --btf types.btf
    "$SKEP" vm run sizes.bpf.o:gone --btf types.btf 2>err.txt
    t_check "a field that is not there" grep -q "the target has no 'a' that fits" err.txt
    t_check "types as text" grep -q "struct 'thing' size=24" <("$SKEP" vm btf types.o)
    t_check "types of a file of their own" grep -q "'a' type=[0-9]* bits_offset=0" <("$SKEP" vm btf types.btf)
    head -c 60 types.btf >cut.btf
    t_check "types that are cut off" ended_with 1 "$SKEP" vm btf cut.btf
else
    t_skip "relocation against given types" "no llvm-objcopy"
fi
