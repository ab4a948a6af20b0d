# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of the `rosbags` type store are byte for byte those that the node publishes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import drives
import numpy as np
import pytest
from replay_fixtures import drive, model, tiny  # noqa: F401

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from rclpy.serialization import serialize_message  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

from ris_node.bags import typestore  # noqa: E402
from ris_node.geometry import Camera, Transform  # noqa: E402
from ris_node.messages import common  # noqa: E402
from ris_node.messages import target as targets  # noqa: E402
from ris_node.messages.grounding import grounding_to_msg, query_to_msg  # noqa: E402
from ris_node.messages.types import Make  # noqa: E402
from ris_node.pipeline.grounder import Grounder  # noqa: E402
from ris_node.pipeline.grounding import label_mask  # noqa: E402
from ris_node.ros.convert.make import make as make_of_rclpy  # noqa: E402
from ris_node.types import Frame, Query, RegionTarget  # noqa: E402

STAMP = drives.START + 123_456_789
CAMERA = Camera(drives.WIDTH, drives.HEIGHT, np.array([[160.0, 0, 80], [0, 160, 60], [0, 0, 1]]), np.zeros(0))


def check(kind: str, build: Callable[[Make], object]) -> None:
    """Equal bytes, once the middleware's have been read and written: it leaves what it pads between fields unset."""
    store, full = typestore.typestore(), kind.replace("/", "/msg/")
    read = store.deserialize_cdr(bytes(serialize_message(build(make_of_rclpy))), full)
    assert bytes(store.serialize_cdr(read, full)) == typestore.encoded(kind, build(typestore.make))


@pytest.mark.parametrize("words", ["the red thing", "stop next to the red thing", "the blue thing"])
def test_messages_are_the_nodes_own(model: Grounder, words: str) -> None:
    query = Query(words, id="q1", ttl_s=1.5, confidence=0.5, stamp_ns=STAMP)
    check("ris_msgs/Query", lambda make: query_to_msg(make, query))
    frame = Frame(drives.picture(3), STAMP, "camera", camera=CAMERA)
    found = replace(model.ground(frame, query), message="why — not")
    check("ris_msgs/Grounding", lambda make: grounding_to_msg(make, found, header(make), 7))
    check("sensor_msgs/Image", lambda make: common.image_to_msg(make, label_mask(found), "mono8", header(make)))
    if found.target is not None:
        check_target(found.target)


def header(make: Make) -> Any:
    return common.header_to_msg(make, STAMP, "camera")


def check_target(target: RegionTarget) -> None:
    check("ris_msgs/RegionTarget", lambda make: targets.target_to_msg(make, target, "q1", STAMP))
    check("geometry_msgs/PoseStamped", lambda make: targets.pose_stamped(make, target, STAMP))
    check("geometry_msgs/PolygonStamped", lambda make: targets.polygon_stamped(make, target, STAMP))
    check("nav_msgs/OccupancyGrid", lambda make: targets.region_grid(make, target, STAMP, 0.1))
    check("visualization_msgs/MarkerArray", lambda make: targets.target_markers(make, target, STAMP, "there", 1.5))


def test_messages_without_an_answer_are_the_same() -> None:
    pixels = drives.picture(3)
    check("sensor_msgs/CompressedImage", lambda make: common.jpeg_to_msg(make, pixels, header(make)))
    check(
        "sensor_msgs/Image",
        lambda make: common.image_to_msg(make, pixels[..., 0] * np.uint16(9), "16UC1", header(make)),
    )
    check("sensor_msgs/CameraInfo", lambda make: common.camera_info_to_msg(make, CAMERA, header(make)))
    bent = replace(CAMERA, distortion=np.array([0.1, 0.2, 0.3, 0.4]), model="equidistant")
    check("sensor_msgs/CameraInfo", lambda make: common.camera_info_to_msg(make, bent, header(make)))
    pose = Transform(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.array([1.0, 2, 3]))
    check("geometry_msgs/TransformStamped", lambda make: common.transform_to_msg(make, pose, "base_link", header(make)))
    check("nav_msgs/OccupancyGrid", lambda make: targets.empty_grid(make, "base_link", STAMP))
    check("visualization_msgs/MarkerArray", lambda make: targets.delete_markers(make, "base_link", STAMP))


def test_a_bag_of_the_scene_is_read_by_ros(drive: Path) -> None:
    """What `rosbags` wrote is what rclpy reads."""
    from rclpy.serialization import deserialize_message
    from sensor_msgs.msg import CameraInfo

    from ris_node.bags.reader import open_bag

    with open_bag(drive) as bag:
        for message in bag.messages(["/camera/image", "/camera/camera_info"]):
            kind = Image if message.type.endswith("/Image") else CameraInfo
            theirs = deserialize_message(bytes(message.data), kind)
            assert theirs.header.frame_id == "camera"
            assert theirs.header.stamp.sec * 10**9 + theirs.header.stamp.nanosec == message.log_ns
