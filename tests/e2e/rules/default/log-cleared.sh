# SPDX-License-Identifier: Apache-2.0
RULE="Log cleared"
WANT='"/var/log/auth.log" in (f["fd.name"], f["fs.path.name"])'
trigger() {
    private /var sh -c '
        echo line >>/var/log/auth.log
        : >/var/log/auth.log
        truncate -s 0 /var/log/auth.log
        rm /var/log/auth.log'
}
benign() {
    private /var sh -c '
        echo line >>/var/log/auth.log
        tail -n 1 /var/log/auth.log >/dev/null
        : >/var/log/skep-test.log
        rm /var/log/skep-test.log'
}
