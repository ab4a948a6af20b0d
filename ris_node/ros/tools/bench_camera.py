# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The bench's camera: publishes pictures at a rate, as stdin asks, with stamps of the moment they are sent.

One JSON object a line: {"size": "640x480", "rate": 10.0, "count": 30}; answered with {"published": n, "wall_s": s}.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import rclpy
from sensor_msgs.msg import CameraInfo, Image

from ris_node.bench.pictures import FRAME_ID, Pictures
from ris_node.entry import start
from ris_node.interface import topic
from ris_node.messages.common import camera_info_to_msg, header_to_msg, image_to_msg
from ris_node.ros.convert.make import make
from ris_node.ros.outputs.publishers import qos_profile
from ris_node.ros.start import ros_process


class BenchCamera:
    """Publishes images and their intrinsics; the messages are made beforehand, only the stamp is new."""

    def __init__(self, folder: Path, namespace: str) -> None:
        self.node = rclpy.create_node("bench_camera", namespace=namespace)
        self._image = self.node.create_publisher(Image, "image", qos_profile(topic("image").qos))
        self._info = self.node.create_publisher(CameraInfo, "camera_info", qos_profile(topic("camera_info").qos))
        self._folder = folder
        self._messages: dict[str, tuple[list[Any], Any]] = {}

    def publish(self, size: str, rate: float, count: int) -> dict[str, float]:
        """Publish so many pictures of a size at a rate in Hz."""
        images, info = self._of(size)
        begin = time.monotonic()
        for k in range(count):
            time.sleep(max(0.0, begin + k / rate - time.monotonic()))
            header = header_to_msg(make, time.time_ns(), FRAME_ID)
            message = images[k % len(images)]
            message.header = info.header = header
            self._info.publish(info)
            self._image.publish(message)
        return {"published": count, "wall_s": time.monotonic() - begin}

    def listeners(self) -> int:
        """Return the number of subscriptions to the images."""
        return int(self._image.get_subscription_count())

    def _of(self, size: str) -> tuple[list[Any], Any]:
        if size not in self._messages:
            pictures = Pictures.load(self._folder, size)
            header = header_to_msg(make, 0, FRAME_ID)
            images = [image_to_msg(make, image, "rgb8", header) for image in pictures.images]
            info = camera_info_to_msg(make, pictures.camera, header)
            self._messages[size] = images, info
        return self._messages[size]


def main() -> int:
    """Run the camera's process until stdin ends."""
    parser = argparse.ArgumentParser(description="Publish the bench's pictures.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("namespace")
    args = parser.parse_args()
    with ros_process():
        camera = BenchCamera(args.folder, args.namespace)
        for line in sys.stdin:
            wanted = json.loads(line)
            if "listeners" in wanted:
                answer: dict[str, float] = {"listeners": camera.listeners()}
            else:
                answer = camera.publish(wanted["size"], float(wanted["rate"]), int(wanted["count"]))
            print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    start(main)
