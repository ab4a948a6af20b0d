# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics as pure functions on pixel counts, each in the convention its name says (NumPy only)."""

from ris_node.metrics.answers import (
    found_rate,
    inside,
    listens_rate,
    listens_strict_rate,
    pointing_rate,
    refused_rate,
    robust_iou_table,
)
from ris_node.metrics.generalised import GresSample, GresScores, gres_scores
from ris_node.metrics.masks import mask_iou
from ris_node.metrics.navigable import (
    best_rank,
    dice,
    intersection_at,
    pointing_game,
    recall_at_k,
)
from ris_node.metrics.plain import ciou_lisa, counts, giou_lisa, iou, mean_iou, overall_iou, precision_at
from ris_node.metrics.presence import Bin, Roc, expected_calibration_error, reliability, roc
from ris_node.metrics.robust import RefCounts, RobustScores, robust_scores

__all__ = [
    "Bin",
    "GresSample",
    "GresScores",
    "RefCounts",
    "RobustScores",
    "Roc",
    "best_rank",
    "ciou_lisa",
    "counts",
    "dice",
    "expected_calibration_error",
    "found_rate",
    "giou_lisa",
    "gres_scores",
    "inside",
    "intersection_at",
    "iou",
    "listens_rate",
    "listens_strict_rate",
    "mask_iou",
    "mean_iou",
    "overall_iou",
    "pointing_game",
    "pointing_rate",
    "precision_at",
    "recall_at_k",
    "refused_rate",
    "reliability",
    "robust_iou_table",
    "robust_scores",
    "roc",
]
