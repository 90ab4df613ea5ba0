#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skep probe`: every feature was tried, every sensor has a state, every kind a guarantee; without root it says why not.
. "${0%/*}/lib.sh"
need_root
need_command python3 setpriv

"$SKEP" probe --json >probe.json 2>probe.err
status=$?
t_check "it says whether every kind is served" test $status -le 1
t_check "the report is one JSON object with all its parts" json_has probe.json \
    'e.kernel and len(e.features) > 15 and len(e.sensors) > 40 and len(e.kinds) > 40'
t_check "what does not work has a reason and a cure" json_has probe.json \
    'all(f["works"] or (f["reason"] and f["cure"]) for f in e.features)'
t_check "a refused sensor has a reason" json_has probe.json \
    'all(s["state"] != "refused" or s["reason"] for s in e.sensors)'
t_check "the life cycle is watched here" json_has probe.json \
    '{"fork", "exec", "exit"} <= {s["sensor"] for s in e.sensors if s["state"] == "attached"}'
t_check "the verifier's work is told" json_has probe.json \
    'all(s["verified_insns"] > 0 for s in e.sensors if s["state"] == "attached")'
t_check "exec can at least be killed" json_has probe.json \
    'any(k["kind"] == "exec" and k["guarantee"] in ("killed", "denied") for k in e.kinds)'
t_check "status 0 means that all kinds are served" json_has probe.json \
    "all(k['reason'] is None for k in e.kinds) == ($status == 0)"
if json_has probe.json 'any(f["name"] == "lsm" and f["works"] for f in e.features)'; then
    t_check "with BPF LSM, exec can be denied" json_has probe.json \
        'any(k["kind"] == "exec" and k["guarantee"] == "denied" for k in e.kinds)'
fi
"$SKEP" probe >probe.out 2>>probe.err
t_check "the table for people names the kernel" grep -q "Features of Linux $(uname -r)" probe.out
t_check "and the sensors" grep -q 'life_exec .*sched_process_exec' probe.out

cp "$SKEP" ./skep-for-all && chmod 755 ./skep-for-all && chmod 755 .
setpriv --reuid 65534 --regid 65534 --clear-groups ./skep-for-all probe --json >user.json 2>user.err
status=$?
t_check "not root: status 2" test $status -eq 2
t_check "not root: one line says why" test "$(grep -c . user.err)" -eq 1
t_check "not root: it is said in words" grep -q 'not root' user.err
t_check "not root: the report is there all the same" json_has user.json 'any(f["reason"] == "not root" for f in e.features)'
