# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Robust referring segmentation (R-RIS): several true and several false sentences about one object (Wu et al.)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ris_node.errors import DataError


@dataclass(frozen=True)
class RefCounts:
    """One object: (intersection, union) of each true sentence, and the predicted area of each false one.

    Where a presence score says "absent", the prediction is to be emptied before counting.
    """

    positives: tuple[tuple[int, int], ...]
    negative_areas: tuple[int, ...] = ()


@dataclass(frozen=True)
class RobustScores:
    """MIoU over refs, mRR (mean robustness rate), rIoU, and the oIoU of true sentences; NaN over no refs."""

    miou: float
    mrr: float
    riou: float
    oiou: float


def robust_scores(refs: Sequence[RefCounts]) -> RobustScores:
    """The scores over refs; refs without false sentences are left out of mRR (the published script divides 0 by 0).

    mRR is the mean over refs of the share of false sentences answered with no pixel at all; rIoU is the mean over refs
    of the sum of intersections over (the sum of unions + the sum of areas answered to false sentences).

    Raises:
        DataError: when a ref has no true sentence.
    """
    if any(not ref.positives for ref in refs):
        raise DataError("a ref has no true sentence; R-RIS scores objects, so leave it out")
    ious = [float(np.mean([i / u if u else 0.0 for i, u in ref.positives])) for ref in refs]
    rates = [float(np.mean([a == 0 for a in ref.negative_areas])) for ref in refs if ref.negative_areas]
    robust = [
        _ratio(sum(i for i, _ in r.positives), sum(u for _, u in r.positives) + sum(r.negative_areas)) for r in refs
    ]
    pairs = [pair for ref in refs for pair in ref.positives]
    overall = _ratio(sum(i for i, _ in pairs), sum(u for _, u in pairs)) if pairs else float("nan")
    return RobustScores(_mean(ious), _mean(rates), _mean(robust), overall)


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else 0.0


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
