# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""From logits to referents: connected pieces with their boxes, outlines and scores, in pixels of the input image."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from ris_node.pipeline.letterbox import Letterbox
from ris_node.pipeline.segmenter import sigmoid
from ris_node.types import F32, U8, Bool, Instance

COMPARABLE_AREA = 0.35  # a piece this large beside the largest is a referent of its own
COMPARABLE_SCORE = 0.2  # and its mean probability is at most this much lower
SAME_THING_GAP = 0.02  # pieces closer than this share of the image's width are one thing behind a pole
SCORE_SAMPLES = 128  # a piece's score is the mean over about so many rows and columns


@dataclass(frozen=True)
class Pieces:
    """The pieces of a mask: `ids` u8[h,w] is the rectangle of the image at (`x`, `y`) in which they lie, 0 = none."""

    instances: tuple[Instance, ...] = ()
    ids: U8 = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    x: int = 0
    y: int = 0

    def paste(self, height: int, width: int) -> U8:
        """The ids in the whole image, u8[height,width]."""
        whole = np.zeros((height, width), np.uint8)
        rows, columns = self.ids.shape
        whole[self.y : self.y + rows, self.x : self.x + columns] = self.ids
        return whole


def find_pieces(
    box: Letterbox, logits: F32, threshold: float, *, min_area_fraction: float, max_instances: int, label: str
) -> Pieces:
    """Cut the part of a logit plane f32[H/4,W/4] above a threshold (a logit) into pieces, largest first.

    Pieces of less than `min_area_fraction` of the image, and those beyond `max_instances`, are left out.
    """
    part, (x, y) = box.restore_above(logits, threshold)
    above = (part > threshold).view(np.uint8)
    if not above.any():
        return Pieces()
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(above, connectivity=8, ltype=cv2.CV_16U)
    least = max(1.0, min_area_fraction * box.source_width * box.source_height)
    areas = stats[1:, cv2.CC_STAT_AREA]
    order = [int(i) + 1 for i in np.argsort(-areas, kind="stable") if areas[i] >= least][:max_instances]
    if not order:
        return Pieces()
    table = np.zeros(count, np.uint8)
    table[order] = np.arange(1, len(order) + 1)
    instances = []
    for new, old in enumerate(order, 1):
        left, top, width, height, area = (int(v) for v in stats[old, :5])
        window = labels[top : top + height, left : left + width] == old
        step = 1 + max(width, height) // SCORE_SAMPLES
        values = part[top : top + height : step, left : left + width : step][window[::step, ::step]]
        score = float(sigmoid(values if values.size else part[top : top + height, left : left + width][window]).mean())
        centroid = (float(centroids[old, 0]) + x, float(centroids[old, 1]) + y)
        share = area / (box.source_width * box.source_height)
        outline = _outline(window) + np.array((left + x, top + y), np.float32)
        instance = Instance(
            instance_id=new,
            label=label,
            score=score,
            box=(left + x, top + y, width, height),
            centroid=centroid,
            area_fraction=share,
            outline=outline,
        )
        instances.append(instance)
    return Pieces(tuple(instances), np.take(table, np.asarray(labels, np.uint16), mode="clip"), x, y)


def several_fit(instances: tuple[Instance, ...], width: int) -> bool:
    """Whether pieces look like several things of a kind, rather than one thing and crumbs, or one cut by a pole."""
    if len(instances) < 2:
        return False
    first = instances[0]
    return any(
        other.area_fraction >= COMPARABLE_AREA * first.area_fraction
        and other.score >= first.score - COMPARABLE_SCORE
        and _gap(first, other) > SAME_THING_GAP * width
        for other in instances[1:]
    )


def _gap(one: Instance, other: Instance) -> float:
    (ax, ay, aw, ah), (bx, by, bw, bh) = one.box, other.box
    return float(max(bx - ax - aw, ax - bx - bw, by - ay - ah, ay - by - bh, 0))


def _outline(mask: Bool) -> F32:
    """The outer border of a piece, f32[N,2], simplified to half a pixel."""
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    longest = max(contours, key=len)
    return cv2.approxPolyDP(longest, 0.5, closed=True)[:, 0].astype(np.float32)
