#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inbound.py IP: a connection to port 4102 of an address of this host is accepted there, a datagram to 4103 received."""

import socket
import sys

ip = sys.argv[1]
server = socket.create_server((ip, 4102))
client = socket.create_connection((ip, 4102))
server.accept()
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind((ip, 4103))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind((ip, 0))
sender.sendto(b"x", (ip, 4103))
receiver.recvfrom(1)
