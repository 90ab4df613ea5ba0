# SPDX-License-Identifier: Apache-2.0
RULE="System user interactive"
WANT='f["user.name"] == "daemon" and f["user.uid"] == 1 and f["proc.name"] == "true"'
trigger() { cp "$ACT" sshd && ./sshd spawn setpriv --reuid=1 --clear-groups /bin/true; }
benign() { cp "$ACT" sshd && ./sshd spawn /bin/true && setpriv --reuid=1 --clear-groups /bin/true; }
