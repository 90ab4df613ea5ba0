# SPDX-License-Identifier: Apache-2.0
RULE="Shell started by a web server"
WANT='f["proc.name"] == "sh" and f["proc.pexepath"] == "/usr/sbin/nginx" and f["container.id"] == C'
NEEDS=container
trigger() { inside /usr/sbin/nginx spawn /bin/sh -c true; }
benign() { inside /usr/sbin/nginx spawn /bin/true; }
