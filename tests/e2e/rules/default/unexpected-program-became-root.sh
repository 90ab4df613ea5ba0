# SPDX-License-Identifier: Apache-2.0
RULE="Unexpected program became root"
WANT='f["evt.type"] == "setuid" and f["proc.name"] == "act" and f["evt.arg.old_euid"] in ("www-data", 33, "33")'
trigger() { "$ACT" become-root 33; }
benign() { setpriv --reuid=33 --clear-groups /bin/true && su -s /bin/true nobody; }
