# SPDX-License-Identifier: Apache-2.0
RULE="Remote shell or copy started by a service"
WANT='f["proc.name"] == "ssh" and f["proc.pexepath"] == "/usr/sbin/nginx"'
NEEDS=container
trigger() { inside /usr/sbin/nginx spawn /usr/bin/ssh true; }
benign() { inside /usr/bin/ssh true && inside /usr/sbin/nginx spawn /bin/true; }
