# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Thresholds from held-out training pictures in training wordings; the evaluation sets are never looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ris_node.metrics.segmentation import mask_iou
from ris_node.targets.pixels import likeliest_point
from ris_node.training.check import Record
from ris_node.types import F32, F64, Bool

_MASKS = tuple(np.round(np.arange(0.30, 0.66, 0.05), 2).tolist())
_REGIONS = tuple(np.round(np.arange(0.10, 0.71, 0.05), 2).tolist())
_USUAL = 0.5, 0.5, 0.35  # mask, presence, region
FOUND_GOAL = 0.95
FOUND_COMMANDS = 0.985


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Chosen thresholds and their results on the held-out training pictures (NaN: no picture shows it)."""

    mask: float
    presence: float
    region: float
    found: float
    refused: float
    miou: float
    region_miou: float
    pointing: float
    items: int
    presence_command: float | None = None  # of commands; None: as `presence`

    def to_mapping(self) -> dict[str, Any]:
        """Return the known values as plain JSON."""
        return {name: value for name, value in asdict(self).items() if value is not None and np.isfinite(value)}


def calibrate(records: Sequence[Record]) -> Calibration:
    """Choose thresholds from records of `check.answers`.

    Presence: one threshold for noun phrases and one for commands (`presence_thresholds`). Mask: the best mean IoU.
    Region: the best share of goals (`likeliest_point`, as the core chooses them) that lie in the true region, with
    half of the mean IoU and half of the mean share of the answer that lies in the truth: a planner may use any part of
    the answer. One that the records do not cover stays at its default.
    """
    presence, command = presence_thresholds(records)
    found = [(r.presence >= (command if r.is_command else presence), r) for r in records]
    absent = [not yes for yes, r in found if not r.present and r.kind != "near_miss"]
    present = [yes for yes, r in found if r.present]
    masks = [(r.mask, truth) for r in records if (truth := r.mask_truth) is not None]
    ious = [_mean(mask_iou(chance >= level, truth) for chance, truth in masks) for level in _MASKS]
    best = int(np.argmax(ious)) if masks else _MASKS.index(_USUAL[0])
    region, area, hits = _region_level([(r.region, truth) for r in records if (truth := r.region_truth) is not None])
    return Calibration(
        mask=_MASKS[best],
        presence=presence,
        region=region,
        found=float(np.mean(present)) if present else float("nan"),
        refused=float(np.mean(absent)) if absent else float("nan"),
        miou=ious[best],
        region_miou=area,
        pointing=hits,
        items=len(records),
        presence_command=command,
    )


def _region_level(regions: Sequence[tuple[F32, Bool]]) -> tuple[float, float, float]:
    """Return the level of the region's probability, and the mean IoU and the share of good goals that it gives."""
    hits = [_mean(_goal_inside(chance, level, truth) for chance, truth in regions) for level in _REGIONS]
    areas = [_mean(mask_iou(chance >= level, truth) for chance, truth in regions) for level in _REGIONS]
    trust = [_mean(_inside(chance >= level, truth) for chance, truth in regions) for level in _REGIONS]
    worth = np.array(hits) + 0.5 * np.array(areas) + 0.5 * np.array(trust)
    best = int(np.argmax(worth)) if regions else _REGIONS.index(_USUAL[2])
    return _REGIONS[best], areas[best], hits[best]


def presence_thresholds(records: Sequence[Record]) -> tuple[float, float]:
    """Return the thresholds of noun phrases and of commands.

    Of the commands `FOUND_COMMANDS` are found: one that is missed leaves the vehicle without a goal. Of noun phrases as
    many as make `FOUND_GOAL` of everything that is present. Where there is one sort only, both are what it needs.
    """
    present = [np.array([r.presence for r in records if r.present and r.is_command == c]) for c in (False, True)]
    everything = np.concatenate(present)
    one = _threshold(everything, FOUND_GOAL) if len(everything) else _USUAL[1]
    if not all(map(len, present)):
        return one, one
    rest = (FOUND_GOAL * len(everything) - FOUND_COMMANDS * len(present[1])) / len(present[0])
    return _threshold(present[0], min(max(rest, 0.0), 1.0)), _threshold(present[1], FOUND_COMMANDS)


def _threshold(present: F64, found: float) -> float:
    return round(float(np.clip(np.quantile(present, 1.0 - found), 0.05, 0.8)), 3)


def _goal_inside(chance: F32, level: float, truth: Bool) -> float:
    point = likeliest_point(chance, level)
    return 0.0 if point is None else float(truth[round(point[1]), round(point[0])])


def _inside(answer: Bool, truth: Bool) -> float:
    return float((answer & truth).sum() / max(1, answer.sum()))


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return float(np.mean(found)) if found else 0.0
