# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The surface that regions lie on: the target frame's ground plane, or a plane seen by a depth camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ris_node.geometry import Camera, Transform
from ris_node.types import F32, F64, Bool

_HYPOTHESES = 48
_STEEPEST = np.tan(np.radians(30.0))
_FEWEST_POINTS = 30


@dataclass(frozen=True)
class Surface:
    """The plane z = slope_x * x + slope_y * y + offset_m of the target frame, in metres."""

    slope_x: float = 0.0
    slope_y: float = 0.0
    offset_m: float = 0.0

    def height(self, xy: F64) -> F64:
        """Return z f64[N] at points f64[N,2]."""
        return np.asarray(xy[:, 0] * self.slope_x + xy[:, 1] * self.slope_y + self.offset_m, dtype=np.float64)

    def camera_height(self, camera_in_target: Transform) -> float:
        """Return how far above the surface the camera is, in metres (negative: below it)."""
        origin = camera_in_target.translation
        return float(origin[2] - self.height(origin[None, :2])[0])

    def meet(self, camera_in_target: Transform, rays: F64, max_range_m: float) -> tuple[F64, Bool]:
        """Intersect rays f64[N,3] of the optical frame with the surface.

        Returns:
            xy f64[N,2] in the target frame (NaN where not valid), and valid Bool[N]: hit in front of the camera,
            no farther from the point below it than `max_range_m`.
        """
        turned = rays @ camera_in_target.rotation.T
        fall = turned[:, 2] - turned[:, 0] * self.slope_x - turned[:, 1] * self.slope_y
        with np.errstate(divide="ignore", invalid="ignore"):
            offset = turned[:, :2] * (-self.camera_height(camera_in_target) / fall)[:, None]
            valid = (fall < 0.0) & (np.hypot(offset[:, 0], offset[:, 1]) <= max_range_m)
        valid &= self.camera_height(camera_in_target) > 0.0
        xy = np.where(valid[:, None], offset + camera_in_target.translation[:2], np.nan)
        return xy, np.asarray(valid, dtype=np.bool_)


def depth_at(depth: F32, pixels: F64, width: int, height: int) -> F64:
    """Look up depth f64[N] in metres at pixels f64[N,2] of a width x height image; unknown depth is NaN.

    The depth image may have another size, as long as it shows the same picture (registered depth).
    """
    rows, columns = depth.shape[:2]
    x = np.clip(((pixels[:, 0] + 0.5) * columns / width).astype(np.int64), 0, columns - 1)
    y = np.clip(((pixels[:, 1] + 0.5) * rows / height).astype(np.int64), 0, rows - 1)
    found = np.asarray(depth[y, x], dtype=np.float64)
    with np.errstate(invalid="ignore"):
        found[~(np.isfinite(found) & (found > 0.0))] = np.nan
    return found


def surface_from_depth(
    camera: Camera, camera_in_target: Transform, depth: F32, pixels: F64, max_range_m: float
) -> tuple[Surface, float] | None:
    """Fit the surface to the depth of the region's pixels f64[N,2], whatever holes and outliers it has.

    Random sample consensus with a fixed seed (the same image gives the same answer), then least squares on
    what agrees.

    Returns:
        The surface and the share of the pixels that lie on it within range; None where fewer than half of the
        measured points (or fewer than 30) agree on a plane less steep than 30 degrees.
    """
    distance = depth_at(depth, pixels, camera.width, camera.height)
    points = camera_in_target.apply(camera.rays(pixels, quick=True) * distance[:, None])
    with np.errstate(invalid="ignore"):
        reach = np.hypot(*(points[:, :2] - camera_in_target.translation[:2]).T)
        points = points[(reach <= max_range_m) & np.isfinite(points).all(axis=1)]
    if len(points) < _FEWEST_POINTS:
        return None
    tolerance = 0.05 + 0.01 * np.hypot(*(points[:, :2] - camera_in_target.translation[:2]).T)
    agrees = _consensus(points, tolerance)
    for _ in range(2):
        if agrees.sum() < max(_FEWEST_POINTS, len(points) // 2):
            return None
        design = np.column_stack([points[agrees, :2], np.ones(int(agrees.sum()))])
        plane, *_ = np.linalg.lstsq(design, points[agrees, 2], rcond=None)
        agrees = np.abs(points[:, :2] @ plane[:2] + plane[2] - points[:, 2]) <= tolerance
    if np.hypot(plane[0], plane[1]) > _STEEPEST:
        return None
    return Surface(float(plane[0]), float(plane[1]), float(plane[2])), float(agrees.sum()) / len(pixels)


def _consensus(points: F64, tolerance: F64) -> Bool:
    """Return which points f64[N,3] agree with the plane that most of them agree with."""
    chosen = np.random.default_rng(0).integers(0, len(points), (_HYPOTHESES, 3))
    corner = points[chosen[:, 0]]
    normal = np.cross(points[chosen[:, 1]] - corner, points[chosen[:, 2]] - corner)
    gentle = np.hypot(normal[:, 0], normal[:, 1]) < _STEEPEST * np.abs(normal[:, 2])
    if not gentle.any():
        return np.zeros(len(points), dtype=np.bool_)
    corner, normal = corner[gentle], normal[gentle]
    slopes = -normal[:, :2] / normal[:, 2:3]
    offset = corner[:, 2] - np.einsum("ij,ij->i", slopes, corner[:, :2])
    agree = np.abs(slopes @ points[:, :2].T + offset[:, None] - points[:, 2]) <= tolerance
    return np.asarray(agree[int(agree.sum(axis=1).argmax())], dtype=np.bool_)
