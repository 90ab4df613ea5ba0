#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Rules are replaced again and again under load: each event is judged by exactly one set.
. "${0%/*}/lib.sh"
need_root
need_command python3

FILES=$((SLOW > 1 ? 4000 : 20000))
mkdir watched

# rules NAME: two rules for the same events, named after the set
rules() {
    cat <<EOF
- rule: opened $1
  desc: a file was made in the watched directory
  condition: evt.type in (open, openat, openat2, creat) and evt.is_open_write = true and fd.name startswith $PWD/watched/
  output: made %fd.name
  priority: NOTICE
- rule: renamed $1
  desc: a file was renamed in the watched directory
  condition: evt.type in (rename, renameat, renameat2) and fs.path.source startswith $PWD/watched/
  output: renamed %fs.path.source
  priority: NOTICE
EOF
}

# install NAME: by renaming, as editors and packages do
install_rules() {
    rules "$1" >rules.new
    mv rules.new rules.yaml
}

install_rules 0
t_need "skep runs with rules" start_skep run run --rules rules.yaml --json

cat >load.py <<'EOF'
import os, sys, time
top, n = sys.argv[1], int(sys.argv[2])
for i in range(n):
    os.close(os.open(f"{top}/{i}", os.O_CREAT | os.O_WRONLY))
    if i % 4 == 0:
        os.rename(f"{top}/{i}", f"{top}/{i}.r")
    if i % 100 == 99:
        time.sleep(0.02 * float(sys.argv[3]))
EOF
python3 load.py "$PWD/watched" $FILES $SLOW &
LOAD=$!
T_PIDS+=("$LOAD")

sets=0
while alive "$LOAD"; do
    sets=$((sets + 1))
    install_rules $sets
    # half of them are noticed by themselves
    [ $((sets % 2)) -eq 0 ] && kill -HUP "$SKEP_PID"
    sleep 0.15
    if [ $((sets % 5)) -eq 0 ]; then
        # a bad file changes nothing
        echo '- rule: broken' >rules.yaml
        kill -HUP "$SKEP_PID"
        sleep 0.1
    fi
done
wait "$LOAD"
sleep $((SLOW > 1 ? 8 : 2))
t_check "it ends when asked" ended_with 0 stop_skep

cat >check.py <<'EOF'
import collections, json, sys
n = int(sys.argv[2])
made, renamed, sets = collections.Counter(), collections.Counter(), set()
for line in open(sys.argv[1]):
    a = json.loads(line)
    what, name = a["rule"].split()
    sets.add(name)
    path = a["output_fields"]["fd.name" if what == "opened" else "fs.path.source"].rsplit("/", 1)[1]
    (made if what == "opened" else renamed)[path] += 1
want = {str(i) for i in range(n)}
bad = []
if set(made) != want:
    bad.append(f"{len(want - set(made))} not told, such as {sorted(want - set(made))[:3]}")
if set(renamed) != {str(i) for i in range(0, n, 4)}:
    bad.append(f"{n // 4 - len(renamed)} renames not told")
twice = [p for c in (made, renamed) for p, k in c.items() if k != 1]
if twice:
    bad.append(f"{len(twice)} told twice, such as {twice[:3]}")
if len(sets) < int(sys.argv[3]):
    bad.append(f"only {len(sets)} sets were ever in force")
print("; ".join(bad) or f"{n} files, {len(sets)} sets")
sys.exit(bool(bad))
EOF
t_check "every event was judged by exactly one set" python3 check.py run.out $FILES 4
t_check "many sets were in force" [ "$(grep -c 'new rules are in force' run.err)" -ge 3 ]
t_check "bad files were told, with their place" grep -q 'rules.yaml:1:[0-9]*: error:' run.err
t_check "and left the old rules in force" grep -q 'the old ones stay in force' run.err
ledger_closes() {
    grep -q '^open ' run.err && ! grep UNACCOUNTED run.err
}
t_check "the ledger adds up" ledger_closes

# what can be read only once stays in force
rules pipe >rules.yaml
piped() { exec "$SKEP" run --rules - --json <rules.yaml >pipe.out 2>pipe.err; }
piped &
PIPED=$!
T_PIDS+=("$PIPED")
eventually() { # eventually COMMAND...: it succeeds at last
    for _ in $(seq $((200 * SLOW))); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}
opened() { # opened NAME: a file of that name was made and told
    : >"watched/$1"
    grep -q "watched/$1\"" pipe.out
}
t_check "rules from standard input are in force" eventually opened piped
kill -HUP "$PIPED"
t_check "they are read anew" eventually grep -q 'new rules are in force: 2' pipe.err
t_check "and are in force still" eventually opened again
kill -INT "$PIPED"
wait "$PIPED"
