# SPDX-License-Identifier: Apache-2.0
RULE="Systemd unit written"
WANT='f["fd.name"] == "/etc/systemd/system/backdoor.service" and f["proc.name"] in ("sh", "bash")'
trigger() {
    private /etc sh -c 'mkdir -p /etc/systemd/system; echo "" >/etc/systemd/system/backdoor.service'
}
benign() { private /etc sh -c 'mkdir -p /etc/systemd; : >/etc/systemd/skep-test.conf'; }
