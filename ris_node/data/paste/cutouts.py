# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Things cut out of annotated pictures, and a bank of them that fits in memory and in one file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import cv2
import numpy as np

from ris_node.atomic import replacing
from ris_node.data.annotated import Annotated, Object
from ris_node.data.classes import CLASSES, VOID, class_id
from ris_node.data.registry import facts_of
from ris_node.errors import DataError
from ris_node.types import U8, Bool

_LEAST_SHARE, _MOST_SHARE = 0.003, 0.12
# Fixed to something, or nothing but a part of it: these do not move to another picture.
_FIXED = frozenset(
    {"pole", "door", "window", "sign", "traffic light", "stop sign", "train", "table", "bed", "toilet", "sink", "oven",
     "refrigerator", "microwave", "tie", "skis", "tv", "mouse", "keyboard", "baseball glove"}
)  # fmt: skip
PASTED = frozenset(c.id for c in CLASSES if c.nature == "thing" and c.name not in _FIXED)
# Least fill of the box, and least and most width over height, of a blob that is one whole thing of its class.
_SHAPES = {
    "car": (0.5, 0.8, 2.6), "van": (0.5, 0.6, 2.6), "person": (0.3, 0.15, 1.2), "cyclist": (0.3, 0.2, 1.3),
}  # fmt: skip
_ANY_SHAPE = (0.3, 0.1, 8.0)
# A standing person is this much narrower than high; others sit, or are hidden below the waist.
_STANDING = 0.5
_SOLID, _FLAT, _HEAD = 0.86, 0.75, 0.3
GROUND = tuple(
    class_id(n)
    for n in (
        "road", "pavement", "parking bay", "grass", "dirt", "gravel", "platform", "playing field", "sand", "snow",
        "floor", "kerb",
    )
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cutout:
    """One thing cut out of a picture: `image` RGB u8[h,w,3] (with what was around it in its box), `mask` bool[h,w].

    `source` is the name of its picture, of `picture_width` x `picture_height` pixels in which the crop has its size;
    `foot` is the row just below it there. `colour` is a name known from the source. `grounded`: it stands on
    ground that shows right below it, so that it is whole down to its foot.
    """

    image: U8
    mask: Bool
    class_id: int
    source: str
    picture_width: int
    picture_height: int
    foot: int
    colour: str | None
    grounded: bool = True

    @property
    def name(self) -> str:
        """The name of its class."""
        return CLASSES[self.class_id].name

    @property
    def height(self) -> int:
        """Rows of the crop."""
        return int(self.mask.shape[0])

    def shrunk(self, longest: int) -> Cutout:
        """Return the same thing with a longest side of at most `longest` pixels, its picture's size scaled alike."""
        h, w = self.mask.shape
        scale = longest / max(h, w)
        if scale >= 1.0:
            return self
        size = (max(round(w * scale), 1), max(round(h * scale), 1))
        image = np.asarray(cv2.resize(self.image, size, interpolation=cv2.INTER_AREA), np.uint8)
        mask = np.asarray(cv2.resize(self.mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)) > 0.5
        width, height, foot = (round(n * scale) for n in (self.picture_width, self.picture_height, self.foot))
        return replace(self, image=image, mask=mask, picture_width=width, picture_height=height, foot=foot)


def cutouts(picture: Annotated, classes: frozenset[int] = PASTED) -> list[Cutout]:
    """Return the things of a picture that are whole, single, and neither tiny nor huge; their arrays are copies."""
    found: list[Cutout] = []
    for item in picture.objects:
        share = item.area / picture.class_map.size
        if item.class_id not in classes or item.crowd or item.cut or not _LEAST_SHARE <= share <= _MOST_SHARE:
            continue
        x0, y0, x1, y1 = item.box
        fill, narrowest, widest = _SHAPES.get(item.name, _ANY_SHAPE)
        if item.area < fill * (x1 - x0) * (y1 - y0) or not narrowest <= (x1 - x0) / (y1 - y0) <= widest:
            continue
        mask: Bool = picture.instance_map[y0:y1, x0:x1] == item.id
        if facts_of(picture.source).connected and not _looks_single(mask, item.name):
            continue
        image = picture.image[y0:y1, x0:x1].copy()
        found.append(
            Cutout(
                image=image, mask=mask, class_id=item.class_id, source=picture.name, picture_width=picture.width,
                picture_height=picture.height, foot=item.foot, colour=item.colour,
                grounded=_stands(picture, item, mask),
            )
        )  # fmt: skip
    return found


def _looks_single(mask: Bool, name: str) -> bool:
    """Return whether a connected part is one thing by its outline.

    Cars in a row leave gaps between roofs and wheels, and their feet climb; people side by side have heads far apart.
    """
    height, width = mask.shape
    if name in ("person", "cyclist"):
        heads = np.flatnonzero(mask[: max(round(0.16 * height), 1)].any(0))
        return bool(np.ptp(heads) + 1 <= _HEAD * height) and (name == "cyclist" or width <= 0.5 * height)
    if name not in ("car", "van"):
        return True
    points = np.column_stack(np.nonzero(mask)[::-1]).astype(np.int32)
    solid = len(points) / max(float(cv2.contourArea(cv2.convexHull(points))), 1.0)
    lowest = height - np.argmax(mask[::-1], axis=0)
    return solid >= _SOLID and bool((lowest > _FLAT * height).mean() >= 0.85)


def _stands(picture: Annotated, item: Object, mask: Bool) -> bool:
    """Return whether ground (or what nobody labelled) shows under most of its lowest tenth, and it is upright."""
    x0, y0, x1, y1 = item.box
    if not CLASSES[item.class_id].on_ground or (item.name == "person" and (x1 - x0) > _STANDING * (y1 - y0)):
        return False
    columns = np.flatnonzero(mask[int(0.9 * mask.shape[0]) :].any(0)) + x0
    row = min(y1 + 1, picture.height - 1)
    return columns.size > 0 and bool(np.isin(picture.class_map[row, columns], (*GROUND, VOID)).mean() >= 0.7)


# What a file of cutouts says of each beside its size.
_SAVED = ("class_id", "source", "picture_width", "picture_height", "foot", "colour", "grounded")


@dataclass(frozen=True)
class CutoutBank:
    """Cutouts to paste from, in a fixed order."""

    items: tuple[Cutout, ...]

    @classmethod
    def build(
        cls,
        pictures: Iterable[Annotated],
        per_class: int = 120,
        longest: int = 200,
        seed: int = 0,
        classes: frozenset[int] = PASTED,
    ) -> CutoutBank:
        """Collect from pictures, one at a time: of each class a fair draw of `per_class`, at most `longest` pixels.

        The same pictures in the same order with the same seed give the same bank. Give it training pictures only.
        """
        rng = np.random.default_rng(seed)
        kept: dict[int, list[Cutout]] = {}
        seen: dict[int, int] = {}
        for picture in pictures:
            for item in cutouts(picture, classes):
                chosen = kept.setdefault(item.class_id, [])
                number = seen[item.class_id] = seen.get(item.class_id, 0) + 1
                place = len(chosen) if len(chosen) < per_class else int(rng.integers(number))
                if place < per_class:
                    chosen[place : place + 1] = [item.shrunk(longest)]
        return cls(tuple(item for cid in sorted(kept) for item in kept[cid]))

    @classmethod
    def open(cls, path: Path, pictures: Iterable[Annotated], per_class: int = 120) -> CutoutBank:
        """Open the bank in the file `path` (.npz), which is made from `pictures` first where it is not there."""
        path = path.with_suffix(".npz")
        if not path.exists():
            cls.build(pictures, per_class).save(path)
        return cls.load(path)

    def save(self, path: Path) -> None:
        """Write the bank to one .npz file, whole or not at all."""
        about = [[*i.mask.shape, *(getattr(i, key) for key in _SAVED)] for i in self.items]
        empty = np.zeros(0, np.uint8)
        with replacing(path.with_suffix(".npz")) as beside:
            np.savez(
                beside,
                about=np.frombuffer(json.dumps(about).encode(), np.uint8),
                pixels=np.concatenate([empty, *(i.image.ravel() for i in self.items)]),
                masks=np.packbits(np.concatenate([empty, *(i.mask.ravel().astype(np.uint8) for i in self.items)])),
            )

    @classmethod
    def load(cls, path: Path) -> CutoutBank:
        """Read what `save` wrote.

        Raises:
            DataError: when the file is no bank.
        """
        try:
            with np.load(path.with_suffix(".npz")) as content:
                about: list[list[Any]] = json.loads(content["about"].tobytes())
                pixels, masks = content["pixels"], np.unpackbits(content["masks"]).astype(np.bool_)
        except (KeyError, ValueError, BadZipFile) as error:
            raise DataError(f"{path} is no bank of cutouts ({error}); delete it and build it again") from error
        items: list[Cutout] = []
        at = 0
        for h, w, *rest in about:
            end = at + h * w
            image, mask = pixels[3 * at : 3 * end].reshape(h, w, 3), masks[at:end].reshape(h, w)
            items.append(Cutout(image=image, mask=mask, **dict(zip(_SAVED, rest, strict=True))))
            at = end
        return cls(tuple(items))

    @cached_property
    def by_class(self) -> dict[int, tuple[int, ...]]:
        """Indexes into `items` of each class."""
        return {
            cid: tuple(n for n, item in enumerate(self.items) if item.class_id == cid)
            for cid in sorted({item.class_id for item in self.items})
        }
