# SPDX-License-Identifier: Apache-2.0
RULE="Shell opens a network device"
WANT='f["proc.name"] == "bash" and "/dev/tcp/127.0.0.1" in f["proc.args"]'
trigger() { bash -c 'exec 3<>/dev/tcp/127.0.0.1/1' 2>/dev/null; true; }
benign() { bash -c 'exec 3</dev/null'; }
