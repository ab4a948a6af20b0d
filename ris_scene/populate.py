# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Random population of a world: parked and moving vehicles, people, houses and street furniture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from ris_scene.makers import Fixed, Maker
from ris_scene.meshes import furniture, houses
from ris_scene.meshes.mesh import Mesh
from ris_scene.spec import Placement, SceneClass, SceneSpec
from ris_scene.street import KERB_HEIGHT
from ris_scene.world import AHEAD_M, BEHIND_M, Entity, Slot, World

_CAR_ODDS = {"red": 0.17, "blue": 0.18, "white": 0.18, "black": 0.14, "grey": 0.17, "green": 0.08, "yellow": 0.08}


class Populator(Maker):
    """Fills one world, in a fixed order."""

    def still(
        self,
        kind: SceneClass,
        mesh: Mesh,
        s: float,
        d: float,
        yaw: float,
        size: tuple[float, float, float],
        colour: str = "",
        countable: bool = True,
    ) -> None:
        """Add something that never moves, standing on the pavement."""
        self.entities.append(
            Entity(
                kind=kind, colour=colour, s=s, d=d, yaw=yaw, size=size, make=Fixed(mesh), countable=countable,
                z=KERB_HEIGHT,
            )
        )  # fmt: skip

    # ---- who is where ------------------------------------------------------------------------------------------

    def park(self) -> None:
        """Fill parking places at random, about two of three."""
        share = float(np.clip(self.rng.uniform(0.45, 0.8) * self.world.spec.traffic, 0.0, 0.92))
        for i, slot in enumerate(self.slots):
            if self.rng.random() < share:
                label = "van" if slot.kind == "parallel" and self.rng.random() < 0.1 else "car"
                self.fill(i, label, self.colour(_CAR_ODDS))

    def fill(self, index: int, label: str, colour: str) -> None:
        """Put a vehicle into a parking place."""
        slot = self.slots[index]
        yaw = 0.0 if slot.side == "right" or self.layout.lanes_back == 0 else np.pi
        if slot.kind == "bays":
            yaw = (np.pi / 2 if slot.side == "left" else -np.pi / 2) * (1 if self.rng.random() < 0.7 else -1)
        jitter = self.rng.normal(0, 1, 3) * [0.12, 0.06, 0.015]
        s, d = (
            (slot.s0 + slot.s1) / 2 + jitter[0] * (0.3 if slot.kind == "bays" else 1),
            (slot.d0 + slot.d1) / 2 + jitter[1],
        )
        self.entities.append(self.vehicle(label, colour, s, d, yaw + float(jitter[2]), parked=True))
        self.slots[index] = replace(slot, free=False)

    def drive(self) -> None:
        """Put moving vehicles into the lanes: ahead in ours, beside, and oncoming."""
        layout, rng = self.layout, self.rng
        gap = 26.0 / max(self.world.spec.traffic, 0.05)
        ego = self.world.spec.speed
        for lane in range(-layout.lanes_forward, layout.lanes_back):
            d = (lane + 0.5) * layout.lane
            onward = lane < 0
            s = float(rng.uniform(16, 36)) if abs(d - self.world.ego_d) < 0.1 else float(rng.uniform(-4, 24))
            speed = ego * float(rng.uniform(0.95, 1.15)) if onward else float(rng.uniform(3, 5))
            while s < AHEAD_M - 40:
                label = str(rng.choice(["car", "van", "truck", "bus"], p=[0.8, 0.08, 0.07, 0.05]))
                heading = 0.0 if onward else np.pi
                vehicle = self.vehicle(label, self.colour(_CAR_ODDS), s, d + float(rng.normal(0, 0.12)), heading, speed)
                self.entities.append(vehicle)
                s += vehicle.size[0] + 7 + float(rng.exponential(gap))

    def walk(self) -> None:
        """Put people on the pavements, at crossings, and cyclists at the edge of the carriageway."""
        rng, layout = self.rng, self.layout
        for side, kerb in ((-1, self.street.right_kerb), (1, self.street.left_kerb)):
            s = float(rng.uniform(2, 16))
            while s < AHEAD_M - 120:
                d = kerb + side * (0.5 + layout.verge + float(rng.uniform(0.2, max(layout.pavement - 0.8, 0.4))))
                yaw, speed = float(rng.choice([0.0, np.pi])), float(rng.choice([0.0, 0.9, 1.2, 1.4]))
                self.entities.append(self.pedestrian(self.colour(), s, d, yaw, speed))
                if rng.random() < 0.25:
                    self.entities.append(
                        self.pedestrian(self.colour(), s + float(rng.uniform(-0.1, 0.2)), d + 0.6, yaw, speed)
                    )
                s += 3 + float(rng.exponential(13 / max(self.world.spec.traffic, 0.05)))
        for s in self.world.crossings:
            if rng.random() < 0.55:
                yaw, d = (
                    (np.pi / 2, self.street.right_kerb + 0.3)
                    if rng.random() < 0.5
                    else (-np.pi / 2, self.street.left_kerb - 0.3)
                )
                self.entities.append(
                    self.pedestrian(
                        self.colour(),
                        s + float(rng.uniform(-1, 1)),
                        d + float(rng.uniform(0, 2.5)) * np.sign(yaw),
                        yaw,
                        0.5,
                        0.0,
                    )
                )
        s = float(rng.uniform(8, 40))
        while s < AHEAD_M - 120:
            onward = layout.lanes_back == 0 or rng.random() < 0.65
            d = self.street.right_lane_edge + 0.55 if onward else self.street.left_lane_edge - 0.55
            self.entities.append(
                self.cyclist(self.colour(), s, d, 0.0 if onward else np.pi, float(rng.uniform(2.2, 3.4)))
            )
            s += 12 + float(rng.exponential(45 / max(self.world.spec.traffic, 0.05)))

    def build(self) -> None:
        """Line both sides with houses, now and then a gap with bushes and a fence."""
        rng, layout = self.rng, self.layout
        for side, kerb in ((-1, self.street.right_kerb), (1, self.street.left_kerb)):
            d = kerb + side * (0.15 + layout.verge + layout.pavement + layout.setback)
            s = BEHIND_M - 10
            while s < AHEAD_M - 60:
                width = layout.house * float(rng.uniform(0.75, 1.35))
                if rng.random() < 0.1 + 0.03 * layout.setback:
                    self._gap(s, s + width, d)
                else:
                    plan = houses.House(
                        width=width,
                        depth=float(rng.uniform(8, 11)),
                        storeys=int(rng.integers(layout.storeys[0], layout.storeys[1] + 1)),
                        wall=self.tone(self.palette.walls),
                        roof=self.tone(self.palette.roofs),
                        accent=self.tone(self.palette.paints[self.colour()]),
                        shop=layout.setback < 1.5 and rng.random() < 0.55,
                        gable=rng.random() < (0.75 if layout.storeys[1] <= 4 else 0.25),
                    )
                    size = (width, plan.depth, plan.storeys * 3.0)
                    self.still(
                        SceneClass.BUILDING,
                        houses.house(plan, rng),
                        s + width / 2,
                        d,
                        0.0 if side < 0 else np.pi,
                        size,
                        countable=False,
                    )
                s += width + (float(rng.uniform(1.5, 4)) if layout.setback > 2.5 else 0.02)

    def _gap(self, s0: float, s1: float, d: float) -> None:
        side = float(np.sign(d))
        length = s1 - s0 - 0.4
        self.still(
            SceneClass.FENCE,
            furniture.fence(length, (150, 128, 100)),
            (s0 + s1) / 2,
            d,
            0.0,
            (length, 0.1, 1.1),
            countable=False,
        )
        for s in np.arange(s0 + 1, s1 - 0.5, 1.7):
            radius = float(self.rng.uniform(0.8, 1.3))
            mesh = furniture.bush(self.tone(self.palette.leaves), radius, self.rng)
            self.still(
                SceneClass.TREE,
                mesh,
                float(s),
                d + side * 1.6,
                0.0,
                (2 * radius, 2 * radius, 2 * radius),
                countable=False,
            )
        self._tree((s0 + s1) / 2, d + side * 4.0)

    def _tree(self, s: float, d: float) -> None:
        height = float(self.rng.uniform(5.2, 8.0))
        mesh = furniture.tree(self.tone(self.palette.leaves), height, self.rng)
        self.still(SceneClass.TREE, mesh, s, d, float(self.rng.uniform(-3, 3)), (0.4, 0.4, height))

    def furnish(self) -> None:
        """Put trees, lamp posts, signs, bins and traffic lights at the kerb."""
        rng = self.rng
        for side, kerb in ((-1, self.street.right_kerb), (1, self.street.left_kerb)):
            d = kerb + side * (0.45 + self.layout.verge * 0.5)
            s = float(rng.uniform(4, 14))
            while s < AHEAD_M - 120:
                self._kerbside(s, d, 0.0 if side < 0 else np.pi)
                s += float(rng.uniform(5.5, 13))
        for c in self.world.crossings:
            for side, kerb in ((-1, self.street.right_kerb), (1, self.street.left_kerb)):
                if rng.random() < 0.5:
                    lit = str(rng.choice(["red", "green", "yellow"], p=[0.45, 0.45, 0.1]))
                    yaw = 0.0 if side < 0 else np.pi
                    light = furniture.traffic_light(lit)
                    s, d = c + side * 2.6, kerb + side * 0.4
                    self.still(SceneClass.TRAFFIC_LIGHT, light, s, d, yaw, (0.3, 0.35, 3.4), lit)

    def _kerbside(self, s: float, d: float, yaw: float) -> None:
        """Put one thing, or nothing, at a place along the kerb."""
        rng, trees = self.rng, self.layout.trees * 0.62
        roll = float(rng.random())
        near_crossing = any(abs(s - c) < 4.0 for c in self.world.crossings)
        if not near_crossing and roll < trees:
            self._tree(s, d)
        elif roll < trees + 0.22:
            self.still(SceneClass.POLE, furniture.lamp_post(), s, d, yaw, (0.2, 0.2, 6.5))
        elif roll < 0.86:
            kind = str(rng.choice(["limit", "parking", "yield", "stop"]))
            colour = {"stop": "red", "parking": "blue"}.get(kind, "white")
            self.still(SceneClass.SIGN, furniture.sign(kind), s, d, yaw, (0.1, 0.8, 2.8), colour)
        elif roll < 0.95:
            colour = str(rng.choice(["green", "blue", "black", "grey"]))
            mesh = furniture.bin_box(self.tone(self.palette.paints[colour]))
            self.still(SceneClass.BIN, mesh, s, d, 0.0, (0.64, 0.56, 1.08), colour)

    # ---- what the spec asks for -----------------------------------------------------------------------------------

    def cast(self) -> None:
        """Apply the placements of the spec: clear the place, then fill it."""
        for wish in self.world.spec.cast:
            if wish.place.startswith("parked"):
                self._cast_parked(wish)
            else:
                self._cast_moving(wish)

    def _cast_parked(self, wish: Placement) -> None:
        side = wish.place.split()[1]
        near = [(abs((slot.s0 + slot.s1) / 2 - wish.s), i) for i, slot in enumerate(self.slots) if slot.side == side]
        if not near:
            return
        index = min(near)[1]
        slot = self.slots[index]
        self.entities = [
            e for e in self.entities if not (e.parked and slot.s0 < e.s < slot.s1 and slot.d0 < e.d < slot.d1)
        ]
        self.slots[index] = replace(slot, free=True)
        if wish.label:
            self.fill(index, wish.label, wish.colour or self.colour(_CAR_ODDS))

    def _cast_moving(self, wish: Placement) -> None:
        colour = wish.colour or self.colour()
        kerbs = {
            "right": self.street.right_kerb - 1.2 - self.layout.verge,
            "left": self.street.left_kerb + 1.2 + self.layout.verge,
        }
        oncoming = self.layout.lane * 0.5
        d, yaw = {
            "ahead": (self.world.ego_d, 0.0),
            "oncoming": (oncoming, np.pi),
            "edge right": (self.street.right_lane_edge + 0.55, 0.0),
            "pavement right": (kerbs["right"], np.pi),
            "pavement left": (kerbs["left"], np.pi),
        }[wish.place]
        if not wish.place.startswith("pavement"):
            self.entities = [
                e for e in self.entities if e.parked or abs(e.d - d) > 1.3 or abs(e.s - wish.s) > 14 or not e.countable
            ]
        if not wish.label:
            return
        if wish.label == "pedestrian":
            self.entities.append(self.pedestrian(colour, wish.s, d, yaw, 1.1 if wish.speed is None else wish.speed))
        elif wish.label == "cyclist":
            self.entities.append(self.cyclist(colour, wish.s, d, yaw, 2.6 if wish.speed is None else wish.speed))
        else:
            speed = self.world.spec.speed if wish.speed is None else wish.speed
            self.entities.append(self.vehicle(wish.label, colour, wish.s, d, yaw, speed))


def populate(world: World, rng: Generator) -> tuple[list[Entity], list[Slot]]:
    """Fill a world; returns what is in it and its parking places."""
    lot = Populator(world, rng)
    lot.park()
    lot.drive()
    lot.walk()
    lot.build()
    lot.furnish()
    lot.cast()
    return lot.entities, lot.slots


def build_world(spec: SceneSpec) -> World:
    """Make the world of a spec; the same spec gives the same world."""
    domain = spec.where()
    rng = np.random.default_rng([spec.seed, domain.palette.texture_seed])
    layout = domain.layout(spec.layout) if spec.layout else domain.layouts[int(rng.integers(len(domain.layouts)))]
    weathers = {weather.name: weather for weather in domain.palette.weather}
    names = list(weathers)
    weather = weathers[spec.weather] if spec.weather in weathers else weathers[names[int(rng.integers(len(names)))]]
    ego_d = -layout.lane * (int(rng.integers(layout.lanes_forward)) + 0.5)
    every = layout.crossing_every
    first = float(rng.uniform(18, 18 + max(every, 1) * 0.7))
    crossings = tuple(np.arange(first, AHEAD_M, every).tolist()) if every else ()
    tones = {key: _draw(rng, getattr(domain.palette, key)) for key in ("asphalt", "paving", "kerb", "grass")}
    world = World(
        spec=spec,
        layout=layout,
        palette=domain.palette,
        weather=weather,
        entities=(),
        slots=(),
        crossings=crossings,
        ego_d=ego_d,
        tones=tones,
    )
    entities, slots = populate(world, rng)
    return replace(world, entities=tuple(entities), slots=tuple(slots))


def _draw(rng: Generator, options: tuple[tuple[int, int, int], ...]) -> tuple[int, int, int]:
    return options[int(rng.integers(len(options)))]
