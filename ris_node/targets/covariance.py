# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far off a goal may be: first-order spread of the camera's pose, the pixel and the cell.

A camera on a moving vehicle is not known better than about a degree: springs, load and slopes see to that. For
a camera 1.5 m high a degree of pitch is 1.2 m at a distance of 10 m, so it decides the covariance.
"""

from __future__ import annotations

import numpy as np

from ris_node.geometry import Camera, Transform
from ris_node.targets.surface import Surface
from ris_node.types import F64

ANGLE_SIGMA_DEG = 1.0
HEIGHT_SIGMA_M = 0.03
PIXEL_SIGMA = 1.0
DEPTH_SIGMA = 0.02  # of the depth: stereo and time-of-flight cameras at driving distances
SLOPE_SIGMA_DEG = 3.0
YAW_SIGMA_DEG = 5.0


def goal_covariance(
    camera: Camera,
    camera_in_target: Transform,
    surface: Surface,
    goal: F64,
    *,
    cell_m: float,
    max_range_m: float,
    measured: bool,
) -> F64:
    """Return the covariance f64[6,6] of (x, y, z, roll, pitch, yaw), m and rad, in the target frame.

    Args:
        camera: as fitted to the image.
        camera_in_target: the optical frame in the target frame.
        surface: what the goal lies on.
        goal: f64[3] in metres in the target frame.
        cell_m: cell size of the ground grid.
        max_range_m: no error is called larger than this.
        measured: the surface comes from depth, so that the angles of the camera tilt the goal but hardly move it.
    """
    eye = camera_in_target.translation
    sight = goal - eye
    ahead = sight[:2] / max(float(np.hypot(*sight[:2])), 1e-6)
    axes = np.array([[ahead[0], ahead[1], 0.0], [-ahead[1], ahead[0], 0.0], [0.0, 0.0, 1.0]])
    angle = np.radians(ANGLE_SIGMA_DEG)
    turned = np.concatenate([_turned(sight, axes, -angle), _turned(sight, axes, angle)])
    depth = float(camera_in_target.rotation[:, 2] @ sight)
    pixel = camera_in_target.rotation[:, :2].T * (PIXEL_SIGMA * depth / camera.matrix[[0, 1], [0, 1]])[:, None]
    moved = np.concatenate([turned, sight + pixel])
    if measured:
        moves = np.concatenate([moved - sight, sight[None] * DEPTH_SIGMA])
    else:
        higher = _land(eye + np.array([0.0, 0.0, HEIGHT_SIGMA_M]), sight[None], surface)
        moves = np.concatenate([_land(eye, moved, surface), higher]) - goal
    back, forth, rest = moves[:3], moves[3:6], moves[6:]
    errors = np.concatenate([_larger(back, forth), rest[np.isfinite(rest).all(axis=1)]])
    length = np.sqrt(np.einsum("ij,ij->i", errors, errors))
    errors = errors * np.minimum(1.0, max_range_m / np.maximum(length, 1e-9))[:, None]
    return _assemble(errors.T @ errors, cell_m, float(np.hypot(*sight[:2])))


def _assemble(spread: F64, cell_m: float, distance: float) -> F64:
    """Put position spread f64[3,3] and the angles' variances together."""
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = spread
    covariance[[0, 1], [0, 1]] += cell_m**2 / 6.0  # one cell of the mask's edge, one of the goal
    covariance[2, 2] += 0.05**2 + (0.01 * distance) ** 2  # roads are not flat
    covariance[3, 3] = covariance[4, 4] = np.radians(SLOPE_SIGMA_DEG) ** 2
    covariance[5, 5] = np.radians(YAW_SIGMA_DEG) ** 2 + np.radians(ANGLE_SIGMA_DEG) ** 2
    return covariance


def _turned(vector: F64, axes: F64, angle: float) -> F64:
    """Rotate vector f64[3] about each of the unit axes f64[N,3] by radians (Rodrigues)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(vector * c + np.cross(axes, vector) * s + axes * (axes @ vector * (1.0 - c))[:, None])


def _land(eye: F64, sights: F64, surface: Surface) -> F64:
    """Return where lines of sight f64[N,3] end on the surface (inf: never), f64[N,3]."""
    fall = sights[:, 2] - sights[:, 0] * surface.slope_x - sights[:, 1] * surface.slope_y
    height = eye[2] - surface.height(eye[None, :2])[0]
    reach = np.where(fall < -1e-9, -height / np.minimum(fall, -1e-9), np.inf)
    with np.errstate(invalid="ignore"):
        return np.asarray(eye + sights * reach[:, None])


def _larger(back: F64, forth: F64) -> F64:
    """Return the longer of each pair of moves f64[N,3]; endless where one of them passes over the horizon."""
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.stack([np.einsum("ij,ij->i", move, move) for move in (back, forth)])
    lengths[~np.isfinite(lengths)] = -1.0
    longer = np.where((lengths[0] >= lengths[1])[:, None], back, forth)
    return np.where((lengths.min(axis=0) < 0.0)[:, None], _endless(longer), longer)


def _endless(moves: F64) -> F64:
    return np.where(np.isfinite(moves), moves, 0.0) * 1e6
