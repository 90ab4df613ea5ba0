#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Paths, names, arguments and programs as hostile or odd as a process can make them.
. "${0%/*}/lib.sh"
. "$HERE/workload.sh"
need_root
need_workload

# only what comes from here: a busy neighbour's files are not this test's matter
start_skep names run --no-rules --json --events --kinds exec,open,exit --pid $$ --output names.json || exit 1

# ---- long and deep ----

mkdir deep long
deep=$(cd deep && "$WORKLOAD" deep 200 level)
t_check "200 nested directories" wait_json 10 names.json "e.kind == 'open' and e.created and e.path == '$deep'"
(cd deep && for _ in $(seq 200); do cd level; done && exec "$TINY")
t_check "a working directory 200 levels deep" \
    wait_json 10 names.json "e.kind == 'exec' and e.proc.cwd == '${deep%/leaf}' and e.proc.exe == '$TINY'"

# 4,096 bytes with the NUL is the longest path that a process can name
python3 - "$PWD/long" long-path.txt <<'P'
import os, sys
base, out = sys.argv[1:]
path = base
while len(path) + 201 < 4080:
    path += "/" + "d" * 200
    os.mkdir(path)
path += "/" + "f" * (4095 - len(path) - 1)
assert len(path) == 4095
os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
with open(out, "w") as f:
    f.write(path)
P
t_check "a path of 4,096 bytes, whole" wait_json 10 names.json \
    "e.kind == 'open' and len(e.path or '') == 4095 and e.path == open('long-path.txt').read() and e.raw_path == e.path and not e.truncated"
python3 -c 'open("/skep-too-long" + "x" * 5000)' 2>/dev/null
t_check "of a name that no path can be the first 4,095 bytes, and a mark" wait_json 10 names.json \
    "e.kind == 'open' and e.error == 'ENAMETOOLONG' and (e.raw_path or '').startswith('/skep-too-long') and len(e.raw_path) == 4095 and e.truncated"
longer=$(cd long && "$WORKLOAD" deep 30 "$(printf 'n%.0s' $(seq 200))")
t_check "of a path that is longer the last part, and a mark" wait_json 10 names.json \
    "e.kind == 'open' and e.truncated and e.path and len(e.path) > 3800 and '$longer'.endswith(e.path) and e.created"

# ---- bytes that are no text ----

printf -v invalid 'bad-\xff\xfe-\xc3(-\xed\xa0\x80-end'
mkdir "$invalid"
: >"$invalid/file"
t_check "invalid UTF-8 in a name becomes U+FFFD" wait_json 10 names.json \
    "e.kind == 'open' and (e.path or '').startswith('$SCRATCH/bad-\ufffd\ufffd-\ufffd(-') and e.path.endswith('-end/file')"
cp "$TINY" "$invalid/tiny"
"$invalid/tiny" "arg-$invalid" $'tab\tquote"back\\slash' $'new\nline\x01\x7f' "" 'ünï'
t_check "and in the path of a program and its arguments" wait_json 10 names.json \
    "e.kind == 'exec' and e.proc.exe.endswith('-end/tiny') and e.proc.args[1].startswith('arg-bad-\ufffd\ufffd-')"
t_check "control characters, quotes and empty arguments arrive as they are" wait_json 10 names.json \
    "e.kind == 'exec' and e.proc.args[2:] == ['tab\tquote\"back\\\\slash', 'new\nline\x01\x7f', '', 'ünï']"
python3 -c "
import ctypes, os
ctypes.CDLL(None).prctl(15, b'co\xff\x1b[mm', 0, 0, 0)
open('/dev/null')"
t_check "a command name of any bytes" wait_json 10 names.json "e.kind == 'open' and (e.proc.comm or '') == 'co\ufffd\x1b[mm'"

# ---- long arguments ----

"$WORKLOAD" args 131072 "$TINY"
cat >args.py <<'P'
import json, sys
path, tiny = sys.argv[1:]
want, left, n = [tiny], 131072 - len(tiny) - 1, 1
while left > 0:
    size = min(left, 1000)
    s = f"{n}-"
    s += "".join(chr(ord("a") + (n + i) % 26) for i in range(len(s), size - 1))
    want.append(s[: size - 1])
    left -= size
    n += 1
assert sum(len(s) + 1 for s in want) == 131072
for line in open(path):
    if not line.endswith("\n"):
        break
    e = json.loads(line)
    if e["kind"] == "exec" and e["proc"]["args"][:2] == want[:2]:
        assert len(e["proc"]["args"]) == len(want), len(e["proc"]["args"])
        assert e["proc"]["args"] == want
        sys.exit(0)
sys.exit(1)
P
t_check "128 KiB of arguments arrive whole" wait_for 10 python3 args.py names.json "$TINY"
t_check "also for later events of that process" \
    wait_json 10 names.json "e.kind == 'exit' and e.proc.exe == '$TINY' and sum(len(a) + 1 for a in e.proc.args) == 131072"

# ---- programs ----

printf '#!%s one argument\n' "$TINY" >script.sh
chmod +x script.sh
./script.sh two
t_check "a script: itself, its interpreter and both their arguments" wait_json 10 names.json \
    "e.kind == 'exec' and e.script == './script.sh' and 'script' in e.flags and e.proc.exe == '$TINY' and e.proc.args == ['$TINY', 'one argument', './script.sh', 'two']"
"$WORKLOAD" memfd "$TINY" from-memory
t_check "a program in a memfd" wait_json 10 names.json \
    "e.kind == 'exec' and 'memfd' in e.flags and 'deleted' in e.flags and e.proc.exe == 'memfd:hidden' and e.proc.args[1:] == ['from-memory']"
"$WORKLOAD" unlinked "$TINY" from-nowhere
t_check "a program that is deleted" wait_json 10 names.json \
    "e.kind == 'exec' and 'deleted' in e.flags and 'memfd' not in e.flags and e.proc.exe == '$SCRATCH/unlinked-program' and e.proc.args[1:] == ['from-nowhere']"
: >deleted-file
exec 9<deleted-file
rm deleted-file
cat "/proc/$$/fd/9"
exec 9<&-
t_check "a file that is deleted is opened again" wait_json 10 names.json "e.kind == 'open' and e.raw_path == '/proc/$$/fd/9' and e.ret >= 0 and e.path.startswith('$SCRATCH/deleted-file')"

chmod 755 "$SCRATCH"
cp "$TINY" setuid-program
chown 65534 setuid-program
chmod 4755 setuid-program
"$WORKLOAD" as 12345 "$SCRATCH/setuid-program" raised
t_check "a set-user-ID program that gains another user" wait_json 10 names.json \
    "e.kind == 'exec' and e.proc.args[1:] == ['raised'] and 'setuid' in e.flags and e.proc.uid == 12345 and e.proc.euid == 65534 and e.old_uid == 12345 and e.owner == 65534 and e.mode == '4755'"
cp "$TINY" plain-program
"$WORKLOAD" as 12345 "$SCRATCH/plain-program" same
t_check "a program that gains nothing" wait_json 10 names.json \
    "e.kind == 'exec' and e.proc.args[1:] == ['same'] and 'setuid' not in e.flags and e.proc.euid == 12345"

# ---- other views of the file system ----

mkdir bound root lower upper work merged
cp "$TINY" bound/program
cp "$TINY" lower/below
if unshare --mount true; then
    unshare --mount bash -c "mount --bind bound root && root/program bind-mounted && : >root/written-through"
    t_check "a bind mount: the path as the process sees it" wait_json 10 names.json \
        "e.kind == 'exec' and e.proc.args[1:] == ['bind-mounted'] and e.proc.exe == '$SCRATCH/root/program' and e.proc.ns.mnt"
    t_check "also of a file in it" wait_json 10 names.json "e.kind == 'open' and e.path == '$SCRATCH/root/written-through' and e.created"
    mkdir jail
    cp "$TINY" jail/inside
    chroot jail /inside in-jail
    t_check "in another root: the path from there" \
        wait_json 10 names.json "e.kind == 'exec' and e.proc.args[1:] == ['in-jail'] and e.proc.exe == '/inside' and e.proc.cwd == '/'"
    if unshare --mount mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged 2>/dev/null; then
        unshare --mount bash -c "mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged &&
            cp lower/below merged/above && merged/below from-below && merged/above from-above"
        t_check "a program from the lower layer of an overlay" wait_json 10 names.json \
            "e.kind == 'exec' and e.proc.args[1:] == ['from-below'] and 'upper_layer' not in e.flags and e.proc.exe == '$SCRATCH/merged/below'"
        t_check "and one that was put into the upper layer" wait_json 10 names.json \
            "e.kind == 'exec' and e.proc.args[1:] == ['from-above'] and 'upper_layer' in e.flags and e.proc.exe == '$SCRATCH/merged/above'"
    else
        t_skip "overlay" "cannot be mounted here"
    fi
    unshare --mount --pid --net --uts --ipc --fork "$TINY" all-new
    t_check "namespaces: their numbers, and the process's number inside" wait_json 10 names.json \
        "e.kind == 'exec' and e.proc.args[1:] == ['all-new'] and e.proc.ns_pid == 1 and all(e.proc.ns[n] for n in ('mnt', 'pid', 'net', 'uts', 'ipc'))"
    t_check "a process of the host has none" \
        wait_json 10 names.json "e.kind == 'exec' and e.proc.args[1:] == ['from-nowhere'] and e.proc.ns == None and e.proc.ns_pid == None"
    unshare --user --map-root-user "$TINY" new-user
    t_check "a user namespace: the user outside" wait_json 10 names.json \
        "e.kind == 'exec' and e.proc.args[1:] == ['new-user'] and e.proc.uid == 0 and e.proc.ns.user"
else
    t_skip "mount namespaces" "unshare is not allowed"
fi

t_check "skep ends" ended_with 0 stop_skep
t_check "every line is JSON, and the ledger closes" ledger_closes names.json
t_check "nothing was lost" test "$(tail -n 1 names.json | grep -o '"lost":{[^}]\+}')" = ""
