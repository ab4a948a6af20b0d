# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle and a patch of ground: its outline, longer axis and size, and where in it the rectangle can stand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ris_node.targets.grid import GroundGrid
from ris_node.types import F32, F64, U8, Bool

VEHICLE_FREE = 0.98  # a cell or two that the mask missed, but nothing of the size of a wheel
CLEARANCE_FREE = 0.9  # for 5.1 x 2.5 m an edge that is 8 cm off: the mask's own error a few metres away


@dataclass(frozen=True)
class Body:
    """The vehicle's rectangle in cells: `length` along its heading, `width` across, `clearance` on every side."""

    length: float
    width: float
    clearance: float


def vehicle_fits(free: Bool, contact: Bool, yaw: float, body: Body) -> Bool:
    """Return the cells Bool[R,C] on which the vehicle can be centred.

    All of the vehicle must stand on free cells, nine tenths of it with its clearance too, and within the clearance no
    obstacle may meet the ground. The cells are turned so that the vehicle's sides run along rows and columns, where
    sums over its rectangle are cheap, and turned back. What lies outside of the patch is not free.

    Args:
        free: Bool[R,C].
        contact: cells Bool[R,C] on which an obstacle stands.
        yaw: heading in radians from the direction of the rows (+row) towards that of the columns (+column).
        body: the vehicle.
    """
    rows, columns = free.shape
    side = int(np.ceil(np.hypot(rows, columns))) + 2
    c, s = np.cos(yaw), np.sin(yaw)
    back = np.array([[c, s, 0.0], [-s, c, 0.0]])  # (column, row) turned -> (column, row) of the patch
    middle = (side - 1) / 2.0
    back[:, 2] = np.array([(columns - 1) / 2.0, (rows - 1) / 2.0]) - back[:, :2] @ [middle, middle]
    both = np.dstack([free, contact]).astype(np.uint8)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    turned = np.asarray(cv2.warpAffine(both, back, (side, side), flags=flags, borderValue=0), dtype=np.uint8)
    length, width, margin = body.length, body.width, 2.0 * body.clearance
    around = _share(turned, length + margin, width + margin)
    inside = _share(turned[..., 0], length, width)
    touched = _share(turned[..., 1], length + margin - 2.0, width + margin - 2.0)
    fits = (around[..., 0] >= CLEARANCE_FREE) & (inside >= VEHICLE_FREE) & (touched <= 0.0)
    here = cv2.warpAffine(fits.astype(np.uint8), back, (columns, rows), flags=cv2.INTER_NEAREST, borderValue=0)
    return np.asarray((here > 0) & free, dtype=np.bool_)


def _share(cells: U8, length: float, width: float) -> F32:
    """Return the mean f32[R,C] (or [R,C,K]) over a rectangle around each cell; nothing lies outside of the patch."""
    size = (_covered(width), _covered(length))
    mean = cv2.boxFilter(cells, cv2.CV_32F, size, normalize=True, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(mean, dtype=np.float32)


def _covered(cells: float) -> int:
    """Return how many cells a side of so many cells touches when its middle is on a cell's centre."""
    return 2 * max(0, int(np.ceil(cells / 2.0 + 0.5 - 1e-6) - 1)) + 1


def footprint(piece: Bool, grid: GroundGrid) -> F64:
    """Return the outer outline f64[N,2] of the cells Bool[R,C] in metres, counter-clockwise, within half a cell."""
    doubled = np.pad(piece, 1).astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    contours, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return np.zeros((0, 2))
    outline = max(contours, key=cv2.contourArea)
    simple = cv2.approxPolyDP(outline, 1.0, True).reshape(-1, 2)
    if len(simple) < 3:  # a cell wide
        simple = cv2.boxPoints(cv2.minAreaRect(outline))
    cells = (simple[:, ::-1].astype(np.float64) - 0.5) / 2.0 - 1.0
    xy = grid.to_metres(cells)
    x, y = xy.T
    clockwise = float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) < 0.0
    return xy[::-1].copy() if clockwise else xy


def axis_and_extent(piece: Bool, grid: GroundGrid) -> tuple[float, tuple[float, float]]:
    """Return the direction of the longer side in the target frame (radians) and (length, width) in metres.

    Both are those of the smallest rectangle around the cells Bool[R,C].
    """
    contours, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    corners = cv2.boxPoints(cv2.minAreaRect(np.concatenate(contours)))[:, ::-1]
    sides = np.array([corners[1] - corners[0], corners[2] - corners[1]], dtype=np.float64)
    lengths = np.hypot(*sides.T)
    longer = sides[int(lengths.argmax())]
    angle = float(np.arctan2(longer[1], longer[0])) + grid.heading
    sizes = (np.sort(lengths)[::-1] + 1.0) * grid.cell_m
    return angle, (float(sizes[0]), float(sizes[1]))
