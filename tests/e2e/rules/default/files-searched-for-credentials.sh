# SPDX-License-Identifier: Apache-2.0
RULE="Files searched for credentials"
WANT='f["proc.name"] == "grep" and "BEGIN RSA PRIVATE" in f["proc.cmdline"]'
trigger() { grep -r "BEGIN RSA PRIVATE KEY" . ; find . -name id_rsa; true; }
benign() { grep -r "BEGIN CERTIFICATE" . ; find . -name '*.pem'; true; }
