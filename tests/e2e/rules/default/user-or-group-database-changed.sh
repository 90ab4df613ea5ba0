# SPDX-License-Identifier: Apache-2.0
RULE="User or group database changed"
WANT='f["fd.name"] == "/etc/passwd" and f["proc.name"] in ("sh", "bash")'
trigger() { private /etc sh -c ': >>/etc/passwd'; }
benign() { private /etc,/var useradd --no-create-home skeptest; }
