# SPDX-License-Identifier: Apache-2.0
RULE="Memory of a process opened"
WANT='f["fd.name"].startswith("/proc/") and f["fd.name"].endswith("/mem") and f["proc.name"] == "act"'
trigger() { "$ACT" mem; }
benign() { cat /proc/self/maps >/dev/null && "$ACT" open-write /proc/self/mem; }
