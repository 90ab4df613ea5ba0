# SPDX-License-Identifier: Apache-2.0
RULE="Disallowed SSH Connection Non Standard Port"
WANT='f["fd.name"].endswith("->192.0.2.1:443") and f["proc.name"] == "ssh" and f["fd.rport"] == 443'
NEEDS="ssh ip"
log_in() {
    own_net sh -c 'ip addr add 192.0.2.1/32 dev lo; "$0" listen "$1" 3 & sleep 0.5
        ssh -F none -o BatchMode=yes -o ConnectTimeout=1 -p "$1" 192.0.2.1; wait' "$ACT" "$1"
    true
}
trigger() { log_in 443; }
benign() { log_in 22; }
