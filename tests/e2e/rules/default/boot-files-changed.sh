# SPDX-License-Identifier: Apache-2.0
RULE="Boot files changed"
WANT='f["fd.name"] == "/boot/vmlinuz-evil"'
trigger() { private /boot sh -c ': >/boot/vmlinuz-evil'; }
benign() { private /boot sh -c 'ls /boot >/dev/null; cat /boot/* >/dev/null 2>&1; true'; }
