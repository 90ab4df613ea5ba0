# SPDX-License-Identifier: Apache-2.0
RULE="Disk overwritten by a command"
WANT='f["proc.name"] == "dd" and "of=/dev/sdzz" in f["proc.cmdline"]'
trigger() { dd if=/dev/null of=/dev/sdzz/nothing count=0 2>/dev/null; true; }
benign() { dd if=/dev/zero of=image count=1 2>/dev/null && shred -n 1 image; }
