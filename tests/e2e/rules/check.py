#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py mark RULES...                                          rules that make alerts of all rules say their session
check.py fired ALERTS CASE SESSION CONTAINER PORT VICTIM        whether the case's rule fired as the case wants it
check.py quiet ALERTS SESSION CONTAINER                         whether nothing of this test's own fired
"""

import json
import re
import sys

import yaml

MARK = "proc.sid"


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
                print(f'  output: " session=%{MARK} container=%container.id"')
                print("  override: {output: append}")


def alerts(path, session, container):
    with open(path, encoding="utf-8", errors="strict") as f:
        for line in f:
            alert = json.loads(line)
            fields = alert["output_fields"] = Fields(alert["output_fields"])
            if str(fields[MARK]) == session or (container and fields["container.id"] == container[:12]):
                yield alert


def fired(path, case, session, container, port, victim):
    with open(case, encoding="utf-8") as f:
        text = f.read()
    rule = re.search(r'^RULE="(.*)"$', text, re.M).group(1)
    want = re.search(r"^WANT='(.*)'$", text, re.M).group(1)
    expression = compile(want, "WANT", "eval")
    seen = [alert for alert in alerts(path, session, container) if alert["rule"] == rule]
    for alert in seen:
        known = {"f": alert["output_fields"], "C": container[:12], "PORT": int(port), "VICTIM": int(victim)}
        try:
            good = eval(expression, known)  # the expression is the test's own text
        except (TypeError, AttributeError, KeyError):
            good = False
        if good and wellformed(alert):
            return True
    for alert in seen[:3]:
        print(json.dumps(alert))
    print(f"{len(seen)} alerts, none with {want}")
    return False


def wellformed(alert):
    """The parts of an alert that every one has, and the text that is made of the fields."""
    if set(alert) < {"hostname", "output", "priority", "rule", "source", "tags", "time", "output_fields"}:
        return False
    return all(value is None or not isinstance(value, str) or not value.isprintable() or value in alert["output"]
               for value in alert["output_fields"].values())


def quiet(path, session, container):
    seen = list(alerts(path, session, container))
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
