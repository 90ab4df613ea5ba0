#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is installed beside the program: the manual page, the completion for bash, and the unit of the service, which
# is run as systemd would run it: told where to say that it is ready, and with no more privileges than it has there.
. "${0%/*}/lib.sh"

UNIT=$HERE/../../dist/skep.service.in

manual_is_clean() {
    "$SKEP" docs manual >skep.8 && [ "$(head -c 3 skep.8)" = '.\"' ] || return 1
    command -v man >/dev/null || return 0
    man --warnings -E UTF-8 -l skep.8 >/dev/null 2>man.err
    cat man.err
    [ ! -s man.err ]
}

# offers 'TYPED' WORD...: what is offered behind the words typed is exactly this, in any order. The last word is the one
# at the cursor, also when it is empty.
offers() {
    local line=$1
    shift
    printf '%s\n' "$@" | sort >want
    # = is a break between words for bash
    bash --norc -c '. ./completion; compopt() { :; }; line=${1//=/ = }; [[ $line != *" = " ]] || line=${line% }
        COMP_WORDS=($line); [[ $line != *" " ]] || COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _skep
        printf "%s\n" ${COMPREPLY[@]+"${COMPREPLY[@]}"}' bash "$line" | sort >got
    diff want got
}

"$SKEP" docs completion >completion
t_check "the manual is one that man takes without a warning" manual_is_clean
t_check "the completion is bash" bash -n completion
t_check "commands are completed" offers 'skep r' run record replay rules
t_check "and those of a family" offers 'skep rules ' check list explain test
t_check "and the names of commands behind help" offers 'skep help w' watch
t_check "options are completed" offers 'skep watch --co' --columns --count-by --comm --container --color
t_check "and those of a family's command" offers 'skep vm bench --r' --rounds
t_check "and values that are listed" offers 'skep run --color a' auto always
t_check "also behind =" offers 'skep run --color=a' auto always
t_check "and kinds of event" offers 'skep watch exe' exec exec_failed
t_check "the last of a list" offers 'skep run -k exec,un' exec,unlink exec,unshare
t_check "and topics" offers 'skep docs in' instructions
touch rules.yaml
t_check "and files, where an argument is one" offers 'skep rules check ru' rules.yaml
t_check "also behind an option" offers 'skep run --json --rules ru' rules.yaml
t_check "an option's value is no argument" offers 'skep watch --sort time exe' exec exec_failed
t_check "nothing where nothing can be told" offers 'skep run --duration ' ''

sed "s|^ExecStart=[^ ]*|ExecStart=$SKEP|" "$UNIT" >skep.service
if command -v systemd-analyze >/dev/null; then
    t_check "the unit is one that systemd takes" test -z "$(systemd-analyze verify --man=no "$PWD/skep.service" 2>&1)"
else
    t_skip "the unit is one that systemd takes" "no systemd-analyze"
fi

[ "$(id -u)" -eq 0 ] || { t_skip "the service" "not root"; exit 0; }
command -v setpriv >/dev/null || { t_skip "the service" "no setpriv"; exit 0; }

bounds=-all
for cap in $(sed -n 's/^CapabilityBoundingSet=//p' skep.service | tr A-Z a-z); do
    bounds=$bounds,+${cap#cap_}
done
cat >service.py <<'END'
import os, signal, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
s.settimeout(float(sys.argv[1]))
c = subprocess.Popen(sys.argv[2:], env=dict(os.environ, NOTIFY_SOCKET=os.path.abspath("notify")))
try:
    said = [s.recv(100)]
    open("ready", "w").close()
    c.send_signal(signal.SIGTERM)
    said.append(s.recv(100))
finally:
    c.terminate()
    c.wait()
print(said)
sys.exit(said != [b"READY=1", b"STOPPING=1"] or c.returncode)
END
t_check "the service says when it is ready, and when it stops" python3 service.py $((20 * SLOW)) unshare -m sh -c '
    mount --bind / / && mount -o remount,bind,ro / && for d in /sys /sys/fs/cgroup; do mount -o remount,bind,ro $d; done
    exec setpriv --no-new-privs --bounding-set "$@"' sh "$bounds" "$SKEP" run
"$SKEP" probe >all.probe 2>&1
setpriv --no-new-privs --bounding-set "$bounds" "$SKEP" probe >service.probe 2>&1
t_check "and sees as much as root does" diff all.probe service.probe
