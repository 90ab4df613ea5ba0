#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# skep rules check and list: files, directories and standard input; exit statuses; text and JSON.
. "${0%/*}/lib.sh"

said() { # said TEXT COMMAND...: the command prints this on either stream
    local text=$1
    shift
    "$@" >"$SCRATCH/.said" 2>&1
    grep -qF -- "$text" "$SCRATCH/.said" && return 0
    cat "$SCRATCH/.said"
    return 1
}

exits() { # exits STATUS COMMAND...
    local want=$1 got
    shift
    "$@" >"$SCRATCH/.said" 2>&1
    got=$?
    [ "$got" = "$want" ] && return 0
    echo "status $got"
    cat "$SCRATCH/.said"
    return 1
}

rules() { "$SKEP" rules "$@"; }

mkdir rules.d rules.d/directory.yaml
mkfifo rules.d/pipe.yaml
cat >rules.d/10-base.yaml <<'Y'
- list: shells
  items: [sh, bash]
- rule: Shell
  desc: a shell begins
  condition: evt.type = execve and proc.name in (shells)
  output: a shell %proc.name
  priority: warning
  tags: [shell, process]
- rule: Connection
  desc: somebody connects
  condition: evt.type = connect
  output: connection %fd.name
  priority: debug
Y
cat >rules.d/20-local.yml <<'Y'
- rule: Connection
  enabled: false
  override: {enabled: replace}
Y
echo '- nonsense: 1' >rules.d/.hidden.yaml
echo '- nonsense: 1' >rules.d/notes.txt
echo '- macro: unused
  condition: evt.type = open' >warn.yaml
echo '- rule: Wrong
  desc: d
  condition: evt.type = open and proc.nmae = x
  output: o
  priority: notice' >wrong.yaml

t_check "a directory is fine" exits 0 rules check rules.d
t_check "and has its two files" said "2 rules, 0 macros, 1 list in 2 files; 0 warnings" rules check rules.d
t_check "a warning is said" said "warn.yaml:1:10: warning: the macro \`unused\` is not used" rules check warn.yaml
t_check "a warning is no error" exits 0 rules check warn.yaml
t_check "with --strict it is" exits 1 rules check --strict warn.yaml
t_check "an error is said with its place" said "wrong.yaml:3:34: error: there is no field \`proc.nmae\`" rules check wrong.yaml
t_check "with its line and a caret" said "                                 ^~~~~~~~~" rules check wrong.yaml
t_check "with a hint" said "hint: did you mean \`proc.name\`?" rules check wrong.yaml
t_check "an error is an error" exits 1 rules check rules.d wrong.yaml
t_check "no file is a wrong use" exits 2 rules check
t_check "a file that is not there" said "nowhere.yaml: error: cannot be opened: No such file" rules check nowhere.yaml rules.d
t_check "makes it fail" exits 1 rules check nowhere.yaml rules.d
t_check "standard input" said "standard input):3:34: error" sh -c "'$SKEP' rules check - <wrong.yaml"
t_check "a file of zeros is refused" exits 1 sh -c "head -c 100000 /dev/zero | '$SKEP' rules check -"
t_check "a file that does not end is refused" said "is too large" timeout 60 "$SKEP" rules check /dev/zero

mkdir nothing
t_check "a directory without rules is warned of" said "no rule is in force: there are none" rules explain nothing
t_check "and rules that are all off" said "no rule is in force: of 2, none is on" rules explain rules.d --disable '*'
t_check "one rule of standard input is explained" said "Shell (Warning, on)" sh -c "'$SKEP' rules explain - --rule Shell <rules.d/10-base.yaml"

rules check --json rules.d warn.yaml wrong.yaml nowhere.yaml >check.json
t_check "JSON has a result for each file" python3 - <<'P'
import json
j = json.load(open("check.json"))
r = {x["name"].split("/")[-1]: x for x in j["falco_load_results"]}
assert set(r) == {"10-base.yaml", "20-local.yml", "warn.yaml", "wrong.yaml", "nowhere.yaml"}, r.keys()
assert not j["successful"]
assert r["10-base.yaml"]["successful"] and not r["10-base.yaml"]["errors"]
assert not r["wrong.yaml"]["successful"]
e = r["wrong.yaml"]["errors"][0]
assert e["code"] == "LOAD_ERR_COMPILE_CONDITION" and e["hint"] == "did you mean `proc.name`?", e
item, place = e["context"]["locations"]
assert (item["item_type"], item["item_name"], item["position"]["line"]) == ("rule", "Wrong", 1), e
assert place["position"] == {"name": "wrong.yaml", "line": 3, "column": 34, "offset": 57, "length": 9}, e
assert e["context"]["snippet"].strip().startswith("condition:"), e
assert r["nowhere.yaml"]["errors"][0]["code"] == "LOAD_ERR_FILE_READ"
P
rules check --json warn.yaml >warn.json
t_check "and warnings" python3 -c '
import json
j = json.load(open("warn.json"))
assert j["successful"] and j["falco_load_results"][0]["warnings"][0]["code"] == "LOAD_UNUSED_MACRO"'

t_check "list shows rules" said "Shell       Warning        enabled       execve" rules list rules.d
t_check "and their state" said "Connection  Debug          disabled      connect" rules list rules.d
printf -- '- rule: "ü\\e[31m\\nx"\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: info\n' >strange.yaml
t_check "a strange name is in its column" said 'ü\x1b[31m\nx  Informational  enabled' rules list strange.yaml
t_check "and is explained as it may be shown" said 'ü\x1b[31m\nx (Informational, on)' rules explain strange.yaml
t_check "by tag" test "$(rules list rules.d --tag process | wc -l)" = 2
t_check "by priority" test "$(rules list rules.d --priority warning | grep -c Connection)" = 0
t_check "in any case" test "$(rules list rules.d --priority WARNING | grep -c Connection)" = 0
t_check "info is informational" test "$(rules list rules.d --priority Info | grep -c Connection)" = 0
t_check "at length" said "    a shell begins" rules list -L rules.d
t_check "list as JSON" test "$(rules list rules.d --json | python3 -c '
import json, sys
print([(r["name"], r["state"], r["evttypes"], r["tags"]) for r in json.load(sys.stdin)][0])')" = \
    "('Shell', 'enabled', ['execve'], ['shell', 'process'])"
t_check "list says what is wrong" said "there is no field" rules list wrong.yaml
t_check "and fails" exits 1 rules list wrong.yaml
