# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Flat parts of a street as polygons: carriageway, markings, parking bays, kerbs, pavements and verges."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ris_node.types import F64
from ris_scene.meshes.mesh import Colour, mix, scaled
from ris_scene.spec import SceneClass
from ris_scene.street import KERB, KERB_HEIGHT, Street
from ris_scene.world import World

PAINT: Colour = (226, 226, 220)
FAR_M = 210.0


@dataclass
class Patches:
    """Polygons f64[N,3] in `base_link` with a class and a colour each, in drawing order."""

    points: list[F64] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    colours: list[Colour] = field(default_factory=list)

    def add(self, outline: F64, kind: SceneClass, colour: Colour, z: float = 0.0) -> None:
        """Add a flat polygon f64[N,2] at height z."""
        self.add_upright(np.column_stack([outline, np.full(len(outline), z)]), kind, colour)

    def add_upright(self, outline: F64, kind: SceneClass, colour: Colour) -> None:
        """Add a polygon f64[N,3] in space."""
        self.points.append(outline)
        self.kinds.append(int(kind))
        self.colours.append(colour)


def ground_patches(world: World, street: Street) -> Patches:
    """Return everything flat that can be seen from the vehicle, far things first where they overlap."""
    out = Patches()
    near, far = street.ego_s - 3.0, street.ego_s + FAR_M
    tone = world.tones
    _sides(world, street, near, far, out)
    out.add(street.strip(near, far, street.right_kerb, street.left_kerb), SceneClass.ROAD, tone["asphalt"])
    bay = scaled(tone["asphalt"], 1.08)
    for kind, d0, d1 in (
        (world.layout.parking_right, street.right_kerb, street.right_lane_edge),
        (world.layout.parking_left, street.left_lane_edge, street.left_kerb),
    ):
        if kind != "none":
            out.add(street.strip(near, far, d0, d1), SceneClass.ROAD, bay)
    _gutters(world, street, near, far, out)
    _lines(world, street, near, far, out)
    _bays(world, street, near, out)
    _crossings(world, street, near, out)
    return out


def _sides(world: World, street: Street, near: float, far: float, out: Patches) -> None:
    """Add, on both sides: the land beyond, pavement, verge and kerb."""
    tone, layout = world.tones, world.layout
    for sign, kerb in ((-1, street.right_kerb), (1, street.left_kerb)):
        top = kerb + sign * KERB
        verge = top + sign * layout.verge
        back = verge + sign * layout.pavement
        beyond = tone["grass"] if layout.setback > 1.5 else tone["paving"]
        kind = SceneClass.GRASS if layout.setback > 1.5 else SceneClass.PAVEMENT
        out.add(street.strip(near, far, back, back + sign * 70.0), SceneClass.GRASS, tone["grass"], KERB_HEIGHT)
        out.add(street.strip(near, far, back, back + sign * layout.setback), kind, beyond, KERB_HEIGHT)
        out.add(street.strip(near, far, verge, back), SceneClass.PAVEMENT, tone["paving"], KERB_HEIGHT)
        if layout.verge:
            out.add(street.strip(near, far, top, verge), SceneClass.GRASS, tone["grass"], KERB_HEIGHT)
        out.add(street.strip(near, far, kerb, top), SceneClass.PAVEMENT, tone["kerb"], KERB_HEIGHT)


def _gutters(world: World, street: Street, near: float, far: float, out: Patches) -> None:
    """Add the upright face of the kerb and the darker gutter before it."""
    tone = world.tones
    for sign, kerb in ((-1, street.right_kerb), (1, street.left_kerb)):
        out.add(street.strip(near, far, kerb, kerb - sign * 0.22), SceneClass.ROAD, scaled(tone["asphalt"], 0.86))
        line = street.strip(near, far, kerb, kerb)
        heights = np.where(np.arange(len(line)) < len(line) // 2, 0.0, KERB_HEIGHT)
        out.add_upright(np.column_stack([line, heights]), SceneClass.PAVEMENT, scaled(tone["kerb"], 0.78))


def _quads(street: Street, s0: F64, s1: F64, d0: F64, d1: F64, out: Patches, colour: Colour = PAINT) -> None:
    """Add many small marked patches at once; all arguments f64[N]."""
    s0, s1, d0, d1 = np.broadcast_arrays(*np.atleast_1d(s0, s1, d0, d1))
    quads = street.to_base(np.stack([s0, s1, s1, s0], axis=1), np.stack([d0, d0, d1, d1], axis=1))
    for quad in quads:
        out.add(quad, SceneClass.MARKING, colour)


def _lines(world: World, street: Street, near: float, far: float, out: Patches) -> None:
    """Add the centre line, lane lines and edge lines; none within a crossing."""
    layout = world.layout
    worn = mix(PAINT, world.tones["asphalt"], 0.12)
    dashes = np.arange(np.floor(near / 6.0) * 6.0, street.ego_s + 130.0, 6.0)
    dashes = np.array([s for s in dashes if all(s + 3 < c - 3.4 or s > c + 3.4 for c in world.crossings)])
    for lane in range(-layout.lanes_forward + 1, layout.lanes_back):
        d = lane * layout.lane
        if lane == 0 and layout.lanes_forward + layout.lanes_back > 3:
            for shift in (-0.12, 0.12):
                out.add(street.strip(near, far, d + shift - 0.06, d + shift + 0.06), SceneClass.MARKING, worn)
        elif dashes.size:
            _quads(street, dashes, dashes + 3.0, np.array(d - 0.07), np.array(d + 0.07), out, worn)
    for edge, kind in ((street.right_lane_edge, layout.parking_right), (street.left_lane_edge, layout.parking_left)):
        inward = 0.25 * (1 if edge < 0 else -1) if kind == "none" else 0.0
        out.add(
            street.strip(near, far, edge + inward - 0.05, edge + inward + 0.05),
            SceneClass.MARKING,
            mix(worn, world.tones["asphalt"], 0.25),
        )


def _bays(world: World, street: Street, near: float, out: Patches) -> None:
    """Add the lines between parking places within sight."""
    for slot in world.slots:
        if slot.s1 < near or slot.s0 > street.ego_s + 90.0:
            continue
        s = np.array([slot.s0, slot.s1])
        _quads(
            street,
            s - 0.05,
            s + 0.05,
            np.array(slot.d0 + 0.1),
            np.array(slot.d1 - 0.02),
            out,
            mix(PAINT, world.tones["asphalt"], 0.15),
        )


def _crossings(world: World, street: Street, near: float, out: Patches) -> None:
    """Add zebra stripes and a stop line before each crossing."""
    for c in world.crossings:
        if c + 3 < near or c > street.ego_s + 130.0:
            continue
        d = np.arange(street.right_kerb + 0.35, street.left_kerb - 0.6, 1.0)
        _quads(street, np.array(c - 1.5), np.array(c + 1.5), d, d + 0.5, out)
        _quads(
            street, np.array(c - 3.0), np.array(c - 2.65), np.array(street.right_lane_edge + 0.15), np.array(-0.15), out
        )
