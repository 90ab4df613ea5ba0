# SPDX-License-Identifier: Apache-2.0
RULE="Shape of new directories"
WANT='f["evt.arg.path"].endswith("/.shape-d")'
trigger() { mkdir "$PWD/.shape-d"; }
benign() { mkdir "$PWD/shape-d"; }
