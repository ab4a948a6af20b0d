# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A rendered drive as a bag, without ROS: camera, calibration, TF, commands and the exact truth of each frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ris_node.bags.typestore import make
from ris_node.bags.writer import BagWriter
from ris_node.errors import ConfigError
from ris_node.geometry.transform import Transform
from ris_node.interface import LATCHED, RELIABLE_5, RELIABLE_10, SENSOR
from ris_node.messages.common import camera_info_to_msg, header_to_msg, image_to_msg, transform_to_msg
from ris_node.stamps import NS_PER_S
from ris_scene.populate import build_world
from ris_scene.render import render_world
from ris_scene.spec import CameraSpec, Placement, Scene, SceneSpec
from ris_scene.truth import Place, Wanted, referents, region_truth

START_NS = 1_700_000_000 * NS_PER_S
CAMERA_FRAME, BASE_FRAME, WORLD_FRAME = "camera_optical_frame", "base_link", "odom"
MASK, REGION_MASK = "/truth/mask", "/truth/region_mask"
ENCODINGS = {"rgb8": None, "bgr8": cv2.COLOR_RGB2BGR, "rgba8": cv2.COLOR_RGB2RGBA, "mono8": cv2.COLOR_RGB2GRAY}


@dataclass(frozen=True)
class Said:
    """A command in the bag at a time in seconds, with its meaning: the referent, and where to go (None: only point)."""

    text: str
    time_s: float = 0.0
    wanted: Wanted | None = None
    place: Place | None = None


SAID = (
    Said("the red car on the left", 0.0, Wanted("car", "red", side="left")),
    Said("stop next to the red car on the left", 0.6, Wanted("car", "red", side="left", order="nearest"), Place.BESIDE),
)


@dataclass(frozen=True)
class Drive:
    """Contents of a bag of a rendered drive.

    `encoding` is rgb8, bgr8, rgba8 or mono8 on `image_topic`, or jpeg or png on `image_topic`/compressed; with
    `distinct` frames only the first so many are rendered and shown again and again; `time_s` is where the drive starts.
    """

    width: int = 320
    height: int = 240
    rate: float = 10.0
    encoding: str = "rgb8"
    distinct: int = 0
    seed: int = 200_026
    time_s: float = 0.0
    start_ns: int = START_NS
    said: tuple[Said, ...] = SAID
    image_topic: str = "/image"
    tf: bool = True
    depth: bool = False
    truth: bool = True
    spec: SceneSpec | None = None

    @property
    def scene(self) -> SceneSpec:
        """Street of the drive: `spec`, or one with a red car parked on the left and a blue one on the right."""
        if self.spec is not None:
            return replace(self.spec, camera=replace(self.spec.camera, width=self.width, height=self.height))
        cast = (
            Placement("", "", "ahead", 20.0),
            Placement("", "", "oncoming", 18.0),
            Placement("car", "red", "parked left", 15.0),
            Placement("car", "blue", "parked right", 25.0),
            *(Placement("", "", "parked right", s) for s in (7.0, 13.0, 19.0)),
        )
        camera = CameraSpec(self.width, self.height)
        return SceneSpec("demo", self.seed, "park side", "bright", 0.7, speed=0.6, camera=camera, cast=cast)


def write_scene_bag(
    path: Path | str,
    frames: int = 10,
    storage: str = "mcap",
    compression: str = "none",
    drive: Drive | None = None,
    **changes: Any,
) -> Path:
    """Render a drive and write it as a bag.

    Args:
        path: the bag's folder, which must not exist.
        frames: how many camera frames.
        storage: "mcap" or "sqlite3".
        compression: as `BagWriter` takes it.
        drive: what is in it.
        **changes: fields of `Drive` that differ from it.

    Returns:
        The path. The same arguments give the same messages.

    Raises:
        ConfigError: the folder exists, an encoding is not known, or `rosbags` is missing.
    """
    drive = replace(drive or Drive(), **changes)
    if drive.encoding not in (*ENCODINGS, "jpeg", "png"):
        raise ConfigError(f"encoding {drive.encoding!r}: give one of {', '.join((*ENCODINGS, 'jpeg', 'png'))}")
    views = _Views(drive)
    with BagWriter(path, storage=storage, compression=compression) as bag:
        _add_topics(bag, drive)
        told = 0
        for number in range(frames):
            time_s = number / drive.rate
            stamp_ns = drive.start_ns + round(time_s * NS_PER_S)
            told = _say(bag, drive, told, time_s, stamp_ns)
            for topic, message in views.messages(number, told):
                bag.write(topic, stamp_ns, stamped(message, stamp_ns))
            if drive.tf:
                _write_tf(bag, views.world.spec, number == 0, time_s, stamp_ns)
    return Path(path)


def _say(bag: BagWriter, drive: Drive, told: int, time_s: float, stamp_ns: int) -> int:
    """Write the commands that are due after the first `told`; returns how many are told then."""
    while told < len(drive.said) and drive.said[told].time_s <= time_s + 1e-9:
        bag.write("/command", stamp_ns, make("std_msgs/String", data=drive.said[told].text))
        told += 1
    return told


class _Views:
    """Frames of the drive's camera, rendered once for each distinct frame and command."""

    def __init__(self, drive: Drive) -> None:
        self.world = build_world(drive.scene)
        self._drive = drive
        self._kept: dict[tuple[int, int], list[tuple[str, Any]]] = {}

    def messages(self, number: int, told: int) -> list[tuple[str, Any]]:
        """Return the messages of a frame when so many commands have been given."""
        drive = self._drive
        index = number % drive.distinct if drive.distinct else number
        if (index, told) not in self._kept:
            if not drive.distinct:
                self._kept.clear()
            scene = render_world(self.world, drive.time_s + index / drive.rate)
            self._kept[index, told] = frame_messages(scene, drive, drive.said[told - 1] if told else None)
        return self._kept[index, told]


def _add_topics(bag: BagWriter, drive: Drive) -> None:
    compressed = drive.encoding in ("jpeg", "png")
    if compressed:
        bag.add_topic(f"{drive.image_topic}/compressed", "sensor_msgs/CompressedImage", SENSOR)
    else:
        bag.add_topic(drive.image_topic, "sensor_msgs/Image", SENSOR)
    bag.add_topic("/camera_info", "sensor_msgs/CameraInfo", SENSOR)
    bag.add_topic("/command", "std_msgs/String", RELIABLE_10)
    if drive.depth:
        bag.add_topic("/depth/image", "sensor_msgs/Image", SENSOR)
    if drive.truth:
        bag.add_topic(MASK, "sensor_msgs/Image", RELIABLE_5)
        bag.add_topic(REGION_MASK, "sensor_msgs/Image", RELIABLE_5)
    if drive.tf:
        bag.add_topic("/tf", "tf2_msgs/TFMessage", RELIABLE_10)
        bag.add_topic("/tf_static", "tf2_msgs/TFMessage", LATCHED)


def frame_messages(scene: Scene, drive: Drive, said: Said | None) -> list[tuple[str, Any]]:
    """Return (topic, message) of all that a drive records of one frame, without stamps."""
    camera_info = camera_info_to_msg(make, scene.camera, header_to_msg(make, 0, CAMERA_FRAME))
    found = [("/camera_info", camera_info), _picture(scene, drive)]
    if drive.depth:
        depth = np.where(np.isfinite(scene.depth), scene.depth, 0.0).astype(np.float32)
        found.append(("/depth/image", image_message(depth, "32FC1")))
    if drive.truth:
        found += truth_messages(scene, said)
    return found


def truth_messages(scene: Scene, said: Said | None) -> list[tuple[str, Any]]:
    """Return (topic, mono8 image) of what a command means in a frame: 255 on the things meant, and on where to go."""
    mask = region = np.zeros(scene.instance_map.shape, np.bool_)
    meant = referents(scene, said.wanted) if said is not None and said.wanted is not None else ()
    if meant:
        mask = np.isin(scene.instance_map, [thing.id for thing in meant]) & (scene.instance_map > 0)
    if said is not None and said.place is not None and (said.wanted is None or len(meant) == 1):
        place = region_truth(scene, said.place, meant[0] if meant else None)
        region = place.mask if place is not None else region
    return [
        (name, image_message(part * np.uint8(255), "mono8")) for name, part in ((MASK, mask), (REGION_MASK, region))
    ]


def _picture(scene: Scene, drive: Drive) -> tuple[str, Any]:
    if drive.encoding in ("jpeg", "png"):
        # a camera driver's JPEG has BGR inside; the numbers keep PNG quick and JPEG good
        option = [cv2.IMWRITE_JPEG_QUALITY, 92] if drive.encoding == "jpeg" else [cv2.IMWRITE_PNG_COMPRESSION, 1]
        _, data = cv2.imencode(f".{drive.encoding}", scene.image[..., ::-1], option)
        header = header_to_msg(make, 0, CAMERA_FRAME)
        message = make("sensor_msgs/CompressedImage", header=header, format=drive.encoding, data=data.ravel())
        return f"{drive.image_topic}/compressed", message
    change = ENCODINGS[drive.encoding]
    pixels = scene.image if change is None else cv2.cvtColor(scene.image, change)
    return drive.image_topic, image_message(np.asarray(pixels, np.uint8), drive.encoding)


def image_message(pixels: npt.NDArray[Any], encoding: str) -> Any:
    """Return the camera's `sensor_msgs/Image` of pixels [H,W] or [H,W,C], without a stamp."""
    return image_to_msg(make, pixels, encoding, header_to_msg(make, 0, CAMERA_FRAME))


def tf_message(parent: str, child: str, pose: Transform, stamp_ns: int) -> Any:
    """Return a `tf2_msgs/TFMessage` with one transform: the child frame in its parent."""
    header = header_to_msg(make, stamp_ns, parent)
    return make("tf2_msgs/TFMessage", transforms=[transform_to_msg(make, pose, child, header)])


def _write_tf(bag: BagWriter, spec: SceneSpec, first: bool, time_s: float, stamp_ns: int) -> None:
    if first:
        bag.write("/tf_static", stamp_ns, tf_message(BASE_FRAME, CAMERA_FRAME, spec.camera.mount(), stamp_ns))
    ahead = Transform(np.eye(3), np.array([spec.speed * time_s, 0.0, 0.0]))
    bag.write("/tf", stamp_ns, tf_message(WORLD_FRAME, BASE_FRAME, ahead, stamp_ns))


def stamped(message: Any, stamp_ns: int) -> Any:
    """Return a copy of a message with a header, with another stamp in it."""
    return replace(message, header=header_to_msg(make, stamp_ns, message.header.frame_id))
