#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""config.py CONFIG COMMAND...: turns what `runc spec` made into a privileged container, which may do everything."""

import json
import sys

path, args = sys.argv[1], sys.argv[2:]
with open(path, encoding="utf-8") as f:
    config = json.load(f)
with open("/proc/self/status", encoding="ascii") as f:
    permitted = next(int(line.split()[1], 16) for line in f if line.startswith("CapPrm"))
names = ["CAP_" + name for name in """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
    LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
    SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
    AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ""".split()]
held = [name for bit, name in enumerate(names) if permitted >> bit & 1]
process = config["process"]
process.update(terminal=False, args=args,
               capabilities={"bounding": names, "effective": held, "permitted": held})
process.pop("rlimits", None)
config["root"]["readonly"] = False
config["linux"].update(maskedPaths=[], readonlyPaths=[])
config["hostname"] = "skep-test"
for mount in config["mounts"]:
    if mount["type"] == "cgroup":
        mount["options"].remove("ro")
with open(path, "w", encoding="utf-8") as f:
    json.dump(config, f)
