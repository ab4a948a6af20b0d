# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recorder of the node's answers, one JSON line each: result, region in metres and region mask of the same frame.

Run by `ris demo`; by itself: `python -m ris_node.ros.tools.demo_recorder --out demo`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from ris_msgs.msg import Grounding, NodeStatus, RegionTarget
from sensor_msgs.msg import Image

from ris_node.demo.recording import ANSWERS, VERB, JsonLines
from ris_node.entry import start
from ris_node.errors import RisError
from ris_node.interface import NODE_NAME, topic
from ris_node.messages.grounding import instance_from_msg, timing_from_msg
from ris_node.messages.target import target_from_msg
from ris_node.messages.types import InstanceMsg
from ris_node.outputs import claim
from ris_node.report.values import finite
from ris_node.rle import encode_rle
from ris_node.ros.outputs.publishers import qos_profile
from ris_node.ros.start import start_ros
from ris_node.stamps import stamp_to_ns
from ris_node.types import Status

# Answers wait this many frames for the other messages of the same stamp.
_HOLD = 3


class DemoRecorder:
    """Joins the node's messages by stamp and writes them in order."""

    def __init__(self, lines: JsonLines) -> None:
        self.node = rclpy.create_node("demo_recorder")
        for name, kind, handler in (
            ("~/result", Grounding, self._on_result),
            ("~/region", RegionTarget, self._on_region),
            ("~/region_mask", Image, self._on_mask),
            ("~/status", NodeStatus, self._on_status),
        ):
            entry = topic(name)
            self.node.create_subscription(kind, name.replace("~", NODE_NAME), handler, qos_profile(entry.qos))
        self._lines = lines
        self._rows: dict[int, dict[str, Any]] = {}
        self._extra: dict[int, dict[str, Any]] = {}
        self.count = 0

    def _on_result(self, msg: Grounding) -> None:
        stamp = stamp_to_ns(msg.header.stamp)
        arrival = (self.node.get_clock().now().nanoseconds - stamp) * 1e-6
        self._rows[stamp] = {**result_row(msg), "stamp_ns": stamp, "arrival_ms": arrival}
        self.flush(_HOLD)

    def _on_region(self, msg: RegionTarget) -> None:
        target = target_from_msg(msg)
        row = {"status": target.status.name, "x": float(target.position[0]), "y": float(target.position[1])}
        row |= {"yaw": target.yaw, "footprint": np.round(target.footprint, 3).tolist(), "message": target.message}
        # The first word on a frame is its answer; a later one withdraws it, when another command has come.
        self._extra.setdefault(stamp_to_ns(msg.header.stamp), {}).setdefault("target", row)

    def _on_mask(self, msg: Image) -> None:
        pixels = np.frombuffer(msg.data, np.uint8).reshape(msg.height, msg.step)[:, : msg.width]
        if pixels.any():
            self._extra.setdefault(stamp_to_ns(msg.header.stamp), {})["region_rle"] = encode_rle(pixels > 0)

    def _on_status(self, msg: NodeStatus) -> None:
        row = {"state": int(msg.state), "model": msg.model_id, "backend": msg.backend, "precision": msg.precision}
        print(json.dumps({"status": row}), flush=True)

    def flush(self, hold: int) -> None:
        """Write all but the newest `hold` answers."""
        for stamp in sorted(self._rows)[: max(0, len(self._rows) - hold)]:
            self._lines.write({**self._rows.pop(stamp), **self._extra.pop(stamp, {})})
            self.count += 1
        for stamp in [stamp for stamp in self._extra if stamp < min(self._rows, default=0)]:
            del self._extra[stamp]


def result_row(msg: Grounding) -> dict[str, Any]:
    """Return a `ris_msgs/Grounding` as plain values; masks as run lengths."""
    row = {name: getattr(msg, name) for name in ("query_id", "text", "width", "height", "frame_index", "message")}
    row |= {"model_id": msg.model_id, "dropped": msg.dropped_since_last, "status": Status(msg.status).name}
    row["presence"] = round(float(msg.presence), 4)
    row["timing"] = {name: finite(value) for name, value in vars(timing_from_msg(msg.timing)).items()}
    row["instances"] = [_instance_row(part) for part in msg.instances]
    return row


def _instance_row(msg: InstanceMsg) -> dict[str, Any]:
    instance = instance_from_msg(msg)
    runs = [int(run) for run in msg.mask.counts]
    score = round(float(instance.score), 4)
    return {"label": instance.label, "score": score, "box": list(instance.box), "rle": runs}


def main() -> int:
    """Run the recorder's process until SIGINT; returns the exit code."""
    parser = argparse.ArgumentParser(description="Record the node's answers.")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    start_ros()
    code = 0
    try:
        claim(args.out, [ANSWERS], by=VERB)
        recorder = DemoRecorder(JsonLines(args.out / ANSWERS))
        executor = SingleThreadedExecutor()
        executor.add_node(recorder.node)
        try:
            while rclpy.ok():
                executor.spin_once(timeout_sec=0.2)
        except KeyboardInterrupt:
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                executor.spin_once(timeout_sec=0.05)
        recorder.flush(0)
        print(json.dumps({"recorded": recorder.count}), flush=True)
    except (RisError, OSError) as error:
        print(f"recorder: {error}", file=sys.stderr)
        code = 1
    finally:
        rclpy.try_shutdown()
    return code


if __name__ == "__main__":
    start(main)
