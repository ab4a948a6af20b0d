# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One end of `ris doctor --live`: sends raw frames over the middleware, or counts them, and prints JSON.

Run as `python -m ris_node.ros.tools.doctor_probe send|receive TOPIC WIDTH HEIGHT FRAMES RATE_HZ`.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from array import array
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from ris_node.entry import start
from ris_node.ros.start import start_ros
from ris_node.stamps import NS_PER_S, stamp_to_ns

FIRST_FRAME_S, SILENCE_S, MATCH_S = 20.0, 3.0, 20.0


def main() -> int:
    """Run the role that the command line names."""
    role, topic, width, height, frames, rate_hz = sys.argv[1:7]
    start_ros(signals=True)
    node = rclpy.create_node(f"ris_doctor_{role}")
    try:
        if role == "send":
            answer = send(node, topic, int(width), int(height), int(frames), float(rate_hz))
        else:
            answer = receive(node, topic, int(frames))
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    print(json.dumps(answer))
    return 0


def send(node: Node, topic: str, width: int, height: int, frames: int, rate_hz: float) -> dict[str, Any]:
    """Publish `frames` rgb8 images, stamped with the wall clock, once somebody listens."""
    publisher = node.create_publisher(Image, topic, qos_profile_sensor_data)
    message = Image(height=height, width=width, encoding="rgb8", step=3 * width)
    message.data = array("B", bytes(3 * width * height))
    give_up = time.monotonic() + MATCH_S
    while publisher.get_subscription_count() == 0:
        if time.monotonic() > give_up:
            return {"error": "the two processes did not find each other: look at 'network'"}
        rclpy.spin_once(node, timeout_sec=0.05)
    time.sleep(0.3)  # the other side learns of the match a little later
    start = time.monotonic()
    for index in range(frames):
        stamp = time.time_ns()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, NS_PER_S)
        publisher.publish(message)
        rest = start + (index + 1) / rate_hz - time.monotonic()
        time.sleep(max(0.0, rest))
    time.sleep(1.0)  # leaving at once would take the shared memory away from frames still on their way
    return {"sent": frames}


def receive(node: Node, topic: str, frames: int) -> dict[str, Any]:
    """Count images until all came, or none came for a while; the way is from stamp to callback."""
    ways_ms: list[float] = []
    last = [time.monotonic() + FIRST_FRAME_S - SILENCE_S]

    def take(message: Image) -> None:
        stamp = stamp_to_ns(message.header.stamp)
        ways_ms.append((time.time_ns() - stamp) / 1e6)
        last[0] = time.monotonic()

    node.create_subscription(Image, topic, take, qos_profile_sensor_data)
    while len(ways_ms) < frames and time.monotonic() < last[0] + SILENCE_S:
        rclpy.spin_once(node, timeout_sec=0.1)
    return {"received": len(ways_ms), "median_ms": statistics.median(ways_ms) if ways_ms else None}


if __name__ == "__main__":
    start(main)
