# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The project's own table: what is found, refused, pointed at and listened to, and how honest the confidence is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ris_node.errors import DataError


def found_rate(answered_present: Sequence[bool]) -> float:
    """Share of present targets answered PRESENT (or AMBIGUOUS, when several fit); NaN over none."""
    return float(np.mean(answered_present)) if len(answered_present) else float("nan")


def refused_rate(answered_absent: Sequence[bool], areas: Sequence[int]) -> float:
    """Share of absent targets answered ABSENT or with an empty mask (`areas` in pixels); NaN over none."""
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
    """Share of regions in which the published goal's pixel lies; no goal is a miss; NaN over none."""
    return float(np.mean(hits)) if len(hits) else float("nan")


def inside(intersection: Sequence[int], predicted_area: Sequence[int]) -> float:
    """Mean of |P and G| / |P| over samples, an empty prediction counting 0; NaN over none."""
    if not len(predicted_area):
        return float("nan")
    return float(np.mean([i / p if p else 0.0 for i, p in zip(intersection, predicted_area, strict=True)]))


def listens_rate(answer_ious: Sequence[float], limit: float = 0.3) -> float:
    """Share of pairs of true expressions (whose masks overlap under 0.1 IoU) whose answers overlap less than `limit`.

    `answer_ious` are the IoUs of the two answers of each pair; NaN over none. Two empty answers do not overlap, so
    that by this measure silence listens: see `listens_strict_rate`.
    """
    return float(np.mean([v < limit for v in answer_ious])) if len(answer_ious) else float("nan")


def listens_strict_rate(answer_ious: Sequence[float], areas: Sequence[tuple[int, int]], limit: float = 0.3) -> float:
    """As `listens_rate`, but only a pair of two answers with pixels (`areas`) can count as listening."""
    if len(answer_ious) != len(areas):
        raise DataError(f"{len(answer_ious)} overlaps and {len(areas)} pairs of areas are not of the same answers")
    if not len(areas):
        return float("nan")
    return float(np.mean([v < limit and min(pair) > 0 for v, pair in zip(answer_ious, areas, strict=True)]))
