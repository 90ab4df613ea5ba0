# SPDX-License-Identifier: Apache-2.0
RULE="Protection of the kernel changed"
WANT='f["fd.name"] == "/proc/sys/kernel/randomize_va_space" and f["proc.name"] == "act"'
trigger() { "$ACT" open-write /proc/sys/kernel/randomize_va_space; }
benign() {
    cat /proc/sys/kernel/randomize_va_space >/dev/null &&
        "$ACT" open-write /proc/sys/kernel/hostname
}
