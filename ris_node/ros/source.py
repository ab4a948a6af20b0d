# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The subscriptions to the camera, which exist only while the node is active and enabled."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from ris_node.interface import topic
from ris_node.ros.answering import FrameJob
from ris_node.ros.conversions import stamp_to_ns
from ris_node.ros.lifecycle import ACTIVE
from ris_node.ros.publishers import qos_profile
from ris_node.ros.stream import RateGate, SilenceWatch, Take

_QUEUE_DEPTH = 100  # of the middleware, where every frame is to be kept


class FrameSource:
    """Takes frames, pairs each with the query in force, and hands them to the worker."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._enabled = True
        self._subscriptions: list[Any] = []
        self._image: Any = None
        self._gate = RateGate()
        self._silence = SilenceWatch()

    def start(self) -> None:
        """Subscribe, unless disabled (activation)."""
        if not self._enabled or self._subscriptions:
            return
        self._gate = RateGate()
        self._silence.start(time.monotonic())
        node, config = self._node, self._node.parameters.config.input
        raw = config.image_transport == "raw"
        name = "image" if raw else "image/compressed"
        qos = replace(topic(name).qos, reliable=config.input_reliability == "reliable")
        if config.drop_policy == "all":
            qos = replace(qos, depth=_QUEUE_DEPTH)
        profile = qos_profile(qos)
        self._image = node.create_subscription(Image if raw else CompressedImage, name, self._on_image, profile)
        self._subscriptions = [
            self._image,
            self._subscribe(CameraInfo, "camera_info", node.camera.on_camera_info),
            self._subscribe(Image, "depth/image", node.camera.on_depth),
        ]

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

    def complaint(self, now_s: float) -> str:
        """Why no frames come, in words; empty while they do."""
        if not self._enabled:
            return "disabled by ~/enable: no frames are taken"
        if self._image is None:
            return ""
        return self._silence.complaint(now_s, self._image.topic_name, self._node.count_publishers)

    def _subscribe(self, message: Any, name: str, callback: Callable[[Any], None]) -> Any:
        return self._node.create_subscription(message, name, callback, qos_profile(topic(name).qos))

    def _on_image(self, msg: Any) -> None:
        node, now_s = self._node, time.monotonic()
        worker = node.worker
        if worker is None or not self._subscriptions:
            return
        self._silence.frame(now_s)
        take = self._gate.take(stamp_to_ns(msg.header.stamp), now_s, node.parameters.config.input.max_rate_hz)
        if take is Take.NO:
            worker.refuse()
            return
        if take is Take.JUMP:
            node.time_jumped()
        worker.offer(FrameJob(msg, node.commands.queries.active))
