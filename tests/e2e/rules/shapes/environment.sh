# SPDX-License-Identifier: Apache-2.0
RULE="Shape of environments"
WANT='"shape_proxy=http://p" in f["proc.env"] and f["proc.env[shape_proxy]"] == "http://p"'
trigger() { shape_proxy=http://p /bin/true; }
benign() { shape_prox=http://p /bin/true; }
