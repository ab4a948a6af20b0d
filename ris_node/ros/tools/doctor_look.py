# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Camera check of `ris doctor --camera`: subscribes for a few seconds as the node would, and prints JSON.

Run as `python -m ris_node.ros.tools.doctor_look TOPIC INFO_TOPIC SECONDS`.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from ris_node.entry import start
from ris_node.errors import RisError
from ris_node.messages.types import CameraInfoMsg, CompressedImageMsg, ImageMsg
from ris_node.ros.convert.bridge import decode
from ris_node.ros.start import start_ros
from ris_node.sensing.camera import camera_from_info
from ris_node.stamps import stamp_to_ns

COMPRESSED = "sensor_msgs/msg/CompressedImage"
MEET_S = 5.0  # on a busy machine DDS takes seconds until two processes know each other


def main() -> int:
    """Check the topics that the command line names."""
    topic, info_topic, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    start_ros(signals=True)
    node = rclpy.create_node("ris_doctor_look")
    try:
        answer = look(node, topic, info_topic, seconds)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    print(json.dumps(answer))
    return 0


def look(node: Node, topic: str, info_topic: str, seconds: float) -> dict[str, Any]:
    """Return the topics' publishers with their QoS, and the frames of `seconds` seconds from the first message on."""
    met = time.monotonic() + max(seconds, MEET_S)
    while not node.count_publishers(topic) and time.monotonic() < met:
        rclpy.spin_once(node, timeout_sec=0.05)
    compressed = any(publisher["type"] == COMPRESSED for publisher in _publishers(node, topic))
    frames: list[dict[str, Any]] = []
    infos: list[Any] = []
    node.create_subscription(
        CompressedImage if compressed else Image,
        topic,
        lambda msg: frames.append(_describe(msg)),
        qos_profile_sensor_data,
    )
    node.create_subscription(CameraInfo, info_topic, infos.append, qos_profile_sensor_data)
    while node.count_publishers(topic) and not (frames or infos) and time.monotonic() < met:
        rclpy.spin_once(node, timeout_sec=0.05)
    start, before = time.monotonic(), len(frames)
    while time.monotonic() < start + seconds:
        rclpy.spin_once(node, timeout_sec=0.1)
    return {
        "publishers": _publishers(node, topic),  # only now: nodes' names are known later than their topics
        "info_publishers": _publishers(node, info_topic),
        "frames": len(frames),
        "rate_hz": (len(frames) - before) / (time.monotonic() - start),
        "last": frames[-1] if frames else None,
        "info": _info_problem(infos[-1]) if infos else None,
    }


def _publishers(node: Node, topic: str) -> list[dict[str, Any]]:
    found = node.get_publishers_info_by_topic(topic)
    return [
        {
            "node": f"{one.node_namespace.rstrip('/')}/{one.node_name}",
            "type": one.topic_type,
            "reliable": one.qos_profile.reliability == ReliabilityPolicy.RELIABLE,
        }
        for one in found
    ]


def _describe(msg: ImageMsg | CompressedImageMsg) -> dict[str, Any]:
    """Return one frame's properties, and why the node could not read it ("" if it can)."""
    stamp = stamp_to_ns(msg.header.stamp)
    described = {
        "encoding": getattr(msg, "encoding", None) or getattr(msg, "format", ""),
        "frame_id": msg.header.frame_id,
        "age_ms": (time.time_ns() - stamp) / 1e6,
        "bytes": len(msg.data),
        "problem": "",
    }
    try:
        image = decode(msg)
        described["height"], described["width"] = int(image.shape[0]), int(image.shape[1])
    except RisError as error:
        described["problem"] = str(error)
    return described


def _info_problem(msg: CameraInfoMsg) -> str:
    """Return why a camera_info cannot be used; "" if it can."""
    try:
        camera_from_info(msg).validate()
    except RisError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    start(main)
