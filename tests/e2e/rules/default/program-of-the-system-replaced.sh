# SPDX-License-Identifier: Apache-2.0
RULE="Program of the system replaced"
WANT='f["fd.name"] == "/usr/bin/ls" or f["fs.path.target"] == "/usr/bin/ls"'
trigger() { private /usr/bin cp --remove-destination /bin/true /usr/bin/ls; }
benign() { private /usr/local cp /bin/true /usr/local/bin/skep-test; }
