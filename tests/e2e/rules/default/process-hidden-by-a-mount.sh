# SPDX-License-Identifier: Apache-2.0
RULE="Process hidden by a mount"
WANT='("/proc/%d" % VICTIM) in (f["fs.path.name"], f["fs.path.target"])'
trigger() { unshare --mount mount -t tmpfs none "/proc/$VICTIM"; }
benign() {
    unshare --mount mount -t tmpfs none /mnt; unshare --mount --pid --fork mount -t proc proc /proc
}
