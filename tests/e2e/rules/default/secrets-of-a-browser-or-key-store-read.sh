# SPDX-License-Identifier: Apache-2.0
RULE="Secrets of a browser or key store read"
WANT='f["fd.name"].endswith("/logins.json") and f["proc.name"] == "cat"'
trigger() {
    mkdir -p .mozilla/firefox/p &&
        echo '{}' >.mozilla/firefox/p/logins.json &&
        cat .mozilla/firefox/p/logins.json >/dev/null
}
benign() {
    mkdir -p .mozilla/firefox/p &&
        echo '{}' >.mozilla/firefox/p/logins.json &&
        cp /bin/cat firefox &&
        ./firefox .mozilla/firefox/p/logins.json >/dev/null
}
