# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics of the project's own table: found, refused, pointing, listening, and calibration of presence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ris_node.errors import DataError
from ris_node.types import F64, Bool


def found_rate(answered_present: Sequence[bool]) -> float:
    """Return the share of present targets answered PRESENT (or AMBIGUOUS, when several fit); NaN over none."""
    return float(np.mean(answered_present)) if len(answered_present) else float("nan")


def refused_rate(answered_absent: Sequence[bool], areas: Sequence[int]) -> float:
    """Return the share of absent targets answered ABSENT or with an empty mask (`areas` in pixels); NaN over none."""
    if len(answered_absent) != len(areas):
        raise DataError(f"{len(answered_absent)} verdicts and {len(areas)} areas are not of the same answers")
    if not len(areas):
        return float("nan")
    return float(np.mean([absent or area == 0 for absent, area in zip(answered_absent, areas, strict=True)]))


def robust_iou_table(intersection: Sequence[int], union: Sequence[int], absent_areas: Sequence[int]) -> float:
    """RIoU of the table: sum of intersections over (sum of unions of present + sum of areas answered on absent)."""
    whole = sum(union) + sum(absent_areas)
    return sum(intersection) / whole if whole else float("nan")


def pointing_rate(hits: Sequence[bool]) -> float:
    """Return the share of regions in which the published goal's pixel lies; no goal is a miss; NaN over none."""
    return float(np.mean(hits)) if len(hits) else float("nan")


def inside(intersection: Sequence[int], predicted_area: Sequence[int]) -> float:
    """Return the mean of |P and G| / |P| over samples, an empty prediction counting 0; NaN over none."""
    if not len(predicted_area):
        return float("nan")
    return float(np.mean([i / p if p else 0.0 for i, p in zip(intersection, predicted_area, strict=True)]))


def listens_rate(answer_ious: Sequence[float], limit: float = 0.3) -> float:
    """Return the share of pairs of true expressions (masks under 0.1 IoU) whose answers overlap under `limit`.

    `answer_ious` are the IoUs of the two answers of each pair; NaN over none. Two empty answers do not overlap, so
    that by this measure silence listens: see `listens_strict_rate`.
    """
    return float(np.mean([v < limit for v in answer_ious])) if len(answer_ious) else float("nan")


def listens_strict_rate(answer_ious: Sequence[float], areas: Sequence[tuple[int, int]], limit: float = 0.3) -> float:
    """Return `listens_rate` where only a pair of two answers with pixels (`areas`) can count as listening."""
    if len(answer_ious) != len(areas):
        raise DataError(f"{len(answer_ious)} overlaps and {len(areas)} pairs of areas are not of the same answers")
    if not len(areas):
        return float("nan")
    return float(np.mean([v < limit and min(pair) > 0 for v, pair in zip(answer_ious, areas, strict=True)]))


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
    """Bin of answers of similar confidence: how many, their mean confidence, and the share that was right."""

    count: int
    confidence: float
    share: float


def roc(scores: Scores, present: Labels) -> Roc:
    """Return the ROC curve of a score, ties taken together; area under trapezoids (NaN without both kinds)."""
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
    """Return bins of equal mass, the least confident first; fewer where there are fewer answers."""
    s, y = _pair(scores, right)
    order = np.argsort(s, kind="stable")
    parts = np.array_split(order, min(bins, s.size)) if s.size else []
    return [Bin(int(p.size), float(s[p].mean()), float(y[p].mean())) for p in parts]


def expected_calibration_error(scores: Scores, right: Labels, bins: int = 15) -> float:
    """Return the ECE in bins of equal mass: the mean by size of |mean confidence - share right|; NaN over none."""
    found = reliability(scores, right, bins)
    total = sum(b.count for b in found)
    return sum(b.count * abs(b.confidence - b.share) for b in found) / total if total else float("nan")


def _pair(scores: Scores, labels: Labels) -> tuple[F64, F64]:
    s, y = np.asarray(scores, np.float64), np.asarray(labels, np.float64)
    if s.shape != y.shape or s.ndim != 1:
        raise DataError(f"{s.size} confidences and {y.size} outcomes are not of the same answers")
    return s, y
