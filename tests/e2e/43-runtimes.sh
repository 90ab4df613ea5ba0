#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# containerd and docker as they are, each with directories of its own and without a network of its own making: name, image
# and labels of what they run. Skipped where they are not installed.
. "${0%/*}/lib.sh"
. "${0%/*}/container.sh"
need_root
reason=$(container_lacks runc podman conmon containerd containerd-shim-runc-v2 ctr) || skip_all "$reason"

cat >rules.yaml <<'R'
- rule: first
  desc: the first program of a container
  condition: evt.type in (execve, execveat) and container.id != host and proc.args startswith first
  output: "<%proc.args|%container.type|%container.name|%container.image.repository|%container.label[who]|%container.image.id|%container.privileged|%container.healthcheck>"
  priority: WARNING
R
end_of() { # PID: it ends, and is waited for
    kill "$1" 2>/dev/null
    wait_for 20 ended "$1"
}
# The cgroups that hold those of containers stay when these are gone; others' are not empty.
forget_cgroups() {
    find /sys/fs/cgroup -maxdepth 2 -type d \( -name default -o -name docker \) -exec rmdir {} + 2>/dev/null
}
start_containerd() {
    undo forget_cgroups
    # what containerd's shims leave behind
    [ -e /run/containerd ] || undo rm -rf --one-file-system /run/containerd
    cat >containerd.toml <<C
version = 2
root = "$SCRATCH/cd/root"
state = "$SCRATCH/cd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$SCRATCH/cd.sock"
C
    containerd -c containerd.toml >containerd.log 2>&1 </dev/null &
    CONTAINERD=$!
    undo end_of $CONTAINERD
    wait_for 20 ctr -a "$SCRATCH/cd.sock" version || { cat containerd.log; return 1; }
}
# docker's own directory of what runs has to be the usual one: it is where skep looks
start_dockerd() {
    undo rm -rf --one-file-system /run/docker
    unshare -n dockerd --data-root "$SCRATCH/docker" --pidfile "$SCRATCH/docker.pid" -H "unix://$SCRATCH/docker.sock" \
        --containerd "$SCRATCH/cd.sock" --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
        --bridge=none --storage-driver=vfs --config-file "$SCRATCH/daemon.json" >dockerd.log 2>&1 </dev/null &
    DOCKERD=$!
    undo end_of $DOCKERD
    wait_for 30 docker -H "unix://$SCRATCH/docker.sock" version
}
call_ctr() {
    timeout 60 ctr -a "$SCRATCH/cd.sock" "$@"
}
call_docker() {
    DOCKER_CONFIG=$SCRATCH timeout 60 docker -H "unix://$SCRATCH/docker.sock" "$@"
}
told() {
    grep -E "$1" all.out || { cat all.out; return 1; }
}

t_need "an image is made" podman_prepare
podman_cmd save --quiet --format oci-archive -o image.tar "$CONTAINER_IMAGE" 2>podman.log
t_need "containerd starts" start_containerd
t_need "it takes the image" call_ctr image import image.tar
start_skep all run --rules rules.yaml
call_ctr run --rm --null-io --label who=ctr "$CONTAINER_IMAGE" "skep-ctr-$$" /bin/echo first ctr </dev/null >ctr.log 2>&1
wait_for 10 grep -q '<first ctr' all.out
t_check "ctr: image and labels, at its first program" \
    told "<first ctr\|containerd\|skep-ctr-$$\|localhost/skep-test-busybox\|ctr\|[0-9a-f]{12}\|false\|"

echo '{}' >daemon.json
if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
    t_skip "docker" "no docker"
elif [ -e /run/docker ] || [ -e /run/docker.sock ]; then
    t_skip "docker" "docker is in use here"
elif ! start_dockerd; then
    t_skip "docker" "it does not start: $(grep -o 'failed to .*' dockerd.log | tail -1)"
else
    tar -C "$SCRATCH/podman-rootfs" -c . | call_docker import - "$CONTAINER_IMAGE" >dock.log 2>&1
    for how in plain privileged; do
        option=()
        [ $how = plain ] || option=(--privileged)
        call_docker run --rm --name "skep-$how-$$" --network=none --label "who=$how" --health-cmd 'echo ok' "${option[@]}" \
            "$CONTAINER_IMAGE" /bin/echo first "$how" >"dock-$how.log" 2>&1 </dev/null
    done
    if grep -q '^first plain' dock-plain.log; then
        wait_for 10 grep -q '<first plain' all.out
        t_check "docker: name, image, labels, health check, at its first program" \
            told "<first plain\|docker\|skep-plain-$$\|localhost/skep-test-busybox\|plain\|[0-9a-f]{12}\|false\|/bin/sh -c echo ok>"
    else
        t_skip "docker" "no container runs: $(head -1 dock-plain.log)"
    fi
    if grep -q '^first privileged' dock-privileged.log; then
        wait_for 10 grep -q '<first privileged' all.out
        t_check "docker: privileged" told "<first privileged\|docker\|.*\|true\|"
    else
        t_skip "docker: privileged" "$(head -1 dock-privileged.log)"
    fi
fi
t_check "skep ends" ended_with 0 stop_skep
