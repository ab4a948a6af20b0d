# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Small recorded drives for the tests: a red square that wanders over grey, with calibration, TF and a command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ris_node.bags.typestore import typestore
from ris_node.bags.writer import BagWriter
from ris_node.interface import LATCHED, RELIABLE_10, SENSOR

START = 1_700_000_000_000_000_000
STEP = 100_000_000
WIDTH, HEIGHT = 160, 120


def msg(kind: str, /, **values: Any) -> Any:
    """A message of "package/Name" of the type store."""
    return typestore().types[kind.replace("/", "/msg/")](**values)


def header(stamp_ns: int, frame: str = "camera") -> Any:
    stamp = msg("builtin_interfaces/Time", sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return msg("std_msgs/Header", stamp=stamp, frame_id=frame)


def picture(n: int, width: int = WIDTH, height: int = HEIGHT, there: bool = True) -> np.ndarray:
    """Grey noise of a fixed pattern with a red square that moves two pixels a frame."""
    rng = np.random.default_rng(1)
    rgb = np.repeat(rng.integers(90, 150, (height, width, 1), np.uint8), 3, axis=2)
    rgb = cv2.GaussianBlur(rgb, (5, 5), 0)
    if there:
        x, y = square(n, width, height)
        rgb[y : y + height // 3, x : x + width // 4] = (230, 20, 20)
    return rgb


def square(n: int, width: int = WIDTH, height: int = HEIGHT) -> tuple[int, int]:
    return 10 + (2 * n) % (width // 2), height // 3


def image(pixels: np.ndarray, stamp_ns: int, encoding: str = "rgb8") -> Any:
    rows = np.ascontiguousarray(pixels).reshape(pixels.shape[0], -1)
    return msg(
        "sensor_msgs/Image", header=header(stamp_ns), height=pixels.shape[0], width=pixels.shape[1],
        encoding=encoding, is_bigendian=0, step=rows.strides[0], data=rows.reshape(-1).view(np.uint8),
    )  # fmt: skip


def jpeg(rgb: np.ndarray, stamp_ns: int) -> Any:
    _, data = cv2.imencode(".png", rgb[..., ::-1])
    return msg("sensor_msgs/CompressedImage", header=header(stamp_ns), format="png", data=data.ravel())


def compressed_depth(metres: np.ndarray, stamp_ns: int, codec: str = "png") -> Any:
    """Depth f32[H,W] as image_transport's compressedDepth sends it in millimetres."""
    _, png = cv2.imencode(".png", np.clip(metres * 1000, 0, 65535).astype(np.uint16))
    data = np.concatenate([np.zeros(12, np.uint8), png.ravel()])
    form = f"16UC1; compressedDepth {codec}"
    return msg("sensor_msgs/CompressedImage", header=header(stamp_ns), format=form, data=data)


def camera_info(stamp_ns: int, width: int = WIDTH, height: int = HEIGHT) -> Any:
    k = np.array([width, 0, width / 2, 0, width, height / 2, 0, 0, 1], np.float64)
    roi = msg("sensor_msgs/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    return msg(
        "sensor_msgs/CameraInfo", header=header(stamp_ns), height=height, width=width, distortion_model="plumb_bob",
        d=np.zeros(5), k=k, r=np.eye(3).ravel(), p=np.hstack([k.reshape(3, 3), np.zeros((3, 1))]).ravel(),
        binning_x=0, binning_y=0, roi=roi,
    )  # fmt: skip


def transform(parent: str, child: str, stamp_ns: int, xyz: Sequence[float], q: Sequence[float]) -> Any:
    t = msg("geometry_msgs/Vector3", x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2]))
    r = msg("geometry_msgs/Quaternion", x=float(q[0]), y=float(q[1]), z=float(q[2]), w=float(q[3]))
    body = msg("geometry_msgs/Transform", translation=t, rotation=r)
    link = msg("geometry_msgs/TransformStamped", header=header(stamp_ns, parent), child_frame_id=child, transform=body)
    return msg("tf2_msgs/TFMessage", transforms=[link])


# an optical frame in a body frame, 1.5 m over the ground
MOUNT = ((0.0, 0.0, 1.5), (-0.5, 0.5, -0.5, 0.5))
Item = tuple[str, int, str, Any]  # topic, receive time, type, message


@dataclass
class Drive:
    """What to record; `absent` names frames without the square, `stamps` replaces the regular ones."""

    frames: int = 12
    width: int = WIDTH
    height: int = HEIGHT
    encoding: str = "rgb8"
    compressed: bool = False
    tf: bool = True
    info: bool = True
    command: str = "the red thing"
    absent: frozenset[int] = frozenset()
    stamps: Sequence[int] = ()
    more: list[Item] = field(default_factory=list)

    def items(self) -> list[Item]:
        """All messages in order of receive time."""
        found: list[Item] = list(self.more)
        if self.tf:
            found.append(("/tf_static", START, "tf2_msgs/TFMessage", transform("base_link", "camera", 0, *MOUNT)))
        if self.command:
            found.append(("/command", START, "std_msgs/String", msg("std_msgs/String", data=self.command)))
        for n in range(self.frames):
            at = START + n * STEP
            stamp = self.stamps[n] if self.stamps else at
            if self.info:
                info = camera_info(stamp, self.width, self.height)
                found.append(("/camera/camera_info", at, "sensor_msgs/CameraInfo", info))
            rgb = picture(n, self.width, self.height, n not in self.absent)
            if self.compressed:
                kind, message = "sensor_msgs/CompressedImage", jpeg(rgb, stamp)
                found.append(("/camera/image/compressed", at, kind, message))
            else:
                pixels = rgb if self.encoding == "rgb8" else rgb[..., ::-1]
                if "16" in self.encoding:
                    pixels = pixels.astype(np.uint16) * 257
                found.append(("/camera/image", at, "sensor_msgs/Image", image(pixels, stamp, self.encoding)))
        return sorted(found, key=lambda item: item[1])


def write(path: Path, drive: Drive | None = None, storage: str = "mcap", compression: str = "none") -> Path:
    """Write a drive as a ROS 2 bag."""
    return write_items(path, (drive or Drive()).items(), storage, compression)


def write_items(path: Path, items: Iterable[Item], storage: str = "mcap", compression: str = "none") -> Path:
    with BagWriter(path, storage=storage, compression=compression) as bag:
        for topic, at, kind, message in items:
            if topic not in bag:
                qos = LATCHED if topic == "/tf_static" else SENSOR if "image" in topic else RELIABLE_10
                bag.add_topic(topic, kind, qos)
            bag.write(topic, at, message)
    return path


def write_flushed(path: Path, drive: Drive) -> Path:
    """Write a drive as an MCAP with a chunk for each message, so that it can be cut anywhere."""
    with BagWriter(path) as bag:
        for topic, at, kind, message in drive.items():
            if topic not in bag:
                bag.add_topic(topic, kind, RELIABLE_10)
            bag.write(topic, at, message)
            bag.sync()
    return path / f"{path.name}.mcap"


def write_ros1(path: Path, drive: Drive | Iterable[Item], compression: str = "") -> Path:
    """Write a drive, or items, as a ROS 1 bag, as `rosbag record` of Noetic would."""
    from rosbags.rosbag1 import Writer
    from rosbags.typesys import Stores, get_typestore

    noetic = get_typestore(Stores.ROS1_NOETIC)
    noetic.register({"tf2_msgs/msg/TFMessage": typestore().fielddefs["tf2_msgs/msg/TFMessage"]})
    writer = Writer(path)
    if compression:
        writer.set_compression(Writer.CompressionFormat[compression])
    with writer as bag:
        topics: dict[str, Any] = {}
        for topic, at, kind, message in drive.items() if isinstance(drive, Drive) else drive:
            full = kind.replace("/", "/msg/")
            if topic not in topics:
                topics[topic] = bag.add_connection(topic, full, typestore=noetic)
            data = typestore().serialize_cdr(message, full)
            bag.write(topics[topic], at, typestore().cdr_to_ros1(data, full))
    return path
