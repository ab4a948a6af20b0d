# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The bench's client: gives commands, listens to the node as a planner would, and notes when each answer arrives.

One JSON object a line on stdin: {"say": TEXT, "id": ID}; {"collect": true}, answered with what came in since the last
time; {"forget": true}, before a node is started; {"ready": SECONDS}, answered when it is READY or time is up;
{"round": SECONDS}, answered when the node has been through its lifecycle, with the transition that failed if one did.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from ris_msgs.msg import Grounding, NodeStatus, Query, RegionTarget
from sensor_msgs.msg import Image

from ris_node.entry import start
from ris_node.interface import NODE_NAME, topic
from ris_node.ros.outputs.publishers import qos_profile
from ris_node.ros.start import ros_process, spinning
from ris_node.stamps import stamp_to_ns
from ris_node.types import Status

STAGES = ("age_at_start", "preprocess", "inference", "postprocess", "publish", "total")
_ROUND = {
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "cleanup": Transition.TRANSITION_CLEANUP,
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
}
_COUNTERS = ("received", "processed", "dropped", "waiting")
_READY = (NodeStatus.STATE_READY, NodeStatus.STATE_DEGRADED)


class BenchClient:
    """Collects results, label masks, targets, states and the node's own counters. Thread-safe."""

    def __init__(self, namespace: str) -> None:
        self.node = rclpy.create_node("bench_client", namespace=namespace)
        self._lock = threading.Lock()
        self._got: dict[str, list[Any]] = {}
        self._counters: dict[str, int] = {}
        self._ready = threading.Event()
        self._ready_at = 0.0
        self._queries = self.node.create_publisher(Query, "query", qos_profile(topic("query").qos))
        self._states = self.node.create_client(ChangeState, f"{NODE_NAME}/change_state")
        self._listen(Grounding, "~/result", self._on_result)
        self._listen(Image, "~/label_mask", lambda msg: self._note("masks", _age_ms(msg)))
        self._listen(RegionTarget, "~/region", lambda msg: self._note("targets", _age_ms(msg)))
        self._listen(NodeStatus, "~/status", self._on_status)
        self._listen(DiagnosticArray, "/diagnostics", self._on_diagnostics)

    def say(self, text: str, query_id: str) -> None:
        """Publish a query."""
        self._queries.publish(Query(id=query_id, text=text))

    def collect(self) -> dict[str, Any]:
        """Return and forget what came in."""
        with self._lock:
            got, self._got = self._got, {}
            return {**got, "counters": dict(self._counters)}

    def forget(self) -> None:
        """Forget that a node was READY, and all it said."""
        self._ready.clear()
        with self._lock:
            self._got, self._counters = {}, {}

    def ready(self, timeout_s: float) -> dict[str, float]:
        """Wait for the first READY since `forget`; the moment is of the monotonic clock, which all processes share."""
        seen = self._ready.wait(timeout_s)
        return {"ready_s": self._ready_at if seen else -1.0}

    def round(self, timeout_s: float) -> dict[str, str]:
        """Take an active node to unconfigured and back; a transition that fails is tried again until time is up."""
        deadline = time.monotonic() + timeout_s
        for name, transition in _ROUND.items():
            while not self._change(transition, deadline):  # it may still load
                if time.monotonic() > deadline:
                    return {"failed": name}
                time.sleep(0.1)
        return {}

    def _change(self, transition: int, deadline_s: float) -> bool:
        request = ChangeState.Request()
        request.transition.id = transition
        future = self._states.call_async(request)
        while not future.done() and time.monotonic() < deadline_s:
            time.sleep(0.005)
        return future.done() and bool(future.result().success)

    def _listen(self, kind: type[Any], name: str, callback: Callable[[Any], None]) -> None:
        full = name.replace("~", NODE_NAME)
        self.node.create_subscription(kind, full, callback, qos_profile(topic(name).qos))

    def _note(self, name: str, value: object) -> None:
        with self._lock:
            self._got.setdefault(name, []).append(value)

    def _on_result(self, msg: Grounding) -> None:
        timing = [float(getattr(msg.timing, stage)) for stage in STAGES]
        status = Status(msg.status).name
        self._note("results", [_age_ms(msg), status, msg.query_id, msg.frame_index, msg.dropped_since_last, timing])

    def _on_status(self, msg: NodeStatus) -> None:
        if msg.state in _READY and msg.model_id and not self._ready.is_set():
            self._ready_at = time.monotonic()
            self._ready.set()

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        values = {pair.key: pair.value for status in msg.status for pair in status.values}
        if all(name in values for name in _COUNTERS):
            with self._lock:
                self._counters = {name: int(values[name]) for name in _COUNTERS}


def _age_ms(msg: Grounding | Image | RegionTarget) -> float:
    return (time.time_ns() - stamp_to_ns(msg.header.stamp)) * 1e-6


def main() -> int:
    """Run the client's process until stdin ends."""
    parser = argparse.ArgumentParser(description="Listen to the bench's node.")
    parser.add_argument("namespace")
    args = parser.parse_args()
    with ros_process(), spinning((client := BenchClient(args.namespace)).node):
        for line in sys.stdin:
            wanted = json.loads(line)
            answer: dict[str, Any] = {}
            if "say" in wanted:
                client.say(wanted["say"], wanted.get("id", ""))
            elif "forget" in wanted:
                client.forget()
            elif "collect" in wanted:
                answer = client.collect()
            elif "ready" in wanted:
                answer = client.ready(float(wanted["ready"]))
            elif "round" in wanted:
                answer = client.round(float(wanted["round"]))
            print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    start(main)
