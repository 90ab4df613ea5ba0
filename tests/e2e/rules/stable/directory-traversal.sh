# SPDX-License-Identifier: Apache-2.0
RULE="Directory traversal monitored file read"
WANT='f["fd.name"] == "/etc/hostname" and "../../" in o and f["proc.pname"] == "act"'
trigger() { "$ACT" spawn cat /tmp/../../etc/hostname >/dev/null; }
benign() { "$ACT" spawn cat /etc/hostname >/dev/null; }
