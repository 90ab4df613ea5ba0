# SPDX-License-Identifier: Apache-2.0
RULE="Shape of arguments"
WANT='f["proc.args"] == "" and f["proc.cmdline"] == "shapes"'
trigger() { cp /bin/true shapes && ./shapes && ./shapes -x -l; }
benign() { cp /bin/true shapes && ./shapes -x -ll; }
