# SPDX-License-Identifier: Apache-2.0
RULE="Probe of the kernel written"
WANT='f["fd.name"].endswith("/tracing/uprobe_events") and f["proc.name"] == "act"'
trigger() {
    private /mnt sh -c '
        mkdir -p /mnt/tracing
        : >/mnt/tracing/uprobe_events
        "$0" open-write /mnt/tracing/uprobe_events' "$ACT"
}
benign() { private /mnt sh -c 'mkdir -p /mnt/tracing; : >/mnt/tracing/trace_marker'; }
