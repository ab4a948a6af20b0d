# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Plain referring segmentation: IoU over samples, in the LAVT convention and in that of LISA.

Counts are pixels per sample at the size of the original image; a rate over no samples is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ris_node.errors import DataError
from ris_node.types import F64, Bool

Counts = Sequence[int] | npt.NDArray[np.int64]


def counts(prediction: Bool, truth: Bool) -> tuple[int, int]:
    """Pixels of the intersection and of the union of two masks bool[H,W].

    Raises:
        DataError: when their sizes differ.
    """
    if prediction.shape != truth.shape:
        raise DataError(f"masks of {prediction.shape} and {truth.shape} differ in size; bring both to the image's size")
    return int(np.count_nonzero(prediction & truth)), int(np.count_nonzero(prediction | truth))


def iou(intersection: Counts, union: Counts, empty: float = 0.0) -> F64:
    """IoU f64[N] per sample; `empty` where the union is 0."""
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
