# SPDX-License-Identifier: Apache-2.0
RULE="Startup or event script written"
WANT='f["fd.name"] == "/etc/rc.local"'
trigger() {
    private /etc sh -c ': >/etc/rc.local; mkdir -p /etc/udev/rules.d; : >/etc/udev/rules.d/99-x.rules'
}
benign() { private /etc sh -c ': >/etc/rc.conf; mkdir -p /etc/udev; : >/etc/udev/x.conf'; }
