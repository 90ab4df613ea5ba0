# SPDX-License-Identifier: Apache-2.0
RULE="Shape of permissions"
WANT='"S_ISUID" in f["evt.arg.mode"] and f["evt.arg.filename"].endswith("permissions.trigger/file")'
trigger() { : >file && chmod 4711 "$PWD/file"; }
benign() { : >file && chmod 1711 file; }
