# SPDX-License-Identifier: Apache-2.0
RULE="Cloud metadata asked by an unexpected program"
WANT='"169.254.169.254:80" in f["fd.name"] and f["proc.name"] == "act"'
trigger() {
    own_net sh -c '
        ip addr add 169.254.169.254/32 dev lo
        "$0" connect 169.254.169.254 80' "$ACT" 2>/dev/null; true
}
benign() {
    own_net sh -c 'ip addr add 169.254.1.1/32 dev lo; "$0" connect 169.254.1.1 80' "$ACT" 2>/dev/null; true
}
