#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# The filter stage on this kernel: programs that judge records before they go into the ring, loaded, exchanged under
# load with nothing missing and the ledger closed; sensors that come and go at run time; and one filter body in the
# kernel and in the engine. The tests themselves are unit tests, for what they look at has no command yet; here they
# run under every kernel that the end-to-end tests run under.
. "${0%/*}/lib.sh"

for test in load_filter rule_compile_frame; do
    t_need "the test builds" ninja -C "$BUILD" --quiet "tests/unit/test_$test"
    "$BUILD/tests/unit/test_$test" >$test.out 2>&1
    status=$?
    t_check "$test" test $status -eq 0
    [ $status -eq 0 ] || sed 's/^/#   /' $test.out
    t_check "$test did not skip" ended_with 1 grep -q 'SKIPPED\|skipped' $test.out
done
t_check "policies were exchanged under load" grep -Eq '^# [0-9]+ policies, [0-9]+ pairs, [1-9][0-9]* times both wanted' load_filter.out
t_check "the kernel judged as the engine does" grep -Eq '^# 150 bodies, [0-9]+ records passed' rule_compile_frame.out
