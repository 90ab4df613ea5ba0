#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Rules that nobody means well with: each is compiled in bounded time and memory, or refused with a diagnostic.
. "${0%/*}/lib.sh"
need_command python3

cat >make.py <<'EOF'
import sys
def rule(name, condition):
    return f"- rule: {name}\n  desc: d\n  condition: {condition}\n  output: o %fd.name\n  priority: NOTICE\n"
files = {}
files["rules"] = "".join(
    rule(f"r{i}", f"evt.type in (open, openat) and (fd.name startswith /x/{i}/ or fd.name = /y/{i}) and proc.name != p{i % 97}")
    for i in range(10000))
files["items"] = "- list: big\n  items: [" + ", ".join(f"/some/path/{i}" for i in range(100000)) + "]\n" + \
    rule("uses it", "evt.type = openat and fd.name in (big) and not proc.name in (big)")
files["prefixes"] = "- list: big\n  items: [" + ", ".join(f"/some/dir{i}" for i in range(50000)) + "]\n" + \
    rule("uses it", "evt.type = openat and fd.name pmatch (big)")
files["deep"] = rule("deep", "evt.type = open and " + "(" * 5000 + "proc.name = a" + ")" * 5000)
files["nots"] = rule("nots", "evt.type = open and " + "not " * 5000 + "proc.name = a")
files["wide"] = rule("wide", "evt.type = open and (" + " or ".join(f"fd.name contains n{i}" for i in range(20000)) + ")")
laughs = "- macro: m0\n  condition: (proc.name = a or proc.name = b)\n"
laughs += "".join(f"- macro: m{i}\n  condition: (m{i-1} or m{i-1} or m{i-1} or m{i-1})\n" for i in range(1, 60))
files["macros"] = laughs + rule("laughs", "evt.type = open and m59")
laughs = "- list: l0\n  items: [a, b, c, d]\n"
laughs += "".join(f"- list: l{i}\n  items: [l{i-1}, l{i-1}, l{i-1}, l{i-1}]\n" for i in range(1, 40))
files["lists"] = laughs + rule("laughs", "evt.type = open and proc.name in (l39)")
files["aliases"] = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + \
    "".join(f"a{i}: &a{i} [" + ", ".join([f"*a{i-1}"] * 8) + "]\n" for i in range(1, 30))
evil = ["(a+)+$", "(a|aa)+b", "(.*)*x", "((a{1,50}){1,50}){1,50}", "a{1000}{1000}", "(x+x+)+y", "[" + "a-" * 3000, "(" * 3000,
        "((((((((((a*)*)*)*)*)*)*)*)*)*)b"]
files["regexes"] = "".join(rule(f"x{i}", f"evt.type = openat and fd.name regex '{e}'") for i, e in enumerate(evil))
files["globs"] = rule("globs", "evt.type = openat and fd.name glob '" + "*a" * 1000 + "*b'")
files["long"] = rule("long", "evt.type = openat and fd.name = " + "a" * 200000)
files["bytes"] = "\x01\x02- rule: \xff\n"
for name, text in files.items():
    open(name + ".yaml", "w", encoding="utf-8", newline="").write(text)
EOF
t_need "the rules are made" python3 make.py

cat >bounded.py <<'EOF'
import re, resource, subprocess, sys, time
skep, path, want = sys.argv[1:4]
limit = 20 * float(sys.argv[4])
begin = time.monotonic()
p = subprocess.run([skep, "rules", "check", path], capture_output=True, timeout=limit, text=True, errors="replace")
took = time.monotonic() - begin
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"status {p.returncode}, {took:.1f} s, {memory:.0f} MiB: {(p.stderr + p.stdout)[-300:]}")
told = re.search(re.escape(path) + r":\d+:\d+: error: ", p.stderr + p.stdout)
ok = memory < 1500 and p.returncode in (0, 1)
if want == "good":
    ok = ok and p.returncode == 0
elif want == "bad":
    ok = ok and p.returncode == 1 and told
else:  # either, but a refusal is explained
    ok = ok and (p.returncode == 0 or told)
sys.exit(not ok)
EOF
check() {
    t_check "$1: $3" python3 bounded.py "$SKEP" "$1.yaml" "$2" "$SLOW"
}
check rules good "10,000 rules are compiled"
check items good "a list of 100,000 items is compiled"
check prefixes good "50,000 prefixes are compiled"
check deep bad "5,000 parentheses are refused"
check nots either "5,000 negations"
check wide either "20,000 substrings in one condition"
check macros either "macros that grow exponentially"
check lists either "lists that grow exponentially"
check aliases either "YAML aliases that grow exponentially"
check regexes either "regular expressions of the catastrophic kind"
check globs either "a pattern of a thousand stars"
check long either "a text of 200,000 bytes"
check bytes bad "bytes that are no text"
