# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The bench's echo: answers every image at once with an empty result, so that what remains is DDS and rclpy alone.

Run as `python -m ris_node.ros.tools.bench_echo NAMESPACE`; ends with its stdin.
"""

from __future__ import annotations

import argparse
import sys

import rclpy
from rclpy.node import Node
from ris_msgs.msg import Grounding
from sensor_msgs.msg import Image

from ris_node.entry import start
from ris_node.interface import NODE_NAME, topic
from ris_node.ros.outputs.publishers import qos_profile
from ris_node.ros.start import ros_process, spinning


def make_echo(namespace: str) -> Node:
    """Return a node with the grounding node's name, image subscription and result publisher, and nothing in between."""
    node = rclpy.create_node(NODE_NAME, namespace=namespace)
    results = node.create_publisher(Grounding, f"{NODE_NAME}/result", qos_profile(topic("~/result").qos))
    node.create_subscription(
        Image, "image", lambda msg: results.publish(Grounding(header=msg.header)), qos_profile(topic("image").qos)
    )
    return node


def main() -> int:
    """Run the echo's process until stdin ends."""
    parser = argparse.ArgumentParser(description="Echo the bench's images.")
    parser.add_argument("namespace")
    args = parser.parse_args()
    with ros_process(), spinning(make_echo(args.namespace)):
        for _ in sys.stdin:
            print("{}", flush=True)
    return 0


if __name__ == "__main__":
    start(main)
