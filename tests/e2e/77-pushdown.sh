#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the kernel drops on behalf of rules is only what no rule can match: two runs over the same events, with and
# without filters in the kernel, tell the same alerts, and so do a replay and a replay by the interpreter.
. "${0%/*}/lib.sh"
need_root
need_command python3

ROUNDS=$((SLOW > 1 ? 100 : 500))
mkdir -p work/etc work/bin work/.ssh
cat >rules.yaml <<EOF
- list: names
  items: [passwd, shadow, "sudoers", $PWD/work/etc/4, $PWD/work/etc/44, $PWD/work/etc/144, a, b, c, d, e, f]
- macro: ours
  condition: (fd.name startswith $PWD/work/)
- rule: by name
  desc: a list and a suffix
  condition: evt.type in (open, openat) and ours and (fd.name in (names) or fd.name endswith 7.conf) and not fd.name contains /bin/
  output: n %fd.name
  priority: NOTICE
- rule: by flags
  desc: flags, results, users
  condition: evt.type in (open, openat, openat2) and ours and evt.is_open_write = true and evt.rawres >= 0 and user.uid = 0
  output: w %fd.name
  priority: NOTICE
- rule: failed
  desc: what is not there, but not everywhere
  condition: evt.type = openat and ours and evt.rawres < 0 and not (fd.name glob */bin/* or proc.name = nobody)
  output: f %fd.name %evt.res
  priority: NOTICE
- rule: by pattern
  desc: pieces of a path
  condition: evt.type in (open, openat) and ours and (fd.name contains 99 or fd.name pmatch ($PWD/work/.ssh)) and fd.name glob '*/[0-9.]*'
  output: p %fd.name
  priority: NOTICE
- rule: names change
  desc: two paths
  condition: evt.type in (rename, renameat, renameat2) and fs.path.source startswith $PWD/work and not fs.path.target endswith .tmp
  output: r %fs.path.source %fs.path.target
  priority: NOTICE
- rule: modes
  desc: numbers
  condition: evt.type in (chmod, fchmod, fchmodat, fchmodat2) and fs.path.name startswith $PWD/work
  output: m %fs.path.name
  priority: NOTICE
- rule: sockets
  desc: networks and ports
  condition: evt.type = connect and fd.sip = 127.0.0.0/8 and fd.sport in (1-99, 4444)
  output: s %fd.sip %fd.sport
  priority: NOTICE
EOF

cat >load.py <<'EOF'
import os, random, socket, sys
top, rounds = sys.argv[1], int(sys.argv[2])
random.seed(7)
for i in range(rounds):
    d = random.choice(["etc", "bin", ".ssh"])
    p = f"{top}/{d}/{i}" + random.choice(["", ".conf", ".tmp"])
    os.close(os.open(p, random.choice([os.O_CREAT, os.O_CREAT | os.O_WRONLY, os.O_CREAT | os.O_RDWR])))
    os.close(os.open(p, os.O_RDONLY))
    try:
        os.open(p + ".missing", os.O_RDONLY)
    except OSError:
        pass
    if i % 3 == 0:
        os.rename(p, p + random.choice([".new", ".tmp"]))
    elif i % 3 == 1:
        os.chmod(p, 0o600)
    s = socket.socket()
    s.setblocking(False)
    try:
        s.connect((random.choice(["127.0.0.1", "127.3.2.1"]), random.choice([1, 98, 99, 100, 4444, 50000])))
    except OSError:
        pass
    s.close()
EOF

t_need "skep runs with filters" start_skep on run --rules rules.yaml --matching all --json
ON=$SKEP_PID
t_need "and without" start_skep off run --rules rules.yaml --matching all --json --no-pushdown --record all.skep
OFF=$SKEP_PID
t_check "there is work" python3 load.py "$PWD/work" $ROUNDS
sleep $((SLOW > 1 ? 6 : 2))
t_check "one ends" ended_with 0 stop_skep "$ON"
t_check "the other ends" ended_with 0 stop_skep "$OFF"

cat >alerts.py <<'EOF'
import collections, json, sys
def read(path):
    c = collections.Counter()
    for line in open(path):
        if line.startswith('{"hostname"'):
            a = json.loads(line)
            c[a["rule"], a["output"].split(": ", 1)[-1].split(" ", 1)[-1]] += 1
    return c
a, b = read(sys.argv[1]), read(sys.argv[2])
rules = collections.Counter(r for r, _ in b.elements())
print(dict(rules))
for only, name in ((a - b, sys.argv[1]), (b - a, sys.argv[2])):
    if only:
        print(f"only in {name}: {sum(only.values())}, such as {list(only)[:3]}")
sys.exit(a != b or len(rules) != 7 or min(rules.values()) < 5)
EOF
t_check "filters in the kernel change no alert" python3 alerts.py on.out off.out

dropped() {
    # of the opens that were seen, at least half never left the kernel
    awk '$1 == "open" { seen = $2; filtered = $4 } END { exit !(seen > 0 && filtered * 2 > seen) }' "$1"
}
t_check "filters drop events" dropped on.err
t_check "no event is unaccounted for" eval '! grep UNACCOUNTED on.err off.err'

"$SKEP" rules test --rules rules.yaml --matching all --json all.skep >jit.json
"$SKEP" rules test --rules rules.yaml --matching all --json --interpret all.skep >interpret.json
cat >same.py <<'EOF'
import json, sys
a, b = ([(r["rule"], r["alerts"], r["noise"]) for r in json.load(open(p))["rules"]] for p in sys.argv[1:3])
sys.exit(a != b)
EOF
t_check "a replay by machine code and by the interpreter agree" python3 same.py jit.json interpret.json
cat >counts.py <<'EOF'
import collections, json, sys
live = collections.Counter(json.loads(l)["rule"] for l in open(sys.argv[1]) if l.startswith('{"hostname"'))
test = {r["rule"]: r["alerts"] for r in json.load(open(sys.argv[2]))["rules"]}
print(dict(live), test)
sys.exit(dict(live) != {k: v for k, v in test.items() if v})
EOF
t_check "and with the live run" python3 counts.py off.out jit.json
