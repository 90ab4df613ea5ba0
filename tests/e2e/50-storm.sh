#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Many processes that live for a moment: each start and end is seen, or counted as lost.
. "${0%/*}/lib.sh"
. "$HERE/workload.sh"
need_root
need_workload

n=$((10000 / (SLOW * SLOW))) # the guest counts them slowly, too

# ---- a storm on two processors ----

start_skep storm run --no-rules --json --events --kinds exec,exit,fork --output storm.json
"$WORKLOAD" storm $n "$TINY" >storm.1 &
a=$!
"$WORKLOAD" storm $n "$TINY" >storm.2 &
b=$!
t_check "a storm of processes comes to its end" wait $a
t_check "on both processors" wait $b
echo "# $((2 * n)) processes, $((n * 1000000000 / $(cat storm.1))) and $((n * 1000000000 / $(cat storm.2))) a second"
stop_skep
tiny="e.proc.exe == '$TINY'"
for kind in exec exit; do
    seen=$(json_count storm.json "e.kind == '$kind' and $tiny")
    missing=$(json_count storm.json "e.kind == 'ledger' and any(l >= $((2 * n - seen)) for l in [sum(e.kinds['$kind'].lost.values())])")
    t_check "every $kind is seen or counted as lost ($seen of $((2 * n)) seen)" test "$seen" -le $((2 * n)) -a "$missing" = 1
done
t_check "the ledger closes" ledger_closes storm.json
t_check "every process has a parent that is known" \
    test "$(json_count storm.json "e.kind == 'exec' and $tiny and e.proc.parent.exe != '$WORKLOAD'")" = 0

# ---- one number, many processes ----

reuse=$((300 / SLOW / SLOW + 10))
start_skep reuse run --no-rules --json --events --kinds exec,exit,fork --output reuse.json
t_check "a number is used again and again" test -z "$("$WORKLOAD" reuse $reuse "$TINY" 2>&1)"
stop_skep
cat >reuse.py <<'P'
import json, sys
path, tiny, workload, n = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
execs, exits, forks = {}, {}, {}
for line in open(path):
    e = json.loads(line)
    if e["kind"] == "fork" and e["child"]["ns_pid"] == 2:
        forks[e["child"]["pid"]] = e
    if e["kind"] not in ("exec", "exit") or e["proc"]["exe"] != tiny:
        continue
    key = (e["proc"]["pid"], e["proc"]["start"])
    to = execs if e["kind"] == "exec" else exits
    assert key not in to, f"{e['kind']} twice: {key}"
    to[key] = e
assert len(execs) == n, f"{len(execs)} execs"
assert set(execs) == set(exits), "an exec without its exit"
starts = [key[1] for key in execs]
assert len(set(starts)) == n, "two processes began at the same time"
parents = {(e["proc"]["parent"]["pid"], e["proc"]["parent"]["start"], e["proc"]["parent"]["exe"]) for e in execs.values()}
assert len(parents) == 1 and next(iter(parents))[2] == workload, f"parents {parents}"
for key, e in execs.items():
    assert e["proc"]["ns_pid"] == 2, e["proc"]
    assert key[0] in forks, "no fork of it"
    assert exits[key]["proc"]["start"] == e["proc"]["start"] and e["proc"]["start"] <= e["time"]
    assert exits[key]["duration"] < 60e9
P
t_check "each of them has its own start, exit and the right parent" python3 reuse.py reuse.json "$TINY" "$WORKLOAD" $reuse

# ---- threads that end together ----

times=$((200 / SLOW))
start_skep threads run --no-rules --json --events --kinds exit --output threads.json
t_check "threads end together" "$WORKLOAD" threads 8 $times
stop_skep
cat >threads.py <<'P'
import collections, json, sys
ends = collections.Counter()
for line in open(sys.argv[1]):
    e = json.loads(line)
    if e["kind"] == "exit" and e["proc"]["exe"] == sys.argv[2]:
        ends[e["proc"]["pid"], e["proc"]["start"]] += 1
twice = [k for k, n in ends.items() if n > 1]
assert not twice, f"ended twice: {len(twice)} of {len(ends)}"
assert len(ends) == int(sys.argv[3]) + 1, len(ends)
P
t_check "a process of many threads ends once" python3 threads.py threads.json "$WORKLOAD" $times

# ---- a fork bomb, in a cgroup that bounds it ----

seen_forks() {
    [ "$(json_count bomb.json "e.kind == 'fork' and e.proc.exe == '$WORKLOAD'")" -ge "$1" ]
}

if own_cgroup "skep-test-$$"; then
    echo $((60 / SLOW + 4)) >"$CGROUP/pids.max"
    start_skep bomb run --no-rules --json --events --kinds fork,exit --output bomb.json
    (echo "$BASHPID" >"$CGROUP/cgroup.procs" && exec "$WORKLOAD" bomb 60) 2>/dev/null &
    bomb=$!
    T_PIDS+=("$bomb")
    t_check "the bomb goes off: hundreds of forks are seen" wait_for 15 seen_forks $((300 / SLOW / SLOW))
    t_check "skep lives through it" alive "$SKEP_PID"
    t_check "the bomb is put out" cgroup_kill "$CGROUP"
    wait "$bomb" 2>/dev/null
    /bin/echo after-the-bomb >/dev/null
    t_check "skep ends as ever" ended_with 0 stop_skep
    t_check "the ledger closes after a bomb" ledger_closes bomb.json
    t_check "its processes are in their cgroup" \
        json_has bomb.json "e.kind == 'fork' and e.proc.exe == '$WORKLOAD' and e.proc.cgroup == '/skep-test-$$'"
else
    t_skip "a fork bomb in a cgroup" "no cgroup controller for processes"
fi
