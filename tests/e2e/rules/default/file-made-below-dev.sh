# SPDX-License-Identifier: Apache-2.0
RULE="File made below /dev"
WANT='f["fd.name"] == "/dev/.hidden-file"'
trigger() { private /dev sh -c ': >/dev/.hidden-file'; }
benign() { echo >/dev/null && : >/dev/shm/skep-test-$$ && rm /dev/shm/skep-test-$$; }
