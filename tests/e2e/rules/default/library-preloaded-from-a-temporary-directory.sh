# SPDX-License-Identifier: Apache-2.0
RULE="Library preloaded from a temporary directory"
WANT='f["proc.name"] == "true"'
trigger() { LD_PRELOAD=/tmp/skep-test-nothing.so /bin/true 2>/dev/null; }
benign() { LD_PRELOAD=libc.so.6 /bin/true; }
