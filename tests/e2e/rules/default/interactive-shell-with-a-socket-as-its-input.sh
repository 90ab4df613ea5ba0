# SPDX-License-Identifier: Apache-2.0
RULE="Interactive shell with a socket as its input"
WANT='f["proc.name"] == "sh" and f["proc.stdin.name"]'
NEEDS=server
trigger() { "$ACT" stdin 127.0.0.1 "$PORT" sh; }
benign() {
    echo true | sh &&
        "$ACT" stdin 127.0.0.1 "$PORT" cat &&
        "$ACT" stdin 127.0.0.1 "$PORT" sh -c true
}
