#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers: the id is there from the kernel at the event, name and image when the runtime's state was read.
. "${0%/*}/lib.sh"
. "${0%/*}/container.sh"
need_root
need_runc

start_skep run run --no-rules --events --json --kinds exec,exit,open
name=skep-$$
runc_start "$name" /bin/sleep 3600
# its path is a mere name, so the runtime's state has to confirm that it is a container: what happens before that is
# not marked
wait_for 10 sh -c "'$SKEP' ps --json 2>/dev/null | grep -q '\"id\":\"$name\"'"
runc exec "$name" /bin/cat /etc/hostname-that-is-not-there >/dev/null 2>&1
t_check "runc: what runs in it is in it" \
    wait_json 10 run.out "e.kind == 'exec' and e.proc.comm == 'cat' and e.container.id == '$name'"
t_check "runc: a container that was started by hand goes by its id" \
    json_has run.out "e.container and e.container.id == '$name' and e.container.name == '$name'"
t_check "its paths are those that it sees" \
    wait_json 10 run.out "e.kind == 'open' and e.path == '/etc/hostname-that-is-not-there' and e.error == 'ENOENT'"
t_check "its namespaces are its own" json_has run.out "e.container and e.container.id == '$name' and e.proc.ns.mnt and e.proc.ns.pid"
"$SKEP" ps --json >ps.out 2>ps.err
t_check "ps knows the container" json_has ps.out "e.container and e.container.id == '$name' and e.proc.comm == 'sleep'"

t_check "ps shows nothing of others" ended_with 1 sh -c "'$SKEP' ps --json --container skep-none-$$ >none.out 2>none.err"
t_check "and says so" grep -q "begins with 'skep-none-$$'" none.err

if reason=$(container_lacks podman runc conmon); then
    podman_start "skep-pod-$$" /bin/sleep 3600
    t_check "podman: the id comes with the first event" wait_json 10 run.out "e.container and e.container.id == '$CONTAINER'"
    podman_cmd exec "skep-pod-$$" /bin/ls / >/dev/null 2>&1
    t_check "podman: name and image are filled in" wait_json 10 run.out \
        "e.container and e.container.id == '$CONTAINER' and e.container.name == 'skep-pod-$$' and 'busybox' in (e.container.image or '')"
else
    t_skip "podman" "$reason"
fi
start_skep only run --no-rules --json --events --kinds exec --container "$name"
runc exec "$name" /bin/true
/bin/true
wait_json 10 only.out "e.kind == 'exec' and e.proc.comm == 'true'"
stop_skep
t_check "--container shows nothing of the host" \
    test "$(json_count only.out "e.kind == 'exec' and (not e.container or e.container.id != '$name')")" -eq 0
t_check "and something of the container" test "$(json_count only.out "e.kind == 'exec'")" -ge 1
