# SPDX-License-Identifier: Apache-2.0
RULE="Create Hardlink Over Sensitive Files"
WANT='f["evt.arg.oldpath"] == "/etc/shadow" and f["evt.arg.newpath"] == "/etc/shadow-link"'
trigger() { private /etc ln /etc/shadow /etc/shadow-link; }
benign() { private /etc ln /etc/hostname /etc/hostname-link; }
