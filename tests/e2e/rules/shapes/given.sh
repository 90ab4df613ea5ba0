# SPDX-License-Identifier: Apache-2.0
RULE="Shape of names as given"
WANT='f["fd.nameraw"] == "/proc/self/fd/5" and f["fd.name"].endswith("given.trigger/file")'
trigger() { sh -c 'exec 5>file; : >/proc/self/fd/5'; }
benign() { sh -c 'exec 5>file; : >file'; }
