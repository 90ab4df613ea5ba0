#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every call that changes privileges, reaches into other processes or into the kernel itself, made for real, natively
# and some as 32-bit calls, in namespaces and in threads, makes the event that it should.
. "${0%/*}/lib.sh"
need_root
need_command python3

mkdir top
t_need "the calls are made" ended_with 0 "$SKEP" watch priv,kernel --json --output events -- \
    "$(command -v python3)" "$HERE/privileges.py" call "$SCRATCH/top" "$SCRATCH/expected"
t_need "all of them" grep -q '"kind": "end"' expected
python3 "$HERE/privileges.py" check expected events >results
cat results
t_check "all calls were compared" test "$(grep -Ec '^(not ok|ok|skip) - ' results)" = "$(wc -l <expected)"
grep -q '^not ok' results && T_FAILED=1
t_check "the ledger adds up" json_has events \
    'e.kind == "ledger" and all(k.seen == k.emitted + k.filtered + sum(k.lost.values()) for k in e.kinds.values())'
