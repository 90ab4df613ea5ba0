# SPDX-License-Identifier: Apache-2.0
RULE="Fileless execution via memfd_create"
WANT='f["proc.exepath"].startswith("memfd:") and f["proc.pname"]'
trigger() { "$ACT" memfd /bin/true; }
benign() { "$ACT" spawn /bin/true; }
