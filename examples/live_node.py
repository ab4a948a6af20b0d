# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Give a running grounding_node a command and follow its answers, over ROS 2.

scripts/with_ros python examples/live_node.py "stop next to the red car" --results 10
"""

from __future__ import annotations

import argparse

import rclpy
from rclpy.node import Node
from rclpy.utilities import remove_ros_args
from ris_msgs.msg import Grounding, Query, RegionTarget
from ris_msgs.srv import SetQuery

from ris_node.types import Status


class Commander(Node):
    """Sets a query, and collects the answers that carry its id."""

    def __init__(self) -> None:
        super().__init__("commander")
        self.results: list[Grounding] = []
        self._query_id: str | None = None
        self.create_subscription(Grounding, "grounding_node/result", self._on_result, 10)
        self.create_subscription(RegionTarget, "grounding_node/region", self._on_region, 5)

    def set_query(self, text: str) -> None:
        """Make `text` the active query; the node refuses what it cannot parse."""
        client = self.create_client(SetQuery, "grounding_node/set_query")
        client.wait_for_service()
        future = client.call_async(SetQuery.Request(query=Query(text=text, source="commander")))
        rclpy.spin_until_future_complete(self, future)
        answer = future.result()
        if not answer.success:
            raise SystemExit(f"refused: {answer.message}")
        self._query_id = answer.query_id

    def _on_result(self, msg: Grounding) -> None:
        if msg.query_id == self._query_id:  # answers to an earlier query may still arrive
            self.results.append(msg)
            print(
                Status(msg.status).name, f"{msg.presence:.2f}", len(msg.instances), "instances", msg.message, flush=True
            )

    def _on_region(self, msg: RegionTarget) -> None:
        if msg.query_id == self._query_id and msg.status == RegionTarget.STATUS_OK:
            at = msg.pose.pose.position
            print(f"goal {at.x:.1f} {at.y:.1f} m in {msg.header.frame_id}", flush=True)


if __name__ == "__main__":
    rclpy.init()
    parser = argparse.ArgumentParser(description="give a running node a command and follow its answers")
    parser.add_argument("command")
    parser.add_argument("--results", type=int, default=10, help="end after so many answers")
    args = parser.parse_args(remove_ros_args()[1:])
    commander = Commander()
    commander.set_query(args.command)
    while len(commander.results) < args.results:
        rclpy.spin_once(commander)
