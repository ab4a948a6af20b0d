# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Region targets as `ris_msgs/RegionTarget`, and back, and as pose, polygon, occupancy grid and markers."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ris_node.messages.common import (
    duration_to_msg,
    header_to_msg,
    polygon_from_msg,
    polygon_to_msg,
    stamp_to_msg,
)
from ris_node.messages.types import Make, RegionTargetMsg
from ris_node.types import I8, RegionTarget, TargetMethod, TargetStatus

_MAX_CELLS = 4_000_000
_ARROW, _LINE_STRIP, _TEXT_VIEW_FACING, _DELETE_ALL = 0, 4, 9, 3  # of visualization_msgs/Marker


def target_header(make: Make, target: RegionTarget, stamp_ns: int) -> Any:
    """Return the header of everything in metres: the target frame at the image's stamp."""
    return header_to_msg(make, stamp_ns, target.frame_id)


def target_to_msg(make: Make, target: RegionTarget, query_id: str, stamp_ns: int) -> Any:
    """Return the `ris_msgs/RegionTarget` of a target, for the query `query_id` and the image's stamp."""
    length, width, height = (float(v) for v in target.extent)
    return make(
        "ris_msgs/RegionTarget",
        header=target_header(make, target, stamp_ns),
        query_id=query_id,
        status=int(target.status),
        pose=make(
            "geometry_msgs/PoseWithCovariance",
            pose=goal_pose(make, target),
            covariance=np.ascontiguousarray(target.covariance, np.float64).reshape(36),
        ),
        footprint=polygon_to_msg(make, target.footprint),
        extent=make("geometry_msgs/Vector3", x=length, y=width, z=height),
        method=int(target.method),
        score=float(target.score),
        valid_fraction=float(target.valid_fraction),
        message=target.message,
    )


def target_from_msg(msg: RegionTargetMsg) -> RegionTarget:
    """Return the target in a `ris_msgs/RegionTarget`; `goal_pixel` does not travel."""
    pose = msg.pose.pose
    return RegionTarget(
        status=TargetStatus(msg.status),
        frame_id=msg.header.frame_id,
        footprint=polygon_from_msg(msg.footprint),
        position=np.array([pose.position.x, pose.position.y, pose.position.z]),
        yaw=2.0 * math.atan2(pose.orientation.z, pose.orientation.w),
        covariance=np.asarray(msg.pose.covariance, np.float64).reshape(6, 6),
        extent=(msg.extent.x, msg.extent.y, msg.extent.z),
        method=TargetMethod(msg.method),
        score=msg.score,
        valid_fraction=msg.valid_fraction,
        message=msg.message,
    )


def goal_pose(make: Make, target: RegionTarget, above: float = 0.0) -> Any:
    """Return the goal as a `geometry_msgs/Pose`: metres, `above` the ground, and the heading about z."""
    x, y, z = (float(v) for v in target.position)
    half = target.yaw / 2.0
    return make(
        "geometry_msgs/Pose",
        position=make("geometry_msgs/Point", x=x, y=y, z=z + above),
        orientation=make("geometry_msgs/Quaternion", x=0.0, y=0.0, z=math.sin(half), w=math.cos(half)),
    )


def pose_stamped(make: Make, target: RegionTarget, stamp_ns: int) -> Any:
    """Return the goal as a `geometry_msgs/PoseStamped`."""
    header = target_header(make, target, stamp_ns)
    return make("geometry_msgs/PoseStamped", header=header, pose=goal_pose(make, target))


def polygon_stamped(make: Make, target: RegionTarget, stamp_ns: int) -> Any:
    """Return the region's outline on the ground as a `geometry_msgs/PolygonStamped`."""
    header = target_header(make, target, stamp_ns)
    return make("geometry_msgs/PolygonStamped", header=header, polygon=polygon_to_msg(make, target.footprint))


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
