# SPDX-License-Identifier: Apache-2.0
RULE="Capabilities given to a file"
WANT='f["proc.name"] == "setcap" and "cap_setuid" in f["proc.cmdline"]'
trigger() { cp /bin/true tool && setcap cap_setuid+ep tool; true; }
benign() { cp /bin/true tool && getcap tool; setcap -r tool 2>/dev/null; true; }
