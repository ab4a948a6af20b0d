# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which cells are free, which of their pieces can hold the vehicle, and where in it the goal is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ris_node.config import RegionConfig
from ris_node.targets.fit import vehicle_fits
from ris_node.targets.grid import GroundGrid
from ris_node.targets.outline import axis_and_extent
from ris_node.targets.policies import GOAL_POLICIES, YAW_POLICIES, Heading, Piece, place_goal
from ris_node.types import F64, Bool

_YAW_TOLERANCE = np.radians(1.0)


class NoFitError(Exception):
    """The vehicle fits nowhere; the text says what was asked for and what was found."""


@dataclass(frozen=True)
class Goal:
    """Where to go: `cell` f64[2] (row, column), `yaw` in the target frame, and the `piece` Bool[R,C] it is in."""

    cell: F64
    yaw: float
    piece: Bool
    note: str = ""


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


def choose_goal(
    free: Bool, belief: F64, grid: GroundGrid, vehicle: F64, vehicle_yaw: float, config: RegionConfig
) -> Goal:
    """Choose piece, goal and heading.

    Args:
        free: Bool[R,C].
        belief: probability f64[R,C] that a cell belongs to the region.
        grid: where the cells are.
        vehicle: (x, y) f64[2] of the vehicle in the target frame.
        vehicle_yaw: its heading there in radians.
        config: vehicle, clearance, least area and policies.

    Raises:
        NoFitError: no piece is large enough, or the vehicle and its clearance fit in none.
    """
    pieces = _pieces(free, belief, config.min_region_m2 / grid.cell_m**2)
    if not pieces:
        area = float(free.sum()) * grid.cell_m**2
        raise NoFitError(
            f"{area:.1f} m2 of the region are free and seen, min_region_m2 is {config.min_region_m2:g}: "
            "drive nearer, choose another place, or lower it"
        )
    wanted = [config.goal_yaw] + (["axis"] if config.goal_yaw != "axis" else [])
    for name in wanted:
        for piece in pieces:
            goal = _goal_in(piece, name, grid, vehicle, vehicle_yaw, config)
            if goal is not None:
                return goal
    length, width = (side + 2 * config.clearance_m for side in (config.vehicle_length_m, config.vehicle_width_m))
    _, extent = axis_and_extent(pieces[0], grid)
    raise NoFitError(
        f"the vehicle with clearance ({length:.1f} x {width:.1f} m) does not fit in the free region "
        f"({extent[0]:.1f} x {extent[1]:.1f} m): choose another place, or lower clearance_m"
    )


def _pieces(free: Bool, belief: F64, least: float) -> list[Bool]:
    """Return the connected pieces of at least so many cells, the one with the most probability first."""
    count, labels = cv2.connectedComponents(free.astype(np.uint8), connectivity=4)
    area = np.bincount(labels.ravel(), minlength=count)
    mass = np.bincount(labels.ravel(), weights=belief.ravel(), minlength=count)
    order = sorted((k for k in range(1, count) if area[k] >= max(least, 1.0)), key=lambda k: -mass[k])
    return [labels == k for k in order[:5]]


def _goal_in(
    cells: Bool, yaw_name: str, grid: GroundGrid, vehicle: F64, vehicle_yaw: float, config: RegionConfig
) -> Goal | None:
    """Return the goal in this piece, or None if the vehicle does not fit at the policy's heading.

    The heading depends on the goal and the goal on where the vehicle fits at that heading: two rounds settle it.
    """
    axis_yaw, _ = axis_and_extent(cells, grid)
    policy, turn = GOAL_POLICIES[config.goal_point], YAW_POLICIES[yaw_name]
    here = grid.to_cells(vehicle[None])[0]
    length, width = (
        (side + 2 * config.clearance_m) / grid.cell_m for side in (config.vehicle_length_m, config.vehicle_width_m)
    )

    def heading(cell: F64) -> float:
        return turn(Heading(grid.to_metres(cell[None])[0], vehicle, vehicle_yaw, axis_yaw))

    goal = place_goal(Piece(cells, cells, here), policy)
    note = "" if yaw_name == config.goal_yaw else "heading along the region: it only fits so"
    yaw, settled = heading(goal), None
    for _ in range(3):
        fits = vehicle_fits(cells, yaw - grid.heading, length, width)
        if not fits.any():
            break
        goal = place_goal(Piece(cells, fits, here), policy)
        settled = Goal(goal, yaw, cells, note)
        if abs(heading(goal) - yaw) < _YAW_TOLERANCE:
            break
        yaw = heading(goal)
    return settled
