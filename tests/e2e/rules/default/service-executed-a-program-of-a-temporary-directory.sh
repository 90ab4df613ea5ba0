# SPDX-License-Identifier: Apache-2.0
RULE="Service executed a program of a temporary directory"
WANT='f["proc.exepath"].endswith("/dropped") and f["user.name"] == "www-data" and f["user.uid"] == 33'
trigger() { cp /bin/true dropped && chmod -R a+rx . && as_user 33 ./dropped; }
benign() { cp /bin/true built && ./built && as_user 33 /bin/true; }
