# SPDX-License-Identifier: Apache-2.0
RULE="Network scanner started"
WANT='f["proc.name"] == "masscan"'
trigger() { cp /bin/true masscan && ./masscan 127.0.0.0/30 -p80; }
benign() { cp /bin/true nmap && ./nmap --version; }
