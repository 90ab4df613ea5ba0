#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The runner and the test library themselves: a test suite that cannot fail proves nothing.
. "${0%/*}/lib.sh"

mkdir -p tree/tools tree/tests/e2e tree/build/src/bpf
cp "$HERE/../../tools/check" tree/tools/
cp "$HERE/lib.sh" "$HERE/leaks.py" "$HERE/lines.py" tree/tests/e2e/
echo "struct bpf_program *left_behind;" >tree/build/src/bpf/skep.skel.h

sample() {
    cat >"tree/tests/e2e/$1"
    chmod +x "tree/tests/e2e/$1"
}

sample 1-silent.sh <<<'#!/bin/sh
exit 0'
sample 2-broken.sh <<<'#!/bin/sh
exit 3'
sample 3-missing.sh <<<'#!/bin/sh
echo "no such thing here"; exit 77'
sample 4-cases.sh <<<'#!/bin/bash
. "${0%/*}/lib.sh"
t_ok one
t_fail two because
t_skip three "not here"
t_check four true
t_check five false'
sample 5-slow.sh <<<"#!/bin/bash
# timeout: 6
. \"\${0%/*}/lib.sh\"
background sleep 1000
echo \$BG >$SCRATCH/slow.pid
undo touch $SCRATCH/undone
sleep 900"
sample 6-cut.sh <<<'#!/bin/bash
echo "ok - first"
exit 1'
sample 7-skipped.sh <<<"#!/bin/bash
. \"\${0%/*}/lib.sh\"
echo '{\"kind\":\"ledger\",\"kinds\":{},\"missed\":2}' >run.out
echo x >>$SCRATCH/goes
t_check six test \"\$(wc -l <$SCRATCH/goes)\" = 3"
sample not-a-test.sh <<<'#!/bin/sh
exit 1'

env -u SKEP_BUILD tree/tools/check --only e2e >log 2>&1
status=$?
closing=$(tail -n 1 log)

# every test file that sources the library adds one case of its own (its processes end), and as root another one
extra=1
[ "$(id -u)" -ne 0 ] || extra=2
want="$((1 + 2 + 3 * extra + 1 + 1)) passed, $((1 + 2 + 1 + 1)) failed, 2 skipped"
t_check "the closing line counts every case" test "$closing" = "$want"
[ "$closing" = "$want" ] || { echo "# wanted: $want" && sed 's/^/# /' log; }
t_check "a failure is told by the exit status" test $status -eq 1
t_check "a reason is shown" grep -qx 'not ok - two: because' log
t_check "a test that takes too long is ended" grep -q "not ok - 5-slow: took longer than $((6 * SLOW)) s" log
t_check "a test that fails where sensors were skipped has more goes" grep -q '^# 7-skipped: the kernel skipped sensors (2 times)' log
t_check "namely two" test "$(wc -l <goes)" -eq 3
t_check "what it started is ended with it" ended "$(cat slow.pid)"
t_check "what it wanted undone is undone" test -e undone

env -u SKEP_BUILD tree/tools/check --only e2e '1-*' >log 2>&1
t_check "success is told by the exit status" test "$? $(tail -n 1 log)" = "0 1 passed, 0 failed, 0 skipped"

env -u SKEP_BUILD tree/tools/check --only e2e nothing >log 2>&1
t_check "no test at all is a failure" test "$? $(tail -n 1 log)" = "1 0 passed, 1 failed, 0 skipped"

cat >lines <<'L'
{"kind":"exec","proc":{"pid":7,"args":["a","b"]},"container":null}
{"kind":"exit","ret":-2}
{"kind":"cut
L
truncate -s -1 lines
t_check "json_has finds a nested member" json_has lines 'e.proc.pid == 7 and "b" in e.proc.args'
t_check "a missing member is None at any depth" json_has lines 'e.kind == "exec" and e.container.image.tag == None'
t_check "json_has can say no" ended_with 1 json_has lines 'e.proc.pid == 8'
t_check "json_count counts" test "$(json_count lines 'e.kind.startswith("ex")')" = 2
count=$(json_count lines 'e.proc.nothing.at_all or e.kind')
t_check "a question is no case of its own" test "$count" = 2
(sleep 0.3; echo '{"kind":"late"}' >late) &
t_check "wait_json waits for a file and a line" wait_json 5 late 'e.kind == "late"'
t_check "and not for ever" ended_with 1 wait_json 0 late 'e.kind == "never"'
echo '{"kind":"more"}' >>late
t_check "what was added is seen" test "$(json_count late 'True')" = 2
printf '{"kind":"anew"}\n{"kind":"very much longer than before"}\n{"kind":"and more"}\n' >late
t_check "what was written anew is seen" test "$(json_count late 'True') $(json_count late 'e.kind == "late"')" = "3 0"
t_check "an expression that fails says so" grep -q ZeroDivisionError <<<"$(json_has late '1 / 0' 2>&1)"
echo >>lines
t_check "a line that is no JSON is an error" ended_with 2 json_count lines 'True'
