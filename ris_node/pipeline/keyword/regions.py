# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the keyword baseline sends the vehicle: a box on the road beside, before or behind the thing meant.

It knows no camera, so it assumes one: square pixels, a usual lens, 1.5 m above a flat road whose far end is the
horizon. That is good enough to say how large a parking vehicle looks at some row of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ris_node.language.keywords import KeywordRule
from ris_node.pipeline.keyword.rules import Piece, find_grid_pieces
from ris_node.types import F32, F64, Bool, Manoeuvre

CAMERA_HEIGHT_M = 1.5
FOCAL_PER_WIDTH = 0.9
LANE_M, LENGTH_M = 3.0, 6.5
NEAREST_M = 3.6  # what is nearer lies under the bonnet
SOFT_M = 0.4  # at this distance outside of the box the answer turns from yes to no


@dataclass(frozen=True)
class Ground:
    """Metres ahead and to the left for each cell f64[h,w] (infinite above the horizon), and which are road."""

    ahead: F64
    left: F64
    road: Bool

    @classmethod
    def guess(cls, road: Bool) -> Ground:
        """Lay the assumed flat ground under a road mask bool[h,w]."""
        height, width = road.shape
        rows = np.flatnonzero(road.sum(axis=1) >= 2)
        horizon = float(np.clip(rows[0] - 1 if rows.size else 0, 0.3 * height, 0.46 * height))
        y, x = np.mgrid[:height, :width]
        below = np.maximum(y + 0.5 - horizon, 1e-3)
        ahead = np.where(y > horizon, FOCAL_PER_WIDTH * width * CAMERA_HEIGHT_M / below, np.inf)
        return cls(ahead, -(x + 0.5 - width / 2) * CAMERA_HEIGHT_M / below, road)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Metres (ahead, left) of the cell at column x and row y, the nearest one inside."""
        row = int(np.clip(y, 0, self.ahead.shape[0] - 1))
        column = int(np.clip(x, 0, self.ahead.shape[1] - 1))
        return min(float(self.ahead[row, column]), 60.0), float(np.clip(self.left[row, column], -30.0, 30.0))


def place_region(rule: KeywordRule, road_logits: F32, chosen: list[Piece]) -> F32:
    """Keep the road's logits f32[h,w] in and just around a box where the vehicle should go."""
    labels, pieces = find_grid_pieces(road_logits > 0)
    if not pieces:
        return np.minimum(road_logits, -1.0).astype(np.float32)
    road: Bool = labels == pieces[0].number  # what else looks like road is grey sky
    ground = Ground.guess(road)
    x0, x1, y0, y1 = _beside(rule, chosen[0], ground) if chosen else _ahead(rule, ground)
    x0, x1 = max(x0, NEAREST_M), max(x1, NEAREST_M + LENGTH_M / 2)
    beyond_x = np.maximum(np.maximum(x0 - ground.ahead, ground.ahead - x1), 0.0)
    beyond_y = np.maximum(np.maximum(y0 - ground.left, ground.left - y1), 0.0)
    distance = np.hypot(np.minimum(beyond_x, 1e3), beyond_y)
    distance = distance - distance[road].min()  # no road in the box: the nearest road instead
    limited: F32 = np.minimum(np.where(road | (road_logits <= 0), road_logits, -1.0), 4.0 * (1.0 - distance / SOFT_M))
    return limited.astype(np.float32)


def _beside(rule: KeywordRule, piece: Piece, ground: Ground) -> tuple[float, float, float, float]:
    """The box (from, to, right, left) in metres for a thing: before it, beyond it, or on its side towards us."""
    row = piece.foot - 1
    ahead, left = ground.at(piece.left, row)
    _, right = ground.at(piece.left + piece.width - 1, row)
    middle = (left + right) / 2
    if rule.place == "short" or rule.manoeuvre in (Manoeuvre.FOLLOW, Manoeuvre.WAIT):
        return ahead - LENGTH_M - 0.8, ahead - 0.8, middle - LANE_M / 2, middle + LANE_M / 2
    if rule.place == "beyond":
        return ahead + 4.5, ahead + 4.5 + LENGTH_M, middle - LANE_M / 2, middle + LANE_M / 2
    near, far = ahead + 1.5 - LENGTH_M / 2, ahead + 1.5 + LENGTH_M / 2
    return (near, far, right - LANE_M, right) if middle > 0 else (near, far, left, left + LANE_M)


def _ahead(rule: KeywordRule, ground: Ground) -> tuple[float, float, float, float]:
    """The box for commands that name no thing: the lane ahead, the road's edge on a side, or the way round a corner."""
    turning = {Manoeuvre.TURN_LEFT: 1.0, Manoeuvre.TURN_RIGHT: -1.0}.get(rule.manoeuvre)
    if turning is not None:
        return 9.0, 18.0, min(turning * 4.5, turning * 11.0), max(turning * 4.5, turning * 11.0)
    if rule.side not in ("left", "right"):
        return 6.0, 12.5, -LANE_M / 2, LANE_M / 2
    sign = 1.0 if rule.side == "left" else -1.0
    strip = ground.road & (ground.ahead > 7.0) & (ground.ahead < 18.0) & (np.abs(ground.left) < 9.0)
    edge = float(np.quantile(sign * ground.left[strip], 0.95)) if strip.any() else LANE_M
    return 7.0, 18.0, min(sign * edge, sign * (edge - LANE_M)), max(sign * edge, sign * (edge - LANE_M))
