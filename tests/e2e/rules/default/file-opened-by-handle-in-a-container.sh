# SPDX-License-Identifier: Apache-2.0
RULE="File opened by handle in a container"
WANT='f["container.id"] == C and f["proc.name"] == "app"'
NEEDS=container
trigger() { inside /usr/bin/app handle /proc/self/exe; true; }
benign() { inside /bin/cat /etc/hostname >/dev/null; }
