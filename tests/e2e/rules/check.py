#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py mark RULES...                                       rules that make all alerts say whose they are
check.py fired RULES ALERTS CASE ROOT CONTAINER PORT VICTIM  whether the case's rule fired as the case wants it
check.py quiet ALERTS ROOT CONTAINER                         whether nothing of this test's own fired

An alert is this test's own when its process descends from process ROOT or belongs to the same session as ROOT, or
when it comes from the container; CONTAINER - is any.
"""

import json
import os
import re
import sys

import yaml

ANCESTORS = [f"proc.apid[{n}]" for n in range(1, 16)]
MARK = "session=%proc.sid ancestors=" + ",".join("%" + name for name in ANCESTORS) + " container=%container.id"
# whose text is not that of their number
TIMES = re.compile(r"\.(time|ctime|mtime|duration|ctime_duration\w*|start_ts|ts)$")


class Fields(dict):
    def __missing__(self, name):
        return None


def mark(paths):
    for path in paths:
        with open(path, encoding="utf-8") as f:
            documents = list(yaml.safe_load_all(f))
        for item in (item for document in documents for item in document):
            if "rule" in item and "condition" in item and not item.get("append") and not item.get("override"):
                print(f"- rule: {json.dumps(item['rule'])}")
                print(f'  output: "{MARK}"')
                print("  override: {output: append}")


def alerts(path, root, container):
    session = str(os.getsid(int(root)))
    with open(path, encoding="utf-8", errors="strict") as f:
        for line in f:
            alert = json.loads(line)
            fields = alert["output_fields"] = Fields(alert["output_fields"])
            own = str(fields["proc.sid"]) == session or root in (str(fields[name]) for name in ANCESTORS)
            inside = fields["container.id"] not in (None, "host") and (
                container == "-" or container and fields["container.id"] == container[:12])
            if own or inside:
                yield alert


def rule_named(path, name):
    with open(path, encoding="utf-8") as f:
        for document in yaml.safe_load_all(f):
            for item in document:
                if item.get("rule") == name and "condition" in item:
                    return item
    sys.exit(f"{path}: no rule {name}")


def fired(rules, path, case, root, container, port, victim):
    with open(case, encoding="utf-8") as f:
        text = f.read()
    rule = re.search(r'^RULE="(.*)"$', text, re.M).group(1)
    want = re.search(r"^WANT='(.*)'$", text, re.M).group(1)
    rule = rule_named(rules, rule)
    expression = compile(want, "WANT", "eval")
    seen = [alert for alert in alerts(path, root, container) if alert["rule"] == rule["rule"]]
    for alert in seen:
        known = {"f": alert["output_fields"], "o": alert["output"], "C": container[:12], "PORT": int(port),
                 "VICTIM": int(victim)}
        try:
            good = eval(expression, known)  # the expression is the test's own text
        except (TypeError, AttributeError, KeyError):
            good = False
        if good:
            wrong = malformed(alert, rule)
            if wrong:
                print(f"{wrong}: {json.dumps(alert)}")
            return not wrong
    for alert in seen[:3]:
        print(json.dumps(alert))
    print(f"{len(seen)} alerts, none with {want}")
    return False


def malformed(alert, rule):
    """What is wrong with an alert, given its rule: its members, its fields, and the text, which follows from both."""
    missing = {"hostname", "output", "priority", "rule", "source", "tags", "time", "output_fields"} - set(alert)
    if missing:
        return f"without {missing}"
    if alert["priority"].upper()[:4] != rule["priority"].upper()[:4]:
        return "wrong priority"
    if sorted(alert["tags"]) != sorted(rule["tags"]):
        return "wrong tags"
    fields = alert["output_fields"]
    text, at = "", 0
    template = rule["output"].strip() + " " + MARK
    for match in re.finditer(r"%([a-z][a-z0-9_.]*(?:\[[^]]*\])?)", template):
        text += re.escape(template[at : match.start()])
        at = match.end()
        name = match.group(1).rstrip(".")
        if name not in fields:
            return f"no field {name}"
        value = fields[name]
        if value is None:
            text += "<NA>"
        elif TIMES.search(name) or isinstance(value, str) and not value.isprintable():
            text += ".*"
        elif isinstance(value, bool):
            text += str(value).lower()
        else:
            text += re.escape(str(value))
        at -= len(match.group(1)) - len(name)
    text += re.escape(template[at:])
    return None if re.search(text, alert["output"], re.S) else f"text does not fit {text}"


def quiet(path, root, container):
    seen = list(alerts(path, root, container))
    for alert in seen:
        print(f"{alert['rule']}: {json.dumps(alert['output_fields'])}")
    return not seen


def main():
    what, args = sys.argv[1], sys.argv[2:]
    if what == "mark":
        mark(args)
    elif what == "fired":
        sys.exit(0 if fired(*args) else 1)
    elif what == "quiet":
        sys.exit(0 if quiet(*args) else 1)


main()
