# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`Sample`: one image, one expression and what it means, whatever data set it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.data.masks.coco import outline
from ris_node.data.masks.pixels import mask_size, read_mask
from ris_node.data.masks.spec import MaskSpec, annotations_in, check_mask, known_empty, mask_files
from ris_node.data.pictures import Picture, picture_of
from ris_node.errors import DataError
from ris_node.geometry.camera import Camera
from ris_node.geometry.transform import Transform
from ris_node.types import U8, Bool

TYPES = ("object", "region")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One expression about one image. Pixels are read when `image`, `mask` or `region` is first asked for, then kept.

    `type` is "object" for noun phrases and "region" for commands that say where to go. What to learn from it:

    * `present` False: the answer is absent; `mask` and `region` are None and mean *empty*.
    * `present` True: `mask` bool[H,W] is the object meant, `region` bool[H,W] where to go; None means *not annotated*
      (a command that names no object; a set with boxes only), never empty.

    `group` joins sentences of one object, positive and negative, or where nothing better is known of one image.
    `kind` is that of `Expression` where known ("order", "absent", ...). `box` (x, y, w, h) in pixels and `class_name`
    are what the set says beside masks; `size` (width, height) is the image's where outlines depend on it. `source`
    names the set; `id` is unique within it.
    """

    picture: Picture
    expression: str
    mask_spec: MaskSpec | None
    region_spec: MaskSpec | None
    present: bool
    type: str
    group: str
    source: str
    id: str
    root: Path
    kind: str = ""
    class_name: str = ""
    box: tuple[float, float, float, float] | None = None
    size: tuple[int, int] | None = None
    camera_spec: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def image(self) -> U8:
        """RGB u8[H,W,3], upright, or as stored where the mask's size says so (see `read_rgb`).

        Raises:
            DataError: when the image is missing or cannot be decoded.
        """
        size = self.size
        if size is None and self.picture.may_be_turned:
            sizes = (mask_size(spec, self.root) for spec in (self.mask_spec, self.region_spec) if spec is not None)
            size = next(filter(None, sizes), None)
        return self.picture.read(size)

    @cached_property
    def mask(self) -> Bool | None:
        """The object meant, bool[H,W] of the image's size, or None (see `Sample`)."""
        return self._read(self.mask_spec, "mask")

    @cached_property
    def region(self) -> Bool | None:
        """Where to go, bool[H,W] of the image's size, or None (see `Sample`)."""
        return self._read(self.region_spec, "region")

    @cached_property
    def camera(self) -> Camera | None:
        """The camera that took the image, or a plausible one that the set gives; None where nothing is known."""
        if self.camera_spec is None:
            return None
        height, width = self.image.shape[:2] if self.size is None else self.size[::-1]
        return Camera(width, height, np.array(self.camera_spec["matrix"]), np.array(self.camera_spec["distortion"]))

    @cached_property
    def camera_in_base(self) -> Transform | None:
        """The optical frame in the vehicle's (ground z = 0, metres), where `camera` is known."""
        spec = self.camera_spec
        return None if spec is None else Transform(np.array(spec["rotation"]), np.array(spec["translation"]))

    @property
    def image_name(self) -> str:
        """The image as the set names it; samples with equal names share their image."""
        return self.picture.name

    def described(self) -> str:
        """Return the name of this sample in a message: source, id and text."""
        return f"{self.source} {self.id} ({self.expression!r})"

    def has_target(self) -> bool:
        """Return whether there is anything to find: `present`, and no mask or region without a pixel (read now)."""
        if not self.present:
            return False
        return all(part is None or bool(part.any()) for part in (self.mask, self.region))

    def _read(self, spec: MaskSpec | None, what: str) -> Bool | None:
        if spec is None or not self.present:
            return None
        height, width = self.image.shape[:2]
        if self.size is not None and self.size != (width, height):
            raise DataError(
                f"{self.described()}: its image {self.image_name} is {width} x {height} pixels, and the annotations "
                f"are for {self.size[0]} x {self.size[1]}; use the images as published"
            )
        try:
            return read_mask(spec, self.root, height, width)
        except DataError as error:
            raise DataError(f"{what} of {self.described()}: {error}") from error


def sample_of(line: Mapping[str, Any], root: Path, source: str, number: int, files: bool = False) -> Sample:
    """Build the sample that a line of JSON means (`ris_node.data.samples.jsonl` says how lines look).

    Args:
        line: the decoded object.
        root: folder that paths in the line are relative to.
        source: name of the set.
        number: the line's number, from 1: its id where the line gives none.
        files: also check that the files it names are there.

    Raises:
        DataError: naming the key that is missing or wrong.
    """
    picture = picture_of(line.get("image"), root)
    mask, region = _spec(line, "mask"), _spec(line, "region")
    kind = line.get("type") or ("object" if region is None else "region")
    if kind not in TYPES:
        raise DataError(f"'type' is {' or '.join(TYPES)}, not {kind!r}")
    if files:
        _check_files(picture, mask, region, root)
    return Sample(
        picture=picture,
        expression=_text(line),
        mask_spec=mask,
        region_spec=region,
        present=_present(line, mask, region),
        type=str(kind),
        group=_word(line, "group", picture.name),
        source=_word(line, "source", source),
        id=_word(line, "id", str(number)),
        root=root,
        kind=_word(line, "kind", ""),
        class_name=_word(line, "class", ""),
        box=_box(line.get("box")),
        size=_size(line.get("size")),
        camera_spec=_camera(line.get("camera")),
        extra=extra if isinstance(extra := line.get("extra"), dict) else {},
    )


def _text(line: Mapping[str, Any]) -> str:
    text = line.get("expression", line.get("text"))
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"'expression' (or 'text') is what was said, not {text!r}")
    return text.strip()


def _word(line: Mapping[str, Any], key: str, default: str) -> str:
    value = line.get(key)
    return default if value is None or value == "" else str(value)


def _spec(line: Mapping[str, Any], key: str) -> MaskSpec | None:
    spec = line.get(key)
    if spec is None:
        return None
    try:
        check_mask(spec)
    except DataError as error:
        raise DataError(f"'{key}': {error}") from error
    return None if known_empty(spec) else spec


def _present(line: Mapping[str, Any], mask: MaskSpec | None, region: MaskSpec | None) -> bool:
    said = line.get("present")
    if said is None:
        return mask is not None or region is not None
    if not isinstance(said, bool):
        raise DataError(f"'present' is true or false, not {said!r}")
    if not said and (mask is not None or region is not None):
        raise DataError("'present' is false beside a mask or a region that is not empty; drop one of the two")
    return said


def _box(value: object) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(isinstance(v, (int, float)) for v in value):
        raise DataError(f"'box' is [x, y, width, height], not {value!r}")
    x, y, w, h = (float(v) for v in value)
    return x, y, w, h


def _camera(value: object) -> Mapping[str, Any] | None:
    shapes = {"matrix": (3, 3), "rotation": (3, 3), "translation": (3,)}
    if value is None:
        return None
    try:
        if not isinstance(value, Mapping):
            raise TypeError(f"not {value!r}")
        numbers = {key: np.asarray(value[key], np.float64) for key in (*shapes, "distortion")}
        if any(numbers[key].shape != shape for key, shape in shapes.items()) or numbers["distortion"].ndim != 1:
            raise ValueError(f"shapes { ({key: array.shape for key, array in numbers.items()}) }")
        return {key: array.tolist() for key, array in numbers.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"'camera' is {{matrix [3,3], distortion [k], rotation [3,3], translation [3] in metres}}: {error!r}"
        ) from error


def _size(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(v, int) and v > 0 for v in value):
        raise DataError(f"'size' is [width, height] in pixels, not {value!r}")
    return value[0], value[1]


def _check_files(picture: Picture, mask: MaskSpec | None, region: MaskSpec | None, root: Path) -> None:
    if picture.path is not None and not picture.path.is_file():
        raise DataError(f"there is no image {picture.path}")
    for spec in (mask, region):
        for name in mask_files(spec):
            if not (root / name).is_file():
                raise DataError(f"there is no mask {root / name}")
        for part in annotations_in(spec):
            outline(part, root, picture.name)
