#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Exit statuses, errors and help: what goes wrong is said in one clear line, and what is used wrongly ends with 2.
. "${0%/*}/lib.sh"

# says STATUS PATTERN ARGS...: skep ends with that status, prints nothing on standard output, and its first line on
# standard error matches.
says() {
    local want=$1 pattern=$2 status
    shift 2
    timeout 20 "${AS[@]}" "$SKEP" "$@" >says.out 2>says.err </dev/null
    status=$?
    cat says.err
    [ $status -eq "$want" ] || { echo "exit status $status instead of $want"; return 1; }
    [ ! -s says.out ] || { echo "something on standard output"; return 1; }
    head -n 1 says.err | grep -Eq -- "$pattern"
}
AS=()

t_check "an unknown command" says 2 "^skep: unknown command 'nonsense'" nonsense
t_check "a command that is nearly right" says 2 "did you mean watch" wathc
t_check "an unknown option" says 2 '^skep run: unknown option --nonsense' run --nonsense
t_check "an unknown kind, with a better one" says 2 "^skep: error: there is no kind of event 'opne' .did you mean 'open'" run --kinds opne
t_check "an unknown kind far from all" says 2 "no kind of event 'zzzzz'; 'skep docs events' lists them" watch zzzzz
t_check "an unknown field" says 2 '^--columns:1:5: error: there is no field `pidd`' watch exec -o pid,pidd
t_check "with a hint" grep -q 'hint: did you mean `pid`' says.err
t_check "an unknown field in a condition" says 2 '^--where:1:1: error: ' run --where 'nope = 1'
t_check "with a hint" grep -q 'hint: .skep docs fields. and .skep docs events. list the fields' says.err
t_check "a condition that is cut" says 2 '^--where:1:5: error: a value is expected instead of the end' watch exec --where 'pid='
t_check "a column that is nearly right" says 2 '^--where:1:10: error: there is no field `pth`' watch open --where 'uid=0 or pth = /x'
t_check "with a hint and a caret" eval "grep -q 'hint: did you mean .path.' says.err && grep -Eq '^ +\^~~$' says.err"
t_check "a field of rules that is nearly right" says 2 'there is no field `proc.nmae`' record -o /dev/null --where 'proc.nmae = cat'
t_check "with a hint" grep -q 'hint: did you mean `proc.name`' says.err
t_check "a column of other kinds" says 2 'the chosen kinds of event have no `remote.port`' watch open --where 'remote.port = 1'
t_check "a value that is none" says 2 '^--where:1:16: error: `flags` cannot be compared with this: expected set of' watch open --where 'flags contains O_CRAET'
t_check "with a hint" grep -q 'hint: did you mean `O_CREAT`' says.err
t_check "an operator of other types" says 2 '`contains` is not for `pid`' run --where 'pid contains 1'
t_check "what other languages have for and" says 2 '`and`, `or` or the end is expected instead of `&&`' watch exec --where 'pid = 1 && uid = 0'
t_check "with a hint" grep -q 'hint: `&&` is written `and`' says.err
t_check "the second of two conditions" says 2 '^--where:1:1: error: there is no field `nope`' run --where pid=1 --where nope=1
t_check "a kind that is none" says 2 'there is no kind of event `opne`' run --where 'kind in (exec, opne)'
t_check "an unknown field to count by" says 2 '^--count-by:1:1: error: ' watch exec --count-by nope
t_check "an unknown field to sort by" says 2 '^--sort:1:1: error: ' watch exec --sort nope
t_check "a missing argument" says 2 '^skep watch: missing argument: KIND' watch
t_check "one too many" says 2 "^skep run: unexpected argument 'make' .a command to run follows --" run make
t_check "an option without its argument" says 2 '^skep run: --uid' run --uid
t_check "no duration" says 2 "^skep run: --duration: 'soon' is not a duration" run --duration soon
t_check "no user" says 2 "^skep run: --uid: 'nobody-of-that-name'" run --uid nobody-of-that-name
t_check "no process" says 2 '^skep: error: there is no process 4194303' run --pid 4194303
python3 -c 'import threading,time
t = threading.Thread(target=time.sleep, args=(60,), daemon=True)
t.start()
open("thread", "w").write(str(t.native_id))
t.join()' &
T_PIDS+=("$!")
wait_for 10 test -s thread
t_check "a thread" says 2 "^skep: error: $(cat thread) is a thread of process $!: give that one" run --pid "$(cat thread)"
t_check "no such size" says 2 '^skep run: --memory: ' run --memory much
t_check "more memory than rings can have" says 2 "cannot be: at most [0-9]* GiB" run --memory 100T --duration 1ms
t_check "a name that is too long" says 2 '^skep: error: --comm: ' run --comm sixteen-letters-
t_check "two that exclude each other" says 2 'exclude each other' run --host-only --container x
t_check "nothing to record to" says 2 '^skep record: missing option: -o' record
t_check "a recording and events on one output" says 2 '^skep run: events and the recording would both go to standard output' run --record -
t_check "a recording and a command on one output" says 2 '^skep record: a command and a recording to standard output' record -o - -- true
t_check "no such recording" says 2 '^skep: error: /nonexistent: No such file' replay /nonexistent
echo "no recording" >text
t_check "a file that is no recording" says 2 '^skep: error: .*text' replay text

t_check "closed standard output" eval "ended_with 1 '$SKEP' watch exec --duration 1ms 2>shut.err >&- && grep -q '^skep: error: cannot open standard output: Bad file descriptor' shut.err"
t_check "a recording needs none" eval "'$SKEP' record -o shut.skep --duration 100ms 2>shut.err >&- && '$SKEP' replay shut.skep >/dev/null"

# ---- help ----

for command in $("$SKEP" --help | sed -n 's/^  \([a-z]\{2,\}\)  .*/\1/p'); do
    [ "$command" != help ] && [ "$command" != version ] || continue
    t_check "skep $command --help" ended_with 0 eval "'$SKEP' $command --help >help.out 2>help.err"
    t_check "skep $command --help: says how to use it, on standard output" \
        eval "grep -q '^Usage: skep $command' help.out && [ ! -s help.err ]"
    "$SKEP" help "$command" >help2.out 2>&1
    t_check "skep help $command is the same" cmp help.out help2.out
    t_check "no line is wider than a terminal" ended_with 1 grep -Eq '^.{81}' help.out
done
t_check "commands were found" test -s help.out
to_full_disk() {
    "$SKEP" "$@" >/dev/full 2>full.err </dev/null
    [ $? -eq 1 ] && grep -q '^skep: error: cannot write to standard output' full.err
}
for command in version 'docs events' 'docs events --json' 'docs losses' 'docs manual' ps probe 'rules list' 'rules explain'; do
    # shellcheck disable=SC2086 # words
    t_check "$command: a disk that is full" to_full_disk $command
done
t_check "every kind is in the reference" eval "'$SKEP' docs events >docs.out"
t_check "fields of rules are in the reference" eval "'$SKEP' docs fields >fields.out"
t_check "with what the kernel knows" grep -q '^- `fd.name` (text): .* known in the kernel for open' fields.out
t_check "also as JSON" eval "'$SKEP' docs fields --json | python3 -c 'import json, sys; json.load(sys.stdin)[\"arguments\"][\"openat\"]'"
for kind in fork exec exit open connect dns ptrace bpf uring; do
    t_check "the reference of $kind" grep -Eq "^## $kind$" docs.out
done
t_check "every instruction is in the reference" eval "'$SKEP' docs instructions >docs.out"
t_check "the reference of movsx" grep -Eq '^0xbf off 32 .* r1 = \(s32\)r2 ' docs.out

# ---- without the rights ----

if [ "$(id -u)" -ne 0 ]; then
    t_skip "as another user" "not root"
else
    need_command setpriv
    chmod 711 "$SCRATCH"
    # the build may lie where others cannot look
    cp "$SKEP" "$SCRATCH/skep-copy"
    SKEP=$SCRATCH/skep-copy
    AS=(setpriv --reuid 12345 --regid 12345 --clear-groups)
    for command in run ps "watch exec" "run --json"; do
        # shellcheck disable=SC2086
        t_check "not root: skep $command" says 2 '^skep: error: not root: ' $command
        t_check "in one line" test "$(wc -l <says.err)" = 1
    done
    "${AS[@]}" "$SKEP" probe >probe.out 2>/dev/null
    t_check "not root: probe blames the kernel for nothing else" \
        eval "grep -A1 'no   ringbuf' probe.out | grep -q 'to have it: run as root' && grep -q 'no   bpf_loop' probe.out"
    AS=(setpriv --bounding-set=-all --inh-caps=-all)
    t_check "root without capabilities" says 2 '^skep: error: bpf\(2\) is refused although we are root' run
    AS=()
    need_command unshare
    if unshare --mount true; then
        AS=(unshare --mount bash -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' bash)
        t_check "a kernel without types" says 2 '^skep: error: this kernel has no type information' run
        AS=()
    fi

    t_check "that nobody reads on is no error" test "$("$SKEP" ps 2>&1 | { read -r line && echo "$line"; sleep 1; } | wc -l)" = 1
    "$SKEP" run --disable 'Password hashes red' --disable tag:nonsense -- true >run.out 2>run.err
    t_check "a rule to be off that is not there" \
        grep -q "warning: --disable: there is no rule 'Password hashes red' (did you mean 'Password hashes read'?)" run.err
    t_check "and a tag" grep -q "warning: --disable: there is no rule with the tag 'nonsense'" run.err

    # ---- what fails while it runs ----

    t_check "an output that cannot be opened" says 1 '^skep: error: cannot open /nonexistent/file' run --output /nonexistent/file
    "$SKEP" run --no-rules -- /nonexistent/program >run.out 2>run.err
    t_check "a command that does not exist: status 1" test $? -eq 1
    t_check "a command that does not exist: said so" grep -q "^skep: error: cannot run '/nonexistent/program': No such file" run.err
    "$SKEP" run --no-rules -- /bin/false >run.out 2>run.err
    t_check "a command that fails: its status" test $? -eq 1
    t_check "and it is told" grep -q 'ended with status 1' run.err
    for status in 0 2 77 255; do
        t_check "watch: status $status of its command" ended_with $status "$SKEP" watch exec -- /bin/sh -c "exit $status"
    done
    t_check "watch: a command that is killed" ended_with 137 "$SKEP" watch exec -- /bin/sh -c 'kill -9 $$'
    t_check "run: a command that is ended by SIGTERM" ended_with 143 "$SKEP" run --no-rules -- /bin/sh -c 'kill -TERM $$'
    t_check "record: status of its command" ended_with 3 "$SKEP" record -o rec -- /bin/sh -c 'exit 3'
    t_check "its recording is whole" "$SKEP" replay rec
    # blocked and ignored ones, without 32 and 33: these are the C library's, which does with them what it likes
    signals() {
        local name bits
        while read -r name bits; do
            printf '%s %x\n' "$name" $((16#$bits & ~(3 << 31)))
        done
    }
    t_check "a command finds its signals as they were" test \
        "$("$SKEP" run --no-rules --output events -- grep 'Sig[BI]' /proc/self/status 2>run.err | signals)" = \
        "$(grep 'Sig[BI]' /proc/self/status | signals)"
    t_check "a limit of files is an error" ended_with 1 \
        eval "(ulimit -f 8; '$SKEP' record -o limited --duration 100ms >run.out 2>run.err)"
    t_check "and told" grep -q '^skep: error: cannot record to limited: File too large' run.err
    t_check "an error of skep's own comes first" ended_with 1 \
        eval "'$SKEP' watch exec --record /dev/full -- /bin/sh -c 'exit 5' >run.out 2>&1"

    # ---- the terminal goes away ----

    trap '' HUP # as nohup does
    t_need "starts" start_skep nohup record -o nohup.skep
    trap 'exit 130' HUP
    t_need "starts" start_skep hup record -o hup.skep
    kill -HUP "$SKEP_PID" "${T_PIDS[-2]}"
    t_check "SIGHUP ends it" wait_for 10 ended "$SKEP_PID"
    sleep 0.5
    t_check "but not under nohup" alive "${T_PIDS[-2]}"
    t_check "SIGINT does" ended_with 0 stop_skep "${T_PIDS[-2]}"
    t_check "and leaves a whole recording" "$SKEP" replay nohup.skep

    # ---- kernel threads in the process list ----

    "$SKEP" ps >ps.out
    t_check "ps: its header" eval "head -n 1 ps.out | grep -Eq '^PID +PARENT.PID +UID +START +CONTAINER +ARGS'"
    if [ "$(cat /proc/2/comm)" = kthreadd ]; then
        t_check "ps: kernel threads by their names" grep -Eq '^2 .*\[kthreadd\]' ps.out
        "$SKEP" ps --tree >tree.out
        t_check "ps --tree: the same" grep -Eq '^ *2 .*\[kthreadd\]' tree.out
    fi
    t_check "ps: this shell, with its arguments" grep -Eq "^$$ .*55-status" ps.out
    "$SKEP" ps --json >ps.json
    t_check "ps --json: this shell and its parent" \
        json_has ps.json "e.proc.pid == $$ and e.proc.parent.pid == $PPID and e.proc.exe.endswith('bash') and e.proc.cwd == '$SCRATCH'"
    t_check "ps: as many as there are" python3 -c "
import glob
listed = sum(1 for _ in open('ps.json'))
there = len(glob.glob('/proc/[0-9]*'))
assert abs(listed - there) < 30, (listed, there)"
fi
