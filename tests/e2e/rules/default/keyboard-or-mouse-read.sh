# SPDX-License-Identifier: Apache-2.0
RULE="Keyboard or mouse read"
WANT='f["fd.name"] == "/dev/input/event0" and f["proc.name"] == "cat"'
trigger() {
    private /dev sh -c '
        mkdir -p /dev/input
        mount -t tmpfs none /dev/input
        mknod /dev/input/event0 c 1 3
        cat /dev/input/event0'
}
benign() {
    private /dev sh -c '
        mkdir -p /dev/input
        mount -t tmpfs none /dev/input
        mknod /dev/input/event0 c 1 3
        ls -l /dev/input/event0 >/dev/null'
}
