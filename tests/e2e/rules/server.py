#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""server.py FILE: accepts connections on a port of the loopback, which it writes to FILE, and ends each at once."""

import os
import socket
import sys

server = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w", encoding="ascii") as f:
    f.write(str(server.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    connection, _ = server.accept()
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    connection.close()
