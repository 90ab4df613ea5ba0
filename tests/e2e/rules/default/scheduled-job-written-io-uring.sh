# SPDX-License-Identifier: Apache-2.0
RULE="Scheduled job written"
WANT='f["fs.path.target"] == "/etc/cron.d/hidden" and f["proc.name"] == "act"'
trigger() {
    private /etc sh -c 'mkdir -p /etc/cron.d && : >/etc/.job && "$0" uring-rename /etc/.job /etc/cron.d/hidden' "$ACT"
}
benign() { private /etc sh -c ': >/etc/.job && "$0" uring-rename /etc/.job /etc/motd' "$ACT"; }
