# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The subscriptions to the camera, which exist only while the node is active and enabled."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any, Protocol

from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from ris_node.interface import topic
from ris_node.launching import PROFILE_VARIABLES
from ris_node.ros.convert.reading import listen
from ris_node.ros.logs import NodeLogger
from ris_node.ros.node.answering import ImageJob
from ris_node.ros.node.commands import Commands
from ris_node.ros.node.lifecycle import ACTIVE
from ris_node.ros.node.params import NodeParameters
from ris_node.ros.node.worker import Worker
from ris_node.ros.outputs.diagnostics import Meter
from ris_node.ros.outputs.publishers import publishers_of, qos_profile
from ris_node.ros.outputs.status import StatusBoard
from ris_node.ros.outputs.targets import TargetOutputs
from ris_node.sensing.camera import CameraContext, is_rectified
from ris_node.sensing.losses import FrameLoss
from ris_node.sensing.stream import RateGate, SilenceWatch, Take
from ris_node.share import shipped_profile
from ris_node.stamps import stamp_to_ns

_QUEUE_DEPTH = 100  # of the middleware, where every frame is to be kept


class SourceNode(Protocol):
    """The part of the node that the subscriptions to the camera need; the last four methods are rclpy's."""

    phase: str
    parameters: NodeParameters
    camera: CameraContext
    commands: Commands
    targets: TargetOutputs
    status: StatusBoard
    meter: Meter
    log: NodeLogger
    worker: Worker[ImageJob] | None

    def time_jumped(self) -> None:
        """Forget what is bound to time."""

    def destroy_subscription(self, subscription: Any) -> bool:
        """End a subscription."""

    def count_publishers(self, topic_name: str) -> int:
        """Return how many publish on a topic."""

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        """Return the full name of a topic, remapped unless `only_expand`."""

    def get_publishers_info_by_topic(self, topic_name: str) -> list[Any]:
        """Return the publishers on a topic."""


class FrameSource:
    """Takes frames, pairs each with the query in force, and hands them to the worker."""

    def __init__(self, node: SourceNode) -> None:
        self._node = node
        self._enabled = True
        self._subscriptions: list[Any] = []
        self._image: Any = None
        self._gate = RateGate()
        self._silence = SilenceWatch()
        self._last_ns = 0
        self._second_s = 0.0
        self.loss = FrameLoss()

    def restart(self) -> None:
        """Count lost frames from 0 again (configure)."""
        self.loss = FrameLoss()

    def start(self) -> None:
        """Subscribe, unless disabled (activation)."""
        if not self._enabled or self._subscriptions:
            return
        self._gate = RateGate()
        self._last_ns = 0
        self._silence.start(time.monotonic())
        self.loss.restart()
        node, config = self._node, self._node.parameters.config.input
        raw = config.image_transport == "raw"
        name = "image" if raw else topic_beside(node, "image", "compressed")
        qos = replace(topic("image").qos, reliable=config.input_reliability == "reliable")
        if config.drop_policy == "all":
            qos = replace(qos, depth=_QUEUE_DEPTH)
        self._image = listen(
            node,
            Image if raw else CompressedImage,
            name,
            self._on_image,
            qos_profile(qos),
            arrived=self.loss.frame,
            unreadable=self._refuse,
        )
        node.camera.rectified = is_rectified(self._image.topic_name)
        self._subscriptions = [
            self._image,
            listen(
                node,
                CameraInfo,
                "camera_info",
                node.camera.on_camera_info,
                qos_profile(topic("camera_info").qos),
                arrived=self.loss.info,
            ),
            self._depth(config.depth_transport),
        ]

    def _depth(self, transport: str) -> Any:
        raw = transport == "raw"
        name = "depth/image" if raw else topic_beside(self._node, "depth/image", transport)
        profile = qos_profile(topic("depth/image").qos)
        return listen(self._node, Image if raw else CompressedImage, name, self._node.camera.on_depth, profile)

    def stop(self) -> None:
        """Leave the camera (deactivation, or disabled)."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions, self._image = [], None

    def enable(self, on: bool) -> str:
        """Take frames or leave them alone; returns what that means now."""
        self._enabled = on
        if self._node.phase != ACTIVE:
            return f"{'enabled' if on else 'disabled'}, which counts from activation (the node is {self._node.phase})"
        if on:
            self.start()
            return "frames are taken"
        self.stop()
        self._node.targets.withdraw("disabled")
        return "frames are left alone until enabled again"

    @property
    def fresh(self) -> bool:
        """Whether it is enabled and neither frame nor camera_info has come yet."""
        return self._enabled and self._silence.fresh and not self.loss.heard

    def complaint(self, now_s: float) -> str:
        """Why no frames come, in words; empty while they do."""
        if not self._enabled:
            return "disabled by ~/enable: no frames are taken"
        if self._image is None:
            return ""
        name = self._image.topic_name
        if now_s >= self._second_s + 1.0:
            self._second_s = now_s
            self.loss.second(publishers_of(self._node, self._image))
            self._look_for_depth()
        if not self._node.status.report.unheard and (complaint := self.loss.complaint(name)):
            return f"{complaint}; {_remedy()}"
        return self._silence.complaint(now_s, name, self._node.count_publishers)

    def _look_for_depth(self) -> None:
        """Say once that depth comes in a form that was not asked for."""
        node = self._node
        raw = node.resolve_topic_name("depth/image")
        packed = node.resolve_topic_name(topic_beside(node, "depth/image", "compressedDepth"))
        wanted = node.parameters.config.input.depth_transport == "raw"
        if wanted and node.count_publishers(packed) and not node.count_publishers(raw):
            text = f"depth comes on '{packed}' only and is not read: set depth_transport to compressedDepth"
            node.log.warning(f"{text}; until then targets come from the ground plane", every=math.inf)

    def _refuse(self, reason: str) -> None:
        """Log and count a frame that cannot be read: without its header there is nothing to answer."""
        self._node.log.warning(reason, every=5.0, key="image")
        if self._node.worker is not None:
            self._silence.frame(time.monotonic())
            self._node.worker.refuse()

    def _on_image(self, msg: Any) -> None:
        node, now_s = self._node, time.monotonic()
        worker = node.worker
        if worker is None or not self._subscriptions:
            return
        self._silence.frame(now_s)
        stamp_ns = stamp_to_ns(msg.header.stamp)
        self._check_stamp(stamp_ns)
        take = self._gate.take(stamp_ns, now_s, node.parameters.config.input.max_rate_hz)
        if take is Take.NO:
            worker.refuse()
            return
        if take is Take.JUMP:
            node.time_jumped()
        worker.offer(ImageJob(msg, node.commands.queries.active))

    def _check_stamp(self, stamp_ns: int) -> None:
        node = self._node
        if stamp_ns == 0:
            node.meter.unstamped()
            text = (
                f"frames on '{self._image.topic_name}' are stamped 0: no age, no TF; let the camera's driver stamp them"
            )
            node.log.warning(text, every=math.inf, key="stamp 0")
            return
        if stamp_ns < self._last_ns:
            node.meter.went_back()
        self._last_ns = stamp_ns


def topic_beside(node: SourceNode, base: str, transport: str) -> str:
    """The topic of compressed images: beside `base` wherever that is remapped to, as image_transport has it.

    A remapping of the compressed topic itself wins.
    """
    own = f"{base}/{transport}"
    if node.resolve_topic_name(own) != node.resolve_topic_name(own, only_expand=True):
        return own
    return f"{node.resolve_topic_name(base)}/{transport}"


def _remedy() -> str:
    if "fastrtps" in get_rmw_implementation_identifier():
        return f"start the camera's process, too, with {PROFILE_VARIABLES[0]}={shipped_profile()}"
    return "give the middleware larger buffers, or publish compressed frames (image_transport)"
