# SPDX-License-Identifier: Apache-2.0
RULE="Root of another process entered from a container"
WANT='f["container.id"] == C and f["fd.nameraw"] == "/proc/1/root/etc/hostname"'
NEEDS=container
trigger() { inside /bin/cat /proc/1/root/etc/hostname >/dev/null; }
benign() { inside /bin/cat /proc/1/status /etc/hostname >/dev/null; }
