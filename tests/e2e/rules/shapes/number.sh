# SPDX-License-Identifier: Apache-2.0
RULE="Shape of numbered commands"
WANT='f["evt.arg.cmd"] in (5, "BPF_PROG_LOAD") and f["proc.name"] == "act"'
trigger() { "$ACT" bpf; }
benign() { "$ACT" bpf-map; }
