# SPDX-License-Identifier: Apache-2.0
RULE="Password hashes read"
WANT='f["fd.name"] == "/etc/shadow" and f["proc.name"] == "act"'
# by another name, so that only what was opened tells
trigger() { ln -s /etc/shadow harmless && "$ACT" uring-open harmless; }
benign() { ln -s /etc/passwd harmless && "$ACT" uring-open harmless; }
