# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The keyword baseline's rules on the grid of the masks: which pieces a command means, and where to go beside them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ris_node.language.keywords import KeywordRule
from ris_node.types import F32, I32, U8, Bool, Manoeuvre

LEAST_CELLS = 4
COLOUR_SHARE = 0.2
_HUES = {  # OpenCV hue, 0..180
    "red": ((0, 8), (170, 180)),
    "orange": ((8, 22),),
    "yellow": ((20, 35),),
    "green": ((36, 88),),
    "blue": ((89, 130),),
    "purple": ((130, 170),),
    "brown": ((4, 22),),
}
_GREYS = {"black": (0, 70), "grey": (70, 175), "white": (165, 256)}


@dataclass(frozen=True)
class Piece:
    """A connected piece on the grid: its number in the label plane, box, centre and area, in cells."""

    number: int
    left: int
    top: int
    width: int
    height: int
    area: int
    x: float
    y: float

    @property
    def foot(self) -> int:
        """Its lowest row: the nearer the thing, the lower."""
        return self.top + self.height


def find_grid_pieces(mask: Bool) -> tuple[I32, list[Piece]]:
    """Label plane i32[h,w] and pieces of at least `LEAST_CELLS` cells, largest first."""
    _, plane, stats, centres = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    pieces = []
    for number, (left, top, width, height, area) in enumerate(stats.tolist()):
        if number > 0 and area >= LEAST_CELLS:
            x, y = (float(v) for v in centres[number])
            pieces.append(Piece(number, left, top, width, height, area, x, y))
    labels: I32 = np.asarray(plane, np.int32)
    return labels, sorted(pieces, key=lambda piece: -piece.area)


def pick(rule: KeywordRule, pieces: list[Piece], labels: I32, image: U8) -> list[Piece]:
    """The pieces that a rule means, none where nothing fits its words; `image` u8[4h,4w,3] is for the colours."""
    middle = labels.shape[1] / 2
    if rule.side in ("left", "right"):
        pieces = [piece for piece in pieces if (piece.x < middle) == (rule.side == "left")]
    if rule.colour:
        pieces = [piece for piece in pieces if _share(rule.colour, image, labels == piece.number) >= COLOUR_SHARE]
    if rule.every and not rule.order and not rule.ordinal:
        return pieces
    if rule.order or rule.ordinal:
        ranked = sorted(pieces, key=lambda piece: _rank(rule.order or "nearest", piece))
        at = max(rule.ordinal, 1) - 1
        return ranked[at : at + 1]
    if rule.side == "middle":
        return sorted(pieces, key=lambda piece: abs(piece.x - middle))[:1]
    return pieces


def _rank(order: str, piece: Piece) -> float:
    return {
        "leftmost": piece.x,
        "rightmost": -piece.x,
        "nearest": -piece.foot,
        "farthest": piece.foot,
        "largest": -piece.area,
        "smallest": piece.area,
    }[order]


def _share(colour: str, image: U8, cells: Bool) -> float:
    """Share of a piece's pixels that have a colour: hue where there is saturation, brightness where there is not."""
    hue, saturation, value = cv2.split(cv2.cvtColor(image[2::4, 2::4], cv2.COLOR_RGB2HSV))
    hue, saturation, value = hue[cells], saturation[cells], value[cells]
    if colour in _GREYS:
        low, high = _GREYS[colour]
        # most of any car is glass, tyres and shadow: only paint above black counts for white and grey
        return float(((saturation < 60) & (value >= low) & (value < high)).mean()) - (0.3 if colour == "black" else 0)
    fits = np.zeros(hue.shape, np.bool_)
    for low, high in _HUES[colour]:
        fits |= (hue >= low) & (hue <= high)
    dark = value < 130
    fits &= (saturation > 80) & (value > 50) & (dark if colour == "brown" else True)
    return float(fits.mean())


def place_region(rule: KeywordRule, road_logits: F32, chosen: list[Piece]) -> F32:
    """Keep the road's logits f32[h,w] in an ellipse beside the thing meant, or in the middle of the road ahead."""
    height, width = road_logits.shape
    road = road_logits > 0
    if not road.any():
        return road_logits
    if chosen:
        piece = chosen[0]
        goal = _beside(rule, piece, road)
        radius = (min(max(0.7 * piece.width, 5.0), 14.0), min(max(0.35 * piece.height, 3.0), 8.0))
    else:
        goal = _ahead(rule, road)
        radius = (10.0, 6.0)
    rows, columns = np.nonzero(road)
    nearest = np.argmin((columns - goal[0]) ** 2 + (2.0 * (rows - goal[1])) ** 2)  # a row is worth two columns
    y, x = np.ogrid[:height, :width]
    distance = np.hypot((x - columns[nearest]) / radius[0], (y - rows[nearest]) / radius[1])
    limited: F32 = np.minimum(road_logits, (4.0 * (1.0 - distance)).astype(np.float32))
    return limited


def _beside(rule: KeywordRule, piece: Piece, road: Bool) -> tuple[float, float]:
    """A point (x, y) in cells: short of a thing, beyond it, or at its foot on the side where the road is."""
    foot = float(piece.foot)
    if rule.place == "short" or rule.manoeuvre in (Manoeuvre.FOLLOW, Manoeuvre.WAIT):
        return piece.x, foot + 0.4 * piece.height
    if rule.place == "beyond":
        return piece.x, foot - 0.3 * piece.height
    rows = road[max(0, piece.foot - 2) : piece.foot + 3]
    left, right = rows[:, : piece.left].sum(), rows[:, piece.left + piece.width :].sum()
    if left == right:
        return piece.x, foot + 1.0
    return (piece.left - 2.0 if left > right else piece.left + piece.width + 2.0), foot


def _ahead(rule: KeywordRule, road: Bool) -> tuple[float, float]:
    """A point (x, y) in cells on the road ahead, to the side that the command names."""
    rows, columns = np.nonzero(road)
    y = float(np.quantile(rows, 0.6))
    level = columns[np.abs(rows - y) <= 1.5]
    side = rule.side or {Manoeuvre.TURN_LEFT: "left", Manoeuvre.TURN_RIGHT: "right"}.get(rule.manoeuvre, "")
    if not side and rule.manoeuvre in (Manoeuvre.PARK, Manoeuvre.STOP):
        side = "right"  # pulling over is done on the right, where the seed data drive
    share = {"left": 0.2, "right": 0.8}.get(side, 0.5)
    return float(np.quantile(level if level.size else columns, share)), y
