# SPDX-License-Identifier: Apache-2.0
RULE="Authorized SSH keys changed"
WANT='f["fd.name"].endswith("/.ssh/authorized_keys")'
trigger() { mkdir .ssh && echo key >>.ssh/authorized_keys; }
benign() { mkdir .ssh && echo host >>.ssh/known_hosts && touch -r .ssh .ssh/config; }
