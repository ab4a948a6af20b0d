# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Publisher of the demo's commands: waits until the node is ready and answers frames, then gives one after another.

Run by `ris demo`; by itself: `python -m ris_node.ros.tools.demo_command --script commands.json`, a list of
`{"id", "text", "seconds"}`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from ris_msgs.msg import Grounding, NodeStatus
from ris_msgs.msg import Query as QueryMsg

from ris_node.entry import start
from ris_node.interface import NODE_NAME, topic
from ris_node.messages.common import stamp_to_msg
from ris_node.ros.convert.make import make
from ris_node.ros.outputs.publishers import qos_profile
from ris_node.ros.start import ros_process

_REPEAT_S = 1.0  # a listener that this side has found may not have found this side yet, and miss the first command
_LATE_S = 15.0


class DemoCommander:
    """Publishes queries on a schedule; `wait` returns once the node answers frames."""

    def __init__(self) -> None:
        self.node = rclpy.create_node("demo_command")
        self._query = self.node.create_publisher(QueryMsg, "query", qos_profile(topic("query").qos))
        status, result = topic("~/status"), topic("~/result")
        self.node.create_subscription(NodeStatus, _of_node(status.name), self._on_status, qos_profile(status.qos))
        self.node.create_subscription(Grounding, _of_node(result.name), self._on_result, qos_profile(result.qos))
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self.ready = False
        self.fault = ""
        self.answered: str | None = None
        """The query of the last result, "" for none; None before the first result."""

    def _on_status(self, msg: NodeStatus) -> None:
        building = msg.state == NodeStatus.STATE_BUILDING_ENGINE and bool(msg.backend)  # and answering meanwhile
        self.ready = building or msg.state in (NodeStatus.STATE_READY, NodeStatus.STATE_DEGRADED)
        self.fault = msg.message if msg.state == NodeStatus.STATE_FAULT else ""

    def _on_result(self, msg: Grounding) -> None:
        self.answered = msg.query_id

    def wait(self, seconds: float, listeners: int) -> str:
        """Wait for the node, and until so many listen to commands; returns "" or what is wrong."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and rclpy.ok():
            self._executor.spin_once(timeout_sec=0.1)
            if self.fault:
                return f"the node cannot work: {self.fault}"
            if self.ready and self.answered is not None and self._query.get_subscription_count() >= listeners:
                return ""
        return "the node did not get ready" if not self.ready else "the node answers no frame: does the camera publish?"

    def give(self, commands: list[dict[str, Any]]) -> None:
        """Publish each command, and wait for an answer to it and for its time to pass."""
        begin = time.monotonic()
        for number, command in enumerate(commands):
            said = time.monotonic()
            self._publish(command)
            entry = {"said": command["text"], "at": said - begin, "note": command.get("note", "")}
            print(json.dumps(entry), flush=True)
            while self.answered != command["id"] and time.monotonic() < said + _LATE_S and rclpy.ok():
                self._idle(time.monotonic() + _REPEAT_S, command["id"])
                if number == 0 and self.answered != command["id"]:
                    self._publish(command)
            self._idle(said + command["seconds"])

    def _publish(self, command: dict[str, Any]) -> None:
        msg = QueryMsg(id=command["id"], text=command["text"], source="demo", confidence=float("nan"), language="en")
        msg.header.stamp = stamp_to_msg(make, int(self.node.get_clock().now().nanoseconds))
        self._query.publish(msg)

    def _idle(self, until: float, answer: str | None = None) -> None:
        """Spin until a time, or until a result answers a query."""
        while (left := until - time.monotonic()) > 0 and rclpy.ok() and (answer is None or self.answered != answer):
            self._executor.spin_once(timeout_sec=min(left, 0.2))


def _of_node(name: str) -> str:
    """Return a node-relative name as another node writes it."""
    return name.replace("~", NODE_NAME)


def main() -> int:
    """Run the commander's process; returns the exit code."""
    parser = argparse.ArgumentParser(description="Give the demo's commands.")
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--timeout", type=float, default=45.0)
    parser.add_argument("--listeners", type=int, default=1, help="how many must listen to commands before the first")
    args = parser.parse_args()
    commands = json.loads(args.script.read_text(encoding="utf-8"))
    with ros_process():
        commander = DemoCommander()
        problem = commander.wait(args.timeout, args.listeners)
        if problem:
            print(f"command: {problem}", file=sys.stderr)
            return 1
        commander.give(commands)
    return 0


if __name__ == "__main__":
    start(main)
