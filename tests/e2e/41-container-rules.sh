#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What rules know of containers: mounts, labels, privileges, image, start and the users of their own; and a replay knows
# the same but for the users, whose files are not in a recording.
. "${0%/*}/lib.sh"
. "${0%/*}/container.sh"
need_root
need_runc

cat >rules.yaml <<'R'
- rule: in a container
  desc: all that is known of the container and its user
  condition: evt.type in (execve, execveat) and container.id != host and proc.args startswith mark
  output: "<%proc.args|%container.name|%container.type|%container.image.repository|%container.image.tag|%container.image.id|%container.privileged|%container.mount[/etc*]|%container.mounts|%container.label[who]|%container.host_network|%proc.vpid|%container.duration>"
  priority: WARNING
- rule: user
  desc: and of its users
  condition: evt.type in (execve, execveat) and container.id != host and user.name = inside and group.name = insiders and proc.args startswith user
  output: "<%proc.args|%user.name|%user.homedir|%user.loginname>"
  priority: WARNING
R
# bundle NAME PYTHON: a container that sleeps, with its configuration c changed
bundle() {
    runc_prepare "$1" /bin/sleep 3600 && python3 - "$SCRATCH/bundle-$1/config.json" "$2" <<'P'
import json, sys
with open(sys.argv[1]) as f:
    c = json.load(f)
exec(sys.argv[2])
with open(sys.argv[1], "w") as f:
    json.dump(c, f)
P
}
start() {
    runc run --detach --bundle "$SCRATCH/bundle-$1" "$1" </dev/null >"$SCRATCH/$1.log" 2>&1
}
plain=skep-plain-$$ strong=skep-strong-$$
t_need "containers can be made" bundle "$plain" '
c["annotations"] = {"who": "me", "org.systemd.property.X": "1"}
c["mounts"].append({"destination": "/host-etc", "type": "bind", "source": "/etc", "options": ["rbind", "ro", "rprivate"]})'
bundle "$strong" '
names = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT
SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
WAKE_ALARM BLOCK_SUSPEND AUDIT_READ""".split()
c["process"]["capabilities"] = {k: ["CAP_" + n for n in names] for k in ("bounding", "effective", "permitted")}
c["linux"].pop("seccomp", None); c["linux"]["maskedPaths"] = []; c["linux"]["readonlyPaths"] = []
c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "network"]'
printf 'root:x:0:0::/:/bin/sh\ninside:x:777:777::/in:/bin/sh\n' >"bundle-$plain/rootfs/etc/passwd"
printf 'insiders:x:777:\n' >"bundle-$plain/rootfs/etc/group"

start_skep all run --rules rules.yaml --record rec
t_need "a container runs" start "$plain"
if start "$strong"; then STRONG=1; fi
wait_for 10 sh -c "'$SKEP' ps --json 2>/dev/null | grep -q '\"id\":\"$plain\"'"
runc exec "$plain" /bin/echo mark plain >/dev/null
runc exec --user 777:777 "$plain" /bin/echo user plain >/dev/null
[ -z "${STRONG:-}" ] || runc exec "$strong" /bin/echo mark strong >/dev/null
image=
if reason=$(container_lacks podman runc conmon) && podman_start "skep-pod-$$" /bin/sleep 3600; then
    wait_for 10 sh -c "'$SKEP' ps --json 2>/dev/null | grep -q '\"name\":\"skep-pod-$$\"'"
    podman_cmd exec "skep-pod-$$" /bin/echo mark pod >/dev/null
    image=$(podman_cmd images --quiet --no-trunc "$CONTAINER_IMAGE" | sed 's/^sha256://; s/^\(.\{12\}\).*/\1/')
fi
wait_for 10 grep -q '<mark p.*|' all.out
sleep 1
t_check "skep ends" ended_with 0 stop_skep
"$SKEP" rules test rec --rules rules.yaml >again.out 2>again.err

# what alerts have to say, live and in the replay
told() {
    grep -E "$1" all.out || { cat all.out; return 1; }
}
told_again() {
    grep -E "$1" again.out || { cat again.out; return 1; }
}
mount='/etc:/host-etc::false:rprivate'
plain_line="<mark plain\|$plain\|runc\|<NA>\|<NA>\|<NA>\|false\|$mount\|$mount\|me\|false\|[0-9]+\|[0-9]+>"
t_check "runc: mounts, labels, privileges" told "$plain_line"
t_check "and in a replay" told_again "$plain_line"
t_check "runc: its own users" told "<user plain\|inside\|/in\|<NA>>"
t_check "whom a replay does not know" ended_with 1 told_again "<user plain"
if [ -n "${STRONG:-}" ]; then
    t_check "runc: with all privileges, in the host's network" told "<mark strong\|$strong\|runc\|.*\|true\|.*\|<NA>\|true\|"
else
    t_skip "runc: with all privileges" "$(tail -1 "$strong.log")"
fi
if [ -n "$image" ]; then
    t_check "podman: image and its id" told "<mark pod\|skep-pod-$$\|podman\|localhost/skep-test-busybox\|latest\|$image\|false\|"
    t_check "and in a replay" told_again "<mark pod\|skep-pod-$$\|podman\|localhost/skep-test-busybox\|latest\|$image\|false\|"
else
    t_skip "podman" "${reason:-it does not start here}"
fi
