# SPDX-License-Identifier: Apache-2.0
RULE="Packet socket opened"
WANT='f["proc.name"] == "act"'
trigger() { "$ACT" packet; }
benign() { "$ACT" connect 127.0.0.1 1 2>/dev/null; true; }
