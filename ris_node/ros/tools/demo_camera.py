# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A camera for the demo: publishes frames of a source with their intrinsics, and keeps each under its stamp.

Run by `ris demo`; by itself: `python -m ris_node.ros.tools.demo_camera --source camera:0 --at-once`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import rclpy
from rclpy.executors import SingleThreadedExecutor
from ris_msgs.msg import Query as QueryMsg
from sensor_msgs.msg import CameraInfo, Image

from ris_node.demo.recording import FrameWriter
from ris_node.demo.sources import Source, SourceFrame, open_source
from ris_node.entry import start
from ris_node.errors import RisError
from ris_node.geometry.camera import Camera
from ris_node.interface import topic
from ris_node.messages.common import camera_info_to_msg, header_to_msg, image_to_msg
from ris_node.ros.convert.make import make
from ris_node.ros.outputs.publishers import qos_profile
from ris_node.ros.start import start_ros
from ris_scene.spec import DEMO_SEED, demo_spec

FRAME_ID = "camera_optical_frame"


class DemoCamera:
    """Publishes frames at a rate until its time or its source is over; a `writer` keeps them.

    It listens for the first command only once `listeners` others are matched to its images: the commander waits for it,
    and no frame after the first command is lost to a recorder that DDS has yet to find.
    """

    def __init__(self, source: Source, writer: FrameWriter | None, hfov_deg: float, listeners: int = 0) -> None:
        self.node = rclpy.create_node("demo_camera")
        self._image = self.node.create_publisher(Image, "image", qos_profile(topic("image").qos))
        self._info = self.node.create_publisher(CameraInfo, "camera_info", qos_profile(topic("camera_info").qos))
        self._listeners, self._listening = listeners, False
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._source, self._writer, self._hfov = source, writer, hfov_deg
        self._asked = False

    def run(self, seconds: float, rate: float, at_once: bool = False) -> int:
        """Publish the first frame until a command is given, then the source from there on.

        Args:
            seconds: how long after the first command, and at most how long to wait for it.
            rate: frames a second.
            at_once: do not wait for a command.

        Returns:
            How many frames were published.
        """
        begin = time.monotonic()
        count, frame, started = 0, self._source.frame(0.0), at_once
        while frame is not None and rclpy.ok() and time.monotonic() - begin < seconds:
            self._publish(frame)
            count += 1
            self._listen()
            self._executor.spin_once(timeout_sec=0.0)
            if self._asked and not started:
                begin, count, started = time.monotonic(), 1, True
            time.sleep(max(0.0, begin + count / rate - time.monotonic()))
            frame = self._source.frame(time.monotonic() - begin) if started else frame
        return count

    def _listen(self) -> None:
        if not self._listening and self._image.get_subscription_count() >= self._listeners:
            query = topic("query")
            self.node.create_subscription(QueryMsg, query.name, self._on_query, qos_profile(query.qos))
            self._listening = True

    def _on_query(self, _: QueryMsg) -> None:
        self._asked = True

    def _publish(self, frame: SourceFrame) -> None:
        stamp_ns = int(self.node.get_clock().now().nanoseconds)
        header = header_to_msg(make, stamp_ns, FRAME_ID)
        camera = self._camera(frame)
        if camera is not None:
            self._info.publish(camera_info_to_msg(make, camera, header))
        self._image.publish(image_to_msg(make, frame.image, "rgb8", header))
        if self._writer is not None:
            self._writer.add(frame, stamp_ns)

    def _camera(self, frame: SourceFrame) -> Camera | None:
        if frame.scene is not None:
            return frame.scene.camera
        if frame.camera is not None:
            return frame.camera
        height, width = frame.image.shape[:2]
        return Camera.pinhole(width, height, self._hfov) if self._hfov > 0 else None


def main() -> int:
    """Run the camera's process; returns the exit code."""
    parser = argparse.ArgumentParser(description="Publish the demo's camera frames.")
    parser.add_argument("--source", default="scene")
    parser.add_argument("--seed", type=int, default=DEMO_SEED)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--hfov", type=float, default=0.0)
    parser.add_argument("--listeners", type=int, default=0, help="how many have to take the images before commands")
    parser.add_argument("--at-once", action="store_true", help="show the source without waiting for a command")
    parser.add_argument("--keep", type=Path, help="a folder for every frame; without it none is kept")
    args = parser.parse_args()
    # One core is the node's: a renderer with threads of its own would take it.
    cv2.setNumThreads(1)
    start_ros()
    try:
        source = open_source(args.source, demo_spec(args.width, args.height, args.seed), args.rate)
        camera = DemoCamera(source, FrameWriter(args.keep) if args.keep else None, args.hfov, args.listeners)
        count = camera.run(args.seconds, args.rate, args.at_once)
        print(f"camera: {count} frames", flush=True)
    except RisError as error:
        print(f"camera: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    start(main)
