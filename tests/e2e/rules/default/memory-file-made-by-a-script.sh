# SPDX-License-Identifier: Apache-2.0
RULE="Memory file made by a script"
WANT='f["evt.arg.name"] == "loader" and f["proc.name"].startswith("python")'
trigger() { python3 -c 'import os; os.memfd_create("loader")'; }
benign() { "$ACT" memfd /nonexistent 2>/dev/null; python3 -c 'open("data", "w")'; }
