#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""records.py FILE KIND...: the records of these kinds in a recording with all their members, a JSON object a line.

A reader of its own, made from docs/RECORDING.md alone."""
import json
import struct
import subprocess
import sys
import zlib

HEAD, LAYOUTS, RECORDS, END = 1, 2, 3, 4


def blocks(f):
    if f.read(16) != b"\x89SKEP\r\n\x1a" + struct.pack("<II", 1, 0):
        sys.exit("not a recording")
    while header := f.read(48):
        magic, crc, kind, codec, _, stored, raw, count = struct.unpack("<4sIBBHIII", header[:24])
        data = f.read(stored)
        if magic != b"SKBK" or crc != zlib.crc32(header[8:] + data):
            sys.exit("damaged")
        if codec == 1:
            data = subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
        assert len(data) == raw
        yield kind, data, count


def value(record, m):
    at, name = m["offset"], m["type"]
    if name == "bytes":
        return record[at:at + m["size"]].split(b"\0")[0].decode(errors="replace")
    if name == "slice":
        off, n = struct.unpack_from("<II", record, at)
        return record[off:off + n].decode(errors="replace") if off else None
    return int.from_bytes(record[at:at + int(name[1:]) // 8], "little", signed=name[0] == "s")


def put(out, name, v):
    *parents, last = name.split(".")
    for parent in parents:
        out = out.setdefault(parent, {})
    out[last] = v


def main():
    kinds, wanted, header = {}, set(sys.argv[2:]), []
    with open(sys.argv[1], "rb") as f:
        for kind, data, count in blocks(f):
            if kind == HEAD:
                offset = json.loads(data)["session"]["boot_offset"]
            if kind == LAYOUTS:
                layouts = json.loads(data)
                header = layouts["header"]["members"]
                kinds = {k["number"]: k for k in layouts["kinds"]}
            if kind != RECORDS:
                continue
            at = 0
            for _ in range(count):
                size, number = struct.unpack_from("<IH", data, at)
                record, layout = data[at:at + size], kinds[number]
                at += size
                if layout["name"] in wanted:
                    out = {}
                    for m in header + layout["members"]:
                        put(out, m["name"], value(record, m))
                    print(json.dumps({**out, "kind": layout["name"], "boot_offset": offset}))


main()
