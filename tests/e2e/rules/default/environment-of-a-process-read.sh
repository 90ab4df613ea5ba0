# SPDX-License-Identifier: Apache-2.0
RULE="Environment of a process read"
WANT='f["fd.name"] == "/proc/%d/environ" % VICTIM and f["proc.name"] == "cat"'
trigger() { cat "/proc/$VICTIM/environ" >/dev/null; }
benign() { cat /proc/self/environ "/proc/$VICTIM/cmdline" >/dev/null && ps axe >/dev/null; }
