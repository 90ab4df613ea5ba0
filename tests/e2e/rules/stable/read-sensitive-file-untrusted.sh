# SPDX-License-Identifier: Apache-2.0
RULE="Read sensitive file untrusted"
WANT='f["fd.name"] == "/etc/shadow" and f["proc.name"] == "cat" and f["user.name"] == "root"'
trigger() { cat /etc/shadow >/dev/null; }
benign() { cat /etc/passwd >/dev/null && grep -c root /etc/group >/dev/null; }
