# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid transforms, and where a camera sits on a vehicle (REP 103)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ris_node.errors import GeometryError
from ris_node.types import F64


@dataclass(frozen=True, eq=False)
class Transform:
    """A rigid motion that maps points of a child frame into its parent frame.

    `rotation` f64[3,3] is a rotation matrix; `translation` f64[3] is the child's origin in the parent, in metres.

    Raises:
        GeometryError: a wrong shape, a number that is not finite, or a matrix that is not a rotation.
    """

    rotation: F64 = field(default_factory=lambda: np.eye(3))
    translation: F64 = field(default_factory=lambda: np.zeros(3))

    def __post_init__(self) -> None:
        rotation = np.array(self.rotation, dtype=np.float64)
        translation = np.array(self.translation, dtype=np.float64)
        if rotation.shape != (3, 3) or translation.shape != (3,):
            raise GeometryError(
                f"a transform needs rotation [3,3] and translation [3], not {rotation.shape} and {translation.shape}"
            )
        if not (np.isfinite(rotation).all() and np.isfinite(translation).all()):
            raise GeometryError(
                "a transform holds a number that is not finite; check TF or the camera_* pose parameters"
            )
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-4 or np.linalg.det(rotation) < 0.0:
            raise GeometryError(f"not a rotation matrix: {rotation.tolist()}; normalise the quaternion it came from")
        object.__setattr__(self, "rotation", rotation)
        object.__setattr__(self, "translation", translation)

    @staticmethod
    def from_quaternion(x: float, y: float, z: float, w: float, translation: F64) -> Transform:
        """Build a transform from a quaternion in ROS order (x, y, z, w), of any length but zero, and metres.

        Raises:
            GeometryError: the quaternion is zero or not finite.
        """
        q = np.array([x, y, z, w], dtype=np.float64)
        length = float(np.linalg.norm(q))
        if not np.isfinite(length) or length < 1e-6:
            raise GeometryError(f"quaternion {q.tolist()} has no direction; fill the TF or pose that carried it")
        x, y, z, w = (float(v) for v in q / length)
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        return Transform(rotation, np.asarray(translation, dtype=np.float64))

    def apply(self, points: F64) -> F64:
        """Map points f64[N,3] of the child frame into the parent frame, in metres."""
        moved: F64 = np.asarray(points, dtype=np.float64) @ self.rotation.T + self.translation
        return moved

    def inverse(self) -> Transform:
        """Return the motion that maps the parent frame back into the child frame."""
        return _trusted(self.rotation.T, -self.rotation.T @ self.translation)

    def __matmul__(self, other: Transform) -> Transform:
        """Chain: `(a @ b).apply(p) == a.apply(b.apply(p))`."""
        return _trusted(self.rotation @ other.rotation, self.rotation @ other.translation + self.translation)


def _trusted(rotation: F64, translation: F64) -> Transform:
    """Make a transform from parts of checked ones; checking again costs a tenth of a millisecond."""
    made = object.__new__(Transform)
    object.__setattr__(made, "rotation", rotation)
    object.__setattr__(made, "translation", translation)
    return made


def rotation_rpy(roll_deg: float, pitch_deg: float, yaw_deg: float) -> F64:
    """Return the rotation f64[3,3] about fixed x, then y, then z (REP 103), angles in degrees."""
    r, p, y = np.radians([roll_deg, pitch_deg, yaw_deg])
    about_x = np.array([[1, 0, 0], [0, np.cos(r), -np.sin(r)], [0, np.sin(r), np.cos(r)]])
    about_y = np.array([[np.cos(p), 0, np.sin(p)], [0, 1, 0], [-np.sin(p), 0, np.cos(p)]])
    about_z = np.array([[np.cos(y), -np.sin(y), 0], [np.sin(y), np.cos(y), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, dtype=np.float64)


OPTICAL_IN_BODY = Transform(np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]))
"""An optical frame (z forward, x right, y down) in its body frame (x forward, y left, z up); REP 103."""


def camera_mount(
    x_m: float, y_m: float, z_m: float, roll_deg: float = 0.0, pitch_deg: float = 0.0, yaw_deg: float = 0.0
) -> Transform:
    """Return a camera's optical frame in the vehicle's base frame.

    REP 103 signs: x forward, y left, z up in metres; positive pitch looks down, positive yaw looks left,
    positive roll lowers the camera's right side.

    Raises:
        GeometryError: a number is not finite.
    """
    body_in_base = Transform(rotation_rpy(roll_deg, pitch_deg, yaw_deg), np.array([x_m, y_m, z_m], dtype=np.float64))
    return body_in_base @ OPTICAL_IN_BODY
