# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Sources of frames: the rendered street, a video file, a folder of images, a bag, or a camera."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from ris_node.bags.files import is_bag
from ris_node.bags.message import Message
from ris_node.bags.reader import open_bag
from ris_node.bags.topics import Topics, choose, first_readable
from ris_node.errors import BagError, DemoError, GeometryError, ImageError, RisError
from ris_node.geometry.camera import Camera
from ris_node.media.images import read_image
from ris_node.sensing.camera import camera_from_info, is_rectified
from ris_node.sensing.images import decode
from ris_node.types import U8
from ris_scene.populate import build_world
from ris_scene.render import render_world
from ris_scene.spec import Scene, SceneSpec

_PHOTOS = {".jpg", ".jpeg"}
_IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".tif", ".tiff"}


@dataclass(frozen=True, eq=False)
class SourceFrame:
    """One frame: RGB u8[H,W,3], its time in the source in seconds, and the scene or camera behind it where known."""

    image: U8
    time_s: float
    scene: Scene | None = None
    camera: Camera | None = None


class SceneSource:
    """The rendered street; `frame(t)` is the view after t seconds."""

    def __init__(self, spec: SceneSpec) -> None:
        self.world = build_world(spec)

    def frame(self, time_s: float) -> SourceFrame | None:
        """Render the view at a time in seconds."""
        scene = render_world(self.world, time_s)
        return SourceFrame(scene.image, time_s, scene)


class VideoSource:
    """A video file or a camera (`camera:0`); frames are skipped so that the time asked for is the time shown."""

    def __init__(self, name: str, width: int, height: int) -> None:
        live = name.startswith("camera:")
        number = name.partition(":")[2]
        if live and not number.isdigit():
            raise DemoError(f"{name!r} is no camera: give camera: and its number, e.g. camera:0")
        self._capture = cv2.VideoCapture(int(number) if live else name)
        if not self._capture.isOpened():
            what = "is there a camera, and may you read it?" if live else "is it a video that OpenCV can read?"
            raise DemoError(f"cannot open {name!r}: {what}")
        self._size, self._live = (width, height), live
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._rate = rate if np.isfinite(rate) and 1.0 <= rate <= 240.0 else 25.0
        self._next = 0

    def frame(self, time_s: float) -> SourceFrame | None:
        """Return the frame at a time in seconds, or None past the end."""
        wanted = self._next if self._live else max(self._next, round(time_s * self._rate))
        while self._next < wanted and self._capture.grab():
            self._next += 1
        done, picture = self._capture.read()
        self._next += 1
        if not done:
            return None
        return SourceFrame(fitted(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), *self._size), time_s)  # type: ignore[arg-type]


class FolderSource:
    """The images of a folder by name, `rate` of them a second; those that cannot be read are left out.

    A PNG beside a JPEG of the same name is its annotation, as data sets have it, and is left out too.
    """

    def __init__(self, folder: Path, width: int, height: int, rate: float) -> None:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _IMAGES)
        photos = {path.stem for path in files if path.suffix.lower() in _PHOTOS}
        self._files = [path for path in files if path.suffix.lower() in _PHOTOS or path.stem not in photos]
        if not self._files:
            raise DemoError(f"no image in {str(folder)!r}: it needs files that end in {', '.join(sorted(_IMAGES))}")
        self._size, self._rate = (width, height), rate

    def frame(self, time_s: float) -> SourceFrame | None:
        """Return the image whose turn it is, or None past the last."""
        for path in self._from(int(time_s * self._rate)):
            with suppress(ImageError):
                return SourceFrame(fitted(read_image(path), *self._size), time_s)
        return None

    def _from(self, index: int) -> Iterator[Path]:
        yield from self._files[index:]


class BagSource:
    """The pictures of a bag's camera at their recorded spacing, shrunk to fit into width x height."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        """Open the bag and find its camera.

        Raises:
            DemoError: it cannot be read, or its camera is missing or one of several.
        """
        try:
            self._bag = open_bag(path)
            chosen = choose(self._bag, Topics(), commands=False)
            info = first_readable(self._bag, chosen.camera_info) if chosen.camera_info else None
            rectified = is_rectified(chosen.image.name)
            self._camera = camera_from_info(info, rectified=rectified) if info is not None else None
        except RisError as error:
            raise DemoError(f"cannot show the bag {path}: {error}") from error
        self._size = (width, height)
        self._frames = self._bag.messages([chosen.image.name])
        self._begin_ns: int | None = None
        self._next: Message | None = None
        self._shown: SourceFrame | None = None

    def frame(self, time_s: float) -> SourceFrame | None:
        """Return the last frame up to a time in seconds from the first, or None past the end of the bag.

        Frames that cannot be decoded are passed over.
        """
        moved = False
        while True:
            self._next = self._next or next(self._frames, None)
            if self._next is None:
                return self._shown if moved else None
            message = self._next
            self._begin_ns = message.log_ns if self._begin_ns is None else self._begin_ns
            at_s = (message.log_ns - self._begin_ns) / 1e9
            if self._shown is not None and at_s > time_s:
                return self._shown
            self._next = None
            with suppress(BagError, ImageError):
                image = fitted(decode(self._bag.deserialize(message)), *self._size)
                self._shown, moved = SourceFrame(image, at_s, camera=self._shrunk(image)), True

    def _shrunk(self, image: U8) -> Camera | None:
        """Return the bag's camera at the size of the picture shown; None where it is of another picture."""
        with suppress(GeometryError):
            return self._camera.fitted_to(image.shape[1], image.shape[0]) if self._camera is not None else None
        return None


class Source(Protocol):
    """Where frames come from."""

    def frame(self, time_s: float) -> SourceFrame | None:
        """Return the frame at a time in seconds, or None past the end."""


def open_source(name: str, spec: SceneSpec, rate: float) -> Source:
    """Open what `--source` names: "scene", a video file, a folder of images, a bag, or "camera:N".

    Args:
        name: what to open.
        spec: the scene to render; its camera's size is the largest that other frames may have.
        rate: images a second, for a folder.

    Raises:
        DemoError: it does not exist or cannot be read.
    """
    if name == "scene":
        return SceneSource(spec)
    width, height = spec.camera.width, spec.camera.height
    if name.startswith("camera:"):
        return VideoSource(name, width, height)
    path = Path(name)
    if path.exists() and is_bag(path):
        return BagSource(path, width, height)
    if path.is_dir():
        return FolderSource(path, width, height, rate)
    if not path.exists():
        raise DemoError(f"no such source {name!r}: give scene, a video file, a folder of images, a bag or camera:0")
    return VideoSource(name, width, height)


def fitted(image: U8, width: int, height: int) -> U8:
    """Shrink an image u8[H,W,3] so that it fits into width x height; its aspect stays, and it never grows."""
    scale = min(width / image.shape[1], height / image.shape[0], 1.0)
    if scale == 1.0:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
