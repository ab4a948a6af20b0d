# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Region targets as messages: RegionTarget, PolygonStamped, PoseStamped, OccupancyGrid and markers."""

from __future__ import annotations

import math
from array import array
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import Point, PolygonStamped, Pose, PoseStamped
from nav_msgs.msg import OccupancyGrid
from ris_msgs.msg import RegionTarget as RegionTargetMsg
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from ris_node.ros.convert.conversions import ns_to_stamp, polygon, polygon_points, seconds_to_duration
from ris_node.types import F64, RegionTarget, TargetMethod, TargetStatus

Message = Any
_MAX_CELLS = 4_000_000


def target_header(target: RegionTarget, stamp_ns: int) -> Message:
    """The header of everything in metres: the target frame at the image's stamp."""
    return Header(stamp=ns_to_stamp(stamp_ns), frame_id=target.frame_id)


def goal_pose(target: RegionTarget) -> Message:
    """The goal as a `geometry_msgs/Pose`: metres, and the heading about z."""
    pose = Pose()
    pose.position.x, pose.position.y, pose.position.z = (float(v) for v in target.position)
    pose.orientation.z, pose.orientation.w = math.sin(target.yaw / 2.0), math.cos(target.yaw / 2.0)
    return pose


def target_to_msg(target: RegionTarget, query_id: str, stamp_ns: int) -> Message:
    """The `ris_msgs/RegionTarget` of a target, for the query `query_id` and the image's stamp."""
    msg = RegionTargetMsg(
        header=target_header(target, stamp_ns),
        query_id=query_id,
        status=int(target.status),
        footprint=polygon(target.footprint),
        method=int(target.method),
        score=float(target.score),
        valid_fraction=float(target.valid_fraction),
        message=target.message,
    )
    msg.pose.pose = goal_pose(target)
    msg.pose.covariance = np.ascontiguousarray(target.covariance, np.float64).reshape(36)
    msg.extent.x, msg.extent.y, msg.extent.z = (float(v) for v in target.extent)
    return msg


def target_from_msg(msg: Message) -> RegionTarget:
    """The target in a `ris_msgs/RegionTarget`; `goal_pixel` does not travel."""
    pose = msg.pose.pose
    return RegionTarget(
        status=TargetStatus(msg.status),
        frame_id=msg.header.frame_id,
        footprint=polygon_points(msg.footprint),
        position=np.array([pose.position.x, pose.position.y, pose.position.z]),
        yaw=2.0 * math.atan2(pose.orientation.z, pose.orientation.w),
        covariance=np.asarray(msg.pose.covariance, np.float64).reshape(6, 6),
        extent=(msg.extent.x, msg.extent.y, msg.extent.z),
        method=TargetMethod(msg.method),
        score=msg.score,
        valid_fraction=msg.valid_fraction,
        message=msg.message,
    )


def polygon_stamped(target: RegionTarget, stamp_ns: int) -> Message:
    """The region's outline on the ground as a `geometry_msgs/PolygonStamped`."""
    return PolygonStamped(header=target_header(target, stamp_ns), polygon=polygon(target.footprint))


def pose_stamped(target: RegionTarget, stamp_ns: int) -> Message:
    """The goal as a `geometry_msgs/PoseStamped`."""
    return PoseStamped(header=target_header(target, stamp_ns), pose=goal_pose(target))


def empty_grid(frame_id: str, stamp_ns: int) -> Message:
    """A grid without cells: it replaces the latched one and so withdraws it."""
    grid = OccupancyGrid()
    grid.header = Header(stamp=ns_to_stamp(stamp_ns), frame_id=frame_id)
    grid.info.map_load_time = grid.header.stamp
    grid.info.origin.orientation.w = 1.0
    return grid


def region_grid(target: RegionTarget, stamp_ns: int, resolution: float) -> Message:
    """The footprint as an `nav_msgs/OccupancyGrid` around it: 0 (free) inside, -1 (not known) elsewhere.

    A grid of more than four million cells is made coarser.
    """
    grid = empty_grid(target.frame_id, stamp_ns)
    if len(target.footprint) < 3:
        return grid
    low = np.floor(target.footprint.min(axis=0) / resolution) * resolution
    span = target.footprint.max(axis=0) - low
    resolution = max(resolution, math.sqrt(float(span.prod()) / _MAX_CELLS))
    width, height = (int(v) + 1 for v in np.ceil(span / resolution))
    # a cell's centre lies half a cell from its corner; fillPoly draws centres
    corners = np.round((target.footprint - low) / resolution - 0.5).astype(np.int32)
    cells = np.full((height, width), 255, np.uint8)  # -1 as an unsigned byte
    cv2.fillPoly(cells, [corners.reshape(-1, 1, 2)], 0)
    grid.info.resolution = resolution
    grid.info.width, grid.info.height = width, height
    grid.info.origin.position.x, grid.info.origin.position.y = float(low[0]), float(low[1])
    data = array("b")
    data.frombytes(cells.tobytes())
    grid.data = data
    return grid


def target_markers(target: RegionTarget, stamp_ns: int, text: str, lifetime_s: float) -> Message:
    """The region's outline, the goal's arrow and the command's words as a `visualization_msgs/MarkerArray`.

    Viewers drop them `lifetime_s` after they came (0: never), so that none outlives a node that was killed.
    """
    outline = _marker(target, stamp_ns, 0, Marker.LINE_STRIP, (0.1, 0.9, 0.3))
    outline.scale.x = 0.08
    outline.points = _points(np.concatenate([target.footprint, target.footprint[:1]]), float(target.position[2]))
    arrow = _marker(target, stamp_ns, 1, Marker.ARROW, (1.0, 0.6, 0.0))
    arrow.scale.x, arrow.scale.y, arrow.scale.z = 1.5, 0.25, 0.25
    arrow.pose = goal_pose(target)
    words = _marker(target, stamp_ns, 2, Marker.TEXT_VIEW_FACING, (1.0, 1.0, 1.0))
    words.scale.z = 0.4
    words.pose = goal_pose(target)
    words.pose.position.z += 1.0
    words.text = text
    markers = [outline, arrow, words]
    for marker in markers:
        marker.lifetime = seconds_to_duration(lifetime_s)
    return MarkerArray(markers=markers)


def delete_markers(frame_id: str, stamp_ns: int) -> Message:
    """A `visualization_msgs/MarkerArray` that removes everything drawn before."""
    marker = Marker(action=Marker.DELETEALL, ns="target")
    marker.header = Header(stamp=ns_to_stamp(stamp_ns), frame_id=frame_id)
    return MarkerArray(markers=[marker])


def _marker(target: RegionTarget, stamp_ns: int, number: int, kind: int, rgb: tuple[float, float, float]) -> Message:
    marker = Marker(header=target_header(target, stamp_ns), ns="target", id=number, type=kind, action=Marker.ADD)
    marker.color = ColorRGBA(r=rgb[0], g=rgb[1], b=rgb[2], a=0.9)
    marker.pose.orientation.w = 1.0
    return marker


def _points(xy: F64, z: float) -> list[Message]:
    return [Point(x=p[0], y=p[1], z=z) for p in xy.tolist()]
