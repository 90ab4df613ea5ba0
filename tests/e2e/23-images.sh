#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What rules want to know of a process and of the file that it executes: times of the file, whether the process may
# write it, on which layer of an overlay it is, the terminal, and who leads its session and group in its own namespace.
. "${0%/*}/lib.sh"
need_root
need_command python3 zstd setpriv unshare mount stat
MAY_WRITE=1 LOWER=2 SEEN=4

TRUE=$(readlink -f "$(type -P true)")
mkdir bin && chmod 755 . bin
# program NAME OWNER GROUP MODE
program() {
    cp "$TRUE" "bin/$1" && chown "$2:$3" "bin/$1" && chmod "$4" "bin/$1"
}
program own 65534 65534 755
program foreign 0 0 755
program open 0 0 757
program shut 65534 65534 557 # the owner may not, and that others may does not help
program group 0 5555 775
program strict 0 5555 757 # the group may not
program frozen 0 0 755
program mapped 65534 65534 555
program alien 0 0 755
touch -d '2001-02-03 04:05:06.123456789 UTC' bin/frozen

# all the life of one recording, the machine's own processes too
background sleep 300
SLEEPER=$BG
start_skep all run --no-rules --json --kinds exec --events --record rec
nobody() {
    setpriv --reuid 65534 --regid 65534 --groups 1,5555,70000 --inh-caps=-all -- "$@"
}
bin/foreign by-root
nobody bin/own by-nobody
nobody bin/foreign by-nobody
nobody bin/open by-nobody
nobody bin/shut by-nobody
nobody bin/group by-nobody
nobody bin/strict by-nobody
bin/frozen by-root
unshare -m sh -c "mount --bind '$SCRATCH/bin' '$SCRATCH/bin' && mount -o remount,bind,ro '$SCRATCH/bin' && bin/foreign read-only"
nobody unshare -Ur bin/mapped in-namespace
nobody unshare -Ur bin/alien in-namespace
mkdir lower upper work merged
cp "$TRUE" lower/under
t_overlay() {
    unshare -m sh -c 'mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged &&
        cp merged/under merged/over && merged/under on-overlay && merged/over on-overlay'
}
mkdir tmp && mount -t tmpfs tmpfs tmp && undo umount "$SCRATCH/tmp"
(cd tmp && mkdir lower upper work merged && cp "$TRUE" lower/under && t_overlay) || NO_OVERLAY=1
python3 -c 'import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    open("terminal", "w").write("%d %s" % (os.stat(os.ttyname(0)).st_rdev, os.ttyname(0)))
    os.execv("bin/foreign", ["bin/foreign", "terminal"])
os.waitpid(pid, 0)'
setsid --wait bin/foreign session-leader
setsid --wait unshare -fp --kill-child sh -c 'bin/foreign in-pid-namespace; :'
setsid --wait unshare -fp --kill-child setsid --wait bin/foreign two-sessions
bin/foreign last
t_check "the last program is seen" wait_json 20 all.out 'e.kind == "exec" and "last" in e.proc.args'
t_check "skep ends" stop_skep

"$HERE/records.py" rec exec process >records || t_fail "the recording is read" "$(tail -1 records)"
# of NAME ARGUMENT EXPRESSION: the exec of bin/NAME, over image i and task t
of() {
    json_has records 'e.kind == "exec" and e.image.args.split("\0")[-2:] == ["'"$1"'", ""] and e.image.exe.endswith("/'"$2"'") and ('"$3"')'
}
writable() {
    of "$1" "$2" "e.image.traits & $MAY_WRITE and e.image.traits & $SEEN"
}
not_writable() {
    of "$1" "$2" "not e.image.traits & $MAY_WRITE and e.image.traits & $SEEN"
}
t_check "root may write all" writable by-root foreign
t_check "the owner may write his own" writable by-nobody own
t_check "and not another's" not_writable by-nobody foreign
t_check "what others may write he may" writable by-nobody open
t_check "what the owner may not, he may not" not_writable by-nobody shut
t_check "a supplementary group may" writable by-nobody group
t_check "or may not, whatever others may" not_writable by-nobody strict
t_check "not on a mount that is read-only" not_writable read-only foreign
t_check "the root of a user namespace may write what is mapped" writable in-namespace mapped
t_check "and nothing else" not_writable in-namespace alien

times() {
    of by-root frozen "e.image.mtime == 981173106123456789 and abs(e.image.ctime - e.time - e.boot_offset) < 60e9 and
        e.image.ctime // 10**9 == $(stat -c %Z bin/frozen)"
}
t_check "times of the file" times
t_check "of a process that was there before, too" json_has records \
    "e.kind == 'process' and e.pid == $SLEEPER and e.image.mtime // 10**9 == $(stat -Lc %Y "$(command -v sleep)") and e.image.traits & $SEEN"

if [ -z "${NO_OVERLAY:-}" ]; then
    t_check "overlay: from a lower layer" of on-overlay under "e.image.traits & $LOWER and not e.flags & 4"
    t_check "overlay: from the upper layer" of on-overlay over "not e.image.traits & $LOWER and e.flags & 4"
else
    t_skip "overlay" "cannot be mounted here"
fi

terminal() {
    local rdev name
    read -r rdev name <terminal
    of terminal foreign "e.task.tty_nr == $rdev and '/dev/' + e.task.tty.replace('pts', 'pts/') == '$name'"
}
t_check "the terminal's number" terminal
t_check "without one" of by-root foreign 'e.task.tty_nr == 0 or e.task.tty'
t_check "who leads a session" of session-leader foreign \
    'e.task.session == e.pid == e.task.pgid == e.task.ns_session == e.task.ns_pgid'
t_check "on the host inner and outer numbers are the same" of by-root foreign \
    "e.task.ns_session == e.task.session and e.task.ns_pgid == e.task.pgid"
t_check "the host's first process is init" of by-root foreign \
    "abs(e.task.pid_ns_start - $(awk '{sub(/.*\) /, ""); print $20}' /proc/1/stat) * 10**9 // $(getconf CLK_TCK)) < 2e7"
inside() {
    of in-pid-namespace foreign \
        'e.task.session and e.task.ns_session == 0 and e.task.ns_pid == 2 and e.task.pid_ns_start < e.start < e.task.pid_ns_start + 30e9'
}
t_check "in a pid namespace: a session from outside is not seen, and its first process is the namespace's" inside
t_check "a session of its own is" of two-sessions foreign \
    'e.task.ns_session == e.task.ns_pid == e.task.ns_pgid and e.task.session == e.pid != e.task.ns_pid'
