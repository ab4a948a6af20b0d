# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images that are read, or rendered, when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from ris_node.errors import DataError
from ris_node.media.images import is_cut_off
from ris_node.types import U8

_HEAD = 1 << 16  # bytes; EXIF data come first


@dataclass(frozen=True)
class Picture:
    """An image somewhere: a file at `path`, or the rendered street scene that `scene` describes.

    `scene` is (domain, seed, time in s, width, height): a few numbers give the whole image again. `name` is the same
    for the same image, however often it occurs in a set.
    """

    name: str
    path: Path | None = None
    scene: tuple[str, int, float, int, int] | None = None

    def read(self, size: tuple[int, int] | None = None) -> U8:
        """Read the image as RGB u8[H,W,3]; the last two of a process are kept, as sets ask many things of one image.

        The array is read-only; copy it before drawing on it. `size` is that of its annotations, see `read_rgb`.

        Raises:
            DataError: when the file is missing or cannot be decoded.
        """
        return _read(self, size, stamp(self.path))

    @property
    def may_be_turned(self) -> bool:
        """Whether its file has EXIF data, which may say that it is stored lying on its side."""
        try:
            with self.path.open("rb") if self.path is not None else nullcontext() as file:
                head = file.read(_HEAD).lower() if file is not None else b""
        except (OSError, ValueError):
            return False  # `read` says what is wrong
        return b"exif" in head


def stamp(path: Path | None) -> tuple[int, int]:
    """Return (nanoseconds, bytes) of a file, which tell two versions of it apart; (0, 0) where there is none."""
    try:
        about = path.stat() if path is not None else None
    except (OSError, ValueError):
        about = None
    return (0, 0) if about is None else (about.st_mtime_ns, about.st_size)


def picture_of(value: object, root: Path) -> Picture:
    """Build the picture that the "image" of a JSON line means: a path below `root`, or `{"scene": {...}}`.

    Raises:
        DataError: when it is neither.
    """
    if isinstance(value, str) and value.strip() and "\0" not in value:
        return Picture(value, root / value)
    if isinstance(value, Mapping) and isinstance(value.get("scene"), Mapping):
        about = value["scene"]
        try:
            scene = (
                str(about["domain"]), int(about["seed"]), float(about["time_s"]), int(about["width"]),
                int(about["height"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"'image' names a rendered scene without {error}") from error
        return Picture("scene/" + "/".join(str(part) for part in scene), None, scene)
    raise DataError(f"'image' is the path of an image file, not {value!r}")


@lru_cache(maxsize=2)
def _read(picture: Picture, size: tuple[int, int] | None, version: tuple[int, int]) -> U8:  # noqa: ARG001
    if picture.scene is not None:
        image = _render(picture.scene)
    else:
        assert picture.path is not None  # a picture has a path or a scene
        image = read_rgb(picture.path, size)
    image.setflags(write=False)
    return image


def read_rgb(path: Path, size: tuple[int, int] | None = None) -> U8:
    """Read an image file as RGB u8[H,W,3], upright, as its EXIF orientation says and every viewer shows it.

    Where annotations are for (width, height) `size`, and only the image as it is stored has that size, it is that one:
    some tools draw masks without a look at EXIF.

    Raises:
        DataError: when it is missing, cut off or cannot be decoded.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        if bgr is not None and size is not None and size != bgr.shape[1::-1]:
            stored = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
            bgr = stored if stored is not None and size == stored.shape[1::-1] else bgr
    except (OSError, ValueError, cv2.error) as error:
        raise DataError(f"cannot read the image {path}: {getattr(error, 'strerror', None) or error}") from error
    if bgr is None or is_cut_off(data):
        raise DataError(f"cannot read the image {path}: it is not a PNG, JPEG, BMP, TIFF or WebP file, or damaged")
    return np.ascontiguousarray(bgr[:, :, ::-1], np.uint8)


def _render(scene: tuple[str, int, float, int, int]) -> U8:
    from ris_scene import CameraSpec, SceneSpec, render_scene

    domain, seed, time_s, width, height = scene
    spec = SceneSpec(domain, seed, camera=CameraSpec(width, height))
    return np.array(render_scene(spec, time_s).image, np.uint8)
