# SPDX-License-Identifier: Apache-2.0
RULE="Network tool made to run a program"
WANT='f["proc.name"] == "nc" and "-e" in f["proc.cmdline"]'
NEEDS=server
trigger() { ln -s "$BUSYBOX" nc && ./nc 127.0.0.1 "$PORT" -e /bin/true; true; }
benign() { ln -s "$BUSYBOX" nc && echo hello | ./nc -w 1 127.0.0.1 "$PORT"; true; }
