# SPDX-License-Identifier: Apache-2.0
RULE="Shape of commands at a terminal"
WANT='f["proc.name"] == "whoami" and f["proc.tty"] != 0 and f["proc.is_vpgid_leader"] is True'
NEEDS=script
trigger() { script -qec "exec whoami" /dev/null >/dev/null; }
benign() { whoami >/dev/null && script -qec "exec true" /dev/null >/dev/null; }
