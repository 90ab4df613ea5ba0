#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# However often skep starts and however it ends, nothing stays in the kernel; two of them do not disturb each other.
. "${0%/*}/lib.sh"
. "$HERE/workload.sh"
need_root
need_command bpftool
need_workload

# ---- killed ----

start_skep killed run --no-rules --json --events
kill -KILL "$SKEP_PID"
wait "$SKEP_PID" 2>/dev/null
t_check "killed: no program, map or link is left" t_no_leaks

# the command that it ran goes on, or ends; it must not be stuck
"$SKEP" run --no-rules -- "$WORKLOAD" pause >/dev/null 2>&1 &
runner=$!
T_PIDS+=("$runner")
wait_for 20 pgrep -P "$runner" -x workload
child=$(pgrep -P "$runner" -x workload)
T_PIDS+=("$child")
kill -KILL "$runner"
wait "$runner" 2>/dev/null
t_check "killed: what it ran lives on" alive "$child"
kill "$child"
t_check "and can be ended" wait_for 5 ended "$child"

# ---- two at once ----

start_skep one run --no-rules --json --kinds exec,exit --events
one=$SKEP_PID
start_skep two run --no-rules --json --kinds exec,exit --events
two=$SKEP_PID
"$TINY" seen-by-both
both='e.kind == "exec" and e.proc.args[1:] == ["seen-by-both"]'
t_check "two at once: the first sees an exec" wait_json 10 one.out "$both"
t_check "two at once: the second sees the same" wait_json 10 two.out "$both"
kill -INT "$one"
t_check "one ends" wait_for 10 ended "$one"
"$TINY" seen-by-one
t_check "the other goes on" wait_json 10 two.out 'e.kind == "exec" and e.proc.args[1:] == ["seen-by-one"]'
t_check "and ends" ended_with 0 stop_skep "$two"
t_check "the first has not seen more" ended_with 1 json_has one.out 'e.proc.args[1:] == ["seen-by-one"]'
same() {
    python3 - one.out two.out <<'P'
import json, sys
def key(path):
    for line in open(path):
        e = json.loads(line)
        if e["kind"] == "exec" and e["proc"]["args"][1:] == ["seen-by-both"]:
            # each of them reads the clock for itself: the start agrees to the millisecond or so
            return e["proc"]["pid"], e["proc"]["exe"], e["proc"]["parent"]["pid"], e["inode"]
assert key(sys.argv[1]) == key(sys.argv[2]) != None
P
}
t_check "both say the same of it" same

# ---- a hundred lives ----

cycles=$((100 / SLOW))
bad=0
for i in $(seq $cycles); do
    case $((i % 10)) in
    0 | 4 | 8) "$SKEP" run --no-rules --duration 1ms >/dev/null 2>&1 || bad=$((bad + 1)) ;;
    1 | 5 | 7) "$SKEP" run --no-rules --json --kinds exec -- "$TINY" >/dev/null 2>&1 || bad=$((bad + 1)) ;;
    2 | 6 | 9) "$SKEP" watch open,exec --duration 20ms >/dev/null 2>&1 || bad=$((bad + 1)) ;;
    3) "$SKEP" ps >/dev/null 2>&1 || bad=$((bad + 1)) ;;
    esac
done
t_check "$cycles lives" test $bad -eq 0
t_check "and nothing is left of them" t_no_leaks

# ---- what it holds while it runs ----

descriptors() {
    ls "/proc/$1/fd" | wc -l
}
start_skep held run --no-rules --json --events --kinds life --output /dev/null
before=$(descriptors "$SKEP_PID")
"$WORKLOAD" storm $((5000 / SLOW / SLOW)) "$TINY" >/dev/null
# losses make it take snapshots, each with an iterator of its own
for _ in 1 2 3; do
    kill -STOP "$SKEP_PID"
    "$WORKLOAD" storm $((5000 / SLOW / SLOW)) "$TINY" >/dev/null
    kill -CONT "$SKEP_PID"
    sleep 1
done
t_check "descriptors do not grow with what happens" test "$(descriptors "$SKEP_PID")" -le $((before + 1))
stop_skep
# memory: many short lives in a row must not pile up
start_skep memory run --no-rules --json --events --kinds life --output /dev/null
rss() {
    sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}
"$WORKLOAD" storm $((10000 / SLOW / SLOW)) "$TINY" >/dev/null
sleep 1.5
first=$(rss "$SKEP_PID")
for _ in 1 2 3; do
    "$WORKLOAD" storm $((15000 / SLOW / SLOW)) "$TINY" >/dev/null
    sleep 1.5
done
last=$(rss "$SKEP_PID")
t_check "memory does not grow with processes that are gone ($first kB, then $last kB)" test "$last" -lt $((first + 12000))
stop_skep
