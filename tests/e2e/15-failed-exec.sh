#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Executions that fail: what is said of them, by which call, of 64 and of 32 bits; that the process table takes no
# notice; what rules see; and that nobody who did not ask hears of them.
. "${0%/*}/lib.sh"
. "${0%/*}/workload.sh"
need_root
need_command gcc python3

gcc -O1 -static -nostdlib -fno-stack-protector -o c64 "$HERE/calls.c" 2>gcc.log ||
    skip_all "cannot build a program without a library: $(head -n 1 gcc.log)"
programs=c64
if gcc -m32 -O1 -static -nostdlib -fno-stack-protector -fno-pic -o c32 "$HERE/calls.c" 2>gcc.log && ./c32 fork; then
    programs="c64 c32"
else
    t_skip "32-bit calls" "no 32-bit programs here"
fi
printf 'true\n' >no-header
printf '#!/does/not/exist\n' >bad-header
printf 'text\n' >plain
chmod 755 no-header bad-header
chmod 644 plain

cat >rules.yaml <<'R'
- rule: Any
  desc: of either
  condition: evt.type in (execve, execveat) and evt.arg.filename endswith fail-any
  output: any %evt.res %evt.arg.exe
  priority: NOTICE
- rule: Started
  desc: a program runs
  condition: evt.type in (execve, execveat) and evt.rawres >= 0 and proc.name startswith c and proc.args contains fail-
  output: started %evt.res %proc.args
  priority: NOTICE
- rule: Failed
  desc: a program could not be started
  condition: evt.type = execve and evt.failed = true and proc.name in (c64, c32)
  output: failed %evt.type %evt.res %evt.arg.filename %evt.arg.exe %evt.arg.args (%proc.args)
  priority: NOTICE
- rule: Failed at
  desc: the same, from a directory
  condition: evt.type = execveat and evt.rawres < 0 and proc.name in (c64, c32)
  output: failed %evt.type %evt.arg.res %evt.arg.filename %evt.arg.exe
  priority: NOTICE
R
t_need "skep watches what fails" start_skep watch watch exec,exec_failed --json
watch=$SKEP_PID
t_need "skep runs with rules" start_skep rules run --rules rules.yaml --json
rules=$SKEP_PID
t_need "skep runs without rules" start_skep plain run --no-rules --json
plain=$SKEP_PID

for c in $programs; do
    "./$c" execve /fail-none "$c-none" one "two words"
    "./$c" execve fail-relative "$c-relative"
    "./$c" execveat "$SCRATCH" fail-at "$c-at"
    "./$c" execve "$SCRATCH/plain" "$c-plain"
    "./$c" execve "$SCRATCH/no-header" "$c-no-header"
    "./$c" execve "$SCRATCH/bad-header" "$c-bad-header"
    "./$c" execveat-fd "$SCRATCH/plain" "$c-fd"
    "./$c" execve-null /fail-null
    "./$c" execve-wild
    "./$c" execve /fail-any "$c-any"
    many=$(seq -s ' ' -f '%03g' 300)
    "./$c" execve /fail-many "$c-many" $many
    "./$c" execve "$SCRATCH/$c" "fail-then" fork # and one that does not fail
done
# a shell that looks through its search path, as execvp does
PATH=/fail-first:/fail-second:$PATH python3 -c 'import os; os.execvp("true", ["search-path"])'
# and what a shell does with a script that has no first line
sh -c ./no-header
./c64 execve /fail-any last
t_need "all is seen" wait_json 10 watch.out "e.kind == 'exec_failed' and e.args == ['last']"
wait_json 10 rules.out "e.rule == 'Any' and ' last ' in e.output"
sleep 0.3
stop_skep "$watch"
stop_skep "$rules"
stop_skep "$plain"

# one WHAT EXPRESSION: it happened once
one() {
    t_check "$1" test "$(json_count watch.out "e.kind == 'exec_failed' and $2")" = 1
}
for c in $programs; do
    by="e.proc.comm == '$c' and e.proc.args[0] == './$c' and e.args"
    one "$c: a name that does not exist" "$by == ['$c-none', 'one', 'two words'] and e.error == 'ENOENT' and \
e.ret == -2 and e.syscall == 'execve' and e.path == e.raw_path == '/fail-none' and e.dirfd == 'AT_FDCWD'"
    one "$c: a relative name" "$by == ['$c-relative'] and e.raw_path == 'fail-relative' and \
e.path == '$SCRATCH/fail-relative' and e.path_source == 'lexical'"
    one "$c: from a directory" "$by == ['$c-at'] and e.syscall == 'execveat' and e.raw_path == 'fail-at' and \
e.path == '$SCRATCH/fail-at' and e.error == 'ENOENT'"
    one "$c: a file that may not be executed" "$by == ['$c-plain'] and e.error == 'EACCES'"
    one "$c: a script without a first line" "$by == ['$c-no-header'] and e.error == 'ENOEXEC'"
    one "$c: a script whose interpreter is missing" "$by == ['$c-bad-header'] and e.error == 'ENOENT' and \
e.path == '$SCRATCH/bad-header'"
    one "$c: a descriptor" "$by == ['$c-fd'] and e.syscall == 'execveat' and e.flags == 'AT_EMPTY_PATH' and \
e.path == '$SCRATCH/plain' and e.path_source == 'object' and e.raw_path == ''"
    one "$c: without arguments" "$by == None and e.raw_path == '/fail-null'"
    one "$c: an address that is not mapped" "$by == ['./$c', 'execve-wild'] and e.raw_path == None and e.error == 'EFAULT'"
    one "$c: many arguments" "${by}[:3] == ['$c-many', '001', '002'] and len(e.args) == 256 and e.truncated"
    t_check "$c: what succeeds is no failure" test "$(json_count watch.out \
        "e.kind == 'exec' and e.proc.args == ['fail-then', 'fork'] and e.proc.exe == '$SCRATCH/$c'") \
$(json_count watch.out "e.kind == 'exec_failed' and e.args == ['fail-then', 'fork']")" = "1 0"
    t_check "$c: rules: failed" json_has rules.out \
        "e.rule == 'Failed' and 'failed execve ENOENT /fail-none $c-none one two words (execve /fail-none $c-none' in e.output"
    t_check "$c: rules: failed at" json_has rules.out "e.rule == 'Failed at' and 'failed execveat ENOENT fail-at $c-at' in e.output"
    t_check "$c: rules: of either" json_has rules.out "e.rule == 'Any' and 'any ENOENT $c-any' in e.output"
done
t_check "rules: what failed was not started" test "$(json_count rules.out "e.rule == 'Started' and 'started SUCCESS' in e.output")" = \
    "$(json_count rules.out "e.rule == 'Started'")"
one "a search through \$PATH, first" "e.path == '/fail-first/true' and e.args == ['search-path'] and 'python' in e.proc.comm"
one "a search through \$PATH, second" "e.path == '/fail-second/true' and e.args == ['search-path']"
t_check "and what was found" json_has watch.out "e.kind == 'exec' and e.proc.args == ['search-path']"
one "a shell that runs a script without a first line" "e.path == '$SCRATCH/no-header' and e.error == 'ENOEXEC' and \
e.args == ['./no-header']"
t_check "skep run does not show them unasked" test "$(json_count plain.out "e.kind == 'exec_failed'")" = 0
t_check "and does not look" json_has plain.out "e.kind == 'ledger' and not e.kinds.exec_failed"
t_check "the ledger adds up" ledger_closes watch.out
