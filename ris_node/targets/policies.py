# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where in a region the goal is, and which way the vehicle faces there.

A new policy is one function and one line in `GOAL_POLICIES` or `YAW_POLICIES` (and its name among the choices
of the parameter in `ris_node.config`); other packages call `register_goal_policy` or `register_yaw_policy`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ris_node.plugins import register
from ris_node.types import F64, Bool

_RIDGE = 0.9


@dataclass(frozen=True)
class Piece:
    """A connected piece of free ground in cells, as (row, column).

    `cells` Bool[R,C] is the piece; `fits` Bool[R,C] those of its cells on which the vehicle can be centred;
    `vehicle` f64[2] is where the vehicle is now, which may be outside of the grid.
    """

    cells: Bool
    fits: Bool
    vehicle: F64


@dataclass(frozen=True)
class Heading:
    """What a heading can be chosen from: positions f64[2] in metres, angles in radians, all in the target frame."""

    goal: F64
    vehicle: F64
    vehicle_yaw: float
    axis_yaw: float


GoalPolicy = Callable[[Piece], F64]
YawPolicy = Callable[[Heading], float]


def inscribed(piece: Piece) -> F64:
    """The most interior point: the middle of the ridge that is farthest from the piece's edge."""
    padded = cv2.copyMakeBorder(piece.cells.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    depth = np.where(piece.fits, depth, 0.0)
    rows, columns = np.nonzero(depth >= _RIDGE * depth.max())
    return np.array([rows.mean(), columns.mean()])


def centroid(piece: Piece) -> F64:
    """The piece's centre of area."""
    rows, columns = np.nonzero(piece.cells)
    return np.array([rows.mean(), columns.mean()])


def nearest(piece: Piece) -> F64:
    """The place nearest to the vehicle where it still fits."""
    places = np.argwhere(piece.fits)
    return np.asarray(places[np.hypot(*(places - piece.vehicle).T).argmin()], dtype=np.float64)


def approach(heading: Heading) -> float:
    """Face the way one arrives in a straight line; on the spot, keep the present heading."""
    x, y = heading.goal - heading.vehicle
    return float(np.arctan2(y, x)) if np.hypot(x, y) > 0.5 else heading.vehicle_yaw


def keep(heading: Heading) -> float:
    """Face the way the vehicle faces now."""
    return heading.vehicle_yaw


def axis(heading: Heading) -> float:
    """Face along the region's longer side, in the direction nearer to that of arrival."""
    away = wrap(heading.axis_yaw - approach(heading))
    return wrap(heading.axis_yaw + (np.pi if abs(away) > np.pi / 2 else 0.0))


def wrap(angle: float) -> float:
    """Return the angle in (-pi, pi]."""
    return float(np.pi - (np.pi - angle) % (2 * np.pi))


GOAL_POLICIES: dict[str, GoalPolicy] = {"inscribed": inscribed, "centroid": centroid, "nearest": nearest}
YAW_POLICIES: dict[str, YawPolicy] = {"approach": approach, "keep": keep, "axis": axis}


def register_goal_policy(name: str, policy: GoalPolicy) -> None:
    """Make a policy of another package known, for `goal_point: NAME`.

    Raises:
        ConfigError: the name is taken.
    """
    register(GOAL_POLICIES, "goal_point", name, policy)


def register_yaw_policy(name: str, policy: YawPolicy) -> None:
    """Make a policy of another package known, for `goal_yaw: NAME`.

    Raises:
        ConfigError: the name is taken.
    """
    register(YAW_POLICIES, "goal_yaw", name, policy)


def place_goal(piece: Piece, policy: GoalPolicy) -> F64:
    """Return the policy's goal (row, column), moved to the nearest cell where the vehicle fits if it must be."""
    goal = policy(piece)
    row, column = (int(n) for n in np.rint(goal))
    rows, columns = piece.fits.shape
    if 0 <= row < rows and 0 <= column < columns and piece.fits[row, column]:
        return goal
    places = np.argwhere(piece.fits)
    return np.asarray(places[np.hypot(*(places - goal).T).argmin()], dtype=np.float64)
