# SPDX-License-Identifier: Apache-2.0
RULE="Process hidden by a mount"
WANT='f["fs.path.target"] == "/proc/%d" % VICTIM'
trigger() { unshare --mount mount -t tmpfs none "/proc/$VICTIM"; }
benign() {
    unshare --mount mount -t tmpfs none /mnt; unshare --mount --pid --fork mount -t proc proc /proc
}
