# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Light of a frame and its effect on faces: sky, sun, reflection, haze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ris_node.geometry.transform import Transform
from ris_node.types import F32, F64, I64
from ris_scene.ground import Patches
from ris_scene.palette import Weather
from ris_scene.raster import Faces
from ris_scene.spec import SceneClass
from ris_scene.street import Street
from ris_scene.world import World

_SUN = 0.62
_SKY_TINT = np.array([0.97, 0.99, 1.03], np.float32)
_STREET = np.array([96.0, 94.0, 92.0], np.float32)


@dataclass(frozen=True, eq=False, kw_only=True)
class Light:
    """The light of one frame, in the optical frame: sun direction, up, and the weather's colours."""

    sun: F64
    sun_base: F64
    up: F64
    weather: Weather
    to_camera: Transform
    air: F32
    gain: float
    camera_height: float

    @staticmethod
    def of(world: World, street: Street, to_camera: Transform) -> Light:
        """Return the light as seen from a vehicle whose heading has followed the street."""
        w = world.weather
        azimuth = np.radians(w.sun_azimuth_deg) - world.layout.curvature * street.ego_s
        elevation = np.radians(w.sun_elevation_deg)
        sun = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
        up = to_camera.rotation @ np.array([0.0, 0.0, 1.0])
        # A camera exposes for what it sees: mostly ground and upright faces.
        seen = w.ambient * 0.9 + w.sun * _SUN * (0.55 * float(sun[2]) + 0.2)
        return Light(
            sun=to_camera.rotation @ sun,
            sun_base=sun,
            up=up,
            weather=w,
            to_camera=to_camera,
            air=np.array(w.horizon, np.float32),
            gain=1.06 / seen,
            camera_height=world.spec.camera.z_m,
        )

    def haze(self, distance: F32) -> F32:
        """Return the share of haze 0..1 in front of something at a distance in metres."""
        return np.asarray(1.0 - np.exp(-self.weather.haze * distance), dtype=np.float32)


def shade(faces: Faces, order: I64, light: Light) -> list[list[int]]:
    """Return the RGB of the faces in `order`: sky light, sun, reflected sky, haze."""
    w, gain = light.weather, light.gain
    offset, centre, glow = faces.offset[order], faces.centre[order], faces.glow[order][:, None]
    normal = np.where((offset < 0)[:, None], faces.normal[order], -faces.normal[order])
    upward = normal @ light.up
    lambert = np.clip(normal @ light.sun, 0, 1)
    tint = (np.array(w.sun_tint) / 255.0).astype(np.float32)
    ambient = w.ambient * (0.70 + 0.30 * upward)
    lit = ambient[:, None] * _SKY_TINT + (w.sun * _SUN * lambert)[:, None] * tint
    lit = lit * (1 - glow) + glow * (w.ambient * 0.8 + w.sun * 0.45)
    height = centre @ light.up + light.camera_height
    lit *= (gain * np.clip(0.80 + 0.3 * height, 0.8, 1.0))[:, None]
    distance = np.linalg.norm(centre, axis=1)
    ray = centre / np.maximum(distance, 1e-6)[:, None]
    facing = np.einsum("ij,ij->i", ray, normal)
    mirrored = ray - 2 * facing[:, None] * normal
    share = np.clip(mirrored @ light.up * 2.0 + 0.25, 0, 1)[:, None]
    around = light.air * share + _STREET * (1 - share)
    fresnel = (faces.gloss[order] * (0.12 + 0.5 * (1 - np.abs(facing)) ** 3))[:, None]
    glint = (faces.gloss[order] * w.sun * np.clip(mirrored @ light.sun, 0, 1) ** 24 * 150)[:, None] * tint
    colour = faces.colour[order] * lit * (1 - fresnel) + around * fresnel * 0.9 + glint
    share = light.haze(distance)[:, None]
    colour = colour * (1 - share) + light.air * share
    shades: list[list[int]] = np.clip(colour, 0, 255).astype(int).tolist()
    return shades


def shade_patches(patches: Patches, light: Light) -> list[tuple[int, int, int]]:
    """Return the RGB of flat patches in full sun; haze is added per pixel, but to far outlines here."""
    w = light.weather
    level = light.gain * (w.ambient + w.sun * _SUN * max(float(light.sun_base[2]), 0.0))
    tint = level * (0.5 + 0.5 * np.array(w.sun_tint) / 255.0)
    colours = []
    for kind, colour, points in zip(patches.kinds, patches.colours, patches.points, strict=True):
        value = np.array(colour) * tint
        if kind in (SceneClass.BUILDING, SceneClass.TREE):
            share = float(light.haze(np.float32(points[0, 0])))
            value = np.array(colour) * light.gain * w.ambient * (1 - share) * 0.9 + light.air * share
        colours.append(tuple(int(v) for v in np.clip(value, 0, 255)))
    return colours  # type: ignore[return-value]
