# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of one measurement: latencies in milliseconds, processor shares and memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ris_node.report.values import finite


@dataclass
class Series:
    """Latencies of one kind in milliseconds, round by round."""

    rounds: list[list[float]] = field(default_factory=list)

    def add(self, values: Sequence[float]) -> None:
        """Take one round's values; unknown (NaN) ones are left out."""
        self.rounds.append([value for value in values if math.isfinite(value)])

    @property
    def values(self) -> list[float]:
        """All rounds' values together."""
        return [value for one in self.rounds for value in one]

    def percentile(self, q: float) -> float:
        """Return a percentile over all rounds; NaN without any value."""
        return float(np.percentile(self.values, q)) if self.values else float("nan")

    @property
    def p50(self) -> float:
        """The median."""
        return self.percentile(50)

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return self.percentile(99)

    def ratio(self, other: Series) -> float:
        """Return the median over rounds of this median divided by the other's of the same round.

        A slow minute of the machine hits both alike and drops out.
        """
        pairs = [(a, b) for a, b in zip(self.rounds, other.rounds) if a and b]  # noqa: B905  # a last round may be half done
        return float(np.median([np.median(a) / np.median(b) for a, b in pairs])) if pairs else float("nan")

    def to_json(self) -> dict[str, Any]:
        """Return count, p50, p99 and the median of each round."""
        medians = [finite(float(np.median(one))) for one in self.rounds if one]
        return {"count": len(self.values), "p50_ms": finite(self.p50), "p99_ms": finite(self.p99), "rounds_ms": medians}
