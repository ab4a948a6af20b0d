# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The keyword baseline's rules on the grid of the masks: which pieces a command means."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ris_node.language.keywords import KeywordRule
from ris_node.types import I32, U8, Bool

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
            box = {"left": left, "top": top, "width": width, "height": height}
            pieces.append(Piece(number=number, **box, area=area, x=x, y=y))
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
