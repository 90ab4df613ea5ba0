# SPDX-License-Identifier: Apache-2.0
RULE="Process taken over by ptrace"
WANT='f["evt.arg.request"] == "PTRACE_ATTACH" and f["proc.name"] == "act"'
trigger() { "$ACT" ptrace; }
benign() { "$ACT" traceme && "$ACT" ptrace-parent && strace -o trace /bin/true; }
