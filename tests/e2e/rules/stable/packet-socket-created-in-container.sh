# SPDX-License-Identifier: Apache-2.0
RULE="Packet socket created in container"
WANT='f["proc.name"] == "app" and f["container.id"] == C and "AF_PACKET" in f["evt.args"]'
NEEDS=container
trigger() { inside /usr/bin/app packet; }
benign() { inside /usr/bin/app connect 127.0.0.1 1; true; }
