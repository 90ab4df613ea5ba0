# SPDX-License-Identifier: Apache-2.0
RULE="Shape of new programs"
WANT='f["evt.arg.name"] == "/tmp/shape" and f["evt.arg.mode"] == "0755"'
NEEDS=container
trigger() { inside /bin/cp /bin/busybox /tmp/shape && inside /bin/rm /tmp/shape; }
benign() { inside /bin/cp /etc/hostname /tmp/shape && inside /bin/rm /tmp/shape; }
