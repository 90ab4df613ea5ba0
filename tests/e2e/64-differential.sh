#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# Random programs say the same in the interpreter, in checked and trusted machine code, and in the kernel. By hand, for
# longer: build/tests/vm/differential --count 1000000 --kernel 100000 --seed N.
. "${0%/*}/lib.sh"

t_need "the runner builds" ninja -C "$BUILD" --quiet tests/vm/differential
"$BUILD/tests/vm/differential" --count 150000 --kernel 6000 --seed "${SKEP_TEST_SEED:-$(date +%j)}" >out.txt 2>&1
status=$?
t_check "no mode differs from another" test $status -eq 0
[ $status -eq 0 ] || sed 's/^/#   /' out.txt
if grep -q '^kernel: refused' out.txt; then
    t_skip "the kernel agrees" "$(sed -n 's/^kernel: refused: //p' out.txt)"
else
    t_check "the kernel has run them, too" grep -Eq '; 6000 in the kernel, [0-9]{1,2} of them refused' out.txt
fi
t_check "some end by a fault, most do not" grep -Eq '^150000 programs, [3-8][0-9]{4} of them' out.txt
