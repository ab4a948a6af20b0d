# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of a run without truth: presence, steadiness of masks and targets, latency, drops of a live node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from ris_node.replay.rows import FOUND
from ris_node.report.values import mean
from ris_node.rle import decode_rle
from ris_node.types import F32, U8, Bool

FLOW_SIDE = 320  # pixels; optical flow is looked for in pictures of this size
NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Steadiness:
    """Figures of a run; NaN where there was nothing to count.

    `found` is the share of frames with a query answered PRESENT or AMBIGUOUS; `flips` the share of neighbours whose
    verdict differs; `mask_iou` the mean IoU of each mask with the one before, moved by optical flow; `jitter_m` the
    scatter of the goal in metres: the median distance from the middle of its two neighbours, scaled to one standard
    deviation a goal (a goal that moves evenly past the vehicle has none).
    """

    frames: int
    found: float
    flips: float
    mask_iou: float
    jitter_m: float
    targets: float
    latency_p50_ms: float
    latency_p99_ms: float


def summarise(rows: Sequence[Mapping[str, Any]], mask_ious: Sequence[float]) -> Steadiness:
    """Return the figures of a run's rows; `mask_ious` as `MaskFlow` gives them (none: they were not measured)."""
    asked = [row for row in rows if row["query_id"]]
    found = [row["status"] in FOUND for row in asked]
    pairs = [(a, b) for a, b in pairwise(asked) if neighbours(a, b)]
    flips = [(a["status"] in FOUND) != (b["status"] in FOUND) for a, b in pairs]
    wanted = [row for row in asked if row["target_status"]]
    known = [value for value in mask_ious if not np.isnan(value)]
    latency = np.array([row["total_ms"] for row in asked] or [NAN])
    return Steadiness(
        frames=len(rows),
        found=mean(found),
        flips=mean(flips),
        mask_iou=mean(known),
        jitter_m=jitter(rows),
        targets=mean(row["target_status"] == "OK" for row in wanted),
        latency_p50_ms=float(np.percentile(latency, 50)),
        latency_p99_ms=float(np.percentile(latency, 99)),
    )


def neighbours(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two rows follow each other in one bag, under the same query."""
    return bool(a["bag"] == b["bag"] and a["frame"] + 1 == b["frame"] and a["query_id"] == b["query_id"] != "")


def jitter(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return scatter of the goal in metres over runs of three neighbours with a target; NaN where there are none."""
    off = []
    for a, b, c in zip(rows, rows[1:], rows[2:], strict=False):
        if neighbours(a, b) and neighbours(b, c) and all(row["target_status"] == "OK" for row in (a, b, c)):
            xy = np.array([(row["target_x"], row["target_y"]) for row in (a, b, c)])
            off.append(float(np.linalg.norm(xy[1] - (xy[0] + xy[2]) / 2.0)))
    # of three independent goals of standard deviation s, the middle one is off by s * sqrt(1 + 1/4 + 1/4)
    return float(np.median(off) / np.sqrt(1.5)) if off else NAN


class MaskFlow:
    """IoU of each frame's mask with the one before, moved by the pictures' optical flow. Takes rows in order."""

    def __init__(self) -> None:
        self._flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._last: tuple[Mapping[str, Any], U8] | None = None

    def add(self, row: Mapping[str, Any], image: U8) -> float:
        """Return the IoU of a row's mask with the one before; NaN without one before, or where both are empty."""
        grey = _small(image)
        last, self._last = self._last, (row, grey)
        if last is None or not neighbours(last[0], row) or last[1].shape != grey.shape:
            return NAN
        if not row["mask_rle"] and not last[0]["mask_rle"]:
            return NAN
        if not row["mask_rle"] or not last[0]["mask_rle"]:
            return 0.0
        flow: F32 = np.asarray(self._flow.calc(grey, last[1], None), np.float32)
        now, before = (_mask(r, grey.shape) for r in (row, last[0]))
        rows, columns = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
        moved = cv2.remap(before, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR)
        a, b = now > 127, np.asarray(moved) > 127
        union = int(np.count_nonzero(a | b))
        return float(np.count_nonzero(a & b)) / union if union else NAN


def _small(image: U8) -> U8:
    height, width = image.shape[:2]
    scale = min(1.0, FLOW_SIDE / max(height, width))
    size = max(16, round(width * scale)), max(16, round(height * scale))
    return np.asarray(cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY), np.uint8)


def _mask(row: Mapping[str, Any], shape: tuple[int, ...]) -> U8:
    mask: Bool = decode_rle(row["mask_rle"], row["height"], row["width"])
    whole = mask.view(np.uint8) * np.uint8(255)
    return np.asarray(cv2.resize(whole, (shape[1], shape[0]), interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True)
class LiveDrops:
    """Frames that a live node would have answered of `frames`: newer ones would have replaced the rest.

    `latency_ms` is the one measured for it, alone on this machine; `age_ms` the median from a frame's arrival to its
    answer.
    """

    frames: int
    answered: int
    latency_ms: float
    age_ms: float

    @property
    def dropped(self) -> float:
        """Share of frames that would have been dropped."""
        return 1.0 - self.answered / self.frames if self.frames else NAN


def simulate_live(arrivals_ns: Iterable[int], latencies_ms: Sequence[float]) -> LiveDrops:
    """Apply the node's rule, "the newest frame wins", to frames that arrive while it is busy.

    Args:
        arrivals_ns: when each frame was received, in order.
        latencies_ms: duration of each answer; used again from the beginning when they run out.
    """
    arrivals = sorted(int(value) for value in arrivals_ns)
    free, answered, waiting, ages = -(1 << 62), 0, None, []

    def start(arrival: int, now: int) -> int:
        end = now + int(latencies_ms[answered % len(latencies_ms)] * 1e6)
        ages.append((end - arrival) / 1e6)
        return end

    for arrival in arrivals:
        if waiting is not None and free <= arrival:
            free = start(waiting, free)
            answered, waiting = answered + 1, None
        if waiting is None and free <= arrival:
            free = start(arrival, arrival)
            answered += 1
        else:
            waiting = arrival
    if waiting is not None:
        start(waiting, free)
        answered += 1
    return LiveDrops(len(arrivals), answered, float(np.median(latencies_ms)), float(np.median(ages)) if ages else NAN)
