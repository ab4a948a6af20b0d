# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A real grounding node over DDS with the tiny bundle, a client beside it, and waits that poll."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from domains import free_domain
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from ris_msgs.msg import Grounding, NodeStatus, Query
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header, String
from tiny_bundle import make_tiny_bundle

from ris_node.interface import RELIABLE_10, Qos, topic
from ris_node.messages.common import image_to_msg
from ris_node.ros.convert.make import interface_class, make
from ris_node.ros.node.node import GroundingNode
from ris_node.ros.outputs.publishers import qos_profile

ROOT = Path(__file__).resolve().parents[2]
NODE = "grounding_node"
CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE, SHUTDOWN = 1, 2, 3, 4, 7  # the last from active
SIZE = (640, 480)
RED, GREEN = (80, 160, 160, 160), (400, 160, 160, 160)  # x, y, w, h in the picture
BLUES = ((270, 40, 70, 70), (370, 40, 70, 70))
NS = 1_000_000_000
SMALL_CAR: dict[str, Any] = {
    "vehicle_length_m": 0.5,
    "vehicle_width_m": 0.4,
    "clearance_m": 0.05,
    "min_region_m2": 0.1,
    "camera_z_m": 1.5,
    "camera_pitch_deg": 15.0,
    "num_threads": 1,
    "warmup_iterations": 1,
}


def picture(width: int = SIZE[0], height: int = SIZE[1]) -> np.ndarray:
    """Grey, with a red and a green square and two blue ones; rgb u8[H,W,3]."""
    image = np.full((height, width, 3), 120, np.uint8)
    across, down = width / SIZE[0], height / SIZE[1]
    for (x, y, w, h), colour in ((RED, (255, 0, 0)), (GREEN, (0, 255, 0)), *((b, (0, 0, 255)) for b in BLUES)):
        rows = slice(round(y * down), round((y + h) * down))
        image[rows, round(x * across) : round((x + w) * across)] = colour
    return image


def header(stamp_ns: int, frame_id: str = "camera_optical_frame") -> Header:
    return Header(stamp=Time(sec=stamp_ns // NS, nanosec=stamp_ns % NS), frame_id=frame_id)


def image_msg(stamp_ns: int, image: np.ndarray | None = None, encoding: str = "rgb8") -> Image:
    return image_to_msg(make, picture() if image is None else image, encoding, header(stamp_ns))


def camera_info(stamp_ns: int = 0, width: int = SIZE[0], height: int = SIZE[1]) -> CameraInfo:
    focal = 0.8 * width
    info = CameraInfo(header=header(stamp_ns), width=width, height=height, distortion_model="plumb_bob")
    info.k = [focal, 0.0, (width - 1) / 2, 0.0, focal, (height - 1) / 2, 0.0, 0.0, 1.0]
    info.p = [focal, 0.0, (width - 1) / 2, 0.0, 0.0, focal, (height - 1) / 2, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info


def wait_for(condition: Callable[[], Any], what: str, timeout_s: float = 30.0) -> Any:
    """Poll until `condition()` is true and return its value; fail with `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"waited {timeout_s:g} s for {what}")


class Spinning:
    """Nodes in a context and an executor thread of their own."""

    def __init__(self, domain: int) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.thread = threading.Thread(target=self._spin, daemon=True)
        self._ended = threading.Event()

    def start(self, node: Any) -> None:
        self.node = node
        self.executor.add_node(node)
        self.thread.start()

    def _spin(self) -> None:
        while not self._ended.is_set():
            self.executor.spin_once(timeout_sec=0.1)

    def stop(self) -> None:
        """End the thread, then the context: one that ends under a spinning executor makes it raise."""
        self._ended.set()
        self.executor.wake()
        self.thread.join(20.0)
        self.context.try_shutdown()

    def close(self) -> None:
        self.stop()
        self.executor.shutdown(0.0)
        self.node.destroy_node()


class Client:
    """Talks to the node as any other process would."""

    def __init__(self, domain: int, namespace: str) -> None:
        self._spinning = Spinning(domain)
        self.node = Node("client", namespace=namespace, context=self._spinning.context)
        self._spinning.start(self.node)
        self.results: list[Any] = []
        self.statuses: list[Any] = []
        self._stamp_ns = 1_000 * NS
        self.images = self.publisher(Image, "image", Qos(depth=5, reliable=False))
        self.infos = self.publisher(CameraInfo, "camera_info", Qos(depth=5, reliable=False))
        self.commands = self.publisher(String, "command", RELIABLE_10)
        self.queries = self.publisher(Query, "query", RELIABLE_10)
        self.listen("~/result", self.results)
        self.listen("~/status", self.statuses)

    def close(self) -> None:
        self._spinning.close()

    def publisher(self, kind: Any, name: str, qos: Qos) -> Any:
        return self.node.create_publisher(kind, name, qos_profile(qos))

    def listen(self, name: str, into: list[Any], qos: Qos | None = None) -> Any:
        """Collect the messages of one of the node's topics, as the interface table names it."""
        entry = topic(name)
        path = f"{NODE}/{name[2:]}" if name.startswith("~/") else name
        return self.node.create_subscription(
            interface_class(entry.type), path, into.append, qos_profile(qos or entry.qos)
        )

    def call(self, kind: Any, name: str, request: Any, timeout_s: float = 30.0) -> Any:
        """Call one of the node's services and return its response."""
        client = self.node.create_client(kind, f"{NODE}/{name}")
        try:
            assert client.wait_for_service(timeout_s), f"no service {name}"
            future = client.call_async(request)
            wait_for(future.done, f"the answer of {name}", timeout_s)
            return future.result()
        finally:
            self.node.destroy_client(client)

    def change(self, transition: int) -> bool:
        """Call a lifecycle transition; whether it succeeded."""
        request = ChangeState.Request()
        request.transition.id = transition
        return bool(self.call(ChangeState, "change_state", request).success)

    def state(self) -> str:
        return str(self.call(GetState, "get_state", GetState.Request()).current_state.label)

    def next_stamp(self, step_ns: int = NS // 30) -> int:
        self._stamp_ns += step_ns
        return self._stamp_ns

    def send(self, image: np.ndarray | None = None, encoding: str = "rgb8", stamp_ns: int | None = None) -> int:
        """Publish a frame and return its stamp."""
        stamp_ns = self.next_stamp() if stamp_ns is None else stamp_ns
        self.images.publish(image_msg(stamp_ns, image, encoding))
        return stamp_ns

    def result_of(self, stamp_ns: int, timeout_s: float = 20.0) -> Any:
        """The one result with this stamp."""
        found = wait_for(lambda: self.find(stamp_ns), f"a result for {stamp_ns}", timeout_s)
        assert len(found) == 1
        return found[0]

    def find(self, stamp_ns: int) -> list[Any]:
        return [m for m in list(self.results) if m.header.stamp == header(stamp_ns).stamp]

    def ground(self, image: np.ndarray | None = None, encoding: str = "rgb8") -> Any:
        """Send a frame until it is answered, and return its result (best effort may lose one)."""
        for _ in range(20):
            stamp_ns = self.send(image, encoding)
            deadline = time.monotonic() + 3.0
            while time.monotonic() < deadline:
                found = self.find(stamp_ns)
                if found:
                    return found[0]
                time.sleep(0.002)
        raise AssertionError("frames are not answered")

    def say(self, text: str, timeout_s: float = 20.0) -> str:
        """Publish a command and wait until it is in force; returns its id."""
        before = self.active_id()
        self.commands.publish(String(data=text))
        wait_for(
            lambda: self.active_id() not in ("", before) and self.statuses[-1].active_query.text == text,
            f"'{text}' to be in force",
            timeout_s,
        )
        return self.active_id()

    def active_id(self) -> str:
        return self.statuses[-1].active_query.id if self.statuses else ""

    def wait_state(self, *states: int, timeout_s: float = 30.0) -> Any:
        """Wait until `~/status` says one of these states, and return the message."""
        wait_for(lambda: self.statuses and self.statuses[-1].state in states, f"state {states}", timeout_s)
        return self.statuses[-1]

    def connected(self) -> None:
        """Wait until the node hears commands, sees the camera and is heard."""
        result = f"{self.node.get_namespace().rstrip('/')}/{NODE}/result"
        wait_for(lambda: self.commands.get_subscription_count() and self.queries.get_subscription_count(), "commands")
        wait_for(lambda: self.node.count_publishers(result), "results")
        wait_for(self.images.get_subscription_count, "the image subscription")
        self.ground()
        self.results.clear()


def diagnostics(client: Client) -> Any:
    """The status in the next message on `/diagnostics` that the node sends from now on."""
    heard: list[Any] = []
    subscription = client.listen("/diagnostics", heard)
    try:
        wait_for(lambda: heard, "/diagnostics", 10.0)
    finally:
        client.node.destroy_subscription(subscription)
    return heard[-1].status[0]


def parameters(values: dict[str, Any]) -> list[Parameter]:
    return [Parameter(name, value=value) for name, value in values.items()]


class InProcess:
    """A node in this process; `node` is open to look at."""

    def __init__(self, domain: int, namespace: str, values: dict[str, Any], **options: Any) -> None:
        self._spinning = Spinning(domain)
        self.node = GroundingNode(
            namespace=namespace,
            context=self._spinning.context,
            parameter_overrides=parameters(values),
            **options,
        )
        self._spinning.start(self.node)

    def close(self) -> None:
        self._spinning.stop()
        assert self.node.close()
        self._spinning.close()


class OwnProcess:
    """A node in a process of its own, as `grounding_node` starts it."""

    def __init__(self, domain: int, namespace: str, values: dict[str, Any]) -> None:
        args = [text for name, value in values.items() for text in ("-p", f"{name}:={_yaml(value)}")]
        command = [sys.executable, "-m", "ris_node.ros.grounding_node", "--ros-args", "-r", f"__ns:={namespace}", *args]
        environment = {**os.environ, "ROS_DOMAIN_ID": str(domain), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # a pipe that nobody reads would stop the node
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=self._log, stderr=subprocess.STDOUT, text=True
        )

    def interrupt(self, timeout_s: float = 20.0, number: int = signal.SIGINT) -> int:
        """Send SIGINT and return the exit code."""
        self.process.send_signal(number)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = 60.0) -> int:
        return self.process.wait(timeout_s)

    @property
    def output(self) -> str:
        """What the process has printed so far."""
        self._log.seek(0)
        return self._log.read()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.wait()


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Rig:
    """A node and a client, in a domain and a namespace of their own."""

    def __init__(self, server: Any, client: Client, domain: int, namespace: str) -> None:
        self.server, self.client = server, client
        self.domain, self.namespace = domain, namespace

    @property
    def node(self) -> GroundingNode:
        return self.server.node


@contextmanager
def rig(
    bundle: Path,
    *,
    own_process: bool = False,
    active: bool = True,
    options: dict[str, Any] | None = None,
    **values: Any,
) -> Iterator[Rig]:
    """Start a node with the bundle and a client; `active` brings it to READY with the camera connected."""
    domain, lock = free_domain()
    namespace = f"/t{os.getpid()}_{time.monotonic_ns() % 10**9}"
    values = {**SMALL_CAR, "model_dir": str(bundle), "autostart": active, **values}
    with lock:
        kind = OwnProcess if own_process else InProcess
        server = kind(domain, namespace, values, **(options or {}))
        try:
            client = Client(domain, namespace)
            try:
                if active:
                    client.wait_state(NodeStatus.STATE_READY, NodeStatus.STATE_DEGRADED)
                    client.connected()
                yield Rig(server, client, domain, namespace)
            finally:
                client.close()
        finally:
            server.close()


_BUNDLES: dict[str, Path] = {}


def tiny(folder: Path) -> Path:
    """The tiny bundle, made once a run."""
    if "tiny" not in _BUNDLES or not _BUNDLES["tiny"].is_dir():
        _BUNDLES["tiny"] = make_tiny_bundle(folder / "tiny")
    return _BUNDLES["tiny"]


def box_of(result: Grounding, number: int = 0) -> tuple[int, int, int, int]:
    box = result.instances[number].box
    return box.x_offset, box.y_offset, box.width, box.height


def near(box: tuple[int, int, int, int], truth: tuple[int, int, int, int], pixels: int = 12) -> bool:
    """Whether two boxes agree to some pixels (a cell of the masks is 8 pixels of the picture)."""
    return all(abs(a - b) <= pixels for a, b in zip(box, truth, strict=True))
