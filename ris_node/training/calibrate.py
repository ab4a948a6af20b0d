# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Thresholds from held-out training pictures in training wordings; the evaluation sets are never looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from ris_node.targets.pixels import interior_point
from ris_node.training.check import iou
from ris_node.types import Bool

_MASKS = tuple(np.round(np.arange(0.30, 0.66, 0.05), 2).tolist())
_REGIONS = tuple(np.round(np.arange(0.10, 0.61, 0.05), 2).tolist())
_USUAL = 0.5, 0.5, 0.35  # mask, presence, region
FOUND_GOAL = 0.945  # a little above what is asked, for the step to other pictures and wordings


@dataclass(frozen=True)
class Calibration:
    """The chosen thresholds and what they give on the held-out training pictures (NaN: nothing there to say it)."""

    mask: float
    presence: float
    region: float
    found: float
    refused: float
    miou: float
    region_miou: float
    pointing: float
    items: int

    def to_mapping(self) -> dict[str, Any]:
        """Return the known values as plain JSON."""
        return {name: value for name, value in asdict(self).items() if np.isfinite(value)}


def calibrate(records: Sequence[dict[str, Any]]) -> Calibration:
    """Choose thresholds from records of `check.answers`.

    Presence: the highest at which `FOUND_GOAL` of the present targets are found (kinds weighted as they come), which
    refuses the most absent ones. Mask: the best mean IoU. Region: the best share of goals (the most interior pixel of
    the largest piece) that lie in the true region, with half of the mean IoU. Where the records say nothing of one of
    them, it stays as usual.
    """
    present = np.array([r["presence"] for r in records if r["present"]])
    absent = np.array([r["presence"] for r in records if not r["present"] and r["kind"] != "near_miss"])
    presence = float(np.clip(np.quantile(present, 1.0 - FOUND_GOAL), 0.05, 0.8)) if len(present) else _USUAL[1]
    masks = [(r["mask"], r["true_mask"]) for r in records if _shown(r, "true_mask") and r["true_region"] is None]
    regions = [(r["region"], r["true_region"]) for r in records if _shown(r, "true_region")]
    ious = [_mean(iou(chance >= level, truth) for chance, truth in masks) for level in _MASKS]
    hits = [_mean(_goal_inside(chance >= level, truth) for chance, truth in regions) for level in _REGIONS]
    areas = [_mean(iou(chance >= level, truth) for chance, truth in regions) for level in _REGIONS]
    best = int(np.argmax(ious)) if masks else _MASKS.index(_USUAL[0])
    goal = int(np.argmax(np.array(hits) + 0.5 * np.array(areas))) if regions else _REGIONS.index(_USUAL[2])
    return Calibration(
        mask=_MASKS[best],
        presence=round(presence, 3),
        region=_REGIONS[goal],
        found=float((present >= presence).mean()) if len(present) else float("nan"),
        refused=float((absent < presence).mean()) if len(absent) else float("nan"),
        miou=ious[best],
        region_miou=areas[goal],
        pointing=hits[goal],
        items=len(records),
    )


def _shown(record: dict[str, Any], name: str) -> bool:
    return bool(record["present"]) and record[name] is not None and bool(record[name].any())


def _goal_inside(region: Bool, truth: Bool) -> float:
    count, parts, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=8)
    if count < 2:
        return 0.0
    point = interior_point(parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))
    return 0.0 if point is None else float(truth[round(point[1]), round(point[0])])


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return float(np.mean(found)) if found else 0.0
