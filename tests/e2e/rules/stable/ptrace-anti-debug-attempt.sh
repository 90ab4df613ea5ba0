# SPDX-License-Identifier: Apache-2.0
RULE="PTRACE anti-debug attempt"
WANT='f["proc.name"] == "act" and f["evt.type"] == "ptrace"'
trigger() { "$ACT" traceme; }
benign() { "$ACT" spawn /bin/true; }
