# SPDX-License-Identifier: Apache-2.0
RULE="Device of the host opened in a container"
WANT='f["container.id"] == C and f["fd.name"] == "/dev/sda"'
NEEDS=container
trigger() { inside /bin/sh -c 'cat /dev/sda' 2>/dev/null; true; }
benign() { inside /bin/sh -c 'cat /dev/null; ls -l /dev >/dev/null'; }
