# SPDX-License-Identifier: Apache-2.0
RULE="Password hashes read"
WANT='f["fd.name"] == "/etc/shadow" and f["proc.name"] == "cat" and f["user.uid"] == 0'
trigger() { cat /etc/shadow >/dev/null; }
benign() { cat /etc/passwd >/dev/null && chage -l root >/dev/null; }
