# SPDX-License-Identifier: Apache-2.0
RULE="Downloaded script piped into an interpreter"
WANT='f["proc.name"] in ("sh", "bash") and "curl" in f["proc.args"]'
trigger() { sh -c "curl -s -m 2 http://127.0.0.1:1/install.sh | sh"; true; }
benign() { sh -c "curl -s -m 2 http://127.0.0.1:1/data.json | wc -l" >/dev/null; true; }
