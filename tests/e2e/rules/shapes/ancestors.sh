# SPDX-License-Identifier: Apache-2.0
RULE="Shape of ancestors"
WANT='f["proc.pname"] == "shape-b" and f["proc.aname[2]"] == "shape-a" and f["proc.aname[3]"]'
trigger() { cp "$ACT" shape-a && cp "$ACT" shape-b && ./shape-a spawn ./shape-b spawn /bin/true; }
benign() { cp "$ACT" shape-a && cp "$ACT" shape-b && ./shape-b spawn ./shape-a spawn /bin/true; }
