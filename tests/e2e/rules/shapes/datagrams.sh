# SPDX-License-Identifier: Apache-2.0
RULE="Shape of datagrams"
WANT='f["fd.name"].endswith("->192.0.2.1:4104") and f["fd.type"] == "ipv4"'
dial() { own_net sh -c 'ip addr add 192.0.2.1/32 dev lo; exec python3 -c "
import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect((\"192.0.2.1\", int(sys.argv[1])))" "$0"' "$1"; }
trigger() { dial 4104; }
benign() { dial 4500; }
