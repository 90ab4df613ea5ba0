# SPDX-License-Identifier: Apache-2.0
RULE="Dynamic linker told to load a library everywhere"
WANT='f["fd.name"] == "/etc/ld.so.preload" or f["fs.path.target"] == "/etc/ld.so.preload"'
trigger() { private /etc sh -c ': >/etc/ld.so.preload; : >/etc/new; mv /etc/new /etc/ld.so.preload'; }
benign() { private /etc sh -c ': >/etc/ld.so.conf.d/skep-test.conf'; }
