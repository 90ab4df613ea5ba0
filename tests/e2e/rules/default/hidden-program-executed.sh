# SPDX-License-Identifier: Apache-2.0
RULE="Hidden program executed"
WANT='f["proc.exepath"].endswith("/.cache/true") and f["proc.name"] == "true"'
trigger() { mkdir .cache && cp /bin/true .cache/true && ./.cache/true; }
benign() { mkdir build && cp /bin/true build/conftest && ./build/conftest; }
