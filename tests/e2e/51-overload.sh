#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# Readers that are slow, stopped or gone, rings that overflow, a disk that is full: skep goes on, and its ledger
# closes to zero.
. "${0%/*}/lib.sh"
. "$HERE/workload.sh"
need_root
need_workload

# A last event of every ring on every processor, so that the end of all sequences is known.
touch_rings() {
    local cpu
    for cpu in $(seq 0 $(($(nproc) - 1))); do
        taskset -c "$cpu" "$WORKLOAD" opens 50 "$SCRATCH/the-end-of-$cpu" || return 1
    done
    sleep 0.3
}

lost_of() {
    python3 - "$1" "$2" "$3" <<'P'
import json, sys
last = json.loads(open(sys.argv[1]).readlines()[-1])
print(last["kinds"].get(sys.argv[2], {}).get("lost", {}).get(sys.argv[3], 0))
P
}

# ---- rings that overflow ----

opens=$((400000 / SLOW / SLOW))
start_skep flood run --no-rules --json --events --kinds open,life --memory 512K --output flood.json
for _ in 1 2; do
    "$WORKLOAD" opens $opens &
    T_PIDS+=($!)
done
sleep 0.2
kill -STOP "$SKEP_PID"
sleep 1
kill -CONT "$SKEP_PID"
wait "${T_PIDS[@]: -2}"
sleep 1
t_check "the ends of all sequences are seen" touch_rings
t_check "skep ends in good order after a flood" ended_with 0 stop_skep
full=$(lost_of flood.json open ring_full)
t_check "the rings did overflow ($full opens found no room)" test "$full" -gt 1000
t_check "the ledger closes to zero" ledger_closes flood.json
t_check "the gaps in the sequences are what the ledger calls lost" ledger_gaps flood.json
seen=$(json_count flood.json "e.kind == 'ledger' and e.kinds.open.seen >= 2 * $opens")
t_check "every open was counted" test "$seen" = 1

# ---- skep is stopped for ten seconds, with the life of the machine going on ----

start_skep stopped run --no-rules --json --events --kinds life --output stopped.json
"$WORKLOAD" pause &
early=$!
T_PIDS+=("$early")
wait_json 10 stopped.json "e.kind == 'exec' and e.proc.args[1:] == ['pause']"
kill -STOP "$SKEP_PID"
began=$SECONDS
cp "$WORKLOAD" born-while-stopped
bash -c "cd /var; exec '$SCRATCH/born-while-stopped' pause" &
born=$!
"$WORKLOAD" storm $((SLOW > 1 ? 8000 : 15000)) "$TINY" >/dev/null # more than the ring of the life cycle holds
# a shell that is born while nothing fits into the ring, and acts when skep listens again
mkdir elsewhere
cp "$WORKLOAD" changed-while-stopped
(cd elsewhere && until [ -e ../go ]; do sleep 0.1; done; exec "$SCRATCH/changed-while-stopped" storm 1 "$TINY" >/dev/null) &
T_PIDS+=("$born" $!)
while [ $((SECONDS - began)) -lt 10 ]; do sleep 0.2; done
kill -CONT "$SKEP_PID"
t_check "lost events of the life cycle are announced" wait_for 10 grep -Eq '^skep: warning: [0-9]+ life cycle events were lost' stopped.err
t_check "and told in the output" wait_json 10 stopped.json "e.kind == 'lost' and e.ring == 'life' and e.count > 0"
t_check "the process table is read again" wait_for 10 grep -q 'process table was read again' stopped.err
: >go
kill "$born"
t_check "who was born meanwhile is known with its program, arguments and directory" wait_json 10 stopped.json \
    "e.kind == 'exit' and e.proc.pid == $born and e.proc.exe == '$SCRATCH/born-while-stopped' and e.proc.args == ['$SCRATCH/born-while-stopped', 'pause'] and e.proc.cwd == '/var' and e.proc.parent.pid == $$"
t_check "who changed directory meanwhile is known to be there" wait_json 10 stopped.json \
    "e.kind == 'exec' and e.proc.exe == '$SCRATCH/changed-while-stopped' and e.proc.cwd == '$SCRATCH/elsewhere'"
kill "$early"
t_check "who was known before still is" wait_json 10 stopped.json \
    "e.kind == 'exit' and e.proc.pid == $early and e.proc.exe == '$WORKLOAD' and e.proc.args[1:] == ['pause']"
t_check "skep ends in good order after a stop" ended_with 0 stop_skep
t_check "the ledger closes after a stop" ledger_closes stopped.json
announced=$(python3 -c "
import json
print(sum(e['count'] for e in map(json.loads, open('stopped.json')) if e['kind'] == 'lost'))")
counted=$(python3 -c "
import json
kinds = json.loads(open('stopped.json').readlines()[-1])['kinds']
print(sum(k['lost'].get('ring_full', 0) for k in kinds.values()))")
t_check "as many were announced as were lost ($announced)" test "$announced" = "$counted"

# ---- a reader that stops reading ----

mkfifo pipe
sleep 1000 <pipe &
reader=$!
T_PIDS+=("$reader")
"$SKEP" run --no-rules --json --events --kinds open,exec >pipe 2>blocked.err </dev/null &
blocked=$!
T_PIDS+=("$blocked")
t_check "skep starts with a reader that does not read" wait_for 20 skep_is_ready blocked.err
"$WORKLOAD" opens $((100000 / SLOW))
t_check "skep lives on" alive $blocked
# its memory stays bounded: what is not read is given up
t_check "and keeps its size" test "$(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' /proc/$blocked/status)" -lt 200000
"$WORKLOAD" opens $((20000 / SLOW))
t_check "it ends although nobody reads" ended_with 0 stop_skep $blocked
t_check "the ledger is told elsewhere, and counts what was given up" grep -Eq '^open .* queue_full [0-9]+' blocked.err
t_check "with nothing unaccounted for" ended_with 1 grep -q UNACCOUNTED blocked.err

cat >opens.yaml <<EOF
- rule: Any open
  desc: more alerts than anybody reads
  condition: evt.type in (open, openat, openat2, creat)
  output: any file=%fd.name program=%proc.name command=%proc.cmdline parent=%proc.pname
  priority: INFO
EOF
"$SKEP" run --rules opens.yaml --json >pipe 2>alerts.err </dev/null &
blocked=$!
T_PIDS+=("$blocked")
wait_for 20 skep_is_ready alerts.err
"$WORKLOAD" opens 60000
t_check "it ends with alerts that nobody reads" ended_with 1 stop_skep $blocked
t_check "and says that they are lost" grep -Eq '[0-9]+ of [0-9]+ alerts were lost' alerts.err
kill $reader
wait $reader 2>/dev/null

# ---- a reader that goes away ----

"$SKEP" run --no-rules --json --events --kinds open 2>gone.err </dev/null | head -n 3 >gone.out &
"$WORKLOAD" pause &
T_PIDS+=($!)
wait_for 20 skep_is_ready gone.err
flood_until_gone() {
    "$WORKLOAD" opens 1000
    [ "$(wc -l <gone.out)" = 3 ] && [ -z "$(jobs -r | grep -F 'skep' )" ]
}
t_check "skep ends when its reader has gone" wait_for 15 flood_until_gone

# ---- a disk that is full ----

mkdir small
t_need "a small file system" mount -t tmpfs -o size=256k tmpfs small
undo umount small
head -c 100000 /dev/zero >small/filler
start_skep disk run --no-rules --json --events --kinds open --comm workload --output small/events.json
"$WORKLOAD" opens $((3000 / SLOW))
# what is still under way would take the room that is made
processor_ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }
has_settled() {
    local before
    before=$(processor_ticks "$SKEP_PID")
    sleep 0.5
    [ $(($(processor_ticks "$SKEP_PID") - before)) -le 5 ]
}
sleep 0.5
t_check "skep comes to rest" wait_for 30 has_settled
t_check "skep lives with a full disk" alive "$SKEP_PID"
rm small/filler
"$WORKLOAD" opens 1 "$SCRATCH/there-is-room-again"
t_check "it goes on when there is room again" wait_json 10 small/events.json "e.path == '$SCRATCH/there-is-room-again'"
stop_skep
status=$?
t_check "its exit status tells" test $status -eq 1
t_check "and so does it" grep -q 'No space left on device' disk.err
t_check "the ledger counts what could not be written" test "$(lost_of small/events.json open write_failed)" -gt 100
t_check "and closes; no line is torn" ledger_closes small/events.json
rm small/events.json

start_skep record run --no-rules --events --kinds open --record small/recording --output /dev/null
"$WORKLOAD" opens $((SLOW > 1 ? 60000 : 100000)) # more than the disk holds, compressed
t_check "skep lives with a full disk under a recording" alive "$SKEP_PID"
stop_skep
status=$?
t_check "its exit status tells that the recording is not whole" test $status -eq 1
"$SKEP" replay small/recording --json --events >replayed.json 2>replayed.err
t_check "what reached the disk can be read" json_has replayed.json "e.kind == 'open'"
