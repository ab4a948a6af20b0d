# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Referring navigable regions (RNR, Talk2Car-RegSeg): probability maps against a region of ground (Rufus et al.)."""

from __future__ import annotations

import numpy as np

from ris_node.errors import DataError
from ris_node.types import F32, F64, Bool


def best_rank(probability: F32 | F64, truth: Bool) -> int | None:
    """The place of the truth's highest pixel among all pixels of a map [H,W], 0 for the highest; None for no truth.

    Ties go to the smaller flat index. Recall at k is `best_rank < k`, so that one pass serves every k.

    Raises:
        DataError: when sizes differ.
    """
    if probability.shape != truth.shape:
        raise DataError(f"a map {probability.shape} and a truth {truth.shape} differ in size; bring both to one size")
    values, inside = probability.ravel(), truth.ravel()
    if not inside.any():
        return None
    best = values[inside].max()
    first = int(np.flatnonzero(inside & (values == best))[0])
    return int(np.count_nonzero(values > best)) + int(np.count_nonzero(values[:first] == best))


def recall_at_k(probability: F32 | F64, truth: Bool, k: int) -> bool:
    """Whether at least one of the k highest pixels of a map [H,W] lies in the truth; ties go to the smaller index.

    Raises:
        DataError: when sizes differ or k is not positive.
    """
    if k < 1:
        raise DataError(f"k is {k}: give 1 or more")
    rank = best_rank(probability, truth)
    return rank is not None and rank < k


def pointing_game(probability: F32 | F64, truth: Bool) -> bool:
    """Whether the highest pixel lies in the truth: recall at 1."""
    return recall_at_k(probability, truth, 1)


def intersection_at(prediction: Bool, truth: Bool, threshold: float) -> bool:
    """Whether more than this share of the predicted pixels lies in the truth; an empty prediction misses."""
    area = int(np.count_nonzero(prediction))
    return area > 0 and int(np.count_nonzero(prediction & truth)) > threshold * area


def dice(intersection: int, predicted_area: int, truth_area: int) -> float:
    """2 I / (|P| + |G|) (the published code's 2 I / U is wrong: it can exceed 1); both empty scores 1."""
    total = predicted_area + truth_area
    return 2.0 * intersection / total if total else 1.0
