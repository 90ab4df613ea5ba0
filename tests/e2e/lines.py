#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lines.py DIRECTORY

Answers questions about files of JSON lines until it is ended: starting an interpreter for each of the hundreds of
questions that a test asks would take most of its time, in an emulated machine above all. Two pipes in DIRECTORY:

.ask     one question for each time that it is opened, ended by closing it, its parts ended by NUL:
         SECONDS, FILE, EXPRESSION; then comes the answer:
.answer  STATUS COUNT on the first line, then what is to be said of an error

EXPRESSION is a Python expression over each line e. Members are attributes (e.proc.pid); one that is missing is a
value whose members are missing too, equal to None, and false. A last line that is cut off, because its writer is
not done, is left out; any other line that is not JSON is an error (status 2). COUNT is the number of lines that
satisfy the expression, and STATUS 0 when there is one, else 1. With SECONDS, even 0, the first such line is
enough, and it is waited for, that long.
"""

import json
import os
import sys
import time
import traceback

# Of a file of this size and more nothing is remembered.
REMEMBER_MAX = 64 << 20


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


class BadLine(Exception):
    pass


class File:
    """The lines of a file, which may grow, and may be written anew at any time."""

    def __init__(self, path):
        self.path = path
        self.forget()

    def forget(self):
        self.identity, self.offset, self.last, self.number, self.events = None, 0, b"", 0, []

    def __iter__(self):
        with open(self.path, "rb") as f:
            stat = os.fstat(f.fileno())
            if self.identity != (stat.st_dev, stat.st_ino) or stat.st_size < self.offset or not self.is_unchanged(f):
                self.forget()
                self.identity = (stat.st_dev, stat.st_ino)
            yield from self.events
            remember = stat.st_size < REMEMBER_MAX
            f.seek(self.offset)
            offset, last, number = self.offset, self.last, self.number
            for line in f:
                if not line.endswith(b"\n"):
                    break
                number += 1
                try:
                    e = json.loads(line.decode(), object_hook=Record)
                except ValueError as error:
                    raise BadLine(f"{self.path}:{number}: {error}: {line!r}") from error
                offset, last = offset + len(line), line
                if remember:
                    self.offset, self.last, self.number = offset, last, number
                    self.events.append(e)
                yield e

    def is_unchanged(self, f):
        f.seek(self.offset - len(self.last))
        return f.read(len(self.last)) == self.last


def ask(file, text, seconds):
    """(status, count, what is to be said)"""
    try:
        expression = compile(text, "expression", "eval")
        end = time.monotonic() + (seconds or 0)
        while True:
            count = 0
            try:
                for e in file:
                    if eval(expression, {"e": e}):  # the expression is the test's own text
                        count += 1
                        if seconds is not None:
                            return 0, 1, ""
            except (OSError, BadLine):
                # what is waited for may not be there yet, or be there in part
                if time.monotonic() >= end:
                    raise
            if time.monotonic() >= end:
                return (0 if count else 1), count, ""
            time.sleep(0.02)
    except (OSError, BadLine) as error:
        return 2, 0, f"{error}\n"
    except Exception:  # in the expression
        return 1, 0, traceback.format_exc(limit=-1)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: lines.py DIRECTORY")
    os.chdir(sys.argv[1])
    files = {}
    while True:
        with open(".ask", "rb") as pipe:
            seconds, path, text, _ = os.fsdecode(pipe.read()).split("\0")
        status, count, said = ask(files.setdefault(path, File(path)), text, float(seconds) if seconds else None)
        with open(".answer", "w", encoding="utf-8", errors="backslashreplace") as pipe:
            pipe.write(f"{status} {count}\n{said}")


main()
