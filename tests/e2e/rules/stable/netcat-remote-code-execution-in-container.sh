# SPDX-License-Identifier: Apache-2.0
RULE="Netcat Remote Code Execution in Container"
WANT='f["proc.name"] == "nc" and " -e" in f["proc.cmdline"] and f["container.id"] == C'
NEEDS=container
trigger() { inside /bin/nc 127.0.0.1 1 -e /bin/true; true; }
benign() { inside /bin/nc -w 1 127.0.0.1 1; true; }
