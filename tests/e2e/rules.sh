# SPDX-License-Identifier: Apache-2.0
# The ground of tests that make rules fire for real, to be read after lib.sh and container.sh:
#
#     . "${0%/*}/lib.sh"
#     . "${0%/*}/container.sh"
#     . "${0%/*}/rules.sh"
#     rules_prepare
#     rules_run fired trigger CASE...      # what every case does; the alerts are checked
#     rules_run quiet benign CASE...       # the twin of each, which no rule may mind
#
# A case is a file of tests/e2e/rules:
#
#     RULE="Password hashes read"                    the rule
#     WANT='f["fd.name"] == "/etc/shadow"'           Python, over the alert's output_fields f; also known: C the
#                                                    container's id, PORT the server's, VICTIM a process id
#     NEEDS=container                                or server, podman, or the name of a command: else it is skipped
#     trigger() { cat /etc/shadow >/dev/null; }      what makes it fire, in an empty directory of its own that is HOME
#     benign() { cat /etc/passwd >/dev/null; }       what is like it, and is nobody's business
#
# Nothing of this leaves the machine or changes it. Files of the system are written in a mount namespace of their own
# (private), addresses of others are in a network namespace of their own (own_net), and what is to happen in a
# container does so in one (inside). The host may do what it likes meanwhile: alerts count when they come from this
# test's processes or from its containers.
RULES=$HERE/rules
RULES_CASES= # where the cases have their directories
ACT=
BUSYBOX=
PORT=1
VICTIM=1
CONTAINER_NAME=
CONTAINER_PID=

# private DIR,DIR... COMMAND...: runs it where it sees the directories but writes into copies that are gone afterwards.
private() {
    local dirs=$1 base
    shift
    base=$(mktemp -d "$RULES_CASES/over.XXXXXX") || return 1
    unshare --mount --propagation private bash -c '
        base=$1 dirs=$2 n=0
        shift 2
        for dir in ${dirs//,/ }; do
            n=$((n + 1))
            mkdir -p "$base/$n/upper" "$base/$n/work"
            mount -t overlay overlay -o "lowerdir=$dir,upperdir=$base/$n/upper,workdir=$base/$n/work" "$dir" || exit 99
        done
        exec "$@"' private "$base" "$dirs" "$@"
}

# private_run FUNCTION: an exported function, with copies of all directories that programs of the system write to.
private_run() {
    private /etc,/var,/run,/home,/usr bash -c "$1"
}

# own_net COMMAND...: in a network namespace of its own, with a loopback interface.
own_net() {
    local inside
    if [ "$(type -t "$1")" = function ]; then
        # a function of this shell: what follows in a namespace that this shell itself cannot enter
        inside=$(declare -f private private_run "$1")
        unshare --net bash -c 'ip link set lo up && eval "$1" && shift && "$@"' own_net "$inside" "$@"
        return
    fi
    unshare --net sh -c 'ip link set lo up && exec "$@"' own_net "$@"
}

# as_user UID COMMAND...
as_user() {
    setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"
}

# ask NAME: asks a name server of its own for a name.
ask() {
    own_net python3 "$RULES/ask.py" "$1"
}

# inside COMMAND...: in the container.
inside() {
    runc exec "$CONTAINER_NAME" "$@" </dev/null
}

# rules_prepare: builds what the cases need. Ends the test as skipped when nothing can be tested.
rules_prepare() {
    need_root
    need_command cc python3 unshare setpriv ip
    python3 -c 'import yaml' 2>/dev/null || skip_all "no PyYAML for Python"
    # what is below /tmp is part of what some rules look for
    RULES_CASES=$(mktemp -d /tmp/skep-rules.XXXXXX) || exit 1
    undo rm -rf --one-file-system "$RULES_CASES"
    chmod 0711 "$RULES_CASES"
    ACT=$RULES_CASES/act
    t_need "the program of the triggers compiles" \
        cc -static -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$ACT" "$RULES/act.c"
    BUSYBOX=$(command -v busybox)
    export ACT BUSYBOX PORT VICTIM CONTAINER_NAME RULES
}

# What a case NEEDS, started when the first one asks.
rules_need_server() {
    [ "$PORT" = 1 ] || return 0
    background python3 "$RULES/server.py" "$SCRATCH/port"
    wait_for 10 test -s "$SCRATCH/port" || return 1
    PORT=$(cat "$SCRATCH/port")
}

rules_need_victim() {
    [ "$VICTIM" = 1 ] || return 0
    background sleep 600
    VICTIM=$BG
}

# A container of busybox on an overlay, with all capabilities and with its cgroups writable, that does nothing. Its
# name is as long as ids are, so that it is known for a container by its cgroup's path alone.
rules_need_container() {
    local dir=$SCRATCH/rules-container token=run/secrets/kubernetes.io/serviceaccount reason
    [ -z "$CONTAINER_NAME" ] || return 0
    reason=$(container_lacks runc) || { echo "$reason"; return 1; }
    CONTAINER_NAME=$(echo "skep rules $$" | sha256sum | cut -d' ' -f1)
    CONTAINER_APPLETS="$CONTAINER_APPLETS mount umount nsenter unshare setsid grep find dd head ps env printf nslookup"
    container_rootfs "$dir/lower" &&
        mkdir -p "$dir"/{upper,work,rootfs} "$dir"/lower/{mnt,usr/{bin,sbin}} "$dir/lower/$token" &&
        cp "$ACT" "$dir/lower/usr/bin/app" && cp "$ACT" "$dir/lower/usr/sbin/nginx" &&
        cp "$ACT" "$dir/lower/usr/bin/redis-server" && cp "$ACT" "$dir/lower/usr/bin/debugfs" && cp "$BUSYBOX" "$dir/lower/usr/bin/true" &&
        printf '#!/bin/busybox sh\n' >"$dir/lower/usr/bin/ssh" && chmod +x "$dir/lower/usr/bin/ssh" &&
        echo token >"$dir/lower/$token/token" && echo default >"$dir/lower/$token/namespace" &&
        echo skep-test >"$dir/lower/etc/hostname" || return 1
    mount -t overlay overlay -o "lowerdir=$dir/lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/rootfs" || return 1
    undo umount "$dir/rootfs"
    (cd "$dir" && runc spec) && python3 "$RULES/config.py" "$dir/config.json" /bin/sleep 600 || return 1
    undo runc delete --force "$CONTAINER_NAME"
    runc run --detach --bundle "$dir" --pid-file "$dir/pid" "$CONTAINER_NAME" </dev/null >"$dir/log" 2>&1 || return 1
    CONTAINER_PID=$(cat "$dir/pid")
}

# rules_start NAME RULES...: skep with these files of rules, and with one that makes alerts say whose they are.
rules_start() {
    local name=$1 file arguments=()
    shift
    python3 "$RULES/check.py" mark "$@" >"$SCRATCH/mark.yaml" || return 1
    for file in "$@" "$SCRATCH/mark.yaml"; do
        arguments+=(--rules "$file")
    done
    start_skep "$name" run --json --matching all "${arguments[@]}"
}

# rules_run fired|quiet trigger|benign RULES-FILE CASE...
rules_run() {
    local check=$1 what=$2 file=$3 case name reason done=()
    shift 3
    for case; do
        name=$(rules_get "$case" RULE)
        if ! reason=$(rules_lacks "$case"); then
            [ "$what" = benign ] || t_skip "$name" "$reason"
            continue
        fi
        rules_have "$case" || { t_fail "$name" "what it needs does not start"; continue; }
        done+=("$case")
    done
    rules_start "$what" "$file" || { t_fail "skep runs with $file" "see above"; return 1; }
    for case in ${done[@]+"${done[@]}"}; do
        rules_do "$case" "$what"
    done
    t_check "skep ends when it is told to ($what)" stop_skep
    for case in ${done[@]+"${done[@]}"}; do
        name=$(rules_get "$case" RULE)
        if [ "$check" = fired ]; then
            t_check "fires: $name" rules_fired "$file" "$SCRATCH/$what.out" "$case"
        else
            t_check "is quiet about the twin: $name" test -e "$RULES_CASES/$(basename "$case" .sh).$what.done"
        fi
    done
    [ "$check" = fired ] || t_check "no rule minds any of the twins" rules_quiet "$SCRATCH/$what.out" "$CONTAINER_NAME"
}

# rules_fired RULES ALERTS CASE
rules_fired() {
    python3 "$RULES/check.py" fired "$@" $$ "$CONTAINER_NAME" "$PORT" "$VICTIM"
}

# rules_quiet ALERTS CONTAINER|-
rules_quiet() {
    python3 "$RULES/check.py" quiet "$1" $$ "$2"
}

rules_get() {
    bash -c '. "$1" && printf %s "${!2:-}"' get "$1" "$2"
}

rules_lacks() {
    local need
    for need in $(rules_get "$1" NEEDS); do
        case $need in
        container) container_lacks runc || return 1 ;;
        podman) container_lacks podman runc conmon || return 1 ;;
        server | victim) ;;
        *) command -v "$need" >/dev/null || { echo "no $need"; return 1; } ;;
        esac
    done
}

rules_have() {
    local need
    rules_need_victim
    for need in $(rules_get "$1" NEEDS); do
        case $need in
        container) rules_need_container || return 1 ;;
        server) rules_need_server || return 1 ;;
        esac
    done
}

# Each in a directory of its own. What it says is shown when it fails.
rules_do() {
    local dir status
    dir=$RULES_CASES/$(basename "$1" .sh).$2
    mkdir -p "$dir"
    (
        cd "$dir" || exit 1
        HOME=$dir
        . "$1"
        "$2"
    ) >"$dir.log" 2>&1 </dev/null
    status=$?
    [ $status -ne 0 ] || { touch "$dir.done"; return 0; }
    t_fail "$(rules_get "$1" RULE): $2 does what it says" "status $status"
    sed 's/^/#   /' "$dir.log"
}

# rules_untested RULES CASE...: rules without a case, and cases without a rule.
rules_untested() {
    python3 - "$@" <<'PY'
import re, sys, yaml
rules = {item["rule"] for item in yaml.safe_load(open(sys.argv[1])) if "rule" in item}
print("\n".join(rules ^ {re.search('^RULE="(.*)"$', open(case).read(), re.M).group(1) for case in sys.argv[2:]}))
PY
}
