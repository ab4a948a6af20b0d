# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""World model: a street with its entities, their places and motions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from ris_scene.domains import Layout
from ris_scene.meshes.mesh import Mesh
from ris_scene.meshes.people import PHASES
from ris_scene.palette import Palette, Weather
from ris_scene.spec import SceneClass, SceneSpec
from ris_scene.street import BAY_PITCH, PARALLEL_PITCH, Street, parking_depth

BEHIND_M, AHEAD_M = -12.0, 320.0


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A parking place: its patch (s0..s1, d0..d1), side, kind and whether anything stands in it."""

    side: str
    kind: str
    s0: float
    s1: float
    d0: float
    d1: float
    free: bool = True


@dataclass(frozen=True, eq=False, kw_only=True)
class Entity:
    """Object of the world: place at time 0 in street coordinates, motion, and the function that makes its mesh.

    `make` gives the mesh of a phase 0..PHASES-1; a figure takes one cycle of phases per `stride` metres. `countable`
    entities get an instance id. `yaw` is relative to the street's heading; `vs`, `vd` are m/s.
    """

    kind: SceneClass
    colour: str
    s: float
    d: float
    yaw: float
    size: tuple[float, float, float]
    make: Callable[[int], Mesh]
    vs: float = 0.0
    vd: float = 0.0
    stride: float = 1.4
    phase: float = 0.0
    countable: bool = True
    parked: bool = False
    z: float = 0.0

    def at(self, time_s: float) -> Entity:
        """Return it moved to a time in seconds."""
        if self.vs == 0.0 and self.vd == 0.0:
            return self
        return replace(self, s=self.s + self.vs * time_s, d=self.d + self.vd * time_s)

    def mesh(self, time_s: float) -> Mesh:
        """Return the mesh for a time: the step it takes then."""
        gone = float(np.hypot(self.vs, self.vd)) * time_s / self.stride + self.phase
        return self.make(int(gone * PHASES) % PHASES)


@dataclass(frozen=True, eq=False, kw_only=True)
class World:
    """World of a spec; render it at any time with `ris_scene.render_world`."""

    spec: SceneSpec
    layout: Layout
    palette: Palette
    weather: Weather
    entities: tuple[Entity, ...]
    slots: tuple[Slot, ...]
    crossings: tuple[float, ...]
    ego_d: float
    tones: dict[str, tuple[int, int, int]]

    def street(self, time_s: float) -> Street:
        """Return the street as the vehicle sees it at a time in seconds."""
        return Street(self.layout, self.spec.speed * time_s, self.ego_d)


def parking_slots(layout: Layout, crossings: tuple[float, ...], rng: Generator) -> list[Slot]:
    """Lay out the parking places of both sides, leaving crossings free; all are free at first."""
    street = Street(layout, 0.0, 0.0)
    slots = []
    for side, kind, edge, sign in (
        ("right", layout.parking_right, street.right_lane_edge, -1),
        ("left", layout.parking_left, street.left_lane_edge, 1),
    ):
        if kind == "none":
            continue
        pitch = PARALLEL_PITCH if kind == "parallel" else BAY_PITCH
        depth = parking_depth(kind)
        for s0 in np.arange(BEHIND_M + float(rng.uniform(0, pitch)), AHEAD_M - 150, pitch):
            s1 = float(s0) + pitch
            if any(s0 - 2.5 < c + 2 and s1 + 2.5 > c - 2 for c in crossings):
                continue
            d0, d1 = sorted((edge, edge + sign * depth))
            slots.append(Slot(side=side, kind=kind, s0=float(s0), s1=s1, d0=d0, d1=d1))
    return slots
