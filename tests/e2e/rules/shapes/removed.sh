# SPDX-License-Identifier: Apache-2.0
RULE="Shape of renamed and removed files"
WANT='(f["evt.arg.name"] or f["evt.arg.path"]).endswith("/a_shape") and "a_shape" in f["evt.args"]'
trigger() { : >a_shape && rm "$PWD/a_shape"; }
benign() { : >b_shape.; }
