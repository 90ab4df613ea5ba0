# SPDX-License-Identifier: Apache-2.0
RULE="Shape of traffic from elsewhere"
WANT='f["evt.type"] is None and f["fd.lport"] == 4103 and f["fd.l4proto"] == "udp" and "192.0.2.1:4103" in f["fd.name"]'
serve() { own_net sh -c 'ip addr add "$1/32" dev lo; exec python3 "$0/inbound.py" "$1"' "$RULES/shapes" "$1"; }
trigger() { serve 192.0.2.1; }
benign() { serve 10.1.2.3; }
