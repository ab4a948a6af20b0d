# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Segmentation metrics in the published conventions, each named after its source.

Plain referring segmentation (IoU over samples, by LAVT and by LISA); generalised (GRES, Liu et al.: several targets or
none); robust (R-RIS, Wu et al.: several true and false sentences about one object); navigable regions (RNR,
Talk2Car-RegSeg, Rufus et al.: probability maps against a region of ground).

Counts are pixels per sample at the size of the original image; a rate over no samples is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ris_node.errors import DataError
from ris_node.types import F32, F64, Bool

Counts = Sequence[int] | npt.NDArray[np.int64]


def counts(prediction: Bool, truth: Bool) -> tuple[int, int]:
    """Return pixels of the intersection and of the union of two masks bool[H,W].

    Raises:
        DataError: when their sizes differ.
    """
    if prediction.shape != truth.shape:
        raise DataError(f"masks of {prediction.shape} and {truth.shape} differ in size; bring both to the image's size")
    return int(np.count_nonzero(prediction & truth)), int(np.count_nonzero(prediction | truth))


def iou(intersection: Counts, union: Counts, empty: float = 0.0) -> F64:
    """Return the IoU f64[N] per sample; `empty` where the union is 0."""
    i, u = _pair(intersection, union)
    return np.where(u > 0, i / np.maximum(u, 1), empty)


def overall_iou(intersection: Counts, union: Counts) -> float:
    """OIoU (LAVT's cIoU): the sum of intersections over the sum of unions, one term per image and expression."""
    i, u = _pair(intersection, union)
    return float(i.sum() / u.sum()) if u.sum() else float("nan")


def mean_iou(intersection: Counts, union: Counts) -> float:
    """MIoU: the mean of IoU over samples, a sample without any pixels counting 0."""
    values = iou(intersection, union)
    return float(values.mean()) if values.size else float("nan")


def precision_at(intersection: Counts, union: Counts, threshold: float, strict: bool = False) -> float:
    """P@X: the share of samples with IoU >= X (LAVT, FSFI, ReLA), or > X when `strict` (CRIS, RNR)."""
    values = iou(intersection, union)
    if not values.size:
        return float("nan")
    return float(np.mean(values > threshold if strict else values >= threshold))


def giou_lisa(intersection: Counts, union: Counts) -> float:
    """LISA's gIoU: the mean of IoU over masks, empty against empty scoring 1 (not the generalised IoU of boxes)."""
    values = iou(intersection, union, empty=1.0)
    return float(values.mean()) if values.size else float("nan")


def ciou_lisa(intersection: Counts, union: Counts) -> float:
    """LISA's cIoU: the sum of intersections over the sum of unions."""
    return overall_iou(intersection, union)


def _pair(intersection: Counts, union: Counts) -> tuple[F64, F64]:
    i, u = np.asarray(intersection, np.float64), np.asarray(union, np.float64)
    if i.shape != u.shape or i.ndim != 1:
        raise DataError(f"intersections {i.shape} and unions {u.shape} are two lists of one length")
    if (i > u).any() or (i < 0).any():
        raise DataError("an intersection is negative or larger than its union; check the order of the arguments")
    return i, u


def mask_iou(first: Bool, second: Bool) -> float:
    """Return the intersection over union of two masks bool[H,W]; 1 where both are empty."""
    union = int(np.count_nonzero(first | second))
    return float(np.count_nonzero(first & second)) / union if union else 1.0


@dataclass(frozen=True)
class GresSample:
    """Expression: areas of the truth and of the raw predicted mask, their intersection, and the model's verdict.

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
    """Return the scores of the published evaluation; "no target" is the positive class of its confusion matrix.

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


@dataclass(frozen=True)
class RefCounts:
    """Object: (intersection, union) of each true sentence, and the predicted area of each false one.

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
    """Return the scores over refs; mRR leaves out refs without false sentences (the published script: 0 / 0).

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


def best_rank(probability: F32 | F64, truth: Bool) -> int | None:
    """Return the rank of the truth's highest pixel among all of a map [H,W], 0 the highest; None for no truth.

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
    """Return whether one of the k highest pixels of a map [H,W] lies in the truth; ties to the smaller index.

    Raises:
        DataError: when sizes differ or k is not positive.
    """
    if k < 1:
        raise DataError(f"k is {k}: give 1 or more")
    rank = best_rank(probability, truth)
    return rank is not None and rank < k


def pointing_game(probability: F32 | F64, truth: Bool) -> bool:
    """Return whether the highest pixel lies in the truth: recall at 1."""
    return recall_at_k(probability, truth, 1)


def intersection_at(prediction: Bool, truth: Bool, threshold: float) -> bool:
    """Return whether more than this share of the predicted pixels lies in the truth; an empty prediction misses."""
    area = int(np.count_nonzero(prediction))
    return area > 0 and int(np.count_nonzero(prediction & truth)) > threshold * area


def dice(intersection: int, predicted_area: int, truth_area: int) -> float:
    """Return 2 I / (|P| + |G|) (the published 2 I / U is wrong: it can exceed 1); both empty scores 1."""
    total = predicted_area + truth_area
    return 2.0 * intersection / total if total else 1.0
