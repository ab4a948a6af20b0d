# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The best, the median and the worst answers, and the wrongly accepted ones, drawn over their pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from ris_node.data.pictures import read_rgb
from ris_node.errors import DataError
from ris_node.evaluation.answers import Scored
from ris_node.report import page
from ris_node.types import U8, Bool

EACH = 4
SIDE = 420  # pixels of a picture's longer side in the report
ANSWER, TRUTH, REGION = (255, 140, 0), (0, 230, 118), (64, 196, 255)
LEGEND = "orange: the answered mask; blue: the answered region, a cross where the goal is; green outline: the truth"


def galleries(scored: Sequence[Scored], root: Path) -> list[tuple[str, str]]:
    """Return (heading, HTML) of each group of pictures; groups and pictures that are not there are left out."""
    named = sorted(
        (s for s in scored if s.item.present and s.item.type == "object"), key=lambda s: (s.iou, -s.truth_area)
    )
    regions = sorted((s for s in scored if s.hit is not None), key=region_iou)
    wrong = sorted((s for s in scored if not s.item.present and s.area > 0), key=lambda s: -s.answer.presence)
    silent = sorted((s for s in named if s.refused), key=lambda s: -s.truth_area)
    groups = (
        ("Noun phrases: the best", named[::-1]),
        ("Noun phrases: around the median", by_nearness(named, lambda s: s.iou)),
        ("Noun phrases: the worst that were found", [s for s in named if s.found]),
        ("Present, and answered ABSENT (largest targets)", silent),
        ("Absent, and answered with a mask (surest)", wrong),
        ("Commands: the best regions", regions[::-1]),
        ("Commands: around the median", by_nearness(regions, region_iou)),
        ("Commands: the worst regions", regions),
    )
    made = [(title, shown(choose(ranked), root)) for title, ranked in groups]
    return [(title, body) for title, body in made if body]


def region_iou(s: Scored) -> float:
    """Return the IoU of the answered region with the true one."""
    return s.region_intersection / s.region_union if s.region_union else 0.0


def by_nearness(ranked: Sequence[Scored], value: Callable[[Scored], float]) -> list[Scored]:
    """Return the same answers, those first whose value is nearest to the median."""
    middle = float(np.median([value(s) for s in ranked])) if ranked else 0.0
    return sorted(ranked, key=lambda s: abs(value(s) - middle))


def choose(ranked: Iterable[Scored], most: int = EACH) -> list[Scored]:
    """Return the first of a ranking, no picture twice."""
    chosen: dict[str, Scored] = {}
    for s in ranked:
        if len(chosen) == most:
            break
        chosen.setdefault(s.item.image, s)
    return list(chosen.values())


def shown(chosen: Sequence[Scored], root: Path) -> str:
    """Return answers as a gallery; pictures that cannot be read are left out."""
    made = []
    for s in chosen:
        try:
            image = read_rgb(root / s.item.image, (s.item.width, s.item.height))
        except DataError:
            continue
        if image.shape[:2] == (s.item.height, s.item.width):
            made.append(page.picture(draw(s, image), f'"{s.item.text}"', detail(s), quality=78))
    return page.gallery(made) if made else ""


def detail(s: Scored) -> str:
    """Return the answer and its score in a line."""
    said = f"{s.answer.status.name} {s.answer.presence:.2f}"
    if not s.item.present:
        return f"{s.item.kind}, not there; answered {said}"
    if s.item.type == "region":
        return f"answered {said}; region IoU {region_iou(s):.2f}, goal {'inside' if s.hit else 'outside or none'}"
    return f"{s.item.kind}, {s.item.in_view} in view; answered {said}; IoU {s.iou:.2f}"


def draw(s: Scored, image: U8) -> U8:
    """Draw an answer and the truth over a copy of the picture u8[H,W,3], at most SIDE pixels a side."""
    scale = min(1.0, SIDE / max(image.shape[:2]))
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    canvas = np.array(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    for answered, colour in ((s.region(), REGION), (s.mask(), ANSWER)):
        small = _resized(answered, size)
        canvas[small] = (0.45 * canvas[small] + 0.55 * np.array(colour)).astype(np.uint8)
    for truth in (s.item.region_truth(), s.item.mask_truth() if s.item.type == "object" else None):
        if truth is not None:
            outlines, _ = cv2.findContours(
                _resized(truth, size).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            cv2.drawContours(canvas, outlines, -1, TRUTH, 2)
    if s.answer.point is not None and s.item.type == "region":
        at = round(s.answer.point[0] * scale), round(s.answer.point[1] * scale)
        cv2.drawMarker(canvas, at, (20, 20, 20), cv2.MARKER_CROSS, 18, 5)
        cv2.drawMarker(canvas, at, (255, 255, 255), cv2.MARKER_CROSS, 16, 2)
    return canvas


def _resized(mask: Bool, size: tuple[int, int]) -> Bool:
    return np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST), np.bool_)
