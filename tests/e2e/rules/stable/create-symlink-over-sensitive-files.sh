# SPDX-License-Identifier: Apache-2.0
RULE="Create Symlink Over Sensitive Files"
WANT='f["evt.arg.target"] == "/etc/shadow" and f["evt.arg.linkpath"].endswith("shadow-link")'
trigger() { ln -s /etc/shadow shadow-link; }
benign() { ln -s /etc/hostname hostname-link; }
