# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Thresholds from held-out training pictures in training wordings; the evaluation sets are never looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ris_node.training.check import iou

_MASKS = tuple(np.round(np.arange(0.30, 0.66, 0.05), 2).tolist())
_REGIONS = tuple(np.round(np.arange(0.20, 0.61, 0.05), 2).tolist())
FOUND_GOAL = 0.945  # a little above what is asked, for the step to other pictures and wordings


@dataclass(frozen=True)
class Calibration:
    """The chosen thresholds and what they give on the held-out training pictures."""

    mask: float
    presence: float
    region: float
    found: float
    refused: float
    miou: float
    region_miou: float
    items: int

    def to_mapping(self) -> dict[str, Any]:
        """Return the values as plain JSON."""
        return asdict(self)


def calibrate(records: Sequence[dict[str, Any]]) -> Calibration:
    """Choose thresholds from records of `check.answers`.

    Presence: the highest at which `FOUND_GOAL` of the present targets are found (kinds weighted as they come), which
    refuses the most absent ones. Mask and region: the best mean IoU.
    """
    present = np.array([r["presence"] for r in records if r["present"]])
    absent = np.array([r["presence"] for r in records if not r["present"] and r["kind"] != "near_miss"])
    presence = float(np.clip(np.quantile(present, 1.0 - FOUND_GOAL), 0.05, 0.8))
    masks = [(r["mask"], r["true_mask"]) for r in records if _shown(r, "true_mask") and r["true_region"] is None]
    regions = [(r["region"], r["true_region"]) for r in records if _shown(r, "true_region")]
    mask, miou = _best(masks, _MASKS)
    region, region_miou = _best(regions, _REGIONS)
    return Calibration(
        mask=mask,
        presence=round(presence, 3),
        region=region,
        found=float((present >= presence).mean()),
        refused=float((absent < presence).mean()) if len(absent) else float("nan"),
        miou=miou,
        region_miou=region_miou,
        items=len(records),
    )


def _shown(record: dict[str, Any], name: str) -> bool:
    return bool(record["present"]) and record[name] is not None and bool(record[name].any())


def _best(pairs: Sequence[tuple[Any, Any]], levels: Sequence[float]) -> tuple[float, float]:
    scores = [float(np.mean([iou(chance >= level, truth) for chance, truth in pairs])) for level in levels]
    best = int(np.argmax(scores))
    return float(levels[best]), scores[best]
