#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# Random rules over random events: exact programs in each mode of the engine say what a plain evaluator says, and no
# filter drops what a rule matches. By hand, for longer: build/tests/rule/differential --count 5000000 --seed N.
. "${0%/*}/lib.sh"

t_need "the runner builds" ninja -C "$BUILD" --quiet tests/rule/differential
SKEP_BPF_OBJECT=$BUILD/src/bpf/skep.bpf.o "$BUILD/tests/rule/differential" --count 100000 \
    --seed "${SKEP_TEST_SEED:-$(date +%j)000}" >out.txt 2>&1
status=$?
t_check "nothing differs" test $status -eq 0
[ $status -eq 0 ] || sed 's/^/#   /' out.txt
t_check "rules match, and filters drop" grep -Eq '^[0-9]+ pairs, [0-9]{4,} matches, [0-9]{3,} records filtered, [0-9]{3,} dropped' out.txt
