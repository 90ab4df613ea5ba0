#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""leaks.py BUILD save|check FILE

save writes down the BPF programs, maps and links that exist. check prints those of skep that exist now, did not
then, and that no living process holds through a descriptor, and fails when there are any: that is what a skep
leaves behind that has ended. Other skeps that run at the same time hold theirs, and so do not disturb.

What is skep's is told by name: the programs that the built object has, and maps called skep_* or after the object.
"""

import glob
import json
import os
import re
import subprocess
import sys
import time

KINDS = ("prog", "map", "link")


def objects(kind):
    out = subprocess.run(["bpftool", "-j", kind, "show"], capture_output=True, check=False).stdout
    try:
        found = json.loads(out)
    except json.JSONDecodeError:
        return {}
    return {o["id"]: o for o in found} if isinstance(found, list) else {}


def held():
    """Ids that some process has a descriptor for; a link's descriptor names its program too."""
    ids = {kind: set() for kind in KINDS}
    for path in glob.glob("/proc/[0-9]*/fdinfo/*"):
        try:
            with open(path, encoding="ascii", errors="replace") as f:
                text = f.read()
        except OSError:
            continue
        for kind, number in re.findall(r"^(prog|map|link)_id:\s*(\d+)$", text, re.MULTILINE):
            ids[kind].add(int(number))
    return ids


def program_names(build):
    with open(f"{build}/src/bpf/skep.skel.h", encoding="utf-8") as f:
        return {name[:15] for name in re.findall(r"struct bpf_program \*(\w+);", f.read())}


def leaked(names, before):
    now = {kind: objects(kind) for kind in KINDS}
    used = held()
    for number in used["prog"]:
        used["map"].update(now["prog"].get(number, {}).get("map_ids", []))
    progs = [p for p in now["prog"].values() if p.get("name") in names]
    ours = {
        "prog": progs,
        "map": [m for m in now["map"].values() if re.match(r"skep_|skep_bpf\.|\.rodata\.skep|\.bss\.skep", m.get("name", ""))],
        "link": [x for x in now["link"].values() if x.get("prog_id") in {p["id"] for p in progs}],
    }
    return [
        f"{kind} {o['id']} {o.get('name', o.get('type', ''))}"
        for kind in KINDS
        for o in ours[kind]
        if o["id"] not in before[kind] and o["id"] not in used[kind]
    ]


def main():
    if len(sys.argv) != 4 or sys.argv[2] not in ("save", "check"):
        sys.exit("usage: leaks.py BUILD save|check FILE")
    build, what, path = sys.argv[1:]
    if what == "save":
        with open(path + ".part", "w", encoding="ascii") as f:
            json.dump({kind: list(objects(kind)) for kind in KINDS}, f)
        os.rename(path + ".part", path)
        return
    with open(path, encoding="ascii") as f:
        before = json.load(f)
    # The kernel empties an array of programs by a work item when the last descriptor is closed. Who opens and closes
    # the array by its id meanwhile, as listing does, closes the last one again, and the kernel then forgets to give
    # back a reference: the empty array stays until the next boot.
    time.sleep(0.5)
    names = program_names(build)
    # the kernel frees programs some time after the last reference has gone
    for _ in range(50):
        left = leaked(names, before)
        if not left:
            return
        time.sleep(0.2)
    print("\n".join(left))
    sys.exit(1)


main()
