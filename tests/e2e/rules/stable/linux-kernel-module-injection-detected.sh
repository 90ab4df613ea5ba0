# SPDX-License-Identifier: Apache-2.0
RULE="Linux Kernel Module Injection Detected"
WANT='f["proc.name"] == "app" and f["evt.type"] == "init_module" and f["container.id"] == C'
NEEDS=container
trigger() { inside /usr/bin/app init-module; }
benign() { inside /bin/cat /proc/modules; true; }
