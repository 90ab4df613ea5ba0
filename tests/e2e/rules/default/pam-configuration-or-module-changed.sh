# SPDX-License-Identifier: Apache-2.0
RULE="PAM configuration or module changed"
WANT='f["fd.name"] == "/etc/pam.d/sshd"'
trigger() { private /etc sh -c ': >>/etc/pam.d/sshd'; }
benign() { private /etc sh -c 'cat /etc/pam.d/* >/dev/null; : >/etc/pam.d-notes'; }
