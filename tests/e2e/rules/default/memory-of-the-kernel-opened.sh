# SPDX-License-Identifier: Apache-2.0
RULE="Memory of the kernel opened"
WANT='f["fd.name"] == "/dev/mem" and f["proc.name"] == "head"'
trigger() { head -c 0 /dev/mem 2>/dev/null; true; }
benign() { head -c 0 /dev/zero && cat /proc/meminfo >/dev/null; }
