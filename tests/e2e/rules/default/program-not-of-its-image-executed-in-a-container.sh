# SPDX-License-Identifier: Apache-2.0
RULE="Program not of its image executed in a container"
WANT='f["proc.name"] == "brought" and f["container.id"] == C'
NEEDS=container
trigger() {
    inside /bin/sh -c 'cp /bin/busybox /usr/brought && /usr/brought true; rm /usr/brought'; true
}
benign() { inside /bin/sh -c 'cp /bin/busybox /usr/data && cat /usr/data >/dev/null; rm /usr/data'; }
