# SPDX-License-Identifier: Apache-2.0
RULE="Kernel module loaded by an unexpected program"
WANT='f["evt.type"] == "init_module" and f["proc.name"] == "act"'
trigger() { "$ACT" init-module; }
benign() { cat /proc/modules >/dev/null 2>&1; lsmod >/dev/null 2>&1; true; }
