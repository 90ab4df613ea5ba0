#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# skep vm and files that are not what they should be: each command ends with 1 and says why in one line with the
# name of the file; what is printed stays text, and with --json JSON.
. "${0%/*}/lib.sh"

vm() { timeout 60 "$SKEP" vm "$@"; }

# says STATUS TEXT COMMAND...: it ends so and says so, in one line, on standard error and nowhere else
says() {
    local status=$1 text=$2 got
    shift 2
    "$@" >out.txt 2>err.txt </dev/null
    got=$?
    [ $got = "$status" ] && grep -qF -- "$text" err.txt && [ "$(wc -l <err.txt)" = 1 ] && [ ! -s out.txt ] && return 0
    echo "status $got"
    head -n 5 err.txt out.txt
    return 1
}

printf 'r0 = 2\nexit\n' >pass.s
: >empty
head -c 4096 /dev/zero | tr '\0' '\377' >binary
printf 'nobody knows\n' >text
mkdir dir
truncate -s 65M huge
printf '\177ELF' >magic
printf '\237\353\1\0' >types # BTF's magic number, and no more of it
cp "$SKEP" native
ln -s loop loop

for command in run asm disasm maps btf; do
    for f in nowhere loop; do
        t_check "$command of $f" says 1 "cannot open $f: " vm $command $f
    done
    for f in dir huge /dev/zero; do
        t_check "$command of $f" says 1 "cannot read $f: " vm $command $f
    done
done

for command in run disasm maps btf; do
    t_check "$command of half a header" says 1 "magic: not an ELF file" vm $command magic
    t_check "$command of another machine's object" says 1 "native: not a BPF object" vm $command native
    t_check "$command --json says it in words too" says 1 "magic: not an ELF file" vm $command --json magic
done
t_check "run of nothing" says 1 "empty: instruction 0: the program has no instructions" vm run empty
t_check "run of bytes" says 1 "binary: instruction 0: " vm run binary
t_check "asm of bytes" says 1 "magic is not text" vm asm magic
for f in empty binary text pass.s; do
    t_check "maps of $f" says 1 "$f: not an ELF file" vm maps $f
done
t_check "btf of half a header" says 1 "types: " vm btf types
t_check "a program of what is no object" says 1 "pass.s is no object, it has no program x" vm run pass.s:x
t_check "no capture" says 1 "text is no capture" vm run pass.s --pcap text
t_check "no recording" says 1 "text: " vm run pass.s --records text
t_check "no memory" says 1 "cannot open nowhere" vm run pass.s --ctx nowhere
t_check "no place for the instructions" says 1 "cannot write dir" vm asm pass.s -o dir
for wrong in "--mem 0" "--mem 0g" "--fuel 0" "--fuel -1" "--btf text" "--out x" "--trace --jit" "--nothing" "x"; do
    # shellcheck disable=SC2086
    t_check "run $wrong" ended_with 2 vm run pass.s $wrong
done
t_check "the plugin wants hex" says 1 "standard input is not a program in hex" bash -c '"$0" vm plugin <text' "$SKEP"
for command in "run pass.s" "run pass.s --trace" "asm pass.s" "disasm pass.s" "run --help"; do
    # shellcheck disable=SC2086
    t_check "$command to a full disk" ended_with 1 bash -c '"$0" vm "$@" >/dev/full' "$SKEP" $command
done

# ---- objects ----

if command -v clang >/dev/null && [ -d "$HERE/../bpf" ]; then
    build() { clang "$@" -std=gnu17 -O2 -g -Wno-unused -c "$HERE/../bpf/modern.bpf.c"; }
    t_need "an object" build -target bpf -mcpu=v3 -o good.o
    t_check "of a big-endian machine" build -target bpfeb -mcpu=v3 -o big.o
    for command in run disasm maps btf; do
        t_check "$command of a big-endian object" says 1 "big.o: a big-endian object" vm $command big.o
    done
    t_check "run of a program that is not there" ended_with 1 vm run good.o:nobody
    t_check "disasm of a program that is not there" says 1 "good.o has no program nobody" vm disasm good.o:nobody
    t_check "types that are none" says 1 "text: no BTF" vm run good.o:data --btf text

    # errors of other programs are warnings
    t_check "run of a program of many" test "$(vm run good.o:data 2>err.txt)" = 0x41
    t_check "the others are no error" bash -c '! grep -q error: err.txt && grep -q warning: err.txt'

    size=$(stat -c %s good.o)
    cut_off() {
        local at=0 status
        while [ $at -lt "$size" ]; do
            head -c $at good.o >cut.o
            for command in "run" "disasm --json" "maps" "btf --json"; do
                # shellcheck disable=SC2086
                vm $command cut.o >out.txt 2>err.txt
                status=$?
                [ $status -le 1 ] || { echo "$command at $at: $status"; cat err.txt; return 1; }
            done
            at=$((at + 977))
        done
    }
    t_check "an object that is cut off anywhere" cut_off

    # the same length, and nothing that a terminal or a parser should see
    names() {
        python3 - <<'PY'
b = open("good.o", "rb").read()
for name in (b"hidden_program", b"callback", b"externs", b"no_jump", b"table", b"sums", b"counts"):
    b = b.replace(name, (b"\xff\xfe\"\\\x1b[1m\n\x01\x80\xc3" * 3)[:len(name)])
open("names.o", "wb").write(b)
PY
        for command in run disasm "disasm --source" maps btf "disasm --json" "maps --json" "btf --json"; do
            # shellcheck disable=SC2086
            vm $command names.o >out.txt 2>err.txt
            [ $? -le 1 ] || { echo "$command"; cat err.txt; return 1; }
            python3 - "$command" <<'PY' || return 1
import json, sys
for name in "out.txt", "err.txt":
    text = open(name, "rb").read().decode()
    assert not [c for c in text if ord(c) < 32 and c not in "\t\n"], (sys.argv[1], name)
    if "--json" in sys.argv[1] and name == "out.txt":
        json.loads(text)
PY
        done
    }
    t_check "names that are no text" names
else
    t_skip "objects" "no clang"
fi
