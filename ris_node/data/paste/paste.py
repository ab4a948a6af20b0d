# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Copy-paste augmentation: things cut out of some pictures, set down in others with everything known about them.

Where the picture has a camera a thing stands on suitable ground at the height that its class has there; elsewhere it
keeps about the size it had. What is nearer (its foot is lower) stays in front, nothing is hidden by more than 40 %,
and brightness alone is adapted, so that colour words stay true. After Ghiasi et al., "Simple Copy-Paste", CVPR 2021.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ris_node.data.annotated import TARGET_FRACTION, Annotated, Object
from ris_node.data.classes import CLASSES, class_id
from ris_node.data.paste.cutouts import GROUND, Cutout, CutoutBank, cutouts
from ris_node.data.registry import facts_of
from ris_node.geometry.ground import pixels_to_ground
from ris_node.types import F32, F64, U8, Bool

__all__ = ["Cutout", "CutoutBank", "cutouts", "paste"]

# Heights in metres of what may stand in a street; each is drawn within a tenth.
HEIGHTS_M = {
    "person": 1.7, "cyclist": 1.75, "car": 1.5, "van": 2.1, "bus": 3.0, "truck": 2.8, "bicycle": 1.05,
    "motorcycle": 1.2, "dog": 0.6, "cat": 0.3, "horse": 1.7, "sheep": 0.9, "cow": 1.5, "fire hydrant": 0.8,
    "parking meter": 1.3, "bench": 0.9, "suitcase": 0.7, "chair": 0.9, "potted plant": 0.8, "bollard": 0.9,
    "traffic cone": 0.6, "bin": 1.1,
}  # fmt: skip
_ON_ROAD = frozenset({"car", "van", "bus", "truck", "cyclist", "motorcycle"})
_ROAD = class_id("road")
_FAR_M, _ENLARGED = 45.0, 1.6
_LEAST, _MOST = TARGET_FRACTION, 0.15
_HIDDEN, _SEEN = 0.4, 0.55
_PLACES, _CUTOUTS = 24, 4


@dataclass(frozen=True)
class _Spot:
    """Where a thing goes: its left column, the row just below it, and its size in pixels."""

    left: int
    foot: int
    width: int
    height: int

    @property
    def window(self) -> tuple[slice, slice]:
        return np.s_[self.foot - self.height : self.foot, self.left : self.left + self.width]


def paste(picture: Annotated, bank: CutoutBank, rng: np.random.Generator, count: int) -> Annotated:
    """Set up to `count` cutouts of other pictures down in a picture; a thing that finds no good place is left out.

    Pasted things get fresh ids; those they hide parts of have their boxes and areas measured again, and
    `manoeuvre_regions` lose the covered pixels. The name gets "#pasted"; where nothing fits the picture itself returns.
    The same state of `rng` gives the same picture.
    """
    canvas = _Canvas(picture)
    for _ in range(count):
        for _ in range(_CUTOUTS):
            item = _choose(picture, bank, rng)
            if item is not None and canvas.add(item, rng):
                break
    return canvas.finished()


def _choose(picture: Annotated, bank: CutoutBank, rng: np.random.Generator) -> Cutout | None:
    """A cutout that suits the picture, of another picture; in streets as often as it occurs, elsewhere more evenly."""
    street = facts_of(picture.source).street
    classes = [c for c in bank.by_class if not street or CLASSES[c].name in HEIGHTS_M]
    if not classes:
        return None
    weights = np.array([len(bank.by_class[c]) for c in classes], np.float64) ** (1.0 if street else 0.5)
    chosen = bank.by_class[classes[int(rng.choice(len(classes), p=weights / weights.sum()))]]
    item = bank.items[chosen[int(rng.integers(len(chosen)))]]
    own = item.source.partition("#")[0] == picture.name.partition("#")[0]
    return None if own or (street and not item.grounded) else item


class _Canvas:
    """A picture that is being changed."""

    def __init__(self, picture: Annotated) -> None:
        self.picture = picture
        self.image, self.classes = picture.image.copy(), picture.class_map.copy()
        self.instances = picture.instance_map.copy()
        self.objects = {o.id: o for o in picture.objects}
        self.whole = {o.id: o.area for o in picture.objects}
        self.covered = np.zeros(picture.class_map.shape, np.bool_)
        self.kept_free = np.zeros(picture.class_map.shape, np.bool_)
        for region in picture.manoeuvre_regions.values():
            self.kept_free |= region

    def add(self, item: Cutout, rng: np.random.Generator) -> bool:
        """Paste a cutout at the first of some places that suits it; whether there was one."""
        ground = self._ground(item, rng)
        mirrored = bool(rng.random() < 0.5)
        for spot in self._spots(item, ground, rng):
            if ground is not None and not self._carries(ground, spot):
                continue
            image, mask = _scaled(item, spot, mirrored)
            seen = mask & ~self._in_front(spot)
            if seen.sum() < max(_SEEN * mask.sum(), _LEAST * self.classes.size) or self._hides(seen, spot):
                continue
            self._draw(item, spot, image, mask, seen)
            return True
        return False

    def _ground(self, item: Cutout, rng: np.random.Generator) -> Bool | None:
        """Where the thing may stand, bool[H,W]; None: anywhere, for what need not stand on the ground."""
        if not CLASSES[item.class_id].on_ground:
            return None
        free = (self.instances == 0) & ~self.kept_free
        road = np.asarray((self.classes == _ROAD) & free, np.bool_)
        ground = np.asarray(np.isin(self.classes, GROUND) & free, np.bool_)
        if not facts_of(self.picture.source).street:
            return ground
        if item.name in _ON_ROAD:
            return road
        beside = np.asarray(ground & ~road, np.bool_)
        return beside if beside.mean() > 0.005 and rng.random() < 0.6 else ground

    def _spots(self, item: Cutout, ground: Bool | None, rng: np.random.Generator) -> list[_Spot]:
        """Places of plausible size that lie within the picture."""
        height, width = self.classes.shape
        candidates = np.arange(height * width) if ground is None else np.flatnonzero(ground)
        if candidates.size == 0:
            return []
        rows, columns = np.divmod(candidates[rng.integers(candidates.size, size=_PLACES)], width)
        factor = rng.uniform(0.9, 1.1) if self.picture.camera is not None else rng.uniform(0.6, 1.4)
        tall = self._heights(item, rows, columns, float(factor))
        wide = tall * item.mask.shape[1] / item.height
        area = tall * wide * float(item.mask.mean()) / (height * width)
        good = (area >= _LEAST) & (area <= _MOST) & (tall <= _ENLARGED * item.height) & (tall >= 8)
        spots: list[_Spot] = []
        for n in np.flatnonzero(good).tolist():
            spot = _Spot(int(columns[n] - wide[n] / 2), int(rows[n]) + 1, round(float(wide[n])), round(float(tall[n])))
            if spot.left > 0 and spot.left + spot.width < width and spot.height < spot.foot < height and spot.width > 3:
                spots.append(spot)
        return spots

    def _heights(self, item: Cutout, rows: F64, columns: F64, factor: float) -> F64:
        """How many pixels high the thing is with its foot at these pixels f64[N]; 0 where that makes no sense."""
        a = self.picture
        if a.camera is None or a.camera_in_base is None or item.name not in HEIGHTS_M:
            relative = factor * item.height / item.picture_height * a.height
            return np.full(rows.shape, relative) * _perspective(item, rows / a.height, facts_of(a.source).street)
        feet = np.column_stack([columns, rows]).astype(np.float64)
        xy, valid = pixels_to_ground(a.camera, a.camera_in_base, feet, _FAR_M)
        tops = np.column_stack([np.nan_to_num(xy), np.full(len(xy), factor * HEIGHTS_M[item.name])])
        pixels, _ = a.camera.project(a.camera_in_base.inverse().apply(tops))
        return np.asarray(np.where(valid, np.nan_to_num(rows - pixels[:, 1]), 0.0), np.float64)

    def _carries(self, ground: Bool, spot: _Spot) -> bool:
        """Return whether most of the strip under the middle of the thing is ground that it may stand on."""
        margin = spot.width // 5
        strip = np.s_[max(spot.foot - 2, 0) : spot.foot + 1, spot.left + margin : spot.left + spot.width - margin]
        return bool(ground[strip].mean() >= 0.7)

    def _in_front(self, spot: _Spot) -> Bool:
        """Pixels bool[h,w] of the window that are nearer: of things with a lower foot, of masses that reach below."""
        ids = self.instances[spot.window]
        front = np.zeros(ids.shape, np.bool_)
        for number in np.unique(ids).tolist():
            other = self.objects.get(number)
            if other is None or other.foot <= spot.foot:
                continue
            mask = ids == number
            if CLASSES[other.class_id].nature == "mass":
                below = self.instances[spot.foot : other.foot, spot.left : spot.left + spot.width] == number
                mask &= below.any(0)[None]
            front |= mask
        return front

    def _hides(self, seen: Bool, spot: _Spot) -> bool:
        """Return whether a single thing would lose more than it may, counted from what the picture showed of it."""
        counts = np.bincount(self.instances[spot.window][seen])
        for number in np.flatnonzero(counts).tolist():
            other = self.objects.get(number)
            if other is None or other.crowd or CLASSES[other.class_id].nature != "thing":
                continue
            if other.area - counts[number] < (1.0 - _HIDDEN) * self.whole[number]:
                return True
        return False

    def _draw(self, item: Cutout, spot: _Spot, image: F32, mask: Bool, seen: Bool) -> None:
        """Paint the pixels that are seen, and write them down."""
        there = self.image[spot.window]
        soft = cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0) * seen
        bright = image * _gain(item, there)
        mixed = there + soft[..., None] * (bright - there)
        there[...] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
        touched = np.unique(self.instances[spot.window][seen]).tolist()
        number = max(int(self.instances.max()), max(self.objects, default=0)) + 1
        self.classes[spot.window][seen] = item.class_id
        self.instances[spot.window][seen] = number
        self.covered[spot.window] |= seen
        self.objects[number] = Object(id=number, class_id=item.class_id, box=(0, 0, 0, 0), area=0, colour=item.colour)
        for changed in (*touched, number):
            self._measure(changed)
        self.whole[number] = self.objects[number].area

    def _measure(self, number: int) -> None:
        """Box, area and cut of an object again; one that was cut stays so, one with nothing left is gone."""
        item = self.objects.get(number)
        if item is None:
            return
        x, y, w, h = cv2.boundingRect((self.instances == number).astype(np.uint8))
        if w == 0:
            del self.objects[number]
            return
        area = int(np.count_nonzero(self.instances[y : y + h, x : x + w] == number))
        height, width = self.classes.shape
        cut = item.cut or x == 0 or x + w == width or y + h == height
        self.objects[number] = replace(item, box=(x, y, x + w, y + h), area=area, cut=cut)

    def finished(self) -> Annotated:
        """Return the changed picture, or the first one where nothing was pasted."""
        if not self.covered.any():
            return self.picture
        return replace(
            self.picture,
            image=self.image,
            class_map=self.classes,
            instance_map=self.instances,
            objects=tuple(self.objects[n] for n in sorted(self.objects)),
            name=f"{self.picture.name}#pasted",
            manoeuvre_regions={k: v & ~self.covered for k, v in self.picture.manoeuvre_regions.items()},
        )


def _perspective(item: Cutout, feet: F64, street: bool) -> F64:
    """In a street without a camera, size grows with the foot's distance f64[N] below a horizon at mid-height."""
    if not street:
        return np.ones(feet.shape)
    own = max(item.foot / item.picture_height - 0.45, 0.08)
    return np.asarray(np.maximum(feet - 0.45, 0.0) / own, np.float64)


def _scaled(item: Cutout, spot: _Spot, mirrored: bool) -> tuple[F32, Bool]:
    """The cutout f32[h,w,3] and its mask bool[h,w] at a spot's size, free of what was around it."""
    step = -1 if mirrored else 1
    mask = item.mask[:, ::step].astype(np.float32)
    image = item.image[:, ::step].astype(np.float32) * mask[..., None]
    how = cv2.INTER_AREA if spot.height < item.height else cv2.INTER_LINEAR
    weight = np.asarray(cv2.resize(mask, (spot.width, spot.height), interpolation=how), np.float32)
    scaled = np.asarray(cv2.resize(image, (spot.width, spot.height), interpolation=how), np.float32)
    return np.asarray(scaled / np.maximum(weight, 1e-3)[..., None], np.float32), np.asarray(weight > 0.5, np.bool_)


def _gain(item: Cutout, there: U8) -> float:
    """One factor for all channels, so that hue stays: half-way from the light around it then to that around it now."""
    around = item.image[~item.mask]
    if around.size < 150:
        return 1.0
    ratio = (float(there.mean()) + 20.0) / (float(around.mean()) + 20.0)
    room = 250.0 / max(float(np.percentile(item.image[item.mask], 95)), 1.0)
    narrow = 0.1 if item.colour else 0.25
    return float(np.clip(np.sqrt(ratio), 1.0 - narrow, max(min(1.0 + narrow, room), 1.0)))
