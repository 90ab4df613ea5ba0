# SPDX-License-Identifier: Apache-2.0
RULE="Namespaces made in a container"
WANT='f["container.id"] == C and "CLONE_NEWNS" in f["evt.arg.flags"]'
NEEDS=container
trigger() { inside /usr/bin/app unshare mount; }
benign() { inside /usr/bin/app unshare uts; }
