# SPDX-License-Identifier: Apache-2.0
RULE="Clear Log Activities"
WANT='f["fd.name"] == "/var/log/auth.log"'
trigger() { private /var sh -c 'echo >>/var/log/auth.log; : >/var/log/auth.log'; }
benign() { private /var sh -c 'echo >>/var/log/auth.log; tail /var/log/auth.log >/dev/null'; }
