# SPDX-License-Identifier: Apache-2.0
RULE="Detect release_agent File Container Escapes"
WANT='f["fd.name"] == "/tmp/release_agent" and "CAP_SYS_ADMIN" in f["thread.cap_effective"] and f["container.id"] == C'
NEEDS=container
trigger() { inside /bin/sh -c ': >/tmp/release_agent'; }
benign() { inside /bin/sh -c 'cat /tmp/release_agent; : >/tmp/agent'; }
