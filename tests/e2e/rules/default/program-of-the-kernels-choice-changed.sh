# SPDX-License-Identifier: Apache-2.0
RULE="Program of the kernel's choice changed"
WANT='f["fd.name"] == "/proc/sys/kernel/core_pattern" and f["proc.name"] == "act"'
trigger() { "$ACT" open-write /proc/sys/kernel/core_pattern; }
benign() { cat /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname >/dev/null; }
