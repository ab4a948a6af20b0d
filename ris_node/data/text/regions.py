# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where a vehicle should go for a manoeuvre: patches in metres on flat ground, cut to the free road in view.

A patch is a lane wide (3.5 m) and a vehicle (5.5 m) long with half of one to spare, laid beside, behind or in front
of the point where an object meets the ground, projected by the picture's camera, and intersected with drivable pixels.
What covers too little of its patch, or too few pixels to aim at, is no region; nor is what lies beyond 30 m, where a
row of the network's picture is more than two metres of road. Metres are in the base frame (x forward, y left).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from ris_node.data.annotated import Annotated, Object
from ris_node.data.classes import class_id
from ris_node.geometry.ground import ground_to_pixels, pixels_to_ground
from ris_node.types import F64, Bool

_WIDTH_M, _SHORT_M, _LONG_M = 3.5, 8.2, 8.2
_NEAR_M, _FAR_M, _SHORTEST_M = 3.6, 30.0, 4.0
_LENGTHS_M = {"car": 4.4, "bus": 10.0, "truck": 7.0, "cyclist": 1.8, "motorcycle": 2.0, "bicycle": 1.8}
_DRIVABLE = ("road", "parking bay")
_LEAST_FRACTION, _LEAST_FREE = 0.003, 0.5
_KERB_SIDE = ("pavement", "kerb", "grass", "fence", "building", "tree", "wall", "dirt", "void")


@dataclass(frozen=True)
class _Foot:
    """Where an object meets the ground: distance ahead, and its right and left ends, in metres."""

    x: float
    right: float
    left: float
    length: float

    @property
    def y(self) -> float:
        return 0.5 * (self.left + self.right)


class GroundView:
    """The free road of a picture in metres; `possible` is False where there is no camera or no road."""

    def __init__(self, annotated: Annotated) -> None:
        self.annotated = annotated
        ids = [class_id(n) for n in _DRIVABLE]
        self.free: Bool = np.isin(annotated.class_map, ids) & (annotated.instance_map == 0)
        self.possible = annotated.camera is not None and bool(self.free.mean() > 0.04)
        self._kerbs = frozenset(class_id(n) if n != "void" else 0 for n in _KERB_SIDE)

    def pixels(self, xy: F64) -> F64:
        """Project ground points f64[N,2] in metres to pixels f64[N,2], wherever in front of the camera."""
        a = self.annotated
        if a.camera is None or a.camera_in_base is None:
            raise ValueError("a picture without a camera has no ground view; check `possible` first")
        return ground_to_pixels(a.camera, a.camera_in_base, xy)[0]

    def classes_at(self, xy: F64) -> tuple[Bool, F64]:
        """Return whether points f64[N,2] are in the picture, bool[N], and their class, f64[N] (-1 outside)."""
        pixels = self.pixels(xy)
        cols, rows = np.rint(pixels[:, 0]), np.rint(pixels[:, 1])
        inside = (cols >= 0) & (cols < self.annotated.width) & (rows >= 0) & (rows < self.annotated.height)
        values = np.full(len(xy), -1.0)
        r, c = rows[inside].astype(int), cols[inside].astype(int)
        values[inside] = np.where(self.free[r, c], 255, self.annotated.class_map[r, c])
        return inside, values

    def foot(self, item: Object) -> _Foot | None:
        """Return where an object stands, or None where its foot is out of the picture, too near or too far."""
        a = self.annotated
        if a.camera is None or a.camera_in_base is None or item.foot >= a.height - 2:
            return None
        ends = np.array([[item.box[0], item.foot - 1], [item.box[2] - 1, item.foot - 1]], np.float64)
        xy, valid = pixels_to_ground(a.camera, a.camera_in_base, ends, _FAR_M)
        if not valid.all() or xy[:, 0].mean() < _NEAR_M + 1.0:
            return None
        return _Foot(float(xy[:, 0].mean()), float(xy[1, 1]), float(xy[0, 1]), _LENGTHS_M.get(item.name, 0.4))

    def patch(self, outline: Iterable[tuple[float, float]], least_free: float = _LEAST_FREE) -> Bool | None:
        """Return the free pixels of a polygon in metres, or None where they are too few to stand on or to aim at."""
        corners = np.array(list(outline), np.float64)
        corners[:, 0] = np.maximum(corners[:, 0], _NEAR_M)
        if np.ptp(corners[:, 0]) < _SHORTEST_M:
            return None
        steps = np.linspace(0.0, 1.0, 8, endpoint=False)[:, None]
        following = np.roll(corners, -1, axis=0)
        edges = np.concatenate([a + steps * (b - a) for a, b in zip(corners, following, strict=True)])
        points = self.pixels(edges)
        if not np.isfinite(points).all() or np.abs(points).max() > 1e5:
            return None
        canvas = np.zeros(self.free.shape, np.uint8)
        cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], (1,))
        inside = canvas > 0
        free = np.asarray(inside & self.free, np.uint8)
        free = np.asarray(cv2.morphologyEx(free, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(free, connectivity=8)
        if count < 2:
            return None
        best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        region: Bool = parts == best
        enough = region.sum() >= max(_LEAST_FRACTION * region.size, least_free * inside.sum())
        return region if enough else None


def beside(view: GroundView, item: Object) -> Bool | None:
    """Return a patch next to an object, on the side that faces the vehicle: the first free strip from its edge on."""
    foot = view.foot(item)
    start = _first_free(view, foot) if foot else None
    if foot is None or start is None:
        return None
    y0, sign = start
    middle = foot.x + 0.5 * foot.length
    return view.patch(_box(middle - _SHORT_M / 2 - 0.4, middle + _SHORT_M / 2 + 0.4, y0, y0 + sign * _WIDTH_M))


def behind(view: GroundView, item: Object) -> Bool | None:
    """Return a patch on this side of an object: a vehicle's length before its foot, in its lane or at the kerb."""
    foot = view.foot(item)
    if foot is None:
        return None
    span = (foot.x - 0.8 - _LONG_M, foot.x - 0.8)
    lane = view.patch(_box(*span, foot.y - _WIDTH_M / 2, foot.y + _WIDTH_M / 2))
    if lane is not None:
        return lane
    start = _first_free(view, foot)
    return None if start is None else view.patch(_box(*span, start[0], start[0] + start[1] * _WIDTH_M))


def ahead_of(view: GroundView, item: Object) -> Bool | None:
    """Return a patch in front of an object: beyond a vehicle, at the foot of anything that stands beside the road."""
    foot = view.foot(item)
    if foot is None:
        return None
    if foot.length < 1.0:
        return behind(view, item)
    start = foot.x + foot.length + 0.5
    return view.patch(_box(start, start + _LONG_M, foot.y - _WIDTH_M / 2, foot.y + _WIDTH_M / 2), least_free=0.35)


def following(view: GroundView, item: Object) -> Bool | None:
    """Return a patch behind a vehicle on the road ahead, at a following distance."""
    foot = view.foot(item)
    if foot is None or abs(foot.y) > 6.5:
        return None
    half = _WIDTH_M / 2
    return view.patch(_box(foot.x - 1.5 - _LONG_M, foot.x - 1.0, foot.y - half, foot.y + half), least_free=0.6)


def here(view: GroundView) -> Bool | None:
    """Return the lane straight ahead, from just beyond the bonnet on."""
    return view.patch(_box(6.0, 6.0 + _LONG_M, -_WIDTH_M / 2, _WIDTH_M / 2), least_free=0.75)


def kerb_side(view: GroundView, sign: int) -> Bool | None:
    """Return the road's edge on a side (1: left, -1: right), where it is a kerb and not a parked car."""
    reach = np.arange(0.5, 11.0, 0.25)
    edges: list[tuple[float, float]] = []
    for x in np.arange(6.5, 19.0, 0.75):
        _, classes = view.classes_at(np.column_stack([np.full(reach.size, x), sign * reach]))
        blocked = np.flatnonzero(classes != 255)
        if blocked.size and blocked[0] > 5 and classes[blocked[0]] in view._kerbs:
            edges.append((float(x), float(reach[blocked[0]])))
    if len(edges) < 9:
        return None
    typical = float(np.median([e for _, e in edges]))
    edges = [(x, e) for x, e in edges if abs(e - typical) < 1.5]
    if len(edges) < 9:
        return None
    inner = [(x, sign * max(e - _WIDTH_M, 0.2)) for x, e in reversed(edges)]
    return view.patch([*((x, sign * e) for x, e in edges), *inner], least_free=0.6)


def side_road(view: GroundView, sign: int) -> Bool | None:
    """Return where the road opens to a side (1: left, -1: right) beyond the lanes ahead: the mouth of a turning."""
    reach = np.arange(1.0, 15.0, 0.5)
    opened = []
    for x in np.arange(8.0, 24.0, 1.0):
        inside, classes = view.classes_at(np.column_stack([np.full(reach.size, x), sign * reach]))
        blocked = np.flatnonzero((classes != 255) & inside)
        opened.append(
            (x, float(reach[blocked[0]]) if blocked.size else float(reach[inside][-1] if inside.any() else 0))
        )
    wide = [x for x, e in opened if e >= 9.0]
    narrow = [x for x, e in opened if 0 < e < 6.0]
    if len(wide) < 5 or len(narrow) < 4 or not wide:
        return None
    return view.patch(_box(wide[0], min(wide[-1], wide[0] + 9.0), sign * 4.5, sign * 11.0), least_free=0.6)


def _first_free(view: GroundView, foot: _Foot) -> tuple[float, float] | None:
    """The lateral place and direction (1: left, -1: right) in which the free strip beside an object begins."""
    sign = -1.0 if foot.y > 0 else 1.0
    edge = foot.right if sign < 0 else foot.left
    lateral = edge + sign * np.arange(0.2, 7.0, 0.2)
    x = foot.x + 0.3 * foot.length
    _, classes = view.classes_at(np.column_stack([np.full(lateral.size, x), lateral]))
    free = np.flatnonzero(classes == 255)
    return (float(lateral[free[0]]), sign) if free.size else None


def _box(x0: float, x1: float, y0: float, y1: float) -> tuple[tuple[float, float], ...]:
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
