# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Intrinsics as `sensor_msgs/CameraInfo`, poses as `geometry_msgs/TransformStamped`."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ris_node.geometry.camera import Camera
from ris_node.geometry.transform import Transform
from ris_node.messages.types import HeaderMsg, Make


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
