#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lines.py any|count|print FILE EXPRESSION

Evaluates a Python expression over each line e of a file of JSON lines. Members are attributes (e.proc.pid);
one that is missing is a value whose members are missing too, equal to None, and false. A last line that is cut
off, because its writer is not done, is left out; any other line that is not JSON is an error (status 2).
"""

import json
import sys


class Missing:
    def __getattr__(self, name):
        return self

    def __bool__(self):
        return False

    def __eq__(self, other):
        return other is None or isinstance(other, Missing)

    def __hash__(self):
        return 0

    def __iter__(self):
        return iter(())

    def __contains__(self, item):
        return False

    def __getitem__(self, key):
        return self

    def __len__(self):
        return 0

    def _unordered(self, other):
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _unordered


class Record(dict):
    def __getattr__(self, name):
        value = self.get(name)
        return Missing() if value is None else value


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("any", "count", "print"):
        sys.exit("usage: lines.py any|count|print FILE EXPRESSION")
    what, path, text = sys.argv[1:]
    expression = compile(text, "expression", "eval")
    count = 0
    with open(path, encoding="utf-8", errors="strict") as f:
        for number, line in enumerate(f, 1):
            if not line.endswith("\n"):
                break
            try:
                e = json.loads(line, object_hook=Record)
            except json.JSONDecodeError as error:
                print(f"{path}:{number}: {error}: {line!r}", file=sys.stderr)
                sys.exit(2)
            if eval(expression, {"e": e}):  # the expression is the test's own text
                count += 1
                if what == "print":
                    print(line, end="")
                if what == "any":
                    sys.exit(0)
    if what == "count":
        print(count)
    sys.exit(0 if count or what == "count" else 1)


main()
