# SPDX-License-Identifier: Apache-2.0
RULE="Shape of truncated files"
WANT='f["fd.name"].endswith("truncated.trigger/shape_history") and "O_TRUNC" in f["evt.arg.flags"]'
trigger() { : >shape_history; }
benign() { : >>shape_history; }
