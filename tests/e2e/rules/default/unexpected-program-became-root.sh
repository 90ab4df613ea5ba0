# SPDX-License-Identifier: Apache-2.0
RULE="Unexpected program became root"
WANT='f["proc.name"] == "act" and f["evt.arg.old_euid"] == "www-data" and f["evt.arg.new_euid"] == "root"'
trigger() { "$ACT" become-root 33; }
benign() { setpriv --reuid=33 --clear-groups /bin/true && su -s /bin/true nobody; }
