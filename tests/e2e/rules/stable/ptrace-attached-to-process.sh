# SPDX-License-Identifier: Apache-2.0
RULE="PTRACE attached to process"
WANT='f["proc.name"] == "act" and f["evt.type"] == "ptrace"'
trigger() { "$ACT" ptrace; }
benign() { "$ACT" spawn /bin/true; }
