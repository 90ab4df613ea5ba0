# SPDX-License-Identifier: Apache-2.0
RULE="BPF program loaded by an unexpected program"
WANT='f["proc.name"] == "act"'
trigger() { "$ACT" bpf; }
benign() { "$ACT" bpf-map; }
