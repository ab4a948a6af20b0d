# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A picture whose every pixel has a class and whose things have instances: what expressions are generated from."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ris_node.data.classes import CLASSES, VOID
from ris_node.data.colours import colour_shares
from ris_node.errors import DataError
from ris_node.geometry.camera import Camera
from ris_node.geometry.transform import Transform
from ris_node.types import F32, U8, U16, Bool

# Parts below this share of the picture are noise; above it, they exist (and can make an expression ambiguous).
NOISE_FRACTION = 0.00018
# Parts below this share of the picture are never what an expression means: too small to check.
TARGET_FRACTION = 0.0015
# Mean brightness below which every car looks black.
_DARK = 80.0


@dataclass(frozen=True, kw_only=True)
class Object:
    """One instance: `id` is its value in the instance map, `box` (x0, y0, x1, y1) with open ends, `area` in pixels.

    `crowd` marks a blob that is probably several of its class: it exists, but no singular expression may mean it.
    `cut` marks an object touching the picture's left, right or bottom border. `colour` is a name known from the source
    (a renderer); where it is None the colour is judged from pixels.
    """

    id: int
    class_id: int
    box: tuple[int, int, int, int]
    area: int
    crowd: bool = False
    cut: bool = False
    colour: str | None = None

    @property
    def name(self) -> str:
        """The name of its class."""
        return CLASSES[self.class_id].name

    @property
    def cx(self) -> float:
        """Middle of the box, pixels from the left."""
        return 0.5 * (self.box[0] + self.box[2])

    @property
    def foot(self) -> int:
        """Row just below the object."""
        return self.box[3]


@dataclass(frozen=True)
class Annotated:
    """One annotated picture.

    `image` RGB u8[H,W,3]; `class_map` u8[H,W] of project-wide class ids (0: void); `instance_map` u16[H,W] of
    `Object.id` (0: none) for things and masses. `unsure` names classes that may be in the picture unlabelled, so
    that their absence is never claimed; `partial` names classes of which only some are labelled, so that nothing is
    said of them: not "the window", "the leftmost", "all of them" nor "none". `camera` with `camera_in_base` (ground
    z = 0) place regions; None: no regions.
    `manoeuvre_regions` (from a renderer) maps a name such as "bay" to a mask bool[H,W].
    """

    image: U8
    class_map: U8
    instance_map: U16
    objects: tuple[Object, ...]
    _: KW_ONLY
    source: str
    name: str
    unsure: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    camera: Camera | None = None
    camera_in_base: Transform | None = None
    manoeuvre_regions: dict[str, Bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.image.shape[:2]
        if self.image.ndim != 3 or self.class_map.shape != shape or self.instance_map.shape != shape:
            raise DataError(
                f"{self.name}: image {self.image.shape}, class map {self.class_map.shape} and instance map "
                f"{self.instance_map.shape} differ in size; resize them together"
            )

    @property
    def height(self) -> int:
        """Rows of the picture."""
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        """Columns of the picture."""
        return int(self.image.shape[1])

    @cached_property
    def class_areas(self) -> dict[str, int]:
        """Pixels of every class that has any, by name (void included)."""
        counts = np.bincount(self.class_map.ravel(), minlength=1)
        return {CLASSES[i].name: int(n) for i, n in enumerate(counts) if n}

    @cached_property
    def colours(self) -> dict[int, F32]:
        """Colour shares f32[len(COLOUR_NAMES)] of every object large enough to judge, by id; none in a dark picture."""
        smallest = TARGET_FRACTION * self.class_map.size
        shares: dict[int, F32] = {}
        if float(self.image[::4, ::4].mean()) < _DARK:
            return shares
        for item in self.objects:
            if CLASSES[item.class_id].colourable and item.area >= smallest:
                x0, y0, x1, y1 = item.box
                mask = self.instance_map[y0:y1, x0:x1] == item.id
                shares[item.id] = colour_shares(self.image[y0:y1, x0:x1], mask)
        return shares

    def object_mask(self, ids: tuple[int, ...]) -> Bool:
        """Return the union bool[H,W] of these objects' masks."""
        mask = np.zeros(self.class_map.shape, np.bool_)
        for item in self.objects:
            if item.id in ids:
                x0, y0, x1, y1 = item.box
                mask[y0:y1, x0:x1] |= self.instance_map[y0:y1, x0:x1] == item.id
        return mask

    def class_mask(self, cid: int) -> Bool:
        """Return all pixels bool[H,W] of a class."""
        mask: Bool = self.class_map == cid
        return mask

    def flipped(self) -> Annotated:
        """Return the mirror image; generate expressions after mirroring, so that left and right stay true."""
        width = self.width
        objects = tuple(replace(o, box=(width - o.box[2], o.box[1], width - o.box[0], o.box[3])) for o in self.objects)
        twin = replace(
            self,
            image=np.ascontiguousarray(self.image[:, ::-1]),
            class_map=np.ascontiguousarray(self.class_map[:, ::-1]),
            instance_map=np.ascontiguousarray(self.instance_map[:, ::-1]),
            objects=objects,
            name=f"{self.name}#flipped",
            camera=_mirrored_camera(self.camera),
            camera_in_base=_mirrored_pose(self.camera_in_base),
            manoeuvre_regions={k: np.ascontiguousarray(v[:, ::-1]) for k, v in self.manoeuvre_regions.items()},
        )
        if "colours" in self.__dict__:
            twin.__dict__["colours"] = self.colours
        return twin

    def cropped(self, x0: int, y0: int, x1: int, y1: int) -> Annotated:
        """Return the window [x0, x1) x [y0, y1); objects left with under a third of their area become void.

        Raises:
            DataError: when the window is empty or leaves the picture.
        """
        if not (0 <= x0 < x1 <= self.width and 0 <= y0 < y1 <= self.height):
            raise DataError(f"crop ({x0}, {y0}, {x1}, {y1}) does not lie in {self.width} x {self.height}")
        window = np.s_[y0:y1, x0:x1]
        classes, instances = self.class_map[window].copy(), self.instance_map[window].copy()
        counts = np.bincount(instances.ravel(), minlength=max((o.id for o in self.objects), default=0) + 1)
        kept: list[Object] = []
        for item in self.objects:
            left = int(counts[item.id])
            if left and 3 * left < item.area and CLASSES[item.class_id].nature == "thing":
                gone = instances == item.id
                classes[gone], instances[gone] = VOID, 0
            elif left:
                box = (max(item.box[0], x0) - x0, max(item.box[1], y0) - y0)
                ends = (min(item.box[2], x1) - x0, min(item.box[3], y1) - y0)
                cut = item.cut or box[0] == 0 or ends[0] == x1 - x0 or ends[1] == y1 - y0
                kept.append(replace(item, box=(*box, *ends), area=left, cut=cut))
        return replace(
            self,
            image=np.ascontiguousarray(self.image[window]),
            class_map=classes,
            instance_map=instances,
            objects=tuple(kept),
            name=f"{self.name}#{x0},{y0},{x1},{y1}",
            camera=_cropped_camera(self.camera, x0, y0, x1, y1),
            manoeuvre_regions={k: v[window] for k, v in self.manoeuvre_regions.items()},
        )


def make_objects(
    instance_map: U16, class_map: U8, crowds: frozenset[int] = frozenset(), colours: dict[int, str] | None = None
) -> tuple[Object, ...]:
    """Make an `Object` of each non-zero id of an instance map u16[H,W]; its class is that of most of its pixels."""
    height, width = instance_map.shape
    found: list[Object] = []
    ys, xs = np.nonzero(instance_map)
    ids = instance_map[ys, xs].astype(np.int64)
    order = np.argsort(ids, kind="stable")
    ys, xs, ids = ys[order], xs[order], ids[order]
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]]) if ids.size else np.zeros(0, np.int64)
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), ids.size][: starts.size], strict=True):
        y, x, number = ys[start:end], xs[start:end], int(ids[start])
        box = (int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
        cid = int(np.bincount(class_map[y, x]).argmax())
        cut = box[0] == 0 or box[2] == width or box[3] == height
        colour = (colours or {}).get(number)
        found.append(
            Object(id=number, class_id=cid, box=box, area=end - start, crowd=number in crowds, cut=cut, colour=colour)
        )
    return tuple(found)


def _mirrored_camera(camera: Camera | None) -> Camera | None:
    if camera is None:
        return None
    matrix = camera.matrix.copy()
    matrix[0, 2] = camera.width - 1 - matrix[0, 2]
    return _with(camera, matrix=matrix)


def _mirrored_pose(pose: Transform | None) -> Transform | None:
    """The pose seen in a mirror: y of the base and x of the optical frame change sign."""
    if pose is None:
        return None
    base, optical = np.diag([1.0, -1.0, 1.0]), np.diag([-1.0, 1.0, 1.0])
    return Transform(base @ pose.rotation @ optical, base @ pose.translation)


def _cropped_camera(camera: Camera | None, x0: int, y0: int, x1: int, y1: int) -> Camera | None:
    if camera is None:
        return None
    matrix = camera.matrix.copy()
    matrix[0, 2] -= x0
    matrix[1, 2] -= y0
    return _with(camera, width=x1 - x0, height=y1 - y0, matrix=matrix)


def _with(camera: Camera, **changes: Any) -> Camera:
    return replace(camera, **changes)
