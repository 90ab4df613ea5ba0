# SPDX-License-Identifier: Apache-2.0
RULE="release_agent or notification of cgroups written in a container"
WANT='f["fd.name"].endswith("/notify_on_release") and f["container.id"] == C'
NEEDS=container
trigger() { inside /bin/sh -c 'echo 0 >/sys/fs/cgroup/memory/notify_on_release'; }
benign() { inside /bin/sh -c 'cat /sys/fs/cgroup/memory/notify_on_release' >/dev/null; }
