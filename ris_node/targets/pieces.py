# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which cells are free, which of their pieces can hold the vehicle, and where in it the goal is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ris_node.config import RegionConfig
from ris_node.targets.fit import Body, axis_and_extent, vehicle_fits
from ris_node.targets.grid import GroundGrid
from ris_node.targets.policies import GOAL_POLICIES, YAW_POLICIES, Heading, Piece, place_goal
from ris_node.types import F64, Bool

_YAW_TOLERANCE = np.radians(1.0)
_OTHER_YAWS = np.radians([0.0, 12.0, -12.0, 24.0, -24.0])
_CONTACT_ROWS = 4


class NoFitError(Exception):
    """The vehicle fits nowhere; the text says what was asked for and what was found."""


@dataclass(frozen=True)
class Goal:
    """Where to go: `cell` f64[2] (row, column), `yaw` in the target frame, and the `piece` Bool[R,C] it is in."""

    cell: F64
    yaw: float
    piece: Bool
    note: str = ""


@dataclass(frozen=True)
class Ground:
    """What is known of the cells.

    `free` Bool[R,C] is there to stand on; on `contact` Bool[R,C] an obstacle stands; `belief` f64[R,C] is the
    probability that a cell belongs to the region.
    """

    free: Bool
    contact: Bool
    belief: F64
    grid: GroundGrid


@dataclass(frozen=True)
class Start:
    """Where the vehicle is now: (x, y) f64[2] and yaw in the target frame."""

    xy: F64
    yaw: float


def contact_cells(obstacle: Bool | None, grid: GroundGrid) -> Bool:
    """Return the cells Bool[R,C] on which an obstacle stands: its lowest pixels; those above only hide the ground."""
    if obstacle is None:
        return np.zeros(grid.pixel.shape, dtype=np.bool_)
    lowest = obstacle.copy()
    lowest[:-_CONTACT_ROWS] &= ~obstacle[_CONTACT_ROWS:]
    return np.asarray(grid.look_up(lowest) > 0, dtype=np.bool_)


def free_cells(region: Bool, obstacle: Bool | None, grid: GroundGrid) -> Bool:
    """Return the cells Bool[R,C] that the region covers and no obstacle stands on or hides.

    Gaps of up to two cells are closed (paint, a ragged mask), but never over an obstacle.
    """
    covered = (grid.look_up(region) > 0).astype(np.uint8)
    near = np.ones((3, 3), dtype=np.uint8)
    closed = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, near, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    free = (closed > 0) & grid.seen
    if obstacle is not None:
        free &= grid.look_up(obstacle) == 0
    return np.asarray(free, dtype=np.bool_)


def choose_goal(ground: Ground, start: Start, config: RegionConfig) -> Goal:
    """Choose piece, goal and heading.

    Where the vehicle does not fit at the heading that the policy wants, the region's own axis is tried, and a little to
    either side.

    Raises:
        NoFitError: no piece is large enough, or the vehicle and its clearance fit in none.
    """
    cell_m = ground.grid.cell_m
    pieces = _pieces(ground.free, ground.belief, config.min_region_m2 / cell_m**2)
    if not pieces:
        area = float(ground.free.sum()) * cell_m**2
        raise NoFitError(
            f"{area:.1f} m2 of the region are free and seen, min_region_m2 is {config.min_region_m2:g}: "
            "drive nearer, choose another place, or lower it"
        )
    places = [_Place.of(piece, ground.grid, start, config) for piece in pieces]
    for facing in _headings(config.goal_yaw):
        for place in places:
            goal = _goal_in(place, ground, start, config, facing)
            if goal is not None:
                return goal
    length, width = (side + 2 * config.clearance_m for side in (config.vehicle_length_m, config.vehicle_width_m))
    extent = places[0].extent
    raise NoFitError(
        f"the vehicle with clearance ({length:.1f} x {width:.1f} m) does not fit in the free region ({extent[0]:.1f} x "
        f"{extent[1]:.1f} m, of which {pieces[0].sum() * cell_m**2:.1f} m2 are free and seen): choose another place, "
        "or lower clearance_m"
    )


@dataclass(frozen=True)
class _Place:
    """A piece with what does not depend on the heading: its axis and size, and the goal if everything fitted."""

    cells: Bool
    axis_yaw: float
    extent: tuple[float, float]
    goal: F64
    vehicle: F64

    @staticmethod
    def of(cells: Bool, grid: GroundGrid, start: Start, config: RegionConfig) -> _Place:
        axis_yaw, extent = axis_and_extent(cells, grid)
        here = grid.to_cells(start.xy[None])[0]
        return _Place(
            cells, axis_yaw, extent, place_goal(Piece(cells, cells, here), GOAL_POLICIES[config.goal_point]), here
        )


def _headings(wanted: str) -> list[tuple[str, float]]:
    """Return the headings to try in order: a policy's name and how far to turn from it in radians."""
    first, *others = [(wanted, float(angle)) for angle in _OTHER_YAWS]
    return [first, *([("axis", 0.0)] if wanted != "axis" else []), *others]


def _pieces(free: Bool, belief: F64, least: float) -> list[Bool]:
    """Return the connected pieces of at least so many cells, the one with the most probability first."""
    count, labels = cv2.connectedComponents(free.view(np.uint8), connectivity=8)
    area = np.bincount(labels.ravel(), minlength=count)
    mass = np.bincount(labels.ravel(), weights=belief.ravel(), minlength=count)
    order = sorted((k for k in range(1, count) if area[k] >= max(least, 1.0)), key=lambda k: -mass[k])
    return [labels == k for k in order[:5]]


def _goal_in(
    place: _Place, ground: Ground, start: Start, config: RegionConfig, facing: tuple[str, float]
) -> Goal | None:
    """Return the goal in this piece, or None if the vehicle does not fit at this heading.

    The heading depends on the goal and the goal on where the vehicle fits at that heading: two rounds settle it.
    """
    grid, (name, aside) = ground.grid, facing
    policy, turn = GOAL_POLICIES[config.goal_point], YAW_POLICIES[name]
    body = Body(*(m / grid.cell_m for m in (config.vehicle_length_m, config.vehicle_width_m, config.clearance_m)))

    def heading(cell: F64) -> float:
        return turn(Heading(grid.to_metres(cell[None])[0], start.xy, start.yaw, place.axis_yaw)) + aside

    turned = f"heading turned to '{name}' {np.degrees(aside):+.0f} deg: it only fits so"
    note = "" if facing == (config.goal_yaw, 0.0) else turned
    yaw, settled = heading(place.goal), None
    for _ in range(3):
        fits = vehicle_fits(place.cells, ground.contact, yaw - grid.heading, body)
        if not fits.any():
            break
        goal = place_goal(Piece(place.cells, fits, place.vehicle), policy)
        settled = Goal(goal, yaw, place.cells, note)
        if abs(heading(goal) - yaw) < _YAW_TOLERANCE:
            break
        yaw = heading(goal)
    return settled
