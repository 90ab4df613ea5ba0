#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every system call on files and descriptors, made for real, natively and as a 32-bit call, makes the event that it
# should, with the paths that this kernel lets skep know.
. "${0%/*}/lib.sh"
need_root
need_command python3

mkdir top
t_need "the calls are made" ended_with 0 "$SKEP" watch file,fd,chdir,setsid --json --output events -- \
    "$(command -v python3)" "$HERE/files.py" call "$SCRATCH/top" "$SCRATCH/expected"
noted=0
json_has events 'e.kind == "unlink" and e.path_source == "object"' && noted=1
if [ -n "${SKEP_TEST_VM:-}" ]; then
    t_check "this kernel lets skep hook in where it knows the paths" test $noted = 1
fi
python3 "$HERE/files.py" check expected events $noted >results
cat results
t_check "all calls were compared" test "$(grep -Ec '^(not )?ok - ' results)" = "$(wc -l <expected)"
grep -q '^not ok' results && T_FAILED=1
t_check "the ledger adds up" json_has events \
    'e.kind == "ledger" and all(k.seen == k.emitted + k.filtered + sum(k.lost.values()) for k in e.kinds.values())'
