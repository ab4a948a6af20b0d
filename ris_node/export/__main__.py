# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m ris_node.export RUN/best.pt --out engines/default` is `ris export`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ris_node.cli.__main__ import main as ris
from ris_node.entry import start


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ris export` with `arguments` (the process's own when None); return the exit status."""
    return ris(["export", *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    start(main)
