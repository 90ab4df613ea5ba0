# SPDX-License-Identifier: Apache-2.0
RULE="Redirect STDOUT/STDIN to Network Connection in Container"
WANT='f["fd.sip"] == "127.0.0.1" and f["fd.rport"] == 4000 and f["fd.type"] == "ipv4" and f["container.id"] == C'
NEEDS=container
trigger() { inside /bin/sh -c 'app listen 4000 2 & sleep 0.5; app dup 127.0.0.1 4000 1; wait'; }
benign() { inside /bin/sh -c 'app listen 4000 2 & sleep 0.5; app dup 127.0.0.1 4000 9; wait'; }
