#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The engine gives what programs must give, in every mode that it has: our own cases (tests/data/vm), and those of the
# public conformance suite that lie in the shared test data.
. "${0%/*}/lib.sh"
need_command python3

RUNNER=$HERE/../vm/conformance
OWN=$HERE/../data/vm
SHARED=${SKEP_SHARED_DATA:-$HERE/../../../shared/data}/conformance

modes=(interpret)
if [ "$(uname -m)" = x86_64 ]; then
    modes+=(jit trusted)
fi

for mode in "${modes[@]}"; do
    python3 "$RUNNER" "$SKEP" "$mode" "$OWN"/run/*.data "$OWN"/rejected/*.data || T_FAILED=1
    if [ -d "$SHARED" ]; then
        find "$SHARED" -name '*.data' -print0 | sort -z |
            xargs -0 python3 "$RUNNER" "$SKEP" "$mode" || T_FAILED=1
    else
        t_skip "the public suite ($mode)" "no directory $SHARED"
    fi
done

# the protocol: options in any order, memory left out or empty
t_check "options before the memory" test "$(echo 61 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00 |
    "$SKEP" vm plugin --interpret 01020304)" = 4030201
t_check "options behind the memory" test "$(echo 6110000000000000 9500000000000000 |
    "$SKEP" vm plugin 01020304 --interpret)" = 4030201
t_check "no memory" test "$(echo bf 20 00 00 00 00 00 00 95 00 00 00 00 00 00 00 | "$SKEP" vm plugin)" = 0
t_check "bad memory is wrong use" ended_with 2 "$SKEP" vm plugin 0x1 </dev/null
t_check "what is no hex is an error" ended_with 1 "$SKEP" vm plugin < <(echo "no hex")
t_check "half an instruction is an error" ended_with 1 "$SKEP" vm plugin < <(echo "b7 00 00 00")
