# SPDX-License-Identifier: Apache-2.0
RULE="Debugfs Launched in Privileged Container"
WANT='f["proc.name"] == "debugfs" and f["container.id"] == C'
NEEDS=container
trigger() { inside /usr/bin/debugfs spawn /bin/true; }
benign() { inside /usr/bin/app spawn /bin/true; }
