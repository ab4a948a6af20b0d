# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Generalised referring segmentation (GRES): expressions with several targets or none (Liu et al.)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GresSample:
    """One expression: areas of the truth and of the raw predicted mask, their intersection, and the model's verdict.

    `no_target` is what the model said; the raw mask counts in the union even when it said "none".
    """

    truth_area: int
    predicted_area: int
    intersection: int
    no_target: bool


@dataclass(frozen=True)
class GresScores:
    """`giou_gres`, `ciou_gres`, N-acc, T-acc, and Pr@X over targeted samples; NaN where nothing was to be counted."""

    giou_gres: float
    ciou_gres: float
    n_acc: float
    t_acc: float
    precision: Mapping[float, float]


def gres_scores(samples: Sequence[GresSample], thresholds: Sequence[float] = (0.7, 0.8, 0.9)) -> GresScores:
    """The scores of the published evaluation; "no target" is the positive class of its confusion matrix.

    An empty truth answered "none" scores 1 and adds nothing to the sums; answered with a mask it scores 0 and adds the
    mask's area to the unions; a target answered "none" scores 0 and adds the union with the raw mask.
    """
    terms: list[float] = []
    targeted: list[float] = []
    right_none = none = right_target = 0
    inter_sum = union_sum = 0
    for s in samples:
        union = s.truth_area + s.predicted_area - s.intersection
        if s.truth_area == 0:
            none += 1
            right_none += s.no_target
            terms.append(float(s.no_target))
            union_sum += 0 if s.no_target else union
            continue
        right_target += not s.no_target
        value = 0.0 if s.no_target else s.intersection / union
        inter_sum += 0 if s.no_target else s.intersection
        union_sum += union
        terms.append(value)
        targeted.append(value)
    return GresScores(
        _share(sum(terms), len(terms)),
        _share(inter_sum, union_sum),
        _share(right_none, none),
        _share(right_target, len(targeted)),
        {t: _share(int(np.sum(np.asarray(targeted) >= t)), len(targeted)) for t in thresholds},
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
