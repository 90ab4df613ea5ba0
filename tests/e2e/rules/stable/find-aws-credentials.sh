# SPDX-License-Identifier: Apache-2.0
RULE="Find AWS Credentials"
WANT='f["proc.name"] == "grep" and "aws_secret_access_key" in f["proc.cmdline"] and f["group.gid"] == 0'
trigger() { grep -r aws_secret_access_key .; true; }
benign() { grep -r aws_region .; true; }
