# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m ris_node.evaluation` is `ris evaluate`."""

from __future__ import annotations

import sys

from ris_node.cli.__main__ import main
from ris_node.entry import start

if __name__ == "__main__":
    start(lambda: main(["evaluate", *sys.argv[1:]]))
