# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Specification of a scene, and the rendered scene."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ris_node.errors import ConfigError
from ris_node.geometry.camera import Camera
from ris_node.geometry.transform import Transform, camera_mount
from ris_node.types import F32, F64, I32, U8, U16
from ris_scene.domains import Domain, Layout, domain_named

if TYPE_CHECKING:
    from ris_scene.street import Street
    from ris_scene.world import Slot

DEMO_SEED = 200_026


class SceneClass(IntEnum):
    """Semantic class of a pixel; the name in lower case with spaces is the word people use."""

    VOID = 0
    SKY = 1
    BUILDING = 2
    ROAD = 3
    PAVEMENT = 4
    GRASS = 5
    TREE = 6
    POLE = 7
    SIGN = 8
    TRAFFIC_LIGHT = 9
    FENCE = 10
    CAR = 11
    VAN = 12
    TRUCK = 13
    BUS = 14
    PEDESTRIAN = 15
    CYCLIST = 16
    MARKING = 17
    BIN = 18

    @property
    def word(self) -> str:
        """The class as a word, e.g. "traffic light"."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True)
class CameraSpec:
    """A pinhole camera on the vehicle: image size, field of view, and where it sits in `base_link` (REP 103 signs).

    `base_link` lies on the road surface (z = 0) below the middle of the rear axle: x forward, y left.
    """

    width: int = 640
    height: int = 480
    _: KW_ONLY
    hfov_deg: float = 66.0
    x_m: float = 1.5
    y_m: float = 0.0
    z_m: float = 1.55
    pitch_deg: float = 4.0

    def camera(self) -> Camera:
        """Return the intrinsics."""
        return Camera.pinhole(self.width, self.height, self.hfov_deg)

    def mount(self) -> Transform:
        """Return the optical frame in `base_link`."""
        return camera_mount(self.x_m, self.y_m, self.z_m, 0.0, self.pitch_deg, 0.0)


@dataclass(frozen=True)
class Placement:
    """Object that a scene must have: a class word and colour at distance `s` (m along the road) in `place`.

    `place` is "parked right", "parked left", "ahead" (own lane), "oncoming", "pavement right", "pavement left" or
    "edge right" (the edge of the carriageway, for a cyclist); `colour` "" draws one; label "" leaves the place free.
    """

    label: str
    colour: str
    place: str
    s: float
    speed: float | None = None


@dataclass(frozen=True)
class SceneSpec:
    """A scene to render; what is left empty is drawn from the seed.

    `traffic` scales how many road users there are; `speed` is the ego vehicle's in m/s; `cast` adds what must be
    there.

    Raises:
        ConfigError: a seed outside of its domain's range, or a layout or domain that does not exist.
    """

    domain: str = "train"
    seed: int = 0
    layout: str = ""
    weather: str = ""
    traffic: float = 1.0
    _: KW_ONLY
    speed: float = 2.0
    camera: CameraSpec = field(default_factory=CameraSpec)
    cast: tuple[Placement, ...] = ()

    def __post_init__(self) -> None:
        domain = domain_named(self.domain)
        if not domain.first_seed <= self.seed <= domain.last_seed:
            raise ConfigError(
                f"seed {self.seed} is not of the scene domain {self.domain!r}: "
                f"use {domain.first_seed}..{domain.last_seed}"
            )
        if self.layout:
            domain.layout(self.layout)

    def where(self) -> Domain:
        """Return the domain."""
        return domain_named(self.domain)


def demo_spec(width: int, height: int, seed: int = DEMO_SEED) -> SceneSpec:
    """Return the street of `ris demo` and `ris bench`, with parking on both sides and all that the demo asks for."""
    nobody = tuple(Placement("", "", "parked left", s) for s in (34.0, 40.0, 46.0))
    nobody += tuple(Placement("", "", "parked right", s) for s in (7.0, 13.0, 19.0, 38.0, 44.0, 50.0))
    cast = (
        Placement("", "", "ahead", 20.0),
        Placement("", "", "oncoming", 18.0),
        Placement("car", "red", "parked left", 21.0),
        Placement("car", "white", "parked left", 27.0),
        Placement("car", "blue", "parked right", 25.0),
        Placement("van", "white", "parked right", 31.5),
        Placement("cyclist", "green", "edge right", -24.0, 2.2),
        Placement("pedestrian", "yellow", "pavement right", 42.0, 0.0),
        Placement("pedestrian", "red", "pavement left", 59.0, 0.6),
        Placement("pedestrian", "blue", "pavement left", 57.0, 0.6),
        *nobody,
    )
    return SceneSpec("demo", seed, "park side", "bright", 0.7, speed=0.6, camera=CameraSpec(width, height), cast=cast)


@dataclass(frozen=True, kw_only=True)
class SceneObject:
    """Object in a frame, with its exact pose in `base_link` (metres, radians) and size.

    `id` is its value in `Scene.instance_map`; (x, y) is the middle of its footprint, `yaw` its heading; `speed` is in
    m/s along that heading; `box` (x, y, w, h) and `pixels` are of its visible part (0 when hidden or out of view).
    """

    id: int
    label: str
    colour: str
    x: float
    y: float
    yaw: float
    length: float
    width: float
    height: float
    speed: float
    pixels: int = 0
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    parked: bool = False

    @property
    def distance(self) -> float:
        """Metres from the origin of `base_link` to the middle of the footprint."""
        return float(np.hypot(self.x, self.y))

    def footprint(self) -> F64:
        """Return the corners f64[4,2] of its box on the ground, in metres."""
        half = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [self.length / 2, self.width / 2]
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.asarray(half @ np.array([[c, s], [-s, c]]) + [self.x, self.y])


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """Rendered frame with its ground truth.

    `image` u8[H,W,3] RGB; `instance_map` u16[H,W] (0: none); `class_map` u8[H,W] of SceneClass; `face_map` and
    `planes` give the depth; `objects` are all within view range, also those with no visible pixel; `slots` are the
    parking places, in `base_link`.
    """

    image: U8
    instance_map: U16
    class_map: U8
    objects: tuple[SceneObject, ...]
    camera: Camera
    camera_in_base: Transform
    layout: Layout
    slots: tuple[Slot, ...]
    street: Street
    face_map: I32
    planes: F32
    spec: SceneSpec
    time_s: float = 0.0

    @property
    def visible(self) -> tuple[SceneObject, ...]:
        """The objects of which at least one pixel shows."""
        return tuple(thing for thing in self.objects if thing.pixels > 0)

    @cached_property
    def depth(self) -> F32:
        """Depth along the optical axis f32[H,W] in metres; infinite in the sky."""
        height, width = self.face_map.shape
        k = self.camera.matrix
        u = ((np.arange(width) - k[0, 2]) / k[0, 0]).astype(np.float32)[None, :]
        v = ((np.arange(height) - k[1, 2]) / k[1, 1]).astype(np.float32)[:, None]
        plane = self.planes[self.face_map]
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = plane[..., 3] / (plane[..., 0] * u + plane[..., 1] * v + plane[..., 2])
        return np.asarray(np.where(plane[..., 3] == 0, np.inf, depth), dtype=np.float32)
