# SPDX-License-Identifier: Apache-2.0
# Real containers for end-to-end tests, without a network: a root file system of busybox alone, run by runc as it
# is run by hand, and by podman. To be read after lib.sh, which ends and removes what was made here with the test:
#
#     . "${0%/*}/lib.sh"
#     . "${0%/*}/container.sh"
#     need_runc
#     runc_run web1 /bin/sh -c 'echo hello'          # in the foreground, with its output and status
#     runc_start web2 /bin/sleep 3600                # in the background, until the test ends
#     need_podman
#     podman_start db1 /bin/sleep 3600               # storage of its own below $SCRATCH; the id is in $CONTAINER
#     PODMAN_STORE=default podman_start db2 /bin/sleep 3600    # the host's own storage
#     podman_cmd ps                                  # any other podman command, with the same PODMAN_STORE
#
# Names must be unique on the machine: give them $$. The image is called $CONTAINER_IMAGE.
CONTAINER_IMAGE=localhost/skep-test-busybox:latest
CONTAINER=
CONTAINER_APPLETS="sh sleep echo cat ls mkdir rm true false id nc wget mv cp ln touch kill seq"

# need_runc, need_podman: end the whole test as skipped, with the reason, when it cannot run here.
need_runc() {
    local reason
    reason=$(container_lacks runc) || skip_all "$reason"
}

need_podman() {
    local reason
    reason=$(container_lacks podman runc conmon) || skip_all "$reason"
}

# container_lacks COMMAND...: fails and says why when these cannot work; for tests that skip single cases.
container_lacks() {
    local c
    [ "$(id -u)" -eq 0 ] || { echo "not root"; return 1; }
    for c in busybox python3 "$@"; do
        command -v "$c" >/dev/null || { echo "no $c"; return 1; }
    done
    ! ldd "$(command -v busybox)" >/dev/null 2>&1 || { echo "busybox is not static (busybox-static)"; return 1; }
    # runc under cgroup v1 and hybrid needs the hierarchies mounted; a bare guest has none
    grep -q ' cgroup2\? ' /proc/mounts || { echo "no cgroup file system is mounted"; return 1; }
}

# container_rootfs DIR: a root file system with busybox and its links in /bin.
container_rootfs() {
    local dir=$1 applet
    mkdir -p "$dir/bin" "$dir/tmp" "$dir/etc" "$dir/proc" "$dir/sys" "$dir/dev" || return 1
    cp "$(command -v busybox)" "$dir/bin/busybox" || return 1
    for applet in $CONTAINER_APPLETS; do
        ln -sf busybox "$dir/bin/$applet" || return 1
    done
}

# container_bundle DIR COMMAND...: an OCI bundle. Limits are left out: raising one needs CAP_SYS_RESOURCE.
container_bundle() {
    local dir=$1
    shift
    container_rootfs "$dir/rootfs" && (cd "$dir" && runc spec) && python3 - "$dir/config.json" "$@" <<'PY'
import json, sys
path, args = sys.argv[1], sys.argv[2:]
with open(path) as f:
    config = json.load(f)
config["process"].update(terminal=False, args=args)
config["process"].pop("rlimits", None)
config["root"]["readonly"] = False
config["hostname"] = "skep-test"
with open(path, "w") as f:
    json.dump(config, f)
PY
}

runc_prepare() {
    container_bundle "$SCRATCH/bundle-$1" "${@:2}" && undo runc delete --force "$1"
}

# runc_run NAME COMMAND...
runc_run() {
    runc_prepare "$@" && runc run --bundle "$SCRATCH/bundle-$1" "$1" </dev/null
}

# runc_start NAME COMMAND...: returns when the command runs; its output goes to $SCRATCH/NAME.log.
runc_start() {
    runc_prepare "$@" && runc run --detach --bundle "$SCRATCH/bundle-$1" "$1" </dev/null >"$SCRATCH/$1.log" 2>&1
}

# podman_cmd ARGS...
podman_cmd() {
    local at=()
    if [ "${PODMAN_STORE:-own}" = own ]; then
        at=(--root "$SCRATCH/podman/root" --runroot "$SCRATCH/podman/run" --tmpdir "$SCRATCH/podman/tmp")
    fi
    podman "${at[@]}" --runtime runc --cgroup-manager cgroupfs --events-backend none "$@"
}

# The image, once for each storage; what the host did not have before goes again with the test.
podman_prepare() {
    local store=${PODMAN_STORE:-own} rootfs=$SCRATCH/podman-rootfs
    [ ! -e "$SCRATCH/.podman-$store" ] || return 0
    # podman puts its cache of layers there even when its storage is elsewhere
    [ -e /var/lib/containers ] || undo podman_forget
    if [ "$store" = own ]; then
        undo podman_unmount "$SCRATCH/podman/root"
    else
        undo podman_drop_image
    fi
    [ -e "$rootfs" ] || container_rootfs "$rootfs" || return 1
    tar -C "$rootfs" -c . | podman_cmd import -q - "$CONTAINER_IMAGE" >/dev/null && : >"$SCRATCH/.podman-$store"
}

podman_drop_image() {
    PODMAN_STORE=default podman_cmd rmi --force "$CONTAINER_IMAGE"
}

# When a container ends its conmon starts podman once more, which mounts the storage again.
podman_unmount() {
    wait_for 10 podman_is_quiet "$1"
    ! grep -q " $1/overlay " /proc/mounts || umount "$1/overlay"
}

podman_is_quiet() {
    ! pgrep -f -- "conmon .*$1|podman .*$1"
}

# Removes the host's storage when the test made it, unless somebody else has put something there meanwhile.
podman_forget() {
    local storage=/var/lib/containers/storage
    if [ -e "$storage" ]; then
        [ -z "$(PODMAN_STORE=default podman_cmd ps --all --quiet)" ] || return 0
        [ -z "$(PODMAN_STORE=default podman_cmd images --quiet)" ] || return 0
        podman_unmount "$storage"
    fi
    rm -rf --one-file-system /var/lib/containers /run/containers
}

podman_remove() {
    PODMAN_STORE=$1 podman_cmd rm --force --time 0 "$2"
}

# No network and low limits: podman raises its limits by default, which needs CAP_SYS_RESOURCE.
podman_common() {
    podman_prepare || return 1
    undo podman_remove "${PODMAN_STORE:-own}" "$2"
    podman_cmd run "$1" --name "$2" --network=none --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 \
        "$CONTAINER_IMAGE" "${@:3}" </dev/null
}

# podman_run NAME COMMAND...: in the foreground.
podman_run() {
    podman_common --attach=stdout "$@"
}

# podman_start NAME COMMAND...: in the background.
podman_start() {
    # the id through a file: undo must be called in this shell; conmon must not hold a pipe of ours open
    podman_common --detach "$@" >"$SCRATCH/.podman-id" 2>"$SCRATCH/$1.err" || { cat "$SCRATCH/$1.err"; return 1; }
    CONTAINER=$(cat "$SCRATCH/.podman-id")
}
