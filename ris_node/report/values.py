# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers for reports: as JSON has them, as a table shows them, and their mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def finite(value: float, digits: int | None = 3) -> float | None:
    """Return a number for JSON, rounded unless `digits` is None; None for NaN and infinity, unknown to it."""
    if not math.isfinite(value):
        return None
    return float(value) if digits is None else round(float(value), digits)


def plain(value: Any, digits: int | None = None) -> Any:
    """Return nested values as JSON has them, every float by `finite`."""
    if isinstance(value, Mapping):
        return {k: plain(v, digits) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v, digits) for v in value]
    return finite(value, digits) if isinstance(value, float) else value


def shown(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """Return a number as a table shows it; a dash for None, NaN and infinity."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:{'+' if sign else ''}.{digits}f}"


def mean(values: Iterable[float]) -> float:
    """Return the mean of some values, NaN of none."""
    kept = list(values)
    return float(np.mean(kept)) if kept else math.nan
