# SPDX-License-Identifier: Apache-2.0
RULE="Another kernel loaded"
WANT='f["evt.type"] == "kexec_load" and f["proc.name"] == "act"'
trigger() { "$ACT" kexec; }
benign() { cat /proc/cmdline >/dev/null; }
