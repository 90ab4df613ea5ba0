# SPDX-License-Identifier: Apache-2.0
RULE="Shape of patterns"
WANT='f["fd.name"].startswith("/proc/") and f["fd.name"].endswith("/environ") and f["proc.name"] == "cat"'
trigger() { cat "/proc/$$/environ" >/dev/null; }
benign() { cat "/proc/$$/status" >/dev/null; }
