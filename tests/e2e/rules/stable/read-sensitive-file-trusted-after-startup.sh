# SPDX-License-Identifier: Apache-2.0
RULE="Read sensitive file trusted after startup"
WANT='f["fd.name"] == "/etc/shadow" and f["proc.name"] == "nginx"'
trigger() { cp "$(command -v bash)" nginx && ./nginx -c 'sleep 5.5; read -r line </etc/shadow'; }
benign() { cp "$(command -v bash)" nginx && ./nginx -c 'sleep 5.5; read -r line </etc/hostname'; }
