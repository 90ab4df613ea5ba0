#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# skep vm: programs from all kinds of files run, assemble and disassemble; what is wrong is said with its place.
. "${0%/*}/lib.sh"

cat >sum.s <<'S'
r0 = 0
r2 += r1
again:
if r1 == r2 goto done
r3 = *(u8 *)(r1 + 0)
r0 += r3
r1 += 1
goto again
done:
exit
S
printf 'r0 = 0\n*(u64 *)(r0 + 96) = r0\nexit\n' >bad.s
printf 'r0 = 0\nagain:\ngoto again\n' >endless.s
printf 'r0 = *(u8 *)(r1 + 0)\nexit\n' >first.s

said() { # said TEXT COMMAND...: the command prints this on either stream
    local text=$1
    shift
    "$@" >"$SCRATCH/.said" 2>&1
    grep -qF -- "$text" "$SCRATCH/.said" && return 0
    cat "$SCRATCH/.said"
    return 1
}

vm() { "$SKEP" vm "$@"; }

t_check "assembly runs" test "$(vm run sum.s --mem 01020304)" = 0xa
t_check "--ctx takes the memory from a file" test "$(printf '\005\006' >m.bin && vm run sum.s --ctx m.bin)" = 0xb
t_check "standard input" test "$(vm run - --mem ff <sum.s)" = 0xff
t_check "asm gives hex" vm asm sum.s -o sum.hex
t_check "asm gives bytes" vm asm sum.s --raw -o sum.bin
t_check "hex runs" test "$(vm run sum.hex --mem 0102)" = 0x3
t_check "bytes run" test "$(vm run sum.bin --mem 0102)" = 0x3
for syntax in c mnemonic; do
    vm disasm sum.bin --syntax $syntax --labels >again.s
    t_check "what disasm prints assembles to the same ($syntax)" cmp <(vm asm --raw again.s) sum.bin
done
modes=(--interpret)
[ "$(uname -m)" = x86_64 ] && modes+=(--jit)
for mode in "${modes[@]}"; do
    t_check "a bad access ends with 1 ($mode)" ended_with 1 vm run bad.s "$mode"
    t_check "and says where ($mode)" said "instruction 1: writes 8 bytes at 0x60, near the null pointer" vm run bad.s "$mode"
    t_check "and shows the instruction ($mode)" said "1: *(u64 *)(r0 + 96) = r0" vm run bad.s "$mode"
    t_check "an endless loop ends by fuel ($mode)" said "out of fuel" timeout 60 "$SKEP" vm run endless.s "$mode"
    t_check "also with little ($mode)" said "out of fuel" vm run endless.s "$mode" --fuel 10
    t_check "no memory is given ($mode)" said "reads 1 byte at 0x0, the null pointer" vm run first.s "$mode"
done
t_check "registers of a failed run" said "r8=0x0 r9=0x0 r10=0x" vm run bad.s
t_check "--trace shows registers" said "    4: r0 += r3" vm run sum.s --mem 05 --trace
vm run sum.s --mem 0102 --json >r.json
t_check "--json" json_has r.json 'e.result == 3 and e.instructions == 14'
vm run bad.s --json >r.json
t_check "--json of an error" json_has r.json 'e.error.instruction == 1 and e.error.fault == "write"'
vm run sum.s --mem 0102 --json --trace >r.json
t_check "--json --trace" json_has r.json 'e.instruction == 0 and e.registers[2] == "0x2"'
vm disasm sum.bin --json >r.json
t_check "disasm --json" json_has r.json 'e.programs[0].instructions[0].text == "r0 = 0"'
vm asm sum.s --json >r.json
t_check "asm --json" json_has r.json 'e.instructions == 8 and e.code[0] == "b700000000000000"'

printf 'r0 = 0\nr1 = nonsense\nexit\n' >wrong.s
t_check "a wrong line is shown" said "wrong.s:2:" vm asm wrong.s
t_check "with exit status 1" ended_with 1 vm asm wrong.s
printf 'r0 = 0\n' >open.s
t_check "what is no program is refused" said "instruction 0: falls off the end" vm asm open.s
t_check "unless it is asked for" vm asm --unchecked open.s
t_check "and does not run" ended_with 1 vm run open.s
printf '123' >odd.bin
t_check "half an instruction" ended_with 1 vm run odd.bin
t_check "a file that is not there" said "cannot open" vm run missing.o
t_check "an object that is none" ended_with 1 vm run <(printf '\177ELF')
t_check "two kinds of memory" ended_with 2 vm run sum.s --mem 00 --ctx m.bin
t_check "memory that is no hex" ended_with 2 vm run sum.s --mem xy
t_check "no command" ended_with 2 vm
t_check "help of a family" said "plugin" vm --help
t_check "help of a command in it" said "--trace" "$SKEP" help vm run

# captures: three packets that begin with 0, 1 and 2, and a program that takes this byte for its verdict
python3 - <<'P'
import struct
for name, order, magic in ("little", "<", 0xa1b2c3d4), ("big", ">", 0xa1b23c4d):
    capture = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, 1)
    for i in range(3):
        packet = bytes([i] * (20 + i))
        capture += struct.pack(order + "IIII", i, 7, len(packet), len(packet)) + packet
    open(name + ".pcap", "wb").write(capture)
open("cut.pcap", "wb").write(capture[:-3])
P
cat >first-byte.s <<'S'
w2 = *(u32 *)(r1 + 0)
w3 = *(u32 *)(r1 + 4)
r4 = r2
r4 += 14
r0 = 1
if r4 > r3 goto out
r0 = *(u8 *)(r2 + 0)
*(u8 *)(r2 + 1) = 0xaa
out:
exit
S
printf 'w2 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r2 + 100)\nexit\n' >beyond.s
verdicts=$'1: ABORTED 20\n2: DROP 21\n3: PASS 22'
for mode in "${modes[@]}"; do
    for order in little big; do
        t_check "verdicts over a capture ($mode, $order)" \
            test "$(vm run first-byte.s --pcap $order.pcap --out out.pcap "$mode")" = "$verdicts"
        t_check "what passes is written as it was left ($mode, $order)" python3 -c '
import struct
b = open("out.pcap", "rb").read()
assert len(b) == 24 + 16 + 22, len(b)
assert struct.unpack("<IIII", b[24:40]) == (2, 7, 22, 22)
assert b[40:43] == bytes([2, 0xaa, 2])'
    done
    t_check "a program that reads beyond the packet ($mode)" ended_with 1 vm run beyond.s --pcap little.pcap "$mode"
    t_check "is told so for each ($mode)" said "2: error: instruction 1: reads 1 byte" \
        vm run beyond.s --pcap little.pcap "$mode"
done
vm run first-byte.s --pcap little.pcap --json >r.json
t_check "--pcap --json" test "$(json_count r.json 'e.verdict == "PASS" and e.packet == 3')" = 1
t_check "a packet as --mem" test "$(vm run first-byte.s --type xdp --mem 0200000000000000000000000000)" = 0x2
t_check "an empty packet" test "$(vm run first-byte.s --type xdp)" = 0x1
t_check "a capture that is cut off" said "cut off behind packet 2" vm run first-byte.s --pcap cut.pcap
t_check "a file that is no capture" ended_with 1 vm run first-byte.s --pcap sum.s
printf '\n\r\r\n\034\0\0\0M<+\032\001\0\0\0\377\377\377\377\377\377\377\377\034\0\0\0' >next.pcapng
t_check "a capture in the format that came later" said "in pcapng: editcap" vm run first-byte.s --pcap next.pcapng
t_check "--out without --pcap" ended_with 2 vm run first-byte.s --out x
t_check "a context that does not exist" said "there is no context type nothing" vm run sum.s --type nothing
