#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every filter shows what it should and nothing else; a command behind -- is followed with all that it starts.
. "${0%/*}/lib.sh"
. "$HERE/container.sh"
. "$HERE/workload.sh"
need_root
need_workload

mkdir t
chmod 755 . t
mkfifo t/go1 t/go2 t/go3

# only EXPRESSION FILE: whether every event in the file satisfies it, and there is one.
only() {
    [ "$(json_count "$2" "e.kind != 'ledger' and not ($1)")" = 0 ] && json_has "$2" "e.kind != 'ledger' and ($1)"
}

# ---- --pid: a process and its descendants, born before and after ----

# root of the tree - child - grandchild, each of which acts when it is told to, also after its parent has gone
cat >t/grandchild.sh <<'S'
read -r _ <t/go3
"$1" from-grandchild
S
cat >t/child.sh <<'S'
bash t/grandchild.sh "$1" &
read -r _ <t/go2
"$1" from-child
S
cat >t/root.sh <<'S'
bash t/child.sh "$1" &
read -r _ <t/go1
"$1" from-root
bash -c '"$0" from-late-descendant; exit 0' "$1"
wait
S
bash t/root.sh "$TINY" &
root=$!
T_PIDS+=("$root")
wait_for 5 pgrep -f "^bash t/grandchild.sh $TINY"
start_skep pid run --no-rules --json --events --kinds exec,exit,open --pid $root
"$TINY" from-a-stranger
echo >t/go2
echo >t/go3
sleep 0.2
echo >t/go1
wait "$root"
"$TINY" from-a-stranger
for who in from-root from-child from-grandchild from-late-descendant; do
    t_check "--pid: $who" wait_json 10 pid.out "e.kind == 'exec' and e.proc.args[1:] == ['$who']"
done
t_check "--pid: the end of a descendant" wait_json 10 pid.out "e.kind == 'exit' and e.proc.args[1:] == ['from-late-descendant']"
t_check "skep ends" ended_with 0 stop_skep
t_check "--pid: no stranger" test "$(json_count pid.out "e.proc.args[1:] == ['from-a-stranger']")" = 0
t_check "--pid: nothing of skep's own" test "$(json_count pid.out "e.proc.pid == $SKEP_PID")" = 0
t_check "--pid: the ledger closes" ledger_closes pid.out

# In a pid namespace of its own skep knows other numbers than its sensors do.
cat >t/inside.sh <<'S'
sh -c 'read -r _ <t/go1; "$1" from-inside; exit 0' sh "$2" &
"$1" watch exec --json --pid $! --output inside-pid.json 2>inside.err &
for _ in $(seq 200); do
    grep -q attached inside.err && break
    sleep 0.1
done
echo >t/go1
sleep 1
kill -INT $!
wait
"$1" watch exec --json --output inside.json -- "$2" from-command
"$1" watch exec --host-only
echo "host-only $?"
S
unshare -pf --mount-proc bash t/inside.sh "$SKEP" "$TINY" >inside.out 2>&1
t_check "in a pid namespace: --pid" only "e.proc.args[1:] == ['from-inside']" inside-pid.json
t_check "in a pid namespace: a command" only "e.proc.args[1:] == ['from-command']" inside.json
t_check "in a pid namespace: it says what is missing" eval "unshare -pf --mount-proc '$SKEP' watch exec -d 10ms 2>&1 | grep -q '^skep: warning: skep runs in a pid namespace of its own'"
t_check "in a pid namespace: --host-only is refused" grep -q '^host-only 2' inside.out

# ---- --uid, --comm ----

start_skep uid run --no-rules --json --events --kinds exec,exit,open --uid 12345
start_skep_too() {
    start_skep comm run --no-rules --json --events --kinds exec,exit,open --comm workload
}
uid=$SKEP_PID
start_skep_too
comm=$SKEP_PID
"$WORKLOAD" as 12345 "$WORKLOAD" opens 3 "$SCRATCH/t/not-there"
"$WORKLOAD" opens 3 "$SCRATCH/t/by-root"
"$TINY" by-root
t_check "--uid: an event of that user" wait_json 10 uid.out "e.kind == 'open' and e.path == '$SCRATCH/t/not-there'"
t_check "--comm: an event of that name" wait_json 10 comm.out "e.kind == 'open' and e.path == '$SCRATCH/t/by-root'"
stop_skep "$uid"
stop_skep "$comm"
t_check "--uid: only that user" only "e.proc.uid == 12345" uid.out
t_check "--comm: only that name" only "e.proc.comm == 'workload'" comm.out
t_check "--uid: the ledger closes, with much filtered out" \
    ended_with 0 eval "ledger_closes uid.out && json_has uid.out \"e.kind == 'ledger' and e.kinds.exec.filtered > 0\""
t_check "--comm: the ledger closes" ledger_closes comm.out

# ---- --where, with kinds that are not wanted ----

start_skep where run --no-rules --json --events --kinds exec,open --where "path endswith by-where"
"$WORKLOAD" opens 2 "$SCRATCH/t/by-where"
"$WORKLOAD" opens 2 "$SCRATCH/t/other"
t_check "--where: what it asks for" wait_json 10 where.out "e.kind == 'open' and e.path == '$SCRATCH/t/by-where'"
stop_skep
t_check "--where: nothing else" only "e.kind == 'open' and e.path == '$SCRATCH/t/by-where'" where.out
t_check "--where: the ledger closes" ledger_closes where.out
t_check "--where: what it is not about stays in the kernel" json_has where.out "e.kind == 'ledger' and e.kinds.open.filtered > 0"

# ---- every operator, live and on a recording ----

cat >ops.sh <<S
'$TINY' one-argument
'$WORKLOAD' opens 3 '$SCRATCH/t/operators'
'$WORKLOAD' opens 2 '$SCRATCH/t/not-there/operators'
cat /etc/hostname /etc/passwd >/dev/null
true >'$SCRATCH/t/created'
S
# shows KIND CONDITION EXPRESSION: every event of the kind that the expression is true for, and no other, live; what was
# recorded meanwhile shows the same again, with the condition that is in its head; and so does a recording of everything.
"$SKEP" record -o all.rec -- bash ops.sh 2>/dev/null
n=0
shows() {
    local kind=$1 where=$2 wanted=$3 lines
    n=$((n + 1))
    "$SKEP" watch "$kind" --json --where "$where" --record "ops$n.rec" -- bash ops.sh >live.out 2>live.err
    only "$wanted" live.out || { cat live.err; return 1; }
    ledger_closes live.out || return 1
    "$SKEP" replay "ops$n.rec" --json >replay.out 2>/dev/null
    grep -v '"kind":"ledger"' live.out >live.events
    grep -v '"kind":"ledger"' replay.out | cmp - live.events || return 1
    # of another run of the same: as many
    "$SKEP" replay all.rec --json --kinds "$kind" --where "$where" >all.out 2>/dev/null
    only "$wanted" all.out || return 1
    lines=$(grep -vc '"kind":"ledger"' all.out)
    [ "$(wc -l <live.events)" = "$lines" ] || { echo "live $(wc -l <live.events), recorded $lines"; return 1; }
    "$SKEP" replay all.rec --json --kinds "$kind" >all.out 2>/dev/null
    [ "$(json_count all.out "e.kind != 'ledger' and ($wanted)")" = "$lines" ]
}
mine="e.path == '$SCRATCH/t/operators'"
shown() {
    t_check "--where '$2'" shows "$@"
}
shown open "path = $SCRATCH/t/operators" "$mine"
shown open "path startswith $SCRATCH/t/ope" "$mine"
shown open "path endswith t/operators" "$mine"
shown open "path icontains T/OPERATORS" "$mine"
shown open "path glob */t/operator?" "$mine"
shown open "path iglob */T/OPERATOR?" "$mine"
shown open "path regex '.*/t/op[a-r]+ators'" "$mine"
shown open "path pmatch ($SCRATCH/t/operators, /nonexistent)" "$mine"
shown open "path bcontains 742f6f70657261746f7273" "$mine"
shown open "path endswith anyof (t/operators, /hostname)" "$mine or e.path == '/etc/hostname'"
shown open "path startswith allof (/etc, /etc/host)" "e.path.startswith('/etc/host')"
shown open "path in (/etc/hostname, /etc/passwd)" "e.path in ('/etc/hostname', '/etc/passwd')"
shown open "error exists and ret < 0 and path contains not-there" "e.error and 'not-there' in e.path"
shown open "error = ENOTDIR or error in (enoent) and path endswith /operators" "e.error == 'ENOTDIR' or e.error == 'ENOENT' and e.path.endswith('/operators')"
shown open "not (comm != cat or path startswith /lib or path startswith /usr)" "e.proc.comm == 'cat' and not e.path.startswith(('/lib', '/usr'))"
shown open "flags contains O_CREAT|O_TRUNC" "'O_CREAT' in e.flags and 'O_TRUNC' in e.flags"
shown open "flags intersects (O_CREAT, O_DIRECTORY)" "'O_CREAT' in e.flags or 'O_DIRECTORY' in e.flags"
shown open "proc.name = cat and fd.name startswith /etc and not fd.name in (/etc/passwd)" \
    "e.proc.comm == 'cat' and e.path.startswith('/etc') and e.path != '/etc/passwd'"
shown open "evt.type = openat and fd.name = val(path) and tolower(comm) = cat" "e.proc.comm == 'cat' and e.ret >= 0"
shown exec "args = one-argument and pid > 1 and parent.comm = bash" "e.proc.args[1:] == ['one-argument']"
shown exec,open "kind = exec and comm in (tiny, cat)" "e.kind == 'exec' and e.proc.comm in ('tiny', 'cat')"
shown exec,exit "duration exists and comm = cat and duration < 1h" "e.kind == 'exit' and e.proc.comm == 'cat'"
t_check "two conditions: both" eval "'$SKEP' replay all.rec --json --kinds open --where 'path endswith /passwd or comm = bash' --where 'comm = cat or pid = 1' >both.out && only \"e.proc.comm == 'cat' and e.path == '/etc/passwd'\" both.out"
"$SKEP" watch open --count-by path --where "path endswith t/operators or path endswith there/operators" -- bash ops.sh >counted.out 2>/dev/null
t_check "--count-by with --where" eval "grep -Eq '(^|\s)3(\s.*)?/t/operators|/t/operators\s+3' counted.out && [ \$(grep -c operators counted.out) = 2 ]"
t_check "--count-by with --where: nothing else" test "$(grep -c / counted.out)" = 2
"$SKEP" run --no-rules --json --events --kinds open --where "path endswith t/operators" --no-pushdown -- bash ops.sh >user.out 2>/dev/null
t_check "--no-pushdown: the same" test "$(json_count user.out "e.kind == 'open' and $mine")" = 3

# ---- kinds: what is shown without being asked for, --kinds, --events ----

start_skep plain run --no-rules --json
start_skep events run --no-rules --json --events
"$WORKLOAD" opens 5
"$TINY" for-kinds
wait_json 10 events.out "e.kind == 'exit' and e.proc.args[1:] == ['for-kinds']"
stop_skep
events_ok=$?
stop_skep "${T_PIDS[-2]}"
t_check "without options: an exec" json_has plain.out "e.kind == 'exec' and e.proc.args[1:] == ['for-kinds']"
t_check "without options: no fork, exit, open" test "$(json_count plain.out "e.kind in ('fork', 'exit', 'open', 'chdir')")" = 0
for kind in fork exec exit open; do
    t_check "--events: $kind" json_has events.out "e.kind == '$kind'"
done
t_check "--events: the ledger closes" ledger_closes events.out
t_check "without options: the ledger closes" ledger_closes plain.out
t_check "--events: it ended well" test $events_ok -eq 0

# ---- --duration, --output ----

began=$(date +%s%N)
t_check "--duration ends it" "$SKEP" run --no-rules --json --duration 1s --output duration.out
took=$((($(date +%s%N) - began) / 1000000))
t_check "--duration takes its time ($took ms)" test $took -ge 1000 -a $took -lt $((3000 * SLOW))
t_check "--output: the ledger is in the file" json_has duration.out "e.kind == 'ledger'"
t_check "--output: readable for its owner only" test "$(stat -c %a duration.out)" = 600
lines=$(wc -l <duration.out)
"$SKEP" run --no-rules --json --duration 10ms --output duration.out
t_check "--output: a file is appended to" test "$(wc -l <duration.out)" -gt "$lines"

# ---- a command behind -- ----

"$SKEP" run --no-rules --json --events --kinds exec,exit,open,fork -- \
    bash -c "'$TINY' in-command; (sleep 0.3; '$TINY' in-background) & exit 3" >command.out 2>command.err &
runner=$!
"$TINY" beside-command
wait $runner
t_check "a command: skep ends with it, with its status" test $? -eq 3
t_check "a command: its start is there" json_has command.out "e.kind == 'exec' and e.proc.args[:2] == ['bash', '-c']"
t_check "a command: a descendant" json_has command.out "e.kind == 'exec' and e.proc.args[1:] == ['in-command']"
t_check "a command: its status is told" grep -q 'bash ended with status 3' command.err
t_check "a command: nobody else" test "$(json_count command.out "e.proc.args[1:] == ['beside-command']")" = 0
t_check "a command: what came before its program is not there" \
    test "$(json_count command.out "e.kind == 'exec' and e.proc.exe == '$SKEP'")" = 0
t_check "a command: the ledger closes" ledger_closes command.out
"$SKEP" watch exec --json -- "$TINY" watched >watched.out 2>/dev/null
t_check "watch KIND -- COMMAND" test "$(json_count watched.out "e.kind == 'exec' and e.proc.args[1:] == ['watched']")" = 1
t_check "watch: only that kind" only "e.kind == 'exec'" watched.out
"$SKEP" watch exec -o pid,comm,args -- "$TINY" in-columns >columns.out 2>/dev/null
t_check "watch: the columns that were asked for" grep -Eq '^PID +COMM +ARGS' columns.out
t_check "watch: and a row" grep -Eq "^[0-9]+ +tiny +$TINY in-columns" columns.out
"$SKEP" watch open --count-by path -- "$WORKLOAD" opens 7 /dev/null >counted.out 2>/dev/null
t_check "watch --count-by" grep -Eq '(^|\s)7(\s.*)?/dev/null|/dev/null\s+7' counted.out

# ---- containers ----

if reason=$(container_lacks runc); then
    name=skep-filter-$$
    start_skep in run --no-rules --json --kinds exec --container "$name"
    in=$SKEP_PID
    start_skep host run --no-rules --json --kinds exec --host-only
    host=$SKEP_PID
    # who it belongs to is known once the runtime was asked: a container that lives for a while
    t_check "a container runs" runc_start "$name" /bin/sh -c 'while :; do /bin/echo in-the-container; sleep 0.2; done'
    /bin/echo on-the-host >/dev/null
    inside="e.kind == 'exec' and e.proc.exe == '/bin/busybox' and e.proc.args == ['/bin/echo', 'in-the-container']"
    t_check "--container: what happens inside" wait_json 10 in.out "$inside and e.container.id == '$name'"
    t_check "--host-only: what happens outside" wait_json 10 host.out "e.kind == 'exec' and e.proc.args[-1:] == ['on-the-host']"
    stop_skep "$in"
    stop_skep "$host"
    t_check "--container: nothing else" only "e.container.id == '$name'" in.out
    t_check "--host-only: nothing from inside" test "$(json_count host.out "e.container or ($inside)")" = 0
    t_check "--container: the ledger closes" ledger_closes in.out
    runc delete --force "$name"
else
    t_skip "--container, --host-only" "$reason"
fi
