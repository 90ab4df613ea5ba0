# SPDX-License-Identifier: Apache-2.0
RULE="Sensitive file opened through io_uring"
WANT='f["evt.arg.name"] == "/etc/shadow" and f["proc.name"] == "act"'
trigger() { "$ACT" uring-open /etc/shadow; }
benign() { "$ACT" uring-open /etc/hostname; }
