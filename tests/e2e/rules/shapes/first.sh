# SPDX-License-Identifier: Apache-2.0
RULE="Shape of first processes"
WANT='f["proc.name"] == "sleep" and "CAP_SYS_ADMIN" in f["thread.cap_permitted"] and "/proc/sys:/mnt:" in f["container.mounts"]'
NEEDS=container
trigger() { another_container /bin/sleep 1; } # what ends sooner is gone before its state is read
benign() { inside /bin/true; }
