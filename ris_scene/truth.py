# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth of a meaning in a scene: the objects meant and the free patch to stop on, from the geometry.

A meaning is structured, not words: who is meant (`Wanted`) and where to go relative to it (`Place`). Wordings belong to
whoever speaks them.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from enum import Enum

import cv2
import numpy as np

from ris_node.geometry.ground import ground_to_pixels
from ris_node.types import F64, Bool
from ris_scene.spec import Scene, SceneClass, SceneObject

VEHICLE_M = (4.5, 1.9)
CLEARANCE_M = 0.3
_MIN_PIXELS_SHARE = 0.0005
_DRIVABLE = (SceneClass.ROAD, SceneClass.MARKING)


class Place(Enum):
    """Place to go to: relative to an object, or on a side of the street by itself."""

    BESIDE = "beside"
    BEHIND = "behind"
    FRONT = "front"
    FREE_BAY_RIGHT = "free bay right"
    FREE_BAY_LEFT = "free bay left"
    KERB_RIGHT = "kerb right"
    KERB_LEFT = "kerb left"
    HERE = "here"


@dataclass(frozen=True)
class Wanted:
    """Description of the objects meant; an empty field says nothing.

    `side` is "left" or "right" of the picture; `order` is "nearest", "farthest", "leftmost", "rightmost", "largest" or
    "smallest"; `relation` is "left of", "right of", "behind", "in front of" or "next to" the object that `other` means.
    """

    label: str
    colour: str = ""
    side: str = ""
    order: str = ""
    _: KW_ONLY
    relation: str = ""
    other: Wanted | None = None


@dataclass(frozen=True, eq=False)
class RegionTruth:
    """Free patch where the vehicle may stand.

    `outline` f64[N,2] is the best free patch in metres in `base_link`: the vehicle with its clearance on every side;
    `goal` (x, y, yaw) its middle, `mask` bool[H,W] its visible pixels; `goals` f64[M,2] are the middles of all patches
    that obey as well (along a kerb, anywhere; beside a thing, 1.5 m to and fro).
    """

    outline: F64
    goal: tuple[float, float, float]
    mask: Bool
    goals: F64

    def error(self, x: float, y: float) -> float:
        """Return how far a goal (x, y) in `base_link` is from the nearest place that obeys, in metres."""
        return float(np.hypot(self.goals[:, 0] - x, self.goals[:, 1] - y).min())


def referents(scene: Scene, wanted: Wanted) -> tuple[SceneObject, ...]:
    """Return exactly the visible objects that are meant, left to right; none when nothing fits.

    Objects that show less than 0.05 % of the picture cannot be meant.
    """
    least = _MIN_PIXELS_SHARE * scene.instance_map.size
    found = [thing for thing in scene.visible if thing.label == wanted.label and thing.pixels >= least]
    if wanted.colour:
        found = [thing for thing in found if thing.colour == wanted.colour]
    if wanted.side:
        middle = scene.image.shape[1] / 2
        found = [thing for thing in found if (_cx(thing) < middle) == (wanted.side == "left")]
    if wanted.relation and wanted.other is not None:
        others = referents(scene, wanted.other)
        found = [t for t in found if any(t.id != o.id and _related(t, o, wanted.relation) for o in others)]
    if wanted.order and found:
        key = {
            "nearest": lambda t: t.distance,
            "farthest": lambda t: -t.distance,
            "leftmost": _cx,
            "rightmost": lambda t: -_cx(t),
            "largest": lambda t: -t.pixels,
            "smallest": lambda t: t.pixels,
        }[wanted.order]
        found = [min(found, key=key)]
    return tuple(sorted(found, key=_cx))


def truth_mask(scene: Scene, wanted: Wanted) -> Bool:
    """Return the visible pixels bool[H,W] of everything that is meant; empty when nothing is."""
    ids = [thing.id for thing in referents(scene, wanted)]
    return np.asarray(np.isin(scene.instance_map, ids) & (scene.instance_map > 0))


def region_truth(scene: Scene, place: Place, anchor: SceneObject | None = None) -> RegionTruth | None:
    """Return the free patch for a place, or None when the vehicle fits nowhere there.

    Args:
        scene: the frame.
        place: where to go.
        anchor: the object it is relative to, for BESIDE, BEHIND and FRONT.
    """
    best: RegionTruth | None = None
    first = (0.0, 0.0)
    goals = []
    for s, d, along in _candidates(scene, place, anchor):
        if best is not None and not _obeys_too(place, s - first[0], d - first[1]):
            continue
        outline = _rectangle(scene, s, d, along)
        if not _free(scene, outline):
            continue
        x, y = scene.street.to_base(np.array(s), np.array(d)).tolist()
        if best is None:
            mask = region_mask(scene, outline)
            if not mask.any():
                continue
            yaw = scene.street.yaw(s) + (0.0 if along else np.pi / 2)
            best, first = RegionTruth(outline, (x, y, float(yaw)), mask, np.zeros((0, 2))), (s, d)
        goals.append((x, y))
    return replace(best, goals=np.array(goals)) if best is not None else None


def _obeys_too(place: Place, along: float, across: float) -> bool:
    """Return whether a patch so far from the best one (metres along and across the street) obeys as well."""
    if place in (Place.KERB_LEFT, Place.KERB_RIGHT, Place.FREE_BAY_LEFT, Place.FREE_BAY_RIGHT):
        return True
    return abs(along) <= 1.5 and abs(across) <= 0.75


def region_mask(scene: Scene, outline: F64) -> Bool:
    """Return the pixels bool[H,W] of a ground outline f64[N,2] that show free road."""
    steps = np.linspace(0, 1, 10, endpoint=False)[:, None]
    edges = np.concatenate([a + steps * (b - a) for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True)])
    edges[:, 0] = np.maximum(edges[:, 0], scene.camera_in_base.translation[0] + 0.5)
    pixels, _ = ground_to_pixels(scene.camera, scene.camera_in_base, edges)
    canvas = np.zeros(scene.instance_map.shape, np.uint8)
    if np.isfinite(pixels).all():
        cv2.fillPoly(canvas, [np.clip(pixels * 16, -1e6, 1e6).round().astype(np.int32)], (1,), cv2.LINE_8, 4)
    return np.asarray((canvas > 0) & np.isin(scene.class_map, _DRIVABLE))


def _cx(thing: SceneObject) -> float:
    return thing.box[0] + thing.box[2] / 2


def _related(thing: SceneObject, other: SceneObject, relation: str) -> bool:
    """Return whether a relation of image side or of distance on the ground holds between two objects."""
    gap = float(np.hypot(thing.x - other.x, thing.y - other.y))
    close = gap < 5.0 + (thing.length + other.length) / 2
    across = abs(thing.y - other.y) < 1.8
    return {
        "left of": _cx(thing) < other.box[0] and close,
        "right of": _cx(thing) > other.box[0] + other.box[2] and close,
        "behind": thing.x > other.x + other.length / 2 and across and close,
        "in front of": thing.x < other.x - other.length / 2 and across and close,
        "next to": gap < 2.5 + (thing.width + other.width) / 2,
    }[relation]


def _candidates(scene: Scene, place: Place, anchor: SceneObject | None) -> list[tuple[float, float, bool]]:
    """List middles (s, d) to try, best first, and whether the vehicle stands along the street."""
    street, half = scene.street, (VEHICLE_M[1] / 2 + CLEARANCE_M + 0.05)
    length = VEHICLE_M[0] / 2 + CLEARANCE_M
    if place in (Place.FREE_BAY_LEFT, Place.FREE_BAY_RIGHT):
        side = "left" if place is Place.FREE_BAY_LEFT else "right"
        slots = [slot for slot in scene.slots if slot.free and slot.side == side and slot.s0 > street.ego_s + 5]
        kerb = street.left_kerb - half if side == "left" else street.right_kerb + half
        return [
            (
                (slot.s0 + slot.s1) / 2,
                kerb if slot.kind == "parallel" else (slot.d0 + slot.d1) / 2,
                slot.kind == "parallel",
            )
            for slot in slots[:6]
        ]
    if place in (Place.KERB_LEFT, Place.KERB_RIGHT):
        d = street.left_kerb - half if place is Place.KERB_LEFT else street.right_kerb + half
        return [(float(street.ego_s + x), d, True) for x in np.arange(8.0, 24.0, 0.5)]
    if place is Place.HERE or anchor is None:
        return [(street.ego_s + 9.0, street.ego_d, True)]
    s, d = street.from_base(np.array([anchor.x, anchor.y])).tolist()
    half_s, half_d = _half_extent(anchor, street.yaw(s))
    inward = float(np.sign(street.ego_d - d)) or 1.0
    lateral = [d + inward * (half_d + half + shift) for shift in np.arange(0.0, 2.0, 0.25)]
    if place is Place.BESIDE:
        return [(s + shift, side, True) for side in lateral for shift in _out(3.0)]
    sign = -1.0 if place is Place.BEHIND else 1.0
    at = [s + sign * (half_s + length + shift) for shift in np.arange(0.1, 4.0, 0.3)]
    return [(x, d, True) for x in at] + [(x, side, True) for side in lateral for x in at]


def _out(reach: float) -> list[float]:
    """Offsets from 0 outwards, in both directions."""
    steps = np.arange(0.0, reach, 0.5)
    return [0.0, *(float(v) for step in steps[1:] for v in (-step, step))]


def _half_extent(thing: SceneObject, street_yaw: float) -> tuple[float, float]:
    c, s = abs(np.cos(thing.yaw - street_yaw)), abs(np.sin(thing.yaw - street_yaw))
    return float(thing.length * c + thing.width * s) / 2, float(thing.length * s + thing.width * c) / 2


def _rectangle(scene: Scene, s: float, d: float, along: bool) -> F64:
    """Return the vehicle with its clearance as corners f64[4,2] in `base_link`; less in narrow bays."""
    length, width = VEHICLE_M[0] / 2 + CLEARANCE_M, VEHICLE_M[1] / 2 + CLEARANCE_M
    if not along:
        length = VEHICLE_M[0] / 2
    middle = scene.street.to_base(np.array(s), np.array(d))
    yaw = scene.street.yaw(s) + (0.0 if along else np.pi / 2)
    half = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [length, width]
    c, sn = np.cos(yaw), np.sin(yaw)
    return np.asarray(half @ np.array([[c, sn], [-sn, c]]) + middle)


def _free(scene: Scene, outline: F64) -> bool:
    """Return whether a patch lies on carriageway or parking, in front of the vehicle, and touches nothing."""
    sd = scene.street.from_base(outline)
    tolerance = 0.06
    if (sd[:, 1] < scene.street.right_kerb - tolerance).any() or (sd[:, 1] > scene.street.left_kerb + tolerance).any():
        return False
    if outline[:, 0].min() < scene.camera_in_base.translation[0] + 1.5:
        return False
    patch = outline.astype(np.float32)
    for thing in scene.objects:
        if abs(thing.x - outline[:, 0].mean()) > 12:
            continue
        area, _ = cv2.intersectConvexConvex(patch, thing.footprint().astype(np.float32))
        if area > 1e-3:
            return False
    return True
