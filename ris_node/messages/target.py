# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Region targets as `ris_msgs/RegionTarget`, and back, and as pose and polygon."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ris_node.messages.common import header_to_msg, polygon_from_msg, polygon_to_msg
from ris_node.messages.types import Make, RegionTargetMsg
from ris_node.types import RegionTarget, TargetMethod, TargetStatus


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
