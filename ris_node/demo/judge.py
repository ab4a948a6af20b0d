# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Answers scored against the truth of their frames: status, mask IoU, and error of the goal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ris_node.demo.script import Step
from ris_node.report.values import finite, mean
from ris_node.rle import decode_rle
from ris_node.types import Bool, TargetStatus
from ris_scene.spec import Scene
from ris_scene.truth import RegionTruth, referents, region_truth


@dataclass(frozen=True, eq=False)
class FrameTruth:
    """Ground truth of one frame for one command: the right verdicts, the referent's mask and the place to go to.

    More than one verdict is right only where a part of a thing shows and people would differ.
    """

    verdicts: tuple[str, ...]
    mask: Bool | None
    region: RegionTruth | None


@dataclass(frozen=True)
class AnswerScore:
    """Score of one answer; None where there is nothing to compare with.

    `goal_error_m` is the distance in metres from the goal to the nearest place that obeys the command (the middle of a
    free patch of the vehicle's size), `goal_inside` whether it lies in the best patch.
    """

    expected: str
    right: bool
    iou: float | None = None
    goal_error_m: float | None = None
    goal_inside: bool | None = None


def truth_of(scene: Scene, step: Step) -> FrameTruth:
    """Return the truth of a command in a scene."""
    if step.meaning is None:
        region = region_truth(scene, step.place) if step.place else None
        return FrameTruth(("PRESENT",) if region else ("ABSENT",), None, region)
    meant = referents(scene, step.meaning)
    mask = np.isin(scene.instance_map, [thing.id for thing in meant]) & (scene.instance_map > 0)
    region = region_truth(scene, step.place, meant[0]) if step.place and len(meant) == 1 else None
    if not meant:
        return FrameTruth(("ABSENT",), None, None)
    if step.one and len(meant) > 1:
        return FrameTruth(("AMBIGUOUS",), mask, None)
    return FrameTruth(("PRESENT",), mask, region)


def judge(truth: FrameTruth, row: dict[str, Any]) -> AnswerScore:
    """Compare one answer (a line of results.jsonl) with the truth of its frame."""
    right = row["status"] in truth.verdicts
    iou = None
    if truth.mask is not None and truth.mask.any():
        answered = answer_mask(row)
        union = int((answered | truth.mask).sum())
        iou = float((answered & truth.mask).sum()) / union if union else 0.0
    target = row.get("target")
    if truth.region is None or not target or target["status"] != TargetStatus.OK.name:
        return AnswerScore("/".join(truth.verdicts), right, iou)
    error = truth.region.error(target["x"], target["y"])
    return AnswerScore(
        "/".join(truth.verdicts), right, iou, error, _inside(truth.region.outline, target["x"], target["y"])
    )


def answer_mask(row: dict[str, Any]) -> Bool:
    """Return the union bool[H,W] of an answer's instance masks."""
    mask = np.zeros((row["height"], row["width"]), np.bool_)
    for instance in row["instances"]:
        mask |= decode_rle(np.asarray(instance["rle"], np.int64), row["height"], row["width"])
    return mask


def region_pixels(row: dict[str, Any]) -> Bool | None:
    """Return the answer's region bool[H,W], or None when it has none."""
    if not row.get("region_rle"):
        return None
    return decode_rle(np.asarray(row["region_rle"], np.int64), row["height"], row["width"])


@dataclass(frozen=True, kw_only=True)
class CommandStats:
    """Statistics of one command over all of its frames; None where there was nothing to measure.

    `goal_error_m` and `goal_error_p90_m` are the median and the 90th percentile over its goals, in metres.
    """

    text: str
    frames: int
    statuses: dict[str, int]
    right: float | None
    iou: float | None
    goal_error_m: float | None
    goal_error_p90_m: float | None
    goals: int
    goals_wanted: int

    def as_row(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)


def command_stats(text: str, rows: list[dict[str, Any]]) -> CommandStats:
    """Sum up the judged answers to one command."""
    scores = [row["truth"] for row in rows if row.get("truth")]
    errors = [score["goal_error_m"] for score in scores if score["goal_error_m"] is not None]
    statuses: dict[str, int] = {}
    for row in rows:
        statuses[row["status"]] = statuses.get(row["status"], 0) + 1
    return CommandStats(
        text=text,
        frames=len(rows),
        statuses=statuses,
        right=finite(mean(float(score["right"]) for score in scores), None),
        iou=finite(mean(score["iou"] for score in scores if score["iou"] is not None), None),
        goal_error_m=float(np.median(errors)) if errors else None,
        goal_error_p90_m=float(np.percentile(errors, 90)) if errors else None,
        goals=len(errors),
        goals_wanted=sum(1 for score in scores if score["goal_wanted"]),
    )


def latency(rows: list[dict[str, Any]], key: str) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds of a timing over all answers, NaN when there is none."""
    values = [row["timing"][key] for row in rows if np.isfinite(row["timing"].get(key, np.nan))]
    if not values:
        return float("nan"), float("nan")
    return float(np.percentile(values, 50)), float(np.percentile(values, 99))


def _inside(outline: np.ndarray, x: float, y: float) -> bool:
    """Whether a point lies in a convex outline f64[N,2]."""
    edges = np.roll(outline, -1, axis=0) - outline
    to_point = np.array([x, y]) - outline
    cross = edges[:, 0] * to_point[:, 1] - edges[:, 1] * to_point[:, 0]
    return bool((cross >= 0).all() or (cross <= 0).all())
