#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The shape of JSON lines: every event of every kind that a busy minute brings has the members that readers rely on,
# with values of the right sort.
. "${0%/*}/lib.sh"
. "$HERE/workload.sh"
need_root
need_workload

cat >busy.py <<'P'
import ctypes, fcntl, os, socket, subprocess, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
d = sys.argv[1]
f = f"{d}/file"
os.close(os.open(f, os.O_WRONLY | os.O_CREAT, 0o600))
os.chmod(f, 0o640); os.chown(f, 0, 0); os.truncate(f, 10)
os.link(f, f + ".hard"); os.symlink("file", f + ".soft"); os.rename(f + ".hard", f + ".moved")
os.unlink(f + ".moved"); os.mkdir(d + "/sub"); os.chdir(d + "/sub"); os.chdir(d); os.rmdir(d + "/sub")
try:
    os.open(d + "/not/there", os.O_RDONLY)
except OSError:
    pass
os.pipe()
os.close(os.memfd_create("m"))
os.dup2(os.open("/dev/null", os.O_RDWR), 0)
a = socket.socket(); a.bind(("127.0.0.1", 0)); a.listen()
b = socket.create_connection(a.getsockname()); c, _ = a.accept()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0))
v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); v.sendto(b"x", u.getsockname()); u.recvfrom(1)
q = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04skep\x04test\x00\x00\x01\x00\x01"
v.sendto(q, ("127.0.0.1", 53))
c.close(); b.close()
def child():
    os.setsid(); os.setgid(12345); os.setuid(12345)
    os._exit(3)
pid = os.fork()
if pid == 0:
    child()
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    import time
    time.sleep(60)
libc.ptrace(16, pid, 0, 0)  # PTRACE_ATTACH
os.waitpid(pid, 0)
os.kill(pid, 9)
os.waitpid(pid, 0)
libc.syscall(250, 0, -3, 0)  # keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING)
subprocess.run(["unshare", "--uts", "true"])
P
mkdir work
"$SKEP" run --no-rules --json --events -- python3 busy.py "$PWD/work" >shape.out 2>shape.err
t_check "skep ends with a busy minute" test $? -eq 0
t_check "all of it could be done" grep -q 'python3 ended with status 0' shape.err

cat >shape.py <<'P'
import json, re, sys
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
number, text = (int,), (str,)
def maybe(*sort):
    return sort[0] + (type(None),)
PROC = {
    "pid": number, "tid": number, "exe": maybe(text), "comm": text, "args": (list, type(None)), "cwd": maybe(text),
    "uid": number, "gid": number, "loginuid": maybe(number), "cgroup": maybe(text), "start": text,
    "parent": (dict, type(None)),
}
PATH = {"path": maybe(text), "raw_path": maybe(text)}
TWO = {"path": maybe(text), "target": maybe(text)}
NET = {"proto": maybe(text), "local": (dict, type(None)), "remote": (dict, type(None))}
KINDS = {
    "fork": {"child": dict}, "exec": {"inode": number, "flags": text, "stdin": dict, "stdout": dict},
    "exit": {"code": number, "signal": maybe(text), "duration": number}, "chdir": {"path": text},
    "open": PATH | {"flags": text, "created": bool}, "unlink": PATH, "mkdir": PATH, "rmdir": PATH, "chmod": PATH, "chown": PATH,
    "truncate": {"path": maybe(text)}, "rename": TWO, "link": TWO, "symlink": TWO,
    "bind": {"local": (dict, type(None))}, "listen": {"local": (dict, type(None))}, "accept": NET, "connect": NET,
    "send": NET, "recv": NET, "tcp": {"local": dict, "remote": dict},
    "dns": {"question": text, "answers": (list, type(None))},
}
SYSCALLS = ("open", "unlink", "rename", "link", "symlink", "mkdir", "rmdir", "chmod", "chown", "truncate", "connect",
            "accept", "bind", "listen", "socket", "setuid", "setgid", "ptrace", "keyctl", "unshare", "memfd_create")
seen, bad, pieces = {}, [], {}
def members(where, have, want):
    for name, sort in want.items():
        if name not in have:
            bad.append(f"{where} lacks {name}")
        elif not isinstance(have[name], sort) or (isinstance(have[name], bool) and sort is not bool):
            bad.append(f"{where}.{name} is {have[name]!r}")
for line in open(sys.argv[1], encoding="utf-8", errors="strict"):
    e = json.loads(line)
    kind = e["kind"]
    if kind in ("ledger", "lost"):
        continue
    seen[kind] = seen.get(kind, 0) + 1
    members(kind, e, {"kind": text, "time": text, "seq": number, "cpu": number, "proc": (dict, type(None)), "container": (dict, type(None))})
    if not TIME.match(e["time"]):
        bad.append(f"{kind}.time is {e['time']}")
    if kind in SYSCALLS:
        members(kind, e, {"ret": number})
        if e["ret"] < 0 and not isinstance(e.get("error"), str):
            bad.append(f"{kind}: ret {e['ret']} and no error")
    if e["proc"]:
        members(kind + ".proc", e["proc"], PROC)
        if not TIME.match(e["proc"]["start"]) or e["proc"]["start"] > e["time"]:
            bad.append(f"{kind}.proc.start is {e['proc']['start']}")
        if e["proc"].get("args") is not None and not all(isinstance(a, str) for a in e["proc"]["args"]):
            bad.append(f"{kind}.proc.args is {e['proc']['args']}")
        if e["proc"]["parent"]:
            members(kind + ".proc.parent", e["proc"]["parent"], {"pid": number, "exe": maybe(text), "comm": maybe(text)})
    members(kind, e, KINDS.get(kind, {}))
    for side in ("local", "remote"):
        if isinstance(e.get(side), dict):
            members(f"{kind}.{side}", e[side], {"ip": maybe(text), "port": maybe(number)})
    if e["container"]:
        members(kind + ".container", e["container"], {"id": text, "name": maybe(text), "image": maybe(text)})
print(len(seen), "kinds:", " ".join(f"{k} {n}" for k, n in sorted(seen.items())))
for b in sorted(set(bad))[:20]:
    print(b)
sys.exit(bool(bad))
P
t_check "every event has its members" python3 shape.py shape.out
python3 shape.py shape.out | head -n 1 | sed 's/^/# /'
for kind in fork exec exit chdir setsid unshare open unlink rename link symlink mkdir rmdir chmod chown truncate dup \
    memfd_create pipe socket bind listen accept connect send recv tcp dns setuid setgid ptrace keyctl; do
    t_check "a busy minute has: $kind" json_has shape.out "e.kind == '$kind'"
done
t_check "the ledger closes" ledger_closes shape.out
# sequence: of one ring on one processor it only rises
cat >rising.py <<'P'
import json, sys
last = {}
for line in open(sys.argv[1]):
    e = json.loads(line)
    if e["kind"] in ("ledger", "lost"):
        continue
    key = e["ring"], e["cpu"]
    assert e["seq"] > last.get(key, -1), (key, e["seq"], last[key])
    last[key] = e["seq"]
P
t_check "sequence numbers rise" python3 rising.py shape.out
