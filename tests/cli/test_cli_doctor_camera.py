# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris doctor --camera`: a real publisher, and what is said about it."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

rclpy = pytest.importorskip("rclpy")

from rclpy.qos import QoSProfile, ReliabilityPolicy  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

from ris_node.cli.doctor.finding import BROKEN, NOTE, OK, WARNING  # noqa: E402
from ris_node.cli.doctor.live import camera_info_beside, check_camera  # noqa: E402

pytestmark = pytest.mark.ros


@contextmanager
def camera(topic: str, *, encoding: str = "rgb8", reliable: bool = True, focal: float | None = 50.0) -> Iterator[None]:
    """Publish small frames, and a camera_info where there is a focal length, until the block ends."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("test_camera", context=context)
    policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    images = node.create_publisher(Image, topic, QoSProfile(depth=5, reliability=policy))
    infos = node.create_publisher(CameraInfo, camera_info_beside(topic), 5)
    image: Any = Image(height=48, width=64, step=192, encoding=encoding, data=array("B", bytes(48 * 192)))
    image.header.frame_id = "front_optical_frame"
    info = CameraInfo(height=48, width=64, distortion_model="plumb_bob", d=[0.0] * 5)
    if focal is not None:
        info.k = [focal, 0.0, 31.5, 0.0, focal, 23.5, 0.0, 0.0, 1.0]
    done = Event()

    def publish() -> None:
        while not done.wait(0.05):
            image.header.stamp.sec, image.header.stamp.nanosec = divmod(time.time_ns(), 10**9)
            images.publish(image)
            if focal is not None:
                infos.publish(info)

    thread = Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        node.destroy_node()
        rclpy.shutdown(context=context)


def levels(topic: str) -> tuple[list[str], str]:
    """The findings' levels, and all their words."""
    findings = list(check_camera(topic, 1.5))
    return [finding.level for finding in findings], " ".join(f"{f.what} {f.advice}" for f in findings)


def test_a_good_camera_is_ok(ros_namespace: str) -> None:
    topic = f"{ros_namespace}/front/image_raw"
    with camera(topic):
        found, words = levels(topic)
    assert found == [OK, OK, OK], words
    assert "64x48 rgb8 in 'front_optical_frame'" in words
    assert "/test_camera" in words


def test_best_effort_and_no_calibration_are_said(ros_namespace: str) -> None:
    topic = f"{ros_namespace}/image"
    with camera(topic, reliable=False, focal=None):
        found, words = levels(topic)
    assert found == [NOTE, OK, WARNING], words
    assert "best_effort" in words
    assert "camera_info" in words


def test_an_unknown_encoding_and_a_useless_calibration_are_said(ros_namespace: str) -> None:
    topic = f"{ros_namespace}/image"
    with camera(topic, encoding="thermal14", focal=0.0):
        found, words = levels(topic)
    assert found == [OK, BROKEN, WARNING], words
    assert "thermal14" in words


def test_a_camera_that_is_not_there(ros_namespace: str) -> None:
    found, words = levels(f"{ros_namespace}/nothing")
    assert found == [BROKEN]
    assert "nobody publishes" in words


def test_where_camera_info_is_looked_for() -> None:
    assert camera_info_beside("/front/image_raw") == "/front/camera_info"
    assert camera_info_beside("/front/image/compressed") == "/front/camera_info"
    assert camera_info_beside("/image") == "/camera_info"
