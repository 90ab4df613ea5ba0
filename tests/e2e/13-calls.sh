#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Which system call a process was created by, and a program executed by: of 64 and of 32 bits, and in rules.
. "${0%/*}/lib.sh"
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
true=$(readlink -f "$(type -P true)")

cat >rules.yaml <<'R'
- rule: Execve
  desc: a program executed by execve
  condition: evt.type = execve and proc.exe startswith mark-
  output: execve %proc.exe
  priority: NOTICE
- rule: Execveat
  desc: a program executed by execveat
  condition: evt.type = execveat and proc.exe startswith mark-
  output: execveat %proc.exe
  priority: NOTICE
- rule: Clone
  desc: a process created by clone
  condition: evt.type = clone and proc.name in (c64, c32)
  output: clone %proc.args %evt.arg.res
  priority: NOTICE
- rule: Clone3
  desc: a process created by clone3
  condition: evt.type = clone3 and proc.name in (c64, c32)
  output: clone3 %proc.args %evt.arg.res
  priority: NOTICE
- rule: Vfork
  desc: a process created by vfork
  condition: evt.type = vfork and proc.name in (c64, c32)
  output: vfork %proc.args %evt.arg.flags
  priority: NOTICE
- rule: Fork
  desc: a process created by fork
  condition: evt.type = fork and proc.name in (c64, c32)
  output: fork %proc.args
  priority: NOTICE
R
t_need "skep watches" start_skep watch watch exec,fork --json
watch=$SKEP_PID
t_need "rules watch" start_skep rules run --rules rules.yaml --json
rules=$SKEP_PID

for c in $programs; do
    for how in fork vfork clone clone3; do
        t_check "$c: $how" "./$c" $how
    done
    "./$c" execve "$true" "mark-$c-execve"
    "./$c" execveat . "$true" "mark-$c-at"
    "./$c" execveat "${true%/*}" "${true##*/}" "mark-$c-dir"
    "./$c" execveat-fd "$true" "mark-$c-fd"
    # the new image's convention is not that of the call
    for other in $programs; do
        "./$c" execveat . "$SCRATCH/$other" "mark-$c-$other" fork
    done
done
./c64 execve "$true" mark-last
t_need "all is seen" wait_json 10 watch.out "e.kind == 'exec' and e.proc.args == ['mark-last']"
wait_json 10 rules.out "e.rule == 'Execve' and ' mark-last ' in e.output"
stop_skep "$watch"
stop_skep "$rules"

# by KIND CALL EXPRESSION: there is one such event, and it came by this call
by() {
    t_check "$1 by $2: $3" test "$(json_count watch.out "e.kind == '$1' and e.syscall == '$2' and $3") \
$(json_count watch.out "e.kind == '$1' and $3")" = "1 1"
}
# alert RULE OUTPUT: the rule matched this, and no other did
alert() {
    t_check "rule $1: $2" test "$(json_count rules.out "e.rule == '$1' and ' $2 container' in e.output") \
$(json_count rules.out "e.rule and ' ${2#* } container' in e.output")" = "1 1"
}
n=$(set -- $programs; echo $#)
for c in $programs; do
    for how in fork vfork clone clone3; do
        by fork $how "e.proc.args == ['./$c', '$how']"
    done
    by exec execve "e.proc.args == ['mark-$c-execve']"
    alert Execve "execve mark-$c-execve"
    for how in at dir fd; do
        by exec execveat "e.proc.args == ['mark-$c-$how']"
        alert Execveat "execveat mark-$c-$how"
    done
    for other in $programs; do
        by exec execveat "e.proc.args == ['mark-$c-$other', 'fork']"
        alert Execveat "execveat mark-$c-$other"
    done
done
t_check "rules: fork" test "$(json_count rules.out "e.rule == 'Fork'")" = $((n + n * n))
t_check "rules: vfork" test "$(json_count rules.out "e.rule == 'Vfork' and 'CLONE_VFORK' in e.output")" = "$n"
for how in clone clone3; do
    t_check "rules: $how" test "$(json_count rules.out \
        "e.rule == '${how^}' and 0 < int(e.output_fields['evt.arg.res'])")" = "$n"
done
