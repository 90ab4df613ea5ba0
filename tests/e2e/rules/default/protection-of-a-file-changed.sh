# SPDX-License-Identifier: Apache-2.0
RULE="Protection of a file changed"
WANT='f["proc.name"] == "chattr"'
trigger() { echo >file && chattr -i file; true; }
benign() { echo >file && lsattr file >/dev/null 2>&1; chattr +d file; true; }
