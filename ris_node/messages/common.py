# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of the common packages: headers, times, polygons, images, intrinsics and transforms."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ris_node.errors import ImageError
from ris_node.geometry.camera import Camera
from ris_node.geometry.transform import Transform
from ris_node.messages.types import HeaderMsg, Make, PolygonMsg
from ris_node.stamps import NS_PER_S
from ris_node.types import F32, F64, U8


def stamp_to_msg(make: Make, stamp_ns: int) -> Any:
    """Return a `builtin_interfaces/Time` of nanoseconds."""
    return make("builtin_interfaces/Time", sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)


def duration_to_msg(make: Make, seconds: float) -> Any:
    """Return a `builtin_interfaces/Duration` of seconds, to the nanosecond."""
    total = round(seconds * NS_PER_S)
    return make("builtin_interfaces/Duration", sec=total // NS_PER_S, nanosec=total % NS_PER_S)


def header_to_msg(make: Make, stamp_ns: int, frame_id: str) -> Any:
    """Return a `std_msgs/Header`."""
    return make("std_msgs/Header", stamp=stamp_to_msg(make, stamp_ns), frame_id=frame_id)


def polygon_to_msg(make: Make, points: F32 | F64) -> Any:
    """Return a `geometry_msgs/Polygon` of points [N,2] or [N,3]; a missing z is 0."""
    corners = [
        make("geometry_msgs/Point32", x=p[0], y=p[1], z=p[2] if len(p) > 2 else 0.0)
        for p in np.asarray(points, np.float64).tolist()
    ]
    return make("geometry_msgs/Polygon", points=corners)


def polygon_from_msg(msg: PolygonMsg) -> F64:
    """Return the points f64[N,2] of a `geometry_msgs/Polygon`; z is dropped."""
    return np.array([(p.x, p.y) for p in msg.points], np.float64).reshape(-1, 2)


def image_to_msg(make: Make, pixels: npt.NDArray[Any], encoding: str, header: HeaderMsg) -> Any:
    """Return a `sensor_msgs/Image` of pixels [H,W] or [H,W,C] under `header`, which is not copied."""
    rows = np.ascontiguousarray(pixels)
    return make(
        "sensor_msgs/Image",
        header=header,
        height=int(rows.shape[0]),
        width=int(rows.shape[1]),
        encoding=encoding,
        is_bigendian=0,
        step=math.prod(rows.shape[1:]) * rows.itemsize,
        data=rows.reshape(-1).view(np.uint8),
    )


def jpeg_to_msg(make: Make, rgb: U8, header: HeaderMsg, quality: int = 85) -> Any:
    """Return a `sensor_msgs/CompressedImage` with the RGB picture u8[H,W,3] as JPEG.

    Raises:
        ImageError: OpenCV does not take the picture.
    """
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageError(f"OpenCV could not write a JPEG of shape {rgb.shape}")
    return make("sensor_msgs/CompressedImage", header=header, format="jpeg", data=data.reshape(-1))


def camera_info_to_msg(make: Make, camera: Camera, header: HeaderMsg) -> Any:
    """Return the `sensor_msgs/CameraInfo` of a camera whose images are not rectified."""
    k = camera.matrix
    return make(
        "sensor_msgs/CameraInfo",
        header=header,
        height=camera.height,
        width=camera.width,
        distortion_model=camera.model,
        d=camera.distortion if camera.distortion.size else np.zeros(5),
        k=k.reshape(-1),
        r=np.eye(3).reshape(-1),
        p=np.hstack([k, np.zeros((3, 1))]).reshape(-1),
    )


def transform_to_msg(make: Make, pose: Transform, child_frame_id: str, header: HeaderMsg) -> Any:
    """Return a `geometry_msgs/TransformStamped`: the pose of the child frame in the header's frame."""
    vector, _ = cv2.Rodrigues(pose.rotation)
    angle = float(np.linalg.norm(vector))
    axis = vector.ravel() / angle if angle else np.zeros(3)
    x, y, z = (float(part) for part in axis * np.sin(angle / 2))
    tx, ty, tz = (float(part) for part in pose.translation)
    transform = make(
        "geometry_msgs/Transform",
        translation=make("geometry_msgs/Vector3", x=tx, y=ty, z=tz),
        rotation=make("geometry_msgs/Quaternion", x=x, y=y, z=z, w=float(np.cos(angle / 2))),
    )
    return make("geometry_msgs/TransformStamped", header=header, child_frame_id=child_frame_id, transform=transform)
