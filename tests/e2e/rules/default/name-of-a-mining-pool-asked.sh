# SPDX-License-Identifier: Apache-2.0
RULE="Name of a mining pool asked"
WANT='f["evt.arg.question"] == "pool.supportxmr.com" and f["proc.name"].startswith("python")'
trigger() { ask pool.supportxmr.com; }
benign() { ask supportxmr.com.example.net; }
