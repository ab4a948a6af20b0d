# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One table and one report of several replayed bags."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def merge_runs(folders: Sequence[Path], out: Path, *, report: bool = True) -> None:
    """Write `results.parquet`, `summary.json` and `report.html` over the runs in `folders` into `out`.

    Rows keep the order of `folders`; the column `bag` tells them apart.

    Raises:
        DataError: a folder holds no results, or of another version of this table.
    """
    raise NotImplementedError
