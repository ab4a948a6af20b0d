# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Makers of road users: vehicles, pedestrians and cyclists in the colours of a palette."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
from numpy.random import Generator

from ris_scene.meshes import heavy, people, vehicles
from ris_scene.meshes.mesh import Mesh
from ris_scene.meshes.people import Figure
from ris_scene.palette import COLOUR_NAMES, RGB
from ris_scene.spec import SceneClass
from ris_scene.street import KERB_HEIGHT, Street
from ris_scene.world import Entity, World, parking_slots


@dataclass(frozen=True, eq=False)
class Fixed:
    """Makes the same mesh for every phase."""

    mesh: Mesh

    def __call__(self, _: int) -> Mesh:
        """Return the mesh, whatever the phase."""
        return self.mesh


class Maker:
    """Makes the road users of one world, with one random generator."""

    def __init__(self, world: World, rng: Generator) -> None:
        self.world, self.rng = world, rng
        self.layout, self.palette = world.layout, world.palette
        self.street = Street(world.layout, 0.0, 0.0)
        self.entities: list[Entity] = []
        self.slots = parking_slots(world.layout, world.crossings, rng)

    def colour(self, odds: dict[str, float] | None = None) -> str:
        """Draw a colour name."""
        if odds is None:
            return COLOUR_NAMES[int(self.rng.integers(len(COLOUR_NAMES)))]
        return str(self.rng.choice(list(odds), p=np.array(list(odds.values())) / sum(odds.values())))

    def tone(self, options: tuple[RGB, ...]) -> RGB:
        """Draw one of some RGB values."""
        return options[int(self.rng.integers(len(options)))]

    def vehicle(
        self, label: str, colour: str, s: float, d: float, yaw: float, speed: float = 0.0, parked: bool = False
    ) -> Entity:
        """Make a car, van, truck or bus; `speed` is along its own heading."""
        paint = self.tone(self.palette.paints[colour])
        if label == "car":
            body = str(self.rng.choice(list(vehicles.CARS), p=[0.3, 0.34, 0.14, 0.22]))
            mesh, size = _car_mesh(body, paint)
        else:
            mesh, size = _box_mesh(label, paint)
        vs = speed * float(np.cos(yaw))
        kind = SceneClass[label.upper()]
        return Entity(kind=kind, colour=colour, s=s, d=d, yaw=yaw, size=size, make=Fixed(mesh), vs=vs, parked=parked)

    def figure(self, colour: str) -> Figure:
        """Dress a person whose most visible garment has the named colour."""
        cloth = self.palette.cloth
        legs = self.tone(cloth[str(self.rng.choice(["blue", "black", "grey"]))])
        hair = ((38, 28, 22), (82, 58, 36), (28, 26, 26), (150, 120, 78), (128, 126, 124))[int(self.rng.integers(5))]
        coat = float(self.rng.choice([0.0, 0.0, 0.5, 0.9]))
        bag = self.tone(cloth[self.colour()]) if self.rng.random() < 0.2 else None
        return Figure(
            top=self.tone(cloth[colour]),
            legs=legs,
            hair=hair,
            skin=self.tone(self.palette.skin),
            height=float(self.rng.uniform(1.58, 1.88)),
            coat=coat,
            bag=bag,
        )

    def pedestrian(self, colour: str, s: float, d: float, yaw: float, speed: float, z: float = KERB_HEIGHT) -> Entity:
        """Make a person who walks (or stands, at speed 0) along a heading relative to the street."""
        figure = self.figure(colour)
        make = partial(_pedestrian_mesh, figure) if speed > 0 else Fixed(_pedestrian_mesh(figure, -1))
        length, width, _ = people.PERSON_SIZE
        vs, vd = speed * float(np.cos(yaw)), speed * float(np.sin(yaw))
        return Entity(
            kind=SceneClass.PEDESTRIAN,
            colour=colour,
            s=s,
            d=d,
            yaw=yaw,
            size=(length, width, figure.height),
            make=make,
            vs=vs,
            vd=vd,
            stride=1.4,
            phase=float(self.rng.random()),
            z=z,
        )

    def cyclist(self, colour: str, s: float, d: float, yaw: float, speed: float) -> Entity:
        """Make a person on a bicycle."""
        figure = replace(self.figure(colour), coat=0.0, bag=None)
        frame = self.tone(self.palette.paints[self.colour()])
        make = partial(_cyclist_mesh, figure, frame)
        return Entity(
            kind=SceneClass.CYCLIST,
            colour=colour,
            s=s,
            d=d,
            yaw=yaw,
            size=people.CYCLIST_SIZE,
            make=make,
            vs=speed * float(np.cos(yaw)),
            stride=4.2,
            phase=float(self.rng.random()),
        )


@lru_cache(maxsize=256)
def _car_mesh(body: str, paint: RGB) -> tuple[Mesh, tuple[float, float, float]]:
    shape = vehicles.CARS[body]
    return vehicles.car(shape, paint), (shape.length, shape.width, shape.height)


@lru_cache(maxsize=128)
def _box_mesh(label: str, paint: RGB) -> tuple[Mesh, tuple[float, float, float]]:
    return heavy.box_vehicle(label, paint)


@lru_cache(maxsize=2048)
def _pedestrian_mesh(figure: Figure, phase: int) -> Mesh:
    return people.pedestrian(figure, phase)


@lru_cache(maxsize=512)
def _cyclist_mesh(figure: Figure, frame: RGB, phase: int) -> Mesh:
    return people.cyclist(figure, frame, phase)
