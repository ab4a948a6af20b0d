# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The ground as the plane z = 0 of the target frame: pixels to metres and back."""

from __future__ import annotations

import numpy as np

from ris_node.geometry.camera import Camera
from ris_node.geometry.transform import Transform
from ris_node.types import F64, Bool


def pixels_to_ground(
    camera: Camera, camera_in_target: Transform, pixels: F64, max_range_m: float = float("inf")
) -> tuple[F64, Bool]:
    """Intersect the rays of pixels f64[N,2] with the ground.

    Args:
        camera: calibrated and validated.
        camera_in_target: the optical frame in the target frame.
        pixels: (x, y) in the camera's image, f64[N,2].
        max_range_m: the farthest ground distance from the point below the camera that counts.

    Returns:
        Points f64[N,2] (x, y) in metres in the target frame, NaN where not valid; and valid Bool[N]: the ray goes
        down, from a camera above the ground, and lands within range. At or above the horizon nothing is valid.
    """
    rays = camera.rays(pixels) @ camera_in_target.rotation.T
    origin = camera_in_target.translation
    xy = np.full((len(rays), 2), np.nan)
    if origin[2] <= 0.0:
        return xy, np.zeros(len(rays), dtype=np.bool_)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = -origin[2] / rays[:, 2]
        offset = rays[:, :2] * reach[:, None]
        valid = (rays[:, 2] < 0.0) & (np.hypot(offset[:, 0], offset[:, 1]) <= max_range_m)
    xy[valid] = offset[valid] + origin[:2]
    return xy, np.asarray(valid, dtype=np.bool_)


def ground_to_pixels(camera: Camera, camera_in_target: Transform, xy: F64) -> tuple[F64, Bool]:
    """Project ground points f64[N,2] (x, y metres in the target frame) into the image.

    Returns:
        Pixels f64[N,2] and valid Bool[N] (in front of the camera and inside the image), as `Camera.project`.
    """
    xy = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    points = np.column_stack([xy, np.zeros(len(xy))])
    return camera.project(camera_in_target.inverse().apply(points))
