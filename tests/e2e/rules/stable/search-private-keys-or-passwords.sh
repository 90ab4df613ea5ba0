# SPDX-License-Identifier: Apache-2.0
RULE="Search Private Keys or Passwords"
WANT='f["proc.name"] == "grep" and "BEGIN RSA PRIVATE" in f["proc.cmdline"]'
trigger() { grep -r "BEGIN RSA PRIVATE" .; find . -name id_rsa; }
benign() { grep -r "BEGIN CERTIFICATE" .; find . -name '*.pem'; }
