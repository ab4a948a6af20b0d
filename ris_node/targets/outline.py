# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The shape of a piece of ground: its outline, its longer axis and its size."""

from __future__ import annotations

import cv2
import numpy as np

from ris_node.targets.grid import GroundGrid
from ris_node.types import F64, Bool


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
