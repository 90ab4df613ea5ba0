#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ask.py NAME: asks 127.0.0.1 for the address of a name, and is the name server that does not know it."""

import socket
import struct
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(5)
question = b"".join(bytes([len(p)]) + p.encode() for p in sys.argv[1].split(".")) + b"\0" + struct.pack(">HH", 1, 1)
client.sendto(struct.pack(">HHHHHH", 4711, 0x0100, 1, 0, 0, 0) + question, ("127.0.0.1", 53))
data, peer = server.recvfrom(512)
server.sendto(data[:2] + struct.pack(">H", 0x8183) + data[4:], peer)
client.recvfrom(512)
