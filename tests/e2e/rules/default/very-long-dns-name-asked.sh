# SPDX-License-Identifier: Apache-2.0
RULE="Very long DNS name asked"
WANT='f["proc.name"].startswith("python") and len(f["evt.arg.question"]) > 150'
trigger() {
    ask "$(printf 'a%.0s' {1..60}).$(printf 'b%.0s' {1..60}).$(printf 'c%.0s' {1..60}).example.net"
}
benign() { ask www.example.net; }
