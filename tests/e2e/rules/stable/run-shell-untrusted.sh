# SPDX-License-Identifier: Apache-2.0
RULE="Run shell untrusted"
WANT='f["proc.name"] == "sh" and f["proc.pname"] == "nginx" and f["proc.pexepath"].endswith("/nginx")'
trigger() { cp "$ACT" nginx && ./nginx spawn sh -c true; }
benign() { cp "$ACT" nginx && ./nginx spawn cat /dev/null && "$ACT" spawn sh -c true; }
