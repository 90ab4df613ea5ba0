# SPDX-License-Identifier: Apache-2.0
RULE="Deleted program executed"
WANT='"/deleted-" in f["proc.exepath"]'
trigger() { "$ACT" deleted /bin/true; }
benign() { cp /bin/true short && ./short && rm short; }
