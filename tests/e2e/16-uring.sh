#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How operations of io_uring end: each that is submitted has one uring_done, with the result or with the reason why there
# is none, and the process that submitted it. Linked, cancelled, polled for, one of several, given up when its process is
# killed, too many for the table; and what is dropped when no rule asks for it.
. "${0%/*}/lib.sh"
need_root
need_command python3
need_command gcc

gcc -O2 -o uring "$HERE/uring.c" 2>gcc.log || skip_all "gcc makes no program: $(tail -1 gcc.log)"
./uring many 1
[ $? -eq 77 ] && skip_all "io_uring is not allowed here"
echo text >file
PORT=$((20000 + RANDOM % 10000))

# The kernel may take a moment to end what a killed process left.
cat >all <<END
#!/bin/sh
./uring link "$SCRATCH/file" && ./uring cancel && ./uring quiet "$SCRATCH/file" && ./uring accept $PORT || exit 1
./uring multishot $((PORT + 1)); echo multishot \$? >>status
./uring direct "$SCRATCH/file"; echo direct \$? >>status
./uring send $((PORT + 2)) || exit 1
./uring iopoll "$SCRATCH/file"; echo iopoll \$? >>status
./uring abandon
./uring reuse || exit 1
sleep ${SKEP_TEST_SLOW:-1}
END
chmod +x all
t_need "the operations are submitted" ended_with 0 "$SKEP" watch uring,uring_done --json --output events -- ./all

done_with() { # NAME TAG EXPRESSION
    t_check "$1" json_has events "e.kind == 'uring_done' and e.user_data == '$2' and ($3)"
}
done_with "a result" 0x10 "e.op == 'openat' and e.ret >= 0 and e.path_source == 'object'"
done_with "what is linked runs behind it" 0x11 "e.op == 'nop' and e.ret == 0"
done_with "an error" 0x12 "e.error == 'ENOENT'"
done_with "what is linked to a failure is cancelled" 0x13 "e.error == 'ECANCELED'"
done_with "what is cancelled says so" 0x20 "e.op == 'accept' and e.error == 'ECANCELED'"
done_with "no word of success: told without a result" 0x30 "e.ret == None and e.unknown == 'not_posted' and e.path == '$SCRATCH/file'"
done_with "who was accepted" 0x48 "e.ret >= 0 and e.remote.ip == '127.0.0.1' and e.remote.port > 0 and e.local.port == $PORT"
done_with "where a message goes" 0x70 "e.ret == 4 and e.remote.port == $((PORT + 2)) and e.proto == 'udp'"
done_with "the socket that is made" 0x71 "e.op == 'socket' and e.family == 'inet6' and e.type == 'stream'"
done_with "what a killed process left is ended" 0x50 "e.error == 'ECANCELED'"
case $(grep multishot status) in
*' 0') done_with "one of several ends once" 0x40 "e.error == 'ECANCELED'" ;;
*) t_skip "one of several ends once" "this kernel has no such accept" ;;
esac
case $(grep direct status) in
*' 0') done_with "a file in the ring's own table" 0x60 "e.ret == 0 and e.path_source == 'object' and e.path == '$SCRATCH/file'" ;;
*) t_skip "a file in the ring's own table" "this kernel cannot choose the slot" ;;
esac
case $(grep iopoll status) in
*' 0') done_with "what is polled for" 0x80 "e.ret > 0" ;;
*) t_skip "what is polled for" "files here cannot be" ;;
esac
t_check "attempts come without a result" ended_with 1 json_has events "e.kind == 'uring' and e.ret != None"
t_check "each operation ends once" python3 - events <<'END'
import collections, json, sys
count = collections.Counter()
for line in open(sys.argv[1]):
    e = json.loads(line)
    if e["kind"].startswith("uring"):
        count[e["proc"]["pid"], e["user_data"], e["kind"]] += 1
started = {k[:2]: n for k, n in count.items() if k[2] == "uring"}
ended = {k[:2]: n for k, n in count.items() if k[2] == "uring_done"}
assert len(started) > 190, len(started)
# The memory of the last ones of a ring that is full is not used again before we stop.
missing = {k: n for k, n in started.items() if ended.get(k, 0) != n and int(k[1], 16) < 0x1000}
assert not missing, missing
assert all(n <= started.get(k, 0) for k, n in ended.items())
END
t_check "the ledger adds up" json_has events \
    'e.kind == "ledger" and all(k.seen == k.emitted + k.filtered + sum(k.lost.values()) for k in e.kinds.values())'

# ---- only results ----
t_need "results alone" ended_with 0 "$SKEP" watch uring_done --json --output results -- ./uring link "$SCRATCH/file"
t_check "come without attempts" test "$(json_count results 'e.kind == "uring_done" and e.user_data')" -eq 4
t_check "there are no attempts" ended_with 1 json_has results 'e.kind == "uring"'

# ---- more than there is room for ----
cat >crowd <<'END'
#!/bin/sh
for i in $(seq 48); do ./uring crowd 100 & done # as many as their rings can tell the end of
wait
# the kernel ends what they left behind them, ring by ring: until no more comes
ended=-1
while now=$(grep -c '"kind":"uring_done"' crowded); [ "$now" -gt "$ended" ]; do
    ended=$now
    sleep $((2 * ${SKEP_TEST_SLOW:-1}))
done
END
chmod +x crowd
t_need "a crowd of operations waits" ended_with 0 "$SKEP" watch uring,uring_done --json --output crowded -- ./crowd
t_check "some find no room, and say so" json_has crowded 'e.kind == "uring_done" and e.unknown == "table_full" and e.op == "accept"'
t_check "the others are told when they end" json_has crowded 'e.kind == "uring_done" and e.error == "ECANCELED"'
# Kernels whose tracing programs can be preempted (7.x) skip some, and the ledger says how many.
n=$(json_count crowded 'e.kind == "uring" and e.op == "accept"')
ended=$(json_count crowded 'e.kind == "uring_done" and e.op == "accept"')
t_check "all of them" json_has crowded "e.kind == 'ledger' and $n <= 4800 <= $n + e.missed"
t_check "each ends once" json_has crowded "e.kind == 'ledger' and $ended <= $n <= $ended + e.missed"

# ---- rules ask for some operations only ----
cat >rules.yaml <<'END'
- rule: Opened
  desc: a file was opened
  condition: evt.type = io_uring_done and evt.arg.op in (IORING_OP_OPENAT, IORING_OP_OPENAT2) and evt.rawres >= 0 and fd.name endswith /file
  output: opened %fd.name result=%evt.rawres
  priority: WARNING
END
cat >busy <<'END'
#!/bin/sh
sleep $((2 * ${SKEP_TEST_SLOW:-1})) # until the kernel drops on behalf of the rules
./uring flood 64000 >/dev/null
./uring link "$1"
END
chmod +x busy
judged() { "$@" 2>ledger; }
t_need "rules are judged" ended_with 0 judged "$SKEP" run --json --rules rules.yaml --output alerts -- ./busy "$SCRATCH/file"
t_check "the open is told" json_has alerts "e.rule == 'Opened'"
t_check "what no rule asks for is dropped in the kernel" \
    awk '$1 == "uring_done" && $2 >= 64004 && $3 < 100 && $4 >= 64000 && $5 == 0 { found = 1 } END { exit !found }' ledger
