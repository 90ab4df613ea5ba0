# SPDX-License-Identifier: Apache-2.0
RULE="Name of a mining pool asked"
WANT='"pool.supportxmr.com" in str(f)'
trigger() { ask pool.supportxmr.com; }
benign() { ask supportxmr.com.example.net; }
