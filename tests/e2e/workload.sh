# SPDX-License-Identifier: Apache-2.0
# Programs that tests let run, and checks of what skep said of them; to be read after lib.sh.
#
#     need_workload            builds $WORKLOAD (workload.c says what it can do) and $TINY, a program that ends at once
#     ledger_closes FILE       the ledger at the end of JSON lines adds up for every kind, and agrees with the lines
#     ledger_gaps FILE         what is missing in the sequence numbers of the lines is what the ledger calls lost
#     own_cgroup NAME          makes a cgroup that is removed with the test, with everything in it; its directory is
#                              $CGROUP, with the controller `pids`
WORKLOAD=$SCRATCH/workload
TINY=$SCRATCH/tiny

need_workload() {
    need_command gcc python3
    gcc -O1 -static -pthread -o "$WORKLOAD" "$HERE/workload.c" 2>"$SCRATCH/gcc.log" ||
        skip_all "cannot build a static program: $(head -n 1 "$SCRATCH/gcc.log")"
    printf '%s\n' 'void _start(void) { __asm__ volatile("mov $60, %eax; xor %edi, %edi; syscall"); }' |
        gcc -Os -static -nostdlib -x c -o "$TINY" - || skip_all "cannot build a program without a library"
}

ledger_closes() {
    python3 "$HERE/ledger.py" closes "$1"
}

ledger_gaps() {
    python3 "$HERE/ledger.py" gaps "$1"
}

own_cgroup() {
    if [ -e /sys/fs/cgroup/pids/cgroup.procs ]; then
        CGROUP=/sys/fs/cgroup/pids/$1
    elif grep -qw pids /sys/fs/cgroup/cgroup.controllers 2>/dev/null; then
        echo +pids >/sys/fs/cgroup/cgroup.subtree_control
        CGROUP=/sys/fs/cgroup/$1
    else
        return 1
    fi
    mkdir "$CGROUP" && undo rmdir "$CGROUP" && undo cgroup_kill "$CGROUP"
}

# Ends what is in a cgroup, also when that grows meanwhile, and waits until it is empty.
cgroup_kill() {
    local pid
    for _ in $(seq 200); do
        [ -n "$(cat "$1/cgroup.procs")" ] || return 0
        while read -r pid; do
            kill -KILL "$pid"
        done <"$1/cgroup.procs" 2>/dev/null
        sleep 0.05
    done
    return 1
}
