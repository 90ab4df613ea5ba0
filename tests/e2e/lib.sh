# SPDX-License-Identifier: Apache-2.0
# The ground of an end-to-end test: a bash script tests/e2e/NN-name.sh that begins with
#
#     . "${0%/*}/lib.sh"
#
# It has a scratch directory ($SCRATCH, the working directory), the program ($SKEP), and reports its cases with
# t_ok, t_fail, t_skip or t_check; one line a case, which tools/check counts. When it ends, for whatever reason,
# what it started is stopped, and two more cases follow by themselves: that no process of its own is left, and
# that skep left no program, map or link in the kernel.
#
# Under another kernel in QEMU the machine is several times slower: $SKEP_TEST_SLOW (1 here) multiplies every
# wait, and wait_for knows it. $SKEP_TEST_VM is set there.
set -u
# The same for everyone who starts a test: of what else is set, a command could behave differently (a shell that is
# named in SHELL starts another process where /bin/sh does not).
for name in $(compgen -e); do
    case $name in
    PATH | HOME | TMPDIR | SKEP_* | *SAN_OPTIONS | CC | PWD) ;;
    *) unset "$name" ;;
    esac
done
export LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin HOME=${HOME:-/root} TERM=dumb

TEST=${0##*/}
TEST=${TEST%.sh}
HERE=$(cd "${0%/*}" && pwd)
[ "${0#/}" != "$0" ] || exec bash "$HERE/${0##*/}" "$@" # the test reads more files beside it, from another directory
BUILD=${SKEP_BUILD:-$HERE/../../build}
BUILD=$(cd "$BUILD" && pwd) || exit 1
SKEP=$BUILD/skep
SLOW=${SKEP_TEST_SLOW:-1}
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/skep-test.XXXXXX") || exit 1
T_PIDS=() # processes to end, first started first
T_UNDO=() # commands to run at the end, last added first
T_FAILED=0
T_LAST=0 # the result of the last case

t_ok() {
    T_LAST=0
    echo "ok - $1"
}

t_fail() {
    T_FAILED=1 T_LAST=1
    echo "not ok - $1: ${2:-failed}"
}

t_skip() {
    echo "skip - $1: $2"
}

# t_check NAME COMMAND...: a case that passes when the command succeeds; what it prints is shown when it does not.
t_check() {
    local name=$1
    shift
    if "$@" >"$SCRATCH/.check" 2>&1; then
        t_ok "$name"
    else
        t_fail "$name" "$*"
        sed 's/^/#   /' "$SCRATCH/.check"
    fi
}

# t_need NAME COMMAND...: the same, and without it nothing that follows has a meaning: the test ends.
t_need() {
    t_check "$@"
    [ $T_LAST -eq 0 ] || exit 1
}

# ended_with STATUS COMMAND...: whether the command's exit status is STATUS.
ended_with() {
    local want=$1 status
    shift
    "$@"
    status=$?
    [ $status -eq "$want" ] && return 0
    echo "exit status $status instead of $want"
    return 1
}

# The whole test needs this: skip_all REASON ends it.
skip_all() {
    t_skip "$TEST" "$1"
    T_QUIET=1
    exit 77
}

need_root() {
    [ "$(id -u)" -eq 0 ] || skip_all "not root"
}

need_command() {
    local c
    for c; do
        command -v "$c" >/dev/null || skip_all "no $c"
    done
}

# wait_for SECONDS COMMAND...: until the command succeeds; 1 when it never does.
wait_for() {
    local end=$((SECONDS + $1 * SLOW + 1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

alive() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    # a zombie has ended
    [[ ${stat##*) } != Z* ]]
}

ended() {
    ! alive "$1"
}

# undo COMMAND...: to be run when the test ends.
undo() {
    local quoted
    printf -v quoted '%q ' "$@"
    T_UNDO=("$quoted" ${T_UNDO[@]+"${T_UNDO[@]}"})
}

# background COMMAND...: started now, ended with the test; its pid is $BG.
background() {
    "$@" &
    BG=$!
    T_PIDS+=("$BG")
}

# start_skep NAME ARGS...: runs skep in the background with its output in NAME.out and NAME.err, and waits until
# it says on standard error that it is at work: its first line there that is no warning. $SKEP_PID is its pid.
# Fails, with what skep said, when it ends first.
start_skep() {
    local name=$1
    shift
    rm -f "$SCRATCH/$name.err" # of an earlier run: the new one empties it too late
    "$SKEP" "$@" >"$SCRATCH/$name.out" 2>"$SCRATCH/$name.err" </dev/null &
    SKEP_PID=$!
    T_PIDS+=("$SKEP_PID")
    wait_for 20 skep_is_ready_or_gone "$SKEP_PID" "$SCRATCH/$name.err"
    skep_is_ready "$SCRATCH/$name.err" && return 0
    echo "# skep $* did not start:"
    sed 's/^/#   /' "$SCRATCH/$name.err"
    return 1
}

skep_is_ready() {
    grep -E '^skep: ' "$1" | grep -Eqv '^skep: (error|warning|debug): '
}

skep_is_ready_or_gone() {
    skep_is_ready "$2" || ended "$1"
}

# stop_skep [PID]: ends skep as a person would (SIGINT), and waits; its exit status is the result. 124: it did not
# end and was killed.
stop_skep() {
    local pid=${1:-$SKEP_PID} status
    kill -INT "$pid" 2>/dev/null
    if ! wait_for 20 ended "$pid"; then
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null
        return 124
    fi
    wait "$pid"
    status=$?
    return $status
}

# json_ask SECONDS FILE EXPRESSION: asks the one reader of JSON lines (lines.py), which the first question starts; the
# number of lines is in $JSON_COUNT.
json_ask() {
    local file=$2 status said
    [[ $file == /* ]] || file=$PWD/$file
    # a subshell's question may be the first one: that shell does not know of later ones, nor they of it
    if [ ! -e "$SCRATCH/.lines.pid" ]; then
        mkfifo "$SCRATCH/.ask" "$SCRATCH/.answer" || return 2
        python3 "$HERE/lines.py" "$SCRATCH" </dev/null >"$SCRATCH/.lines.err" 2>&1 &
        echo $! >"$SCRATCH/.lines.pid"
    fi
    if ! alive "$(<"$SCRATCH/.lines.pid")"; then
        cat "$SCRATCH/.lines.err"
        return 2
    fi
    printf '%s\0' "$1" "$file" "$3" >"$SCRATCH/.ask"
    {
        read -r status JSON_COUNT
        while IFS= read -r said; do
            echo "$said" >&2
        done
    } <"$SCRATCH/.answer"
    return "$status"
}

# json_has FILE EXPRESSION: whether some line of a file of JSON lines satisfies a Python expression over e, the
# line as nested objects; missing members are None, at any depth.
json_has() {
    json_ask 0 "$@"
}

# json_count FILE EXPRESSION: how many do.
json_count() {
    json_ask "" "$@"
    [ $? -lt 2 ] || return 2
    echo "$JSON_COUNT"
}

# wait_json SECONDS FILE EXPRESSION: until one does; 1 when none ever does.
wait_json() {
    json_ask $(($1 * SLOW + 1)) "$2" "$3"
}

t_no_leaks() {
    python3 "$HERE/leaks.py" "$BUILD" check "$SCRATCH/.objects"
}

# Says how often the kernel skipped sensors while a test ran that has failed: tools/check wants to know.
t_tell_missed() {
    local missed
    missed=$(grep -hs -D skip '^{"kind":"ledger"' "$SCRATCH"/* | grep -o '"missed":[1-9][0-9]*' | sort -t: -k2n | tail -n 1)
    [ -z "$missed" ] || echo "# missed: ${missed#*:}"
}

t_finish() {
    local status=$? pid command left=
    trap - EXIT
    trap '' INT TERM HUP
    [ ! -e "$SCRATCH/.lines.pid" ] || T_PIDS+=("$(<"$SCRATCH/.lines.pid")")
    for pid in ${T_PIDS[@]+"${T_PIDS[@]}"}; do
        alive "$pid" && kill -TERM "$pid" 2>/dev/null
    done
    for pid in ${T_PIDS[@]+"${T_PIDS[@]}"}; do
        if ! wait_for 10 ended "$pid"; then
            left="$left $pid ($(cat "/proc/$pid/comm" 2>/dev/null))"
            kill -KILL "$pid" 2>/dev/null
        fi
        wait "$pid" 2>/dev/null
    done
    for command in ${T_UNDO[@]+"${T_UNDO[@]}"}; do
        eval "$command" >/dev/null 2>&1
    done
    if [ -z "${T_QUIET:-}" ]; then
        [ -z "$left" ] && t_ok "$TEST: all processes end" || t_fail "$TEST: all processes end" "killed:$left"
        [ -e "$SCRATCH/.objects" ] && t_check "$TEST: nothing is left in the kernel" t_no_leaks
    fi
    [ $T_FAILED -eq 0 ] || t_tell_missed
    cd /
    rm -rf --one-file-system "$SCRATCH"
    [ "$status" -ne 0 ] && exit "$status"
    exit "$T_FAILED"
}

trap t_finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT HUP
cd "$SCRATCH" || exit 1
[ "$(id -u)" -ne 0 ] || python3 "$HERE/leaks.py" "$BUILD" save "$SCRATCH/.objects"
