# SPDX-License-Identifier: Apache-2.0
RULE="Kernel module loaded from an unusual place"
WANT='f["evt.arg.path"].endswith("/rootkit.ko") and f["evt.res"]'
trigger() { echo garbage >rootkit.ko && "$ACT" finit-module "$PWD/rootkit.ko"; }
benign() {
    private /usr/lib sh -c '
        mkdir -p /usr/lib/modules/test
        echo garbage >/usr/lib/modules/test/good.ko
        insmod /usr/lib/modules/test/good.ko' 2>/dev/null; true
}
