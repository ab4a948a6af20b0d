# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Answers as the node's own messages, without ROS: objects of the `rosbags` type store, for the result bag."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import cv2
import numpy as np

from ris_node.bags.typestore import typestore
from ris_node.errors import ImageError
from ris_node.pipeline.grounding import Grounding
from ris_node.rle import encode_rle
from ris_node.stamps import NS_PER_S
from ris_node.types import U8, U16, Instance, RegionTarget, Timing

JPEG_QUALITY = 85


def make(name: str, **values: Any) -> Any:
    """A message of a type "package/Name" with all of its fields."""
    return typestore().types[name.replace("/", "/msg/")](**values)


def encoded(name: str, message: Any) -> bytes:
    """A message of a type "package/Name" in CDR."""
    return bytes(typestore().serialize_cdr(message, name.replace("/", "/msg/")))


def header(stamp_ns: int, frame_id: str) -> Any:
    """A `std_msgs/Header`."""
    stamp = make("builtin_interfaces/Time", sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)
    return make("std_msgs/Header", stamp=stamp, frame_id=frame_id)


def grounding_message(grounding: Grounding, frame_index: int) -> Any:
    """The `ris_msgs/Grounding` of an answer."""
    instance_map = grounding.instance_map if grounding.instances else np.zeros((0, 0), np.uint16)
    timing = {f.name: float(getattr(grounding.timing, f.name)) for f in fields(Timing)}
    return make(
        "ris_msgs/Grounding",
        header=header(grounding.stamp_ns, grounding.frame_id),
        query_id=grounding.query.id,
        text=grounding.query.text,
        status=int(grounding.status),
        presence=float(grounding.presence),
        instances=[_instance(instance, instance_map) for instance in grounding.instances],
        height=grounding.height,
        width=grounding.width,
        timing=make("ris_msgs/Timing", **timing),
        frame_index=frame_index,
        dropped_since_last=0,
        model_id=grounding.model_id,
        message=grounding.message,
    )


def target_message(target: RegionTarget, query_id: str, stamp_ns: int) -> Any:
    """The `ris_msgs/RegionTarget` of a target."""
    covariance = np.ascontiguousarray(target.covariance, np.float64).reshape(36)
    length, width, height = (float(v) for v in target.extent)
    return make(
        "ris_msgs/RegionTarget",
        header=header(stamp_ns, target.frame_id),
        query_id=query_id,
        status=int(target.status),
        footprint=_polygon(target.footprint),
        pose=make("geometry_msgs/PoseWithCovariance", pose=_pose(target), covariance=covariance),
        extent=make("geometry_msgs/Vector3", x=length, y=width, z=height),
        method=int(target.method),
        score=float(target.score),
        valid_fraction=float(target.valid_fraction),
        message=target.message,
    )


def pose_message(target: RegionTarget, stamp_ns: int) -> Any:
    """The goal as a `geometry_msgs/PoseStamped`."""
    return make("geometry_msgs/PoseStamped", header=header(stamp_ns, target.frame_id), pose=_pose(target))


def polygon_message(target: RegionTarget, stamp_ns: int) -> Any:
    """The region's outline on the ground as a `geometry_msgs/PolygonStamped`."""
    outline = _polygon(target.footprint)
    return make("geometry_msgs/PolygonStamped", header=header(stamp_ns, target.frame_id), polygon=outline)


def image_message(pixels: U8 | U16, encoding: str, stamp_ns: int, frame_id: str) -> Any:
    """A `sensor_msgs/Image` of pixels [H,W] or [H,W,C]."""
    rows = np.ascontiguousarray(pixels)
    return make(
        "sensor_msgs/Image",
        header=header(stamp_ns, frame_id),
        height=rows.shape[0],
        width=rows.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=rows.strides[0],
        data=rows.reshape(-1).view(np.uint8),
    )


def jpeg_message(rgb: U8, stamp_ns: int, frame_id: str) -> Any:
    """A `sensor_msgs/CompressedImage` with an RGB picture u8[H,W,3] as JPEG.

    Raises:
        ImageError: OpenCV does not take the picture.
    """
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ImageError(f"OpenCV could not write a JPEG of shape {rgb.shape}")
    return make("sensor_msgs/CompressedImage", header=header(stamp_ns, frame_id), format="jpeg", data=data.reshape(-1))


def _instance(instance: Instance, instance_map: U16) -> Any:
    x, y, width, height = (int(v) for v in instance.box)
    counts = np.array(encode_rle(instance_map == instance.instance_id), np.uint32)
    rle = make("ris_msgs/Rle", height=instance_map.shape[0], width=instance_map.shape[1], counts=counts)
    box = make("sensor_msgs/RegionOfInterest", x_offset=x, y_offset=y, height=height, width=width, do_rectify=False)
    return make(
        "ris_msgs/Instance",
        instance_id=instance.instance_id,
        label=instance.label,
        score=float(instance.score),
        box=box,
        centroid=make("geometry_msgs/Point32", x=float(instance.centroid[0]), y=float(instance.centroid[1]), z=0.0),
        area_fraction=float(instance.area_fraction),
        track_id=instance.track_id,
        outline=_polygon(instance.outline),
        mask=rle,
    )


def _polygon(points: Any) -> Any:
    corners = [
        make("geometry_msgs/Point32", x=p[0], y=p[1], z=p[2] if len(p) > 2 else 0.0)
        for p in np.asarray(points, np.float64).tolist()
    ]
    return make("geometry_msgs/Polygon", points=corners)


def _pose(target: RegionTarget) -> Any:
    x, y, z = (float(v) for v in target.position)
    turn = make("geometry_msgs/Quaternion", x=0.0, y=0.0, z=math.sin(target.yaw / 2.0), w=math.cos(target.yaw / 2.0))
    return make("geometry_msgs/Pose", position=make("geometry_msgs/Point", x=x, y=y, z=z), orientation=turn)
