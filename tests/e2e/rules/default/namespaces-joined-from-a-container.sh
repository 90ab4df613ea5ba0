# SPDX-License-Identifier: Apache-2.0
RULE="Namespaces joined from a container"
WANT='f["container.id"] == C and f["evt.arg.nstype"] == "CLONE_NEWUTS"'
NEEDS=container
trigger() { inside /usr/bin/app setns /proc/self/ns/uts; }
benign() { inside /bin/ls -l /proc/self/ns >/dev/null; }
