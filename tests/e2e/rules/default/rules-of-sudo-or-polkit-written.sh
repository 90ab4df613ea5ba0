# SPDX-License-Identifier: Apache-2.0
RULE="Rules of sudo or polkit written"
WANT='f["fd.name"] == "/etc/sudoers.d/skep-test"'
trigger() { private /etc sh -c 'mkdir -p /etc/sudoers.d; : >/etc/sudoers.d/skep-test'; }
benign() { private /etc sh -c 'cat /etc/sudoers /etc/sudoers.d/* >/dev/null 2>&1; : >/etc/sudo.conf'; }
