# SPDX-License-Identifier: Apache-2.0
RULE="Defenses switched off"
WANT='f["proc.name"] == "systemctl" and "auditd" in f["proc.cmdline"]'
trigger() { cp /bin/true systemctl && ./systemctl stop auditd; }
benign() {
    cp /bin/true systemctl &&
        ./systemctl status auditd &&
        ./systemctl stop nothing-else.timer; true
}
