# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Region targets as occupancy grids and markers, and the messages that withdraw them."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ris_node.messages.common import duration_to_msg, header_to_msg, stamp_to_msg
from ris_node.messages.target import goal_pose, target_header
from ris_node.messages.types import Make
from ris_node.types import I8, RegionTarget

_MAX_CELLS = 4_000_000
_ARROW, _LINE_STRIP, _TEXT_VIEW_FACING, _DELETE_ALL = 0, 4, 9, 3  # of visualization_msgs/Marker


def empty_grid(make: Make, frame_id: str, stamp_ns: int) -> Any:
    """Return a grid without cells: it replaces the latched one and so withdraws it."""
    return _grid(make, frame_id, stamp_ns, np.zeros((0, 0), np.int8))


def region_grid(make: Make, target: RegionTarget, stamp_ns: int, resolution: float) -> Any:
    """Return the footprint as a `nav_msgs/OccupancyGrid` around it: 0 (free) inside, -1 (not known) elsewhere.

    A grid of more than four million cells is made coarser.
    """
    if len(target.footprint) < 3:
        return empty_grid(make, target.frame_id, stamp_ns)
    low = np.floor(target.footprint.min(axis=0) / resolution) * resolution
    span = target.footprint.max(axis=0) - low
    resolution = max(resolution, math.sqrt(float(span.prod()) / _MAX_CELLS))
    width, height = (int(v) + 1 for v in np.ceil(span / resolution))
    # a cell's centre lies half a cell from its corner; fillPoly draws centres
    corners = np.round((target.footprint - low) / resolution - 0.5).astype(np.int32)
    cells = np.full((height, width), -1, np.int8)
    cv2.fillPoly(cells.view(np.uint8), [corners.reshape(-1, 1, 2)], 0)
    return _grid(make, target.frame_id, stamp_ns, cells, resolution, (float(low[0]), float(low[1])))


def _grid(
    make: Make,
    frame_id: str,
    stamp_ns: int,
    cells: I8,
    resolution: float = 0.0,
    corner: tuple[float, float] = (0.0, 0.0),
) -> Any:
    """Return a `nav_msgs/OccupancyGrid` of cells i8[H,W]."""
    info = make(
        "nav_msgs/MapMetaData",
        map_load_time=stamp_to_msg(make, stamp_ns),
        resolution=resolution,
        width=cells.shape[1],
        height=cells.shape[0],
        origin=make(
            "geometry_msgs/Pose",
            position=make("geometry_msgs/Point", x=corner[0], y=corner[1], z=0.0),
            orientation=_unturned(make),
        ),
    )
    header = header_to_msg(make, stamp_ns, frame_id)
    return make("nav_msgs/OccupancyGrid", header=header, info=info, data=cells.reshape(-1))


def target_markers(make: Make, target: RegionTarget, stamp_ns: int, text: str, lifetime_s: float) -> Any:
    """Return the region's outline, the goal's arrow and the command as a `visualization_msgs/MarkerArray`.

    Viewers drop them `lifetime_s` after they came (0: never), so that none outlives a node that was killed.
    """
    closed, z = np.concatenate([target.footprint, target.footprint[:1]]), float(target.position[2])
    points = [make("geometry_msgs/Point", x=x, y=y, z=z) for x, y in closed.tolist()]
    level = make("geometry_msgs/Pose", orientation=_unturned(make))
    shapes: tuple[dict[str, Any], ...] = (
        {"type": _LINE_STRIP, "pose": level, "points": points, **_look(make, (0.08, 0.0, 0.0), (0.1, 0.9, 0.3))},
        {"type": _ARROW, "pose": goal_pose(make, target), **_look(make, (1.5, 0.25, 0.25), (1.0, 0.6, 0.0))},
        {
            "type": _TEXT_VIEW_FACING,
            "pose": goal_pose(make, target, above=1.0),
            "text": text,
            **_look(make, (0.0, 0.0, 0.4), (1.0, 1.0, 1.0)),
        },
    )
    common = {
        "header": target_header(make, target, stamp_ns),
        "ns": "target",
        "lifetime": duration_to_msg(make, lifetime_s),
    }
    markers = [make("visualization_msgs/Marker", id=n, **common, **shape) for n, shape in enumerate(shapes)]
    return make("visualization_msgs/MarkerArray", markers=markers)


def delete_markers(make: Make, frame_id: str, stamp_ns: int) -> Any:
    """Return a `visualization_msgs/MarkerArray` that removes everything drawn before."""
    header = header_to_msg(make, stamp_ns, frame_id)
    pose = make("geometry_msgs/Pose", orientation=_unturned(make))
    marker = make("visualization_msgs/Marker", header=header, ns="target", action=_DELETE_ALL, pose=pose)
    return make("visualization_msgs/MarkerArray", markers=[marker])


def _unturned(make: Make) -> Any:
    return make("geometry_msgs/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0)


def _look(make: Make, scale: tuple[float, float, float], rgb: tuple[float, float, float]) -> dict[str, Any]:
    """Return a marker's fields of size and colour."""
    color = make("std_msgs/ColorRGBA", r=rgb[0], g=rgb[1], b=rgb[2], a=0.9)
    return {"scale": make("geometry_msgs/Vector3", x=scale[0], y=scale[1], z=scale[2]), "color": color}
