# SPDX-License-Identifier: Apache-2.0
RULE="Cloud or cluster credentials read"
WANT='f["fd.name"].endswith("/.aws/credentials") and f["proc.name"] == "base64"'
trigger() { mkdir .aws && echo key >.aws/credentials && base64 .aws/credentials >/dev/null; }
benign() {
    mkdir .aws &&
        echo key >.aws/credentials &&
        cp /bin/cat aws &&
        ./aws .aws/credentials >/dev/null &&
        cat .aws/../.aws-other 2>/dev/null; true
}
