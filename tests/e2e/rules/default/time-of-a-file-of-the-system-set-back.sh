# SPDX-License-Identifier: Apache-2.0
RULE="Time of a file of the system set back"
WANT='f["proc.name"] == "touch" and "/usr/bin/" in f["proc.cmdline"]'
trigger() { private /usr/bin touch -d 2019-01-01 /usr/bin/skep-test; }
benign() { echo >a && touch -r a b && touch -d 2019-01-01 c; }
