# SPDX-License-Identifier: Apache-2.0
RULE="Memory of a process read or written"
WANT='f["evt.type"] == "process_vm_readv" and f["proc.name"] == "act"'
trigger() { "$ACT" vm-read; }
benign() { strace -o trace -e trace=openat /bin/true; }
