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
    spread = np.zeros((3, 3))
    for turn_axis in axes:
        moves = [_turned(sight, turn_axis, sign * np.radians(ANGLE_SIGMA_DEG)) for sign in (-1.0, 1.0)]
        spread += _larger([_land(eye, move, surface, measured) - goal for move in moves], max_range_m)
    if measured:
        along = sight * DEPTH_SIGMA
        spread += np.outer(along, along)
    else:
        higher = eye + np.array([0.0, 0.0, HEIGHT_SIGMA_M])
        spread += _larger([_land(higher, sight, surface, measured) - goal], max_range_m)
    ray = camera_in_target.rotation.T @ sight
    focal = camera.matrix[[0, 1], [0, 1]]
    for k in range(2):
        step = np.zeros(3)
        step[k] = PIXEL_SIGMA / focal[k] * ray[2]
        moved = sight + camera_in_target.rotation @ step
        spread += _larger([_land(eye, moved, surface, measured) - goal], max_range_m)
    return _assemble(spread, cell_m, float(np.hypot(*sight[:2])))


def _assemble(spread: F64, cell_m: float, distance: float) -> F64:
    """Put position spread f64[3,3] and the angles' variances together."""
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = spread
    covariance[[0, 1], [0, 1]] += cell_m**2 / 6.0  # one cell of the mask's edge, one of the goal
    covariance[2, 2] += 0.05**2 + (0.01 * distance) ** 2  # roads are not flat
    covariance[3, 3] = covariance[4, 4] = np.radians(SLOPE_SIGMA_DEG) ** 2
    covariance[5, 5] = np.radians(YAW_SIGMA_DEG) ** 2 + np.radians(ANGLE_SIGMA_DEG) ** 2
    return covariance


def _turned(vector: F64, axis: F64, angle: float) -> F64:
    """Rotate vector f64[3] about the unit axis f64[3] by radians (Rodrigues)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(vector * c + np.cross(axis, vector) * s + axis * (axis @ vector) * (1.0 - c))


def _land(eye: F64, sight: F64, surface: Surface, measured: bool) -> F64:
    """Return where a line of sight ends: at its own length if measured, else on the surface (inf: never)."""
    if measured:
        return eye + sight
    fall = sight[2] - sight[0] * surface.slope_x - sight[1] * surface.slope_y
    height = eye[2] - surface.height(eye[None, :2])[0]
    if fall >= -1e-9:
        return np.full(3, np.inf)
    return np.asarray(eye + sight * (-height / fall))


def _larger(moves: list[F64], limit: float) -> F64:
    """Return the outer product f64[3,3] of the longest of the moves, none longer than the limit."""
    finite = [move for move in moves if np.isfinite(move).all()]
    longest = max(finite, key=lambda move: float(move @ move), default=np.zeros(3))
    length = float(np.linalg.norm(longest))
    if (len(finite) < len(moves) and length > 0.0) or length > limit:  # the other way it passes over the horizon
        longest = longest * (limit / length)
    return np.outer(longest, longest)
