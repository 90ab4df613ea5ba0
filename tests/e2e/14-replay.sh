#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A recording shows what the live run showed, to the byte: as JSON, as lines, in columns; whole, cut short, damaged.
. "${0%/*}/lib.sh"
need_root
need_command python3

busy() {
    local i
    for _ in 1 2 3; do
        ls /etc >/dev/null
        sh -c 'cat /etc/hostname; exit 3' >/dev/null
        mkdir -p "$SCRATCH/d/e" && rmdir "$SCRATCH/d/e"
    done
    python3 -c 'import subprocess; subprocess.run(["/bin/true", "y" * 20000])'
}

start_skep live run --no-rules --events --json --record all.skep
busy
sleep 1.5 # a block of records is written each second
busy
t_check "the run ends" ended_with 0 stop_skep
t_check "something happened" test "$(json_count live.out 'e.kind == "exec"')" -ge 7
"$SKEP" replay all.skep --json >replay.out 2>replay.err
t_check "the replay ends well" test $? -eq 0
t_check "JSON: the same, to the byte, ledger and all" cmp live.out replay.out
t_check "long arguments are whole" json_has replay.out 'e.kind == "exec" and len(e.proc.args[-1]) == 20000'

start_skep text run --no-rules --record text.skep
busy
stop_skep
"$SKEP" replay text.skep >replay.txt 2>replay.err
t_check "lines: the same" cmp text.out replay.txt
t_check "and the same ledger" diff <(grep -v '^skep: ' text.err) <(grep -v '^skep: ' replay.err)

start_skep tree run --no-rules --events --json --record tree.skep -- sh -c "ls /etc >/dev/null; cat /etc/hostname >/dev/null; exit 3"
wait_for 20 ended "$SKEP_PID"
"$SKEP" replay tree.skep --json >tree.replay 2>replay.err
t_check "a command that was followed: the same" cmp tree.out tree.replay
t_check "and nothing but it" test "$(json_count tree.replay 'e.kind == "exec"')" -eq 3
"$SKEP" record -o - --duration 500ms 2>/dev/null | "$SKEP" replay - --json 2>pipe.err | grep '^{"kind":"ledger"' >pipe.out
t_check "a recording through a pipe" test -s pipe.out -a -z "$(grep warning pipe.err)"
t_check "no file of that name" test ! -e -
CAT=$(sed -n 's/^{"kind":"exec".*"pid":\([0-9]*\),.*"comm":"cat".*/\1/p' tree.replay | head -n 1)
"$SKEP" replay tree.skep --events --json --pid "$CAT" >cat.replay 2>/dev/null
t_check "a part of it, by a process that began later" json_has cat.replay 'e.kind == "open" and e.path == "/etc/hostname"'
"$SKEP" replay tree.skep --pid 4194303 >none.out 2>none.err
t_check "a process that is not in it" grep -q '^skep: warning: tree.skep: there is no process 4194303 in it' none.err
t_check "that part only" test "$(json_count cat.replay "e.kind != 'ledger' and e.proc.pid != $CAT")" -eq 0

# Every line carries the arguments: many times what the queue of the output holds.
start_skep big record -o big.skep --kinds open -- python3 -c '
for i in range(400):
    open("/etc/hostname").close()' "$(printf '%0120000d' 0)"
wait_for 20 ended "$SKEP_PID"
"$SKEP" replay big.skep --json >big.out 2>big.err
t_check "a replay of long lines ends well" test $? -eq 0
t_check "and loses none" test "$(grep -c '"path":"/etc/hostname"' big.out)" -ge 400

"$SKEP" watch exec all.skep -o comm,args >columns.out 2>columns.err
t_check "watch reads recordings" grep -q '^ls .*ls /etc' columns.out
"$SKEP" replay all.skep --json --kinds exec --comm ls >ls.out 2>/dev/null
t_check "a replay can be narrowed" test "$(json_count ls.out 'e.kind == "exec"')" -eq 6
t_check "its ledger says so" json_has ls.out 'e.kind == "ledger" and e.kinds.exec.emitted == 6 and e.kinds.exec.seen == 6 + e.kinds.exec.filtered and e.kinds.open.emitted == 0'
t_check "to just that" test "$(json_count ls.out 'e.kind not in ("exec", "ledger")')" -eq 0

# in the middle of the last block of records, as docs/RECORDING.md describes blocks
python3 - <<'P'
import struct
data = open("all.skep", "rb").read()
at, last = 16, None
while at < len(data):
    magic, _, kind, _, _, stored = struct.unpack_from("<IIBBHI", data, at)
    assert magic == 0x4B424B53
    if kind == 3:
        last = at + 48 + stored // 2
    at += 48 + stored
open("cut.skep", "wb").write(data[:last])
P
"$SKEP" replay cut.skep --json >cut.out 2>cut.err
t_check "cut short: status 1" test $? -eq 1
t_check "cut short: it says where" grep -Eq 'byte [0-9]+|offset [0-9]+' cut.err
# What waited for its container at the cut is shown at the end, with what was known of its ancestors and directory by then;
# all else stands as and where it stood.
as_it_was() {
    python3 - <<'P'
import json
with open("cut.out") as f:
    cut = [l for l in f if '"kind":"ledger"' not in l]
with open("live.out") as f:
    live = f.readlines()
same = 0
while same < len(cut) and cut[same] == live[same]:
    same += 1
print(len(cut), "lines,", same, "the same")

def which(line):
    e = json.loads(line)
    return e["kind"], e.get("time"), e.get("seq"), e.get("cpu")

def second(line):
    t = json.loads(line)["time"]
    return int(t[11:13]) * 3600 + int(t[14:16]) * 60 + int(t[17:19])

shown = {which(l) for l in live}
assert cut and all(which(l) in shown for l in cut[same:]), "an event that was not shown"
# events wait for 0.3 s at most
last = max(cut, key=lambda l: json.loads(l)["time"])
assert all((second(last) - second(l)) % 86400 <= 1 for l in cut[same:]), "other order"
P
}
t_check "cut short: what stands before is shown, as it was" as_it_was
head -c 4096 /dev/urandom >noise.skep
"$SKEP" replay noise.skep >/dev/null 2>noise.err
t_check "no recording: status 2" test $? -eq 2
t_check "no recording: it says so" grep -qi 'not a recording\|no recording' noise.err
t_check "recordings are for their owner only" test "$(stat -c %a all.skep)" = 600
