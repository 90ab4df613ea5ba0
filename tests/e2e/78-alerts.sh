#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `skep run` does with alerts: which rules are on, where alerts go, what holds them back, what stands on the
# output; and the report of `skep rules test`.
. "${0%/*}/lib.sh"
need_root
need_command python3

mkdir dir
cat >one.yaml <<EOF
- macro: ours
  condition: (evt.type in (open, openat, openat2, creat) and fd.name startswith $PWD/dir/)
- rule: Any open
  desc: every file of the directory
  condition: ours
  output: any file=%fd.name missing=%proc.aname[15] program=%proc.name
  priority: INFO
  tags: [files, noisy]
- rule: Open of x
  desc: one file of the directory
  condition: ours and fd.filename = x
  output: x file=%fd.name
  priority: CRITICAL
  tags: [files]
- rule: Never
  desc: what does not happen
  condition: ours and fd.filename = never
  output: never
  priority: ERROR
EOF
cat >two.yaml <<EOF
- rule: Open of x
  output: " changed=%evt.type"
  override: {output: append}
EOF

# touch_files NAME...
touch_files() {
    for f in "$@"; do
        cat "$PWD/dir/$f" >/dev/null
    done
}
echo a >dir/x
echo a >dir/y

# session NAME ARGS... -- NAMES: a run with these options, while these files are opened
session() {
    local name=$1 args=()
    shift
    while [ "$1" != -- ]; do
        args+=("$1")
        shift
    done
    shift
    start_skep "$name" run --rules one.yaml --rules two.yaml "${args[@]}" || return 1
    sleep $((SLOW > 1 ? 3 : 1))
    touch_files "$@"
    sleep $((SLOW > 1 ? 5 : 1))
    stop_skep
}

alerts() {
    python3 - "$@" <<'EOF'
import json, sys
want = sys.argv[2:]
have = []
for line in open(sys.argv[1]):
    a = json.loads(line)
    assert list(a) == ["hostname", "output", "priority", "rule", "source", "tags", "time", "output_fields"], list(a)
    have.append(a["rule"] + ":" + (a["output_fields"].get("fd.name") or "").rsplit("/", 1)[-1])
print(have)
sys.exit(have != want)
EOF
}

t_check "first: an event stops at its first rule" session first --json -- x y
t_check "one alert for each event" alerts first.out "Any open:x" "Any open:y"
t_check "all: every rule is told" session all --json --matching all -- x y
t_check "both alerts of an event, in the order of the file" alerts all.out "Any open:x" "Open of x:x" "Any open:y"
t_check "--disable by tag, --enable by name" session choice --json --disable tag:files --enable 'Open*' -- x y
t_check "only what was turned on again" alerts choice.out "Open of x:x"
t_check "--priority" session priority --json --priority error -- x y
t_check "nothing less urgent" alerts priority.out "Open of x:x"

cat >fields.py <<'EOF'
import json, sys
a = [json.loads(l) for l in open(sys.argv[1])]
x = next(e for e in a if e["rule"] == "Open of x")
f = x["output_fields"]
ok = (x["priority"] == "Critical" and x["source"] == "syscall" and x["tags"] == ["files"]
      and f["evt.type"] == "openat" and isinstance(f["evt.time"], int) and x["output"].endswith("container_id=host container_name=host")
      and "Critical x file=" in x["output"] and " changed=openat" in x["output"] and x["time"].endswith("Z"))
y = next(e for e in a if e["rule"] == "Any open")
ok = ok and y["output_fields"]["proc.aname[15]"] is None and "missing=<NA>" in y["output"] and y["output_fields"]["proc.name"] == "cat"
print(x, y)
sys.exit(not ok)
EOF
t_check "typed fields, missing ones, an output that was appended to" python3 fields.py all.out

grep_line() {
    grep -Eq "$1" "$2" || cat "$2"
    grep -Eq "$1" "$2"
}
t_check "text" session text --matching all -- x
t_check "a line for each alert" grep_line "^[0-9:]{8}\.[0-9]{9}: Critical x file=.*/dir/x +changed=openat container_id=host container_name=host$" text.out
t_check "nothing else stands on the output" eval '[ "$(grep -vc "^[0-9:]\{8\}\.[0-9]\{9\}: " text.out)" -eq 0 ]'

t_check "--iso8601" session iso --iso8601 --disable 'Any*' -- x
t_check "times in UTC, in full" grep_line "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}\+0000: Critical x file=" iso.out
t_check "--message" session message --json --message --iso8601 --disable 'Any*' -- x
t_check "the output alone, and with its head" python3 -c '
import json
a = json.loads(open("message.out").readline())
assert a["message"].startswith("x file="), a
assert a["output"] == a["time"][:-1] + "+0000: Critical " + a["message"], a'

cat >long.yaml <<EOF
- rule: Long
  desc: whoever starts a process chooses its arguments
  condition: evt.type = execve and evt.rawres >= 0 and proc.args startswith $PWD/dir/
  output: "%proc.cmdline %proc.args %tolower(proc.cmdline) %tolower(proc.args) %toupper(proc.cmdline) %toupper(proc.args)"
  priority: INFO
EOF
t_need "a run" start_skep long run --rules long.yaml --json --to stdout,format=json --to file:long.txt,format=text
told() { grep -q '"rule":"Long"' long.out; }
tries=0
until told || [ $tries -gt 50 ]; do
    /bin/true "$PWD/dir/"
    sleep 0.2
    tries=$((tries + 1))
done
/bin/true "$PWD/dir/$(python3 -c 'print("\x01" * 100000, end="")')"
sleep $((SLOW > 1 ? 5 : 1))
t_check "ends" ended_with 0 stop_skep
t_check "long arguments do not break an alert" python3 -c '
import json
a = [json.loads(l) for l in open("long.out")]
last = a[-1]
assert last["rule"] == "Long" and last["priority"] == "Informational", last["rule"]
assert last["output_fields"]["proc.args"].endswith("\x01..."), last["output_fields"]["proc.args"][-9:]
lines = open("long.txt").read().split("\n")
assert len(lines) == len(a) + 1 and lines[-2].endswith("container_name=host"), (len(lines), len(a), lines[-2][-80:])'

t_check "--color always" session color --color always --disable 'Any*' -- x
t_check "the priority is coloured by what it means" grep -Pq '^\e\[2m[0-9:.]+: \e\[0m\e\[1;31mCritical\e\[0m x file=' color.out

t_check "with events" session events --json --events --kinds open -- x
t_check "alerts and events, each in its shape" eval 'json_has events.out "e.rule == \"Any open\"" && json_has events.out "e.kind == \"open\" and e.path.endswith(\"/dir/x\")"'

t_check "--rate" session rate --json --disable 'Open*' --rate 2/1m -- x x x x x
t_check "no more than that, and a word on the rest" python3 -c '
import json
a = [json.loads(l) for l in open("rate.out")]
assert [e["rule"] for e in a] == ["Any open", "Any open", "skep: alerts were hidden"], a
assert a[2]["output"].split(": ", 1)[1].startswith("Informational 3 more alerts"), a[2]["output"]
f = a[2]["output_fields"]
assert (f["skep.hidden"], f["skep.rule"], f["skep.reason"], f["skep.key"]) == (3, "Any open", "rate", None), f
assert a[1]["output_fields"]["evt.time"] < f["skep.first"] < f["skep.last"] == f["evt.time"], f'
t_check "--suppress" session suppress --json --disable 'Open*' --suppress 1h,by=fd.name -- x x x y
t_check "each once, and a word on the rest" python3 -c '
import json
a = [json.loads(l) for l in open("suppress.out")]
assert [e["rule"] for e in a] == ["Any open", "Any open", "skep: alerts were hidden"], a
assert "2 more alerts" in a[2]["output"], a[2]["output"]
f = a[2]["output_fields"]
assert f["skep.hidden"] == 2 and f["skep.reason"] == "suppressed" and f["skep.key"].endswith("/x"), f'

t_check "--to: several sinks" session sinks --matching all --to "file:$PWD/alerts.json,format=json" --to "program:cat >$PWD/piped.txt,format=text" -- x
t_check "the file has them" alerts alerts.json "Any open:x" "Open of x:x"
t_check "the program, too" eval '[ "$(wc -l <piped.txt)" -eq 2 ]'
t_check "then the output has none" eval '[ ! -s sinks.out ]'

t_need "a file that is moved away" start_skep reopen run --rules one.yaml --to "file:$PWD/moved.json,format=json"
sleep 1
touch_files x
t_check "is written" wait_for 10 grep -q 'Any open' moved.json
mv moved.json moved.1
kill -USR1 "$SKEP_PID"
t_check "is opened again on SIGUSR1" wait_for 10 [ -e moved.json ]
touch_files y
t_check "and gets what comes then" wait_for 10 grep -q 'dir/y' moved.json
t_check "it ends" ended_with 0 stop_skep

says_2() {
    local want=$1
    shift
    "$SKEP" "$@" >said 2>&1
    [ $? -eq 2 ] && grep -q -e "$want" said
}
t_check "no such file" says_2 'nowhere.yaml' run --rules nowhere.yaml
echo '- rule: broken' >broken.yaml
t_check "rules with errors" says_2 'broken.yaml:1:' run --rules broken.yaml
t_check "no such sink" says_2 'pigeon' run --to pigeon:home
t_check "no such field in --suppress" says_2 'no.such' run --suppress 1m,by=no.such

t_need "a recording" start_skep record record -o all.skep
touch_files x y y
sleep 1
t_check "is complete" ended_with 0 stop_skep
printf '3 Any open\n' >want
t_check "rules test: what would have fired, as expected" "$SKEP" rules test -q --rules one.yaml --expect want all.skep
printf '# nothing\n+ Any open\n1 Open of x\n' >want
t_check "with --matching all" "$SKEP" rules test -q --matching all --rules one.yaml --expect want all.skep
printf '2 Any open\n' >want
t_check "a count that is wrong" ended_with 1 "$SKEP" rules test -q --rules one.yaml --expect want all.skep
printf '' >want
t_check "alerts that nobody expected" ended_with 1 "$SKEP" rules test -q --rules one.yaml --expect want all.skep
printf '3 Any open \r\n' >want
t_check "blanks behind a name" "$SKEP" rules test -q --rules one.yaml --expect want all.skep
for line in '-3 Any open' '99999999999999999999 Any open' '3' 'Any open' '3 Any open\n+ Any open'; do
    printf -- "$line" >want
    t_check "no expectation: $line" ended_with 2 "$SKEP" rules test -q --rules one.yaml --expect want all.skep
done
t_check "a directory of expectations" ended_with 2 "$SKEP" rules test -q --rules one.yaml --expect . all.skep
"$SKEP" rules test --json --cost --rules one.yaml all.skep >report.json
t_check "the report: counts, noise, costs" python3 -c '
import json
r = json.load(open("report.json"))
any = next(x for x in r["rules"] if x["rule"] == "Any open")
assert any["alerts"] == 3 and any["ns_per_event"] > 0 and r["events"] > 0, r
assert [(n["count"], n["file"].rsplit("/", 1)[1]) for n in any["noise"]] == [(2, "y"), (1, "x")], any'
