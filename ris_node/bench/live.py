# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Live part: a node over DDS with a camera and a client, measured from outside."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.bench.pictures import Pictures, mount_parameters
from ris_node.bench.processes import NAMESPACE, NodeProcess, Peer, ProcessMeter, environment, stop
from ris_node.bench.series import Series
from ris_node.config import ModelConfig
from ris_node.errors import DemoError
from ris_node.report.values import finite

STAGES = ("age_at_start", "preprocess", "inference", "postprocess", "publish", "total")
QUERY_ID = "bench"
_READY_S = 60.0


@dataclass(kw_only=True)
class Load:
    """Measurements of the node under one load (a picture size, paced or saturated).

    `end_to_end` is from the stamp, taken as the camera publishes, to the result at the client; `mask` to the label
    mask there; `stages` are the node's own timings. `cpu` is in cores, per process, a value a round.
    """

    end_to_end: Series = field(default_factory=Series)
    mask: Series = field(default_factory=Series)
    cpu_ms: Series = field(default_factory=Series)
    stages: dict[str, Series] = field(default_factory=lambda: {name: Series() for name in STAGES})
    cpu: dict[str, list[float]] = field(default_factory=dict)
    rss_mb: float = 0.0
    published: int = 0
    answered: int = 0
    wall_s: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def rate_hz(self) -> float:
        """Answers a second while the camera was on."""
        return self.answered / self.wall_s if self.wall_s else float("nan")

    def take(self, got: Mapping[str, Any], meter: ProcessMeter, sent: Mapping[str, float]) -> None:
        """Add one round: what the client got, what it cost, what the camera sent."""
        results = got.get("results", [])
        self.end_to_end.add([row[0] for row in results])
        self.mask.add(got.get("masks", []))
        for k, name in enumerate(STAGES):
            self.stages[name].add([row[5][k] for row in results])
        for row in results:
            self.statuses[row[1]] = self.statuses.get(row[1], 0) + 1
        self.cpu_ms.add([meter.cpu["node"] * meter.wall_s * 1e3 / len(results)] if results else [])
        for name, share in meter.cpu.items():
            self.cpu.setdefault(name, []).append(share)
        self.rss_mb = max(self.rss_mb, meter.rss_mb)
        self.published += int(sent["published"])
        self.answered += len(results)
        self.wall_s += float(sent["wall_s"])


class Live:
    """Node, camera and client; `start_node` may be called again for another start."""

    def __init__(self, config: ModelConfig, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._environ = environment()
        self.client = Peer("client", "ris_node.ros.tools.bench_client", [NAMESPACE], self._environ)
        self.camera = Peer("camera", "ris_node.ros.tools.bench_camera", [str(folder), NAMESPACE], self._environ)
        self.node: NodeProcess | None = None

    def start_node(self, precision: str = "") -> float:
        """Start the node (ending one that runs) and return the seconds from its start to READY.

        Args:
            precision: of the vision graph; empty: as configured.

        Raises:
            DemoError: it died, or was not READY in time.
        """
        if self.node is not None:
            self.node.stop()
        self.client.ask({"forget": True}, _READY_S)
        given = self._config
        parameters: dict[str, Any] = {
            "autostart": True,
            "model_dir": given.model_dir,
            "precision": precision or given.precision,
            "num_threads": given.num_threads,
            **mount_parameters(),
        }
        self.node = NodeProcess(parameters, self._environ, self._folder / "node.log")
        ready = float(self.client.ask({"ready": _READY_S}, _READY_S + 10.0)["ready_s"])
        self.node.check()
        if ready < 0.0:
            raise DemoError(f"the node was not READY after {_READY_S:g} s; its log: {self.node.log.read_text()[-500:]}")
        return ready - self.node.started_s

    def connect(self, text: str) -> None:
        """Give the command and wait until camera, node and client hear each other.

        Raises:
            DemoError: they do not within 20 s.
        """
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            self.client.ask({"say": text, "id": QUERY_ID}, 10.0)
            self.camera.ask({"size": self._sizes()[0], "rate": 5.0, "count": 3}, 10.0)
            time.sleep(0.5)
            got = self.client.ask({"collect": True}, 10.0)
            if any(row[2] == QUERY_ID for row in got.get("results", [])) and got.get("masks"):
                return
        raise DemoError("no answer from the node within 20 s: see `ris doctor` on topics and transports")

    def run(self, size: str, rate: float, count: int, into: Load) -> None:
        """Publish so many pictures at a rate and take what comes of it."""
        self.client.ask({"collect": True}, 10.0)
        with ProcessMeter(self.pids, "node") as meter:
            sent = self.camera.ask({"size": size, "rate": rate, "count": count}, count / rate + 60.0)
            time.sleep(max(0.2, 1.0 / rate))
        self.check()
        into.take(self.client.ask({"collect": True}, 10.0), meter, sent)

    def echo(self, size: str, rate: float, count: int) -> Series:
        """End the node and let a process that only echoes take its place: the age of its answers in milliseconds."""
        if self.node is not None:
            self.node.stop()
            self.node = None
        peer = Peer("echo", "ris_node.ros.tools.bench_echo", [NAMESPACE], self._environ)
        series = Series()
        try:
            deadline = time.monotonic() + 15.0
            while not self.client.ask({"collect": True}, 10.0).get("results") and time.monotonic() < deadline:
                self.camera.ask({"size": size, "rate": 10.0, "count": 3}, 10.0)
                time.sleep(0.3)
            self.camera.ask({"size": size, "rate": rate, "count": count}, count / rate + 60.0)
            time.sleep(0.5)
            series.add([row[0] for row in self.client.ask({"collect": True}, 10.0).get("results", [])])
        finally:
            stop(peer.process)
        return series

    @property
    def pids(self) -> dict[str, int]:
        """The three processes by name."""
        assert self.node is not None
        return {
            "node": self.node.process.pid,
            "camera": self.camera.process.pid,
            "client": self.client.process.pid,
        }

    def check(self) -> None:
        """Raise `DemoError` when the node has died."""
        assert self.node is not None
        self.node.check()

    def close(self) -> None:
        """End all processes."""
        for peer in (self.camera, self.client):
            stop(peer.process)
        if self.node is not None:
            self.node.stop()

    def _sizes(self) -> list[str]:
        return sorted((path.stem for path in self._folder.glob("*.npy")), key=lambda size: int(size.partition("x")[0]))


@contextlib.contextmanager
def live(config: ModelConfig, pictures: list[Pictures]) -> Iterator[Live]:
    """Yield camera and client with these pictures at hand, and end everything afterwards."""
    with tempfile.TemporaryDirectory(prefix="ris_bench_") as name:
        folder = Path(name)
        for one in pictures:
            one.save(folder)
        processes = Live(config, folder)
        try:
            yield processes
        finally:
            processes.close()


def ros_missing() -> str:
    """Return what the live part lacks here; empty when nothing."""
    from importlib.util import find_spec

    missing = [name for name in ("rclpy", "ris_msgs") if find_spec(name) is None]
    return f"{' and '.join(missing)} cannot be imported: run `make bench`, or source ROS 2" if missing else ""


def summary(load: Load) -> dict[str, Any]:
    """Return a load as JSON."""
    return {
        "end_to_end": load.end_to_end.to_json(),
        "label_mask": load.mask.to_json(),
        "node_cpu_ms": finite(load.cpu_ms.p50),
        "stages": {name: series.to_json() for name, series in load.stages.items()},
        "cpu_cores": {name: round(float(np.mean(shares)), 3) for name, shares in load.cpu.items()},
        "rss_mb": round(load.rss_mb, 1),
        "published": load.published,
        "answered": load.answered,
        "rate_hz": round(load.rate_hz, 2) if load.wall_s else None,
        "statuses": load.statuses,
    }
