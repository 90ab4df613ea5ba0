# SPDX-License-Identifier: Apache-2.0
RULE="File system mounted in a container"
WANT='f["container.id"] == C and f["proc.name"] == "mount"'
NEEDS=container
trigger() { inside /bin/sh -c 'mount -t proc proc /mnt && umount /mnt'; }
benign() { inside /bin/sh -c 'mount -t tmpfs none /mnt && umount /mnt'; }
