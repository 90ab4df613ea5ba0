# SPDX-License-Identifier: Apache-2.0
RULE="Program disguised as a kernel thread"
WANT='f["proc.exe"] == "[kworker/0:1]" and f["proc.name"] == "sleep"'
trigger() { (exec -a "[kworker/0:1]" sleep 0); }
benign() { [ -x /usr/bin/[ ] && /usr/bin/[ 1 -eq 1 ]; (exec -a kworker sleep 0); }
