# SPDX-License-Identifier: Apache-2.0
RULE="Drop and execute new binary in container"
WANT='f["proc.name"] == "brought" and f["proc.exepath"] == "/usr/brought" and f["container.id"] == C'
NEEDS=container
trigger() { inside /bin/sh -c 'cp /bin/busybox /usr/brought && /usr/brought; rm /usr/brought'; true; }
benign() { inside /bin/sh -c 'cp /bin/busybox /usr/data && cat /usr/data >/dev/null; rm /usr/data'; }
