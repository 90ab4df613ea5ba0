#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skep run` starts, sees a program start, ends when asked, and leaves nothing behind, however it ends.
. "${0%/*}/lib.sh"
need_root
need_command bpftool python3

t_need "skep run starts" start_skep run run --no-rules --json
/bin/echo a-word-that-nobody-else-says >/dev/null
exec_seen='e.kind == "exec" and e.proc.args[-1:] == ["a-word-that-nobody-else-says"]'
t_check "an exec is printed, with its arguments" wait_json 10 run.out "$exec_seen"
t_check "it ends when asked" ended_with 0 stop_skep
t_check "the exec is printed once" test "$(json_count run.out "$exec_seen")" = 1
t_check "the last line is the ledger" test "$(tail -n 1 run.out | cut -c1-16)" = '{"kind":"ledger"'
balanced='all(k.seen == k.emitted + k.filtered + sum(k.lost.values()) for k in e.kinds.values())'
t_check "the ledger adds up" json_has run.out "e.kind == 'ledger' and e.kinds.exec.seen > 0 and $balanced"

start_skep killed run --no-rules --json
kill -KILL "$SKEP_PID"
wait "$SKEP_PID" 2>/dev/null
t_check "killed, it leaves nothing in the kernel" t_no_leaks

start_skep first run --no-rules
first=$SKEP_PID
start_skep second run --no-rules
t_check "one of two ends" ended_with 0 stop_skep
t_check "the other does not mind" alive "$first"
t_check "and ends too" ended_with 0 stop_skep "$first"
