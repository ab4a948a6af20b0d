# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The result bag's messages are byte for byte those that the node publishes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import drives
import numpy as np
import pytest
from replay_fixtures import drive, model, tiny  # noqa: F401

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from rclpy.serialization import serialize_message  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from ris_node.bags.typestore import typestore  # noqa: E402
from ris_node.geometry.camera import Camera  # noqa: E402
from ris_node.pipeline.grounder import Grounder  # noqa: E402
from ris_node.pipeline.label_masks import label_mask  # noqa: E402
from ris_node.replay import outgoing  # noqa: E402
from ris_node.ros.convert import target_messages  # noqa: E402
from ris_node.ros.convert.conversions import grounding_to_msg, ns_to_stamp  # noqa: E402
from ris_node.ros.convert.images import encode_image  # noqa: E402
from ris_node.types import Frame, Query  # noqa: E402


@pytest.mark.parametrize("words", ["the red thing", "stop next to the red thing", "the blue thing"])
def test_messages_are_the_nodes_own(model: Grounder, words: str) -> None:
    stamp = drives.START + 123_456_789
    camera = Camera(drives.WIDTH, drives.HEIGHT, np.array([[160.0, 0, 80], [0, 160, 60], [0, 0, 1]]), np.zeros(0))
    frame = Frame(drives.picture(3), stamp, "camera", camera=camera)
    found = replace(model.ground(frame, Query(words, id="q1")), message="why — not")
    header = Header(stamp=ns_to_stamp(stamp), frame_id="camera")
    theirs = grounding_to_msg(found, header)
    theirs.frame_index = 7
    check("ris_msgs/Grounding", outgoing.grounding_message(found, 7), theirs)
    mask = label_mask(found)
    image = outgoing.image_message(mask, "mono8", stamp, "camera")
    check("sensor_msgs/Image", image, encode_image(mask, "mono8", header, Image))
    target = found.target
    if target is not None:
        their_target = target_messages.target_to_msg(target, "q1", stamp)
        check("ris_msgs/RegionTarget", outgoing.target_message(target, "q1", stamp), their_target)
        pose, outline = target_messages.pose_stamped(target, stamp), target_messages.polygon_stamped(target, stamp)
        check("geometry_msgs/PoseStamped", outgoing.pose_message(target, stamp), pose)
        check("geometry_msgs/PolygonStamped", outgoing.polygon_message(target, stamp), outline)


def check(kind: str, ours: object, theirs: object) -> None:
    """Equal bytes, once the middleware's have been read and written: it leaves what it pads between fields unset."""
    store, full = typestore(), kind.replace("/", "/msg/")
    read = store.deserialize_cdr(bytes(serialize_message(theirs)), full)
    assert bytes(store.serialize_cdr(read, full)) == outgoing.encoded(kind, ours)


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
