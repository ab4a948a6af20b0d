# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A patch of ground in square cells, and which pixel of the camera sees each cell.

Looking a cell up in the image is cheaper than throwing every pixel on the ground, and leaves no gaps far away,
where a pixel covers several cells. Rows run forward (away from the camera), columns to the left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ris_node.geometry import Camera, Transform
from ris_node.targets.surface import Surface
from ris_node.types import F32, F64, I64, Bool

MOST_CELLS = 30_000


@dataclass(frozen=True)
class GroundGrid:
    """Cells of `cell_m` metres; `origin` f64[2] is the target-frame position of cell (0, 0)'s centre.

    `heading` is the direction of the rows in the target frame in radians; `pixel` i64[R,C] is the flat index of the
    image pixel that sees a cell, -1 where none does; `depth` f64[R,C] is the cell's depth from the camera.
    """

    origin: F64
    heading: float
    cell_m: float
    pixel: I64
    depth: F64

    @property
    def seen(self) -> Bool:
        """Cells that the camera sees, Bool[R,C]."""
        return np.asarray(self.pixel >= 0, dtype=np.bool_)

    def to_metres(self, cells: F64) -> F64:
        """Return target-frame points f64[N,2] of (row, column) positions f64[N,2]."""
        turn = rotation_2d(self.heading)
        xy: F64 = np.asarray(cells, dtype=np.float64) * self.cell_m @ turn.T + self.origin
        return xy

    def to_cells(self, xy: F64) -> F64:
        """Return (row, column) positions f64[N,2] of target-frame points f64[N,2]."""
        return np.asarray((np.asarray(xy) - self.origin) @ rotation_2d(self.heading) / self.cell_m)

    def look_up(self, image: Bool | F32) -> F64:
        """Return what `image` [H,W] shows in each cell, f64[R,C]; 0 where the camera does not see."""
        found = image.reshape(-1)[np.maximum(self.pixel, 0)].astype(np.float64)
        found[self.pixel < 0] = 0.0
        return np.asarray(found)


def rotation_2d(angle: float) -> F64:
    """Return the rotation f64[2,2] by `angle` radians, counter-clockwise."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def view_heading(camera_in_target: Transform) -> float:
    """Return the direction in which the camera looks over the ground, in radians in the target frame."""
    forward = camera_in_target.rotation[:2, 2]
    if np.hypot(*forward) < 0.1:  # looks straight down: then the top of the image is ahead
        forward = -camera_in_target.rotation[:2, 1]
    return float(np.arctan2(forward[1], forward[0]))


def ground_grid(
    camera: Camera, camera_in_target: Transform, surface: Surface, corners: F64, cell_m: float, max_range_m: float
) -> GroundGrid:
    """Lay cells over the target-frame points `corners` f64[N,2] and find the pixel that sees each.

    Very large patches get larger cells, so that the work per frame stays bounded.
    """
    foot, heading = camera_in_target.translation[:2], view_heading(camera_in_target)
    turn = rotation_2d(heading)
    level = (corners - foot) @ turn
    low, high = level.min(axis=0) - 3 * cell_m, level.max(axis=0) + 3 * cell_m
    low = np.maximum(low, -max_range_m)
    high = np.minimum(high, max_range_m)
    cell_m = max(cell_m, float(np.sqrt(np.prod(high - low) / MOST_CELLS)))
    rows, columns = (int(n) for n in np.maximum(np.ceil((high - low) / cell_m), 1))
    origin = foot + turn @ (low + cell_m / 2)
    pixel, depth = _see(camera, camera_in_target, surface, (origin, turn * cell_m), (rows, columns))
    offset = origin - foot
    away = [offset @ turn[:, k] + np.arange(n) * cell_m for k, n in enumerate((rows, columns))]
    pixel[np.hypot(away[0][:, None], away[1][None, :]) > max_range_m] = -1
    return GroundGrid(origin, heading, cell_m, pixel, depth)


def _see(
    camera: Camera, camera_in_target: Transform, surface: Surface, frame: tuple[F64, F64], shape: tuple[int, int]
) -> tuple[I64, F64]:
    """Return the pixel index i64[R,C] (-1: none) and depth f64[R,C] of each cell; positions are affine in the cell."""
    origin, steps = frame
    slopes = np.array([surface.slope_x, surface.slope_y])
    to_camera = camera_in_target.inverse()
    start = np.append(origin, surface.height(origin[None])[0])
    along = [to_camera.rotation @ np.append(steps[:, k], slopes @ steps[:, k]) for k in range(2)]
    corner = to_camera.apply(start[None])[0]
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])
    points = np.empty((3, *shape))  # coordinates apart: all that follows then runs over memory in order
    for k in range(3):
        np.add(corner[k] + rows * along[0][k], columns * along[1][k], out=points[k])
    pixels, valid = camera.project(points.reshape(3, -1).T, quick=True)
    index = np.where(valid, np.rint(pixels[:, 1]) * camera.width + np.rint(pixels[:, 0]), -1.0)
    return index.astype(np.int64).reshape(shape), points[2]
