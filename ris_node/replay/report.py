# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""report.html: what a replay came to, in one file that opens anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def write_report(out: Path, bags: Sequence[Path]) -> Path:
    """Write `report.html` over the results in `out`; pictures come from the recorded `bags`, where they are given.

    Returns:
        The report's path.

    Raises:
        ConfigError: a package that draws is missing.
        DataError: there are no results in `out`.
    """
    raise NotImplementedError
