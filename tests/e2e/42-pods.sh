#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# podman's labels, health checks and pods, known to the first thing that a container does; what only its users and Kubernetes
# call a pod; and a replay knows the same.
. "${0%/*}/lib.sh"
. "${0%/*}/container.sh"
need_root
need_podman

cat >rules.yaml <<'R'
- rule: first
  desc: the first program of a container
  condition: evt.type in (execve, execveat) and container.id != host and proc.args startswith first
  output: "<%proc.args|%container.name|%container.image.repository|%container.label[who]|%container.healthcheck|%container.pod|%container.pod.label[app]|%k8s.pod.name|%k8s.ns.name|%k8s.pod.label[app]>"
  priority: WARNING
R
# run NAME WORD OPTION...: a container that says WORD
run() {
    local name=$1 word=$2
    shift 2
    podman_cmd run --rm --name "$name" --network=none --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 "$@" \
        "$CONTAINER_IMAGE" /bin/echo first "$word" </dev/null >"$SCRATCH/$name.log" 2>&1
}
n=10 base=skep-pods-$$
t_need "podman has an image" podman_prepare
start_skep all run --rules rules.yaml --record rec
for ((i = 0; i < n; i++)); do
    run "$base-$i" "plain$i" --label "who=me$i" || cat "$SCRATCH/$base-$i.log"
done
run "$base-k" kubelet --label io.kubernetes.pod.name=kp --label io.kubernetes.pod.namespace=kn --health-cmd 'echo ok'
if podman_cmd pod create --name "$base-pod" --label app=shop --share '' --infra=false >pod.log 2>&1; then
    undo podman_cmd pod rm --force "$base-pod"
    run "$base-p" pod --pod "$base-pod"
    POD=1
fi
wait_for 10 grep -q '<first kubelet' all.out
[ -z "${POD:-}" ] || wait_for 10 grep -q '<first pod' all.out
t_check "skep ends" ended_with 0 stop_skep
"$SKEP" rules test rec --rules rules.yaml >again.out 2>again.err

told() {
    grep -F "$1" all.out || { cat all.out; return 1; }
}
told_again() {
    grep -F "$1" again.out || { cat again.out; return 1; }
}
# each has its own label, nobody an unknown name
all_told() {
    local i ok=0
    for ((i = 0; i < n; i++)); do
        told "<first plain$i|$base-$i|localhost/skep-test-busybox|me$i|NONE|<NA>|<NA>|<NA>|<NA>|<NA>>" >/dev/null || ok=1
    done
    [ $ok -eq 0 ] || cat all.out
    return $ok
}
t_check "the first program of $n fresh containers: name, image and label" all_told
t_check "and in a replay" told_again "<first plain0|$base-0|localhost/skep-test-busybox|me0|NONE|<NA>|<NA>|<NA>|<NA>|<NA>>"
t_check "labels as a kubelet gives them make a pod of Kubernetes" \
    told "<first kubelet|$base-k|localhost/skep-test-busybox|<NA>|/bin/sh -c echo ok|kp|<NA>|kp|kn|<NA>>"
if [ -n "${POD:-}" ]; then
    line="<first pod|$base-p|localhost/skep-test-busybox|<NA>|NONE|$base-pod|shop|<NA>|<NA>|<NA>>"
    t_check "podman's own pods are none of Kubernetes" told "$line"
    t_check "and in a replay" told_again "$line"
else
    t_skip "a pod of podman" "$(tail -1 pod.log)"
fi
