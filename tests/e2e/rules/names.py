#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""names.py NAME IP: a name server at 127.0.0.1 that says for five seconds that NAME is IP and knows nothing else."""

import socket
import struct
import sys
import time

name, ip = sys.argv[1], sys.argv[2]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
end = time.monotonic() + 5
while time.monotonic() < end:
    server.settimeout(max(0.1, end - time.monotonic()))
    try:
        data, peer = server.recvfrom(512)
    except TimeoutError:
        break
    at, labels = 12, []
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]].decode())
        at += 1 + data[at]
    question, qtype = data[12 : at + 5], struct.unpack(">H", data[at + 1 : at + 3])[0]
    known = ".".join(labels) == name and qtype == 1
    answer = struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(ip) if known else b""
    server.sendto(data[:2] + struct.pack(">HHHHH", 0x8180, 1, known, 0, 0) + question + answer, peer)
