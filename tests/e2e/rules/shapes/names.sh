# SPDX-License-Identifier: Apache-2.0
RULE="Shape of renamed and removed files"
WANT='f["evt.arg.oldpath"] and f["evt.arg.oldpath"].endswith("/old_shape") and f["evt.arg.newpath"].endswith("/new")'
trigger() { : >old_shape && mv "$PWD/old_shape" "$PWD/new"; }
benign() { : >old_shapes && mv old_shapes new && rm new; }
