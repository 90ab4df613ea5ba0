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
IMAGE=localhost/skep-test-busybox
base=skep-pods-$$
n=$((SLOW > 1 ? 3 : 10))
declare -A line # what is to be told, by word

run() {
    local name=$1 word=$2
    shift 2
    podman_cmd run --rm --name "$name" --network=none --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 "$@" \
        "$CONTAINER_IMAGE" /bin/echo first "$word" </dev/null >"$SCRATCH/$name.log" 2>&1 || cat "$SCRATCH/$name.log"
}
heard() {
    [ "$(grep -c "<first $1|" all.out)" -ge "$2" ]
}
# say WORD REST OPTION...: a container whose first program says WORD; REST is told of it behind its name. Events wait 300 ms
# for the answer, which a busy machine cannot always give in that time, and an emulated one seldom: some goes are enough.
say() {
    local word=$1 rest=$2 go
    shift 2
    for ((go = 1; go <= (SLOW > 1 ? 8 : 2); go++)); do
        line[$word]="<first $word|$base-$word-$go|$rest>"
        run "$base-$word-$go" "$word" "$@"
        wait_for 10 heard "$word" $go
        ! grep -qF "${line[$word]}" all.out || return 0
    done
}
t_need "podman has an image" podman_prepare
start_skep all run --rules rules.yaml --record rec
for ((i = 0; i < n; i++)); do
    say "plain$i" "$IMAGE|me$i|NONE|<NA>|<NA>|<NA>|<NA>|<NA>" --label "who=me$i"
done
say kubelet "$IMAGE|<NA>|/bin/sh -c echo ok|kp|<NA>|kp|kn|<NA>" \
    --label io.kubernetes.pod.name=kp --label io.kubernetes.pod.namespace=kn --health-cmd 'echo ok'
if podman_cmd pod create --name "$base-pod" --label app=shop --share '' --infra=false >pod.log 2>&1; then
    undo podman_cmd pod rm --force "$base-pod"
    say pod "$IMAGE|<NA>|NONE|$base-pod|shop|<NA>|<NA>|<NA>" --pod "$base-pod"
fi
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
        told "${line[plain$i]}" >/dev/null || ok=1
    done
    [ $ok -eq 0 ] || cat all.out
    return $ok
}
t_check "the first program of $n fresh containers: name, image and label" all_told
t_check "and in a replay" told_again "${line[plain0]}"
t_check "labels as a kubelet gives them make a pod of Kubernetes" told "${line[kubelet]}"
if [ -n "${line[pod]:-}" ]; then
    t_check "podman's own pods are none of Kubernetes" told "${line[pod]}"
    t_check "and in a replay" told_again "${line[pod]}"
else
    t_skip "a pod of podman" "$(tail -1 pod.log)"
fi
