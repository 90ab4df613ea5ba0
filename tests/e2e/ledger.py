#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ledger.py closes|gaps FILE

Reads the JSON lines of a run that ended, the last of which is the ledger.

closes: for every kind seen = emitted + filtered + lost, and as many lines of it stand in the file as were emitted
(or none at all: kinds that are not shown).

gaps: every ring counts what is offered to it on each processor, from 0. What is missing among the numbers that
were printed must be what the ledger calls lost for want of room, or what was printed nowhere. The end of the run
must have been quiet, so that the last number of every processor was printed.
"""

import collections
import json
import sys

# Counted in the ring of the life cycle, never printed.
HIDDEN_LIFE = ("cgroup", "exec_data")


def read(path):
    printed = collections.Counter()
    numbers = collections.defaultdict(list)
    last = None
    with open(path, encoding="utf-8", errors="strict") as f:
        for line in f:
            last = json.loads(line)
            kind = last["kind"]
            if kind in ("ledger", "lost"):
                continue
            printed[kind] += 1
            numbers[("life" if last["ring"] == "life" else "data", last["cpu"])].append(last["seq"])
    if not last or last["kind"] != "ledger":
        sys.exit("the last line is not the ledger")
    return printed, numbers, last["kinds"]


def closes(printed, kinds):
    bad = []
    for name, row in kinds.items():
        difference = row["seen"] - row["emitted"] - row["filtered"] - sum(row["lost"].values())
        if difference:
            bad.append(f"{name}: {difference} unaccounted for: {row}")
        if printed[name] and printed[name] != row["emitted"]:
            bad.append(f"{name}: {printed[name]} lines, but {row['emitted']} emitted")
    for name in printed:
        if name not in kinds:
            bad.append(f"{name} is not in the ledger")
    return bad


def gaps(printed, numbers, kinds):
    bad = []
    for (ring, cpu), seqs in numbers.items():
        if len(set(seqs)) != len(seqs):
            bad.append(f"ring {ring} cpu {cpu}: numbers were used twice")
    offered = collections.Counter()
    for (ring, _), seqs in numbers.items():
        offered[ring] += max(seqs) + 1
    expected = collections.Counter()
    for name, row in kinds.items():
        if name in ("process", "snapshot", "container"):
            continue  # not out of a ring
        ring = "life" if name in LIFE or name in HIDDEN_LIFE else "data"
        took = row["emitted"] + sum(n for reason, n in row["lost"].items() if reason not in ("nested", "too_large"))
        if ring == "life":
            took += row["filtered"]  # in user space: the kernel filters nothing there
        if name == "cgroup":
            took -= kinds["process"]["seen"]  # the snapshot tells one with each process
        expected[ring] += took
    for ring in offered:
        if offered[ring] != expected[ring]:
            bad.append(f"ring {ring}: {offered[ring]} numbers were given out, the ledger says {expected[ring]}")
    return bad


LIFE = ("fork", "exec", "exit", "chdir", "setsid", "setns", "unshare")


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("closes", "gaps"):
        sys.exit("usage: ledger.py closes|gaps FILE")
    printed, numbers, kinds = read(sys.argv[2])
    bad = closes(printed, kinds) if sys.argv[1] == "closes" else gaps(printed, numbers, kinds)
    print("\n".join(bad))
    sys.exit(1 if bad else 0)


main()
