# SPDX-License-Identifier: Apache-2.0
RULE="File opened by handle in a container"
WANT='f["container.id"] == C and f["proc.name"] == "app"'
NEEDS=container
trigger() { inside /bin/sh -c "echo >/dev/shm/file; app handle /dev/shm file"; }
benign() { inside /bin/cat /etc/hostname >/dev/null; }
