# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far a score of presence can be trusted: the ROC of present against absent, and reliability by bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ris_node.errors import DataError
from ris_node.types import F64, Bool

Scores = Sequence[float] | F64
Labels = Sequence[bool] | Bool


@dataclass(frozen=True)
class Roc:
    """A receiver operating characteristic: rates f64[K] as the threshold falls, from (0, 0) to (1, 1), and the area.

    A score of `thresholds[k]` or more is answered "present"; the first threshold is infinite.
    """

    false_positive: F64
    true_positive: F64
    thresholds: F64
    area: float


@dataclass(frozen=True)
class Bin:
    """Some answers of similar confidence: how many, their mean confidence, and the share that was right."""

    count: int
    confidence: float
    share: float


def roc(scores: Scores, present: Labels) -> Roc:
    """The ROC curve of a score, ties taken together; the area is that under the trapezoids (NaN without both kinds)."""
    s, y = _pair(scores, present)
    order = np.argsort(-s, kind="stable")
    s, y = s[order], y[order]
    last = np.flatnonzero(np.append(s[1:] != s[:-1], True)) if s.size else np.zeros(0, np.int64)
    positives, negatives = float(y.sum()), float(y.size - y.sum())
    if not positives or not negatives:
        nothing = np.zeros(0)
        return Roc(nothing, nothing, nothing, float("nan"))
    hits = np.cumsum(y)[last]
    tpr = np.concatenate(([0.0], hits / positives))
    fpr = np.concatenate(([0.0], (last + 1 - hits) / negatives))
    area = float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2.0))
    return Roc(fpr, tpr, np.concatenate(([np.inf], s[last])), area)


def reliability(scores: Scores, right: Labels, bins: int = 15) -> list[Bin]:
    """Bins of equal mass, the least confident first; fewer where there are fewer answers."""
    s, y = _pair(scores, right)
    order = np.argsort(s, kind="stable")
    parts = np.array_split(order, min(bins, s.size)) if s.size else []
    return [Bin(int(p.size), float(s[p].mean()), float(y[p].mean())) for p in parts]


def expected_calibration_error(scores: Scores, right: Labels, bins: int = 15) -> float:
    """ECE in bins of equal mass: the mean over bins, by size, of |mean confidence - share right|; NaN over none."""
    found = reliability(scores, right, bins)
    total = sum(b.count for b in found)
    return sum(b.count * abs(b.confidence - b.share) for b in found) / total if total else float("nan")


def _pair(scores: Scores, labels: Labels) -> tuple[F64, F64]:
    s, y = np.asarray(scores, np.float64), np.asarray(labels, np.float64)
    if s.shape != y.shape or s.ndim != 1:
        raise DataError(f"{s.size} confidences and {y.size} outcomes are not of the same answers")
    return s, y
