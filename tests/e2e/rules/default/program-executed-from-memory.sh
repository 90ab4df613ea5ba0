# SPDX-License-Identifier: Apache-2.0
RULE="Program executed from memory"
WANT='f["proc.exepath"].startswith("memfd:") and f["proc.pname"]'
trigger() { "$ACT" memfd /bin/true; }
benign() { "$ACT" spawn /bin/true; }
