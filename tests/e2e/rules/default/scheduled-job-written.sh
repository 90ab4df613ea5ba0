# SPDX-License-Identifier: Apache-2.0
RULE="Scheduled job written"
WANT='f["fd.name"] == "/etc/cron.d/backdoor" or f["fs.path.target"] == "/etc/cron.d/renamed"'
trigger() {
    private /etc sh -c '
        mkdir -p /etc/cron.d
        echo "" >/etc/cron.d/backdoor
        mv /etc/cron.d/backdoor /etc/cron.d/renamed'
}
benign() { private /etc sh -c 'mkdir -p /etc/cron.d; cat /etc/cron.d/* >/dev/null 2>&1; : >/etc/motd'; }
