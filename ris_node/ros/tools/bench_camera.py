# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The bench's camera: publishes pictures at a rate, as told on stdin, with stamps of the moment they are sent.

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
from std_msgs.msg import Header

from ris_node.bench.pictures import FRAME_ID, Pictures
from ris_node.entry import start
from ris_node.interface import topic
from ris_node.ros.convert.conversions import ns_to_stamp
from ris_node.ros.convert.images import encode_image
from ris_node.ros.outputs.publishers import qos_profile
from ris_node.ros.start import start_ros


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
            header = Header(stamp=ns_to_stamp(time.time_ns()), frame_id=FRAME_ID)
            message = images[k % len(images)]
            message.header = info.header = header
            self._info.publish(info)
            self._image.publish(message)
        return {"published": count, "wall_s": time.monotonic() - begin}

    def listeners(self) -> int:
        """How many subscribe to the images."""
        return int(self._image.get_subscription_count())

    def _of(self, size: str) -> tuple[list[Any], Any]:
        if size not in self._messages:
            pictures = Pictures.load(self._folder, size)
            images = [encode_image(image, "rgb8", Header(), Image) for image in pictures.images]
            camera = pictures.camera
            info = CameraInfo(width=camera.width, height=camera.height, distortion_model="plumb_bob")
            info.d, info.k = [0.0] * 5, camera.matrix.ravel().tolist()
            info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
            info.p = [*camera.matrix[0], 0.0, *camera.matrix[1], 0.0, *camera.matrix[2], 0.0]
            self._messages[size] = images, info
        return self._messages[size]


def main() -> int:
    """Run the camera's process until stdin ends."""
    parser = argparse.ArgumentParser(description="Publish the bench's pictures.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("namespace")
    args = parser.parse_args()
    start_ros()
    camera = BenchCamera(args.folder, args.namespace)
    try:
        for line in sys.stdin:
            wanted = json.loads(line)
            if "listeners" in wanted:
                answer: dict[str, float] = {"listeners": camera.listeners()}
            else:
                answer = camera.publish(wanted["size"], float(wanted["rate"]), int(wanted["count"]))
            print(json.dumps(answer), flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    start(main)
