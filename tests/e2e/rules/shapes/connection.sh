# SPDX-License-Identifier: Apache-2.0
RULE="Shape of traffic by programs"
WANT='f["fd.name"].endswith("->192.0.2.1:4101") and f["fd.rip"] == "192.0.2.1" and f["fd.l4proto"] == "tcp"'
dial() {
    cp "$ACT" shape-net
    own_net sh -c 'ip addr add "$1/32" dev lo; "$0" listen 4101 2 & sleep 0.5; ./shape-net connect "$1" 4101; wait' "$ACT" "$1"
}
trigger() { dial 192.0.2.1; }
benign() { dial 10.1.2.3; }
