# SPDX-License-Identifier: Apache-2.0
RULE="Remove Bulk Data from Disk"
WANT='f["proc.name"] == "shred" and f["proc.exepath"].endswith("/shred")'
NEEDS=shred
trigger() { echo >file && shred -n 1 file; }
benign() { echo >file && rm file; }
