# SPDX-License-Identifier: Apache-2.0
RULE="Set-user-ID bit set"
WANT='f["fs.path.name"].endswith("/backdoor") and "S_ISUID" in f["evt.arg.mode"]'
trigger() { cp /bin/true backdoor && chmod u+s backdoor; }
benign() { cp /bin/true tool && chmod 0755 tool && mkdir shared && chmod g+s shared; }
