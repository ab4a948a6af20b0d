# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Light, shadow, haze and surface texture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ris_node.geometry.transform import Transform
from ris_node.scene.domains import Layout
from ris_node.scene.ground import Patches
from ris_node.scene.palette import Weather
from ris_node.scene.raster import NEAR_M, Faces, Pose, clip_near
from ris_node.scene.sky import surfaces
from ris_node.scene.spec import CameraSpec, SceneClass
from ris_node.scene.street import Street
from ris_node.scene.world import Entity, World
from ris_node.types import F32, F64, U8


@dataclass(frozen=True, eq=False)
class Light:
    """The light of one frame, in the optical frame: sun direction, up, and the weather's colours."""

    sun: F64
    sun_base: F64
    up: F64
    weather: Weather
    to_camera: Transform

    @staticmethod
    def of(world: World, street: Street, to_camera: Transform) -> Light:
        """Return the light as seen from a vehicle whose heading has followed the street."""
        w = world.weather
        azimuth = np.radians(w.sun_azimuth_deg) - world.layout.curvature * street.ego_s
        elevation = np.radians(w.sun_elevation_deg)
        sun = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
        return Light(to_camera.rotation @ sun, sun, to_camera.rotation @ np.array([0.0, 0.0, 1.0]), w, to_camera)

    def haze(self, distance: F32) -> F32:
        """Return the share of haze 0..1 in front of something at a distance in metres."""
        return (1.0 - np.exp(-self.weather.haze * distance)).astype(np.float32)


def shade(faces: Faces, light: Light) -> list[list[int]]:
    """Return the RGB of each face: sky light, sun, reflected sky, haze."""
    w = light.weather
    toward = faces.offset < 0
    normal = np.where(toward[:, None], faces.normal, -faces.normal)
    upward = normal @ light.up
    lambert = np.clip(normal @ light.sun, 0, 1)
    tint = np.array(w.sun_tint) / 255.0
    ambient = w.ambient * (0.70 + 0.30 * upward)
    lit = ambient[:, None] * np.array([0.97, 0.99, 1.03]) + (w.sun * 0.62 * lambert)[:, None] * tint
    lit = np.where(
        faces.glow[:, None] > 0,
        lit * (1 - faces.glow[:, None]) + faces.glow[:, None] * (w.ambient * 0.75 + w.sun * 0.42),
        lit,
    )
    height = _height(faces, light)
    lit *= np.clip(0.80 + 0.3 * height, 0.8, 1.0)[:, None]
    distance = np.linalg.norm(faces.centre, axis=1)
    ray = faces.centre / np.maximum(distance, 1e-6)[:, None]
    mirrored = ray - 2 * np.einsum("ij,ij->i", ray, normal)[:, None] * normal
    mirrored_up = mirrored @ light.up
    share = np.clip(mirrored_up * 2.0 + 0.25, 0, 1)[:, None]
    around = np.array(w.horizon) * share + np.array([96.0, 94.0, 92.0]) * (1 - share)
    facing = np.abs(np.einsum("ij,ij->i", ray, normal))
    fresnel = (faces.gloss * (0.12 + 0.5 * (1 - facing) ** 3))[:, None]
    glint = (faces.gloss * w.sun * np.clip(mirrored @ light.sun, 0, 1) ** 24 * 150)[:, None] * tint
    colour = faces.colour * lit * (1 - fresnel) + around * fresnel * 0.9 + glint
    share = light.haze(distance)[:, None]
    colour = colour * (1 - share) + np.array(w.horizon) * share
    return np.clip(colour, 0, 255).astype(int).tolist()


def _height(faces: Faces, light: Light) -> F64:
    """Height of each face's centroid above the ground, metres."""
    origin = -light.to_camera.rotation.T @ light.to_camera.translation
    return np.asarray(faces.centre @ light.up + origin[2], dtype=np.float64)


def shade_patches(patches: Patches, light: Light) -> list[tuple[int, int, int]]:
    """Return the RGB of flat patches in full sun, without haze (that is added per pixel); far outlines get theirs here."""
    w = light.weather
    level = w.ambient * 1.0 + w.sun * 0.62 * max(float(light.sun_base[2]), 0.0)
    tint = level * (0.5 + 0.5 * np.array(w.sun_tint) / 255.0)
    colours = []
    for kind, colour, points in zip(patches.kinds, patches.colours, patches.points):
        value = np.array(colour) * tint
        if kind in (SceneClass.BUILDING, SceneClass.TREE):
            share = float(light.haze(np.float32(points[0, 0])))
            value = np.array(colour) * w.ambient * (1 - share) * 0.9 + np.array(w.horizon) * share
        colours.append(tuple(int(v) for v in np.clip(value, 0, 255)))
    return colours  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class _Ground:
    """What of the ground does not change while driving: street coordinates, distance and texture strength per pixel."""

    first_row: int
    along: F32
    across: F32
    distance: F32
    fine: F32
    paved: F32
    wear: F32


@lru_cache(maxsize=4)
def _ground(camera: CameraSpec, layout: Layout, ego_d: float) -> _Ground:
    model, mount = camera.camera(), camera.mount()
    street = Street(layout, 0.0, ego_d)
    horizon = model.matrix[1, 2] - np.tan(np.radians(camera.pitch_deg)) * model.matrix[1, 1]
    first = int(np.clip(np.ceil(horizon) + 1, 0, camera.height - 1))
    u, v = np.meshgrid(
        (np.arange(camera.width) - model.matrix[0, 2]) / model.matrix[0, 0],
        (np.arange(first, camera.height) - model.matrix[1, 2]) / model.matrix[1, 1],
    )
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ mount.rotation.T
    reach = -mount.translation[2] / np.minimum(rays[..., 2], -1e-3)
    xy = rays[..., :2] * reach[..., None] + mount.translation[:2]
    sd = street.from_base(xy)
    distance = np.linalg.norm(rays * reach[..., None], axis=-1)
    across = sd[..., 1]
    paved = ((across < street.right_kerb) | (across > street.left_kerb)).astype(np.float32)
    lane = layout.lane
    in_lane = (across % lane) / lane - 0.5
    driven = (across > street.right_lane_edge) & (across < street.left_lane_edge)
    tracks = -0.055 * np.exp(-(((np.abs(in_lane) - 0.24) / 0.09) ** 2)) - 0.035 * np.exp(-((in_lane / 0.06) ** 2))
    wear = 1.0 + np.where(driven, tracks, 0.0)
    fine = np.clip(14.0 / np.maximum(distance, 1.0), 0.0, 1.0) ** 0.8
    f = np.float32
    return _Ground(
        first, sd[..., 0].astype(f), across.astype(f), distance.astype(f), fine.astype(f), paved, wear.astype(f)
    )


def ground_light(
    image: U8, covered: U8, world: World, street: Street, light: Light, things: list[tuple[Entity, Pose]]
) -> U8:
    """Texture, shadow and haze the ground.

    `covered` u8[H,W] is how much of each pixel is ground (0..255). Returns a new image u8[H,W,3].
    """
    ground = _ground(world.spec.camera, world.layout, world.ego_d)
    top = ground.first_row
    asphalt, slabs = surfaces(world.palette.texture_seed)
    along = ground.along + np.float32(street.ego_s)
    rough = cv2.remap(asphalt, along * 64, ground.across * 64, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    broad = cv2.remap(asphalt, along * 9, ground.across * 9, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    paving = cv2.remap(slabs, along * 106, ground.across * 106, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    fine = rough + (paving - rough) * ground.paved
    factor = (1 + (fine - 1) * ground.fine) * (1 + (broad - 1) * 0.6) * ground.wear
    factor *= 1.0 - _shadows(world, light, things, image.shape[0], image.shape[1])[top:]
    weight = covered[top:].astype(np.float32) / 255.0
    factor = 1 + (factor - 1) * weight
    haze = light.haze(ground.distance) * weight
    part = image[top:].astype(np.float32) * (factor * (1 - haze))[..., None] + haze[..., None] * np.array(
        light.weather.horizon, np.float32
    )
    out = image.copy()
    out[top:] = np.clip(part, 0, 255).astype(np.uint8)
    return out


def _shadows(world: World, light: Light, things: list[tuple[Entity, Pose]], height: int, width: int) -> F32:
    """Return the share of light taken from the ground f32[H,W]: sun shadows and the dark under things."""
    matrix = world.spec.camera.camera().matrix
    sun = np.zeros((height, width), np.uint8)
    contact = np.zeros((height, width), np.uint8)
    cast = -light.sun_base[:2] / max(float(light.sun_base[2]), 0.25)
    for entity, pose in things:
        if pose.x > 90:
            continue
        base = _corners(entity, pose)
        tall = entity.size[2]
        if entity.kind == SceneClass.TREE and tall > 4:
            middle = np.array([pose.x, pose.y]) + cast * tall * 0.62
            angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
            _project(sun, middle + tall * 0.27 * np.stack([np.cos(angle), np.sin(angle)], axis=1), light, matrix)
            _project(sun, _hull(np.concatenate([base, base + cast * tall * 0.5])), light, matrix)
        else:
            _project(sun, _hull(np.concatenate([base, base * 1.0 + cast * tall * 0.92])), light, matrix)
        if entity.countable and entity.size[0] > 0.3:
            _project(contact, base, light, matrix)
    soft = cv2.GaussianBlur(sun, (0, 0), 0.0025 * width).astype(np.float32)
    dark = cv2.GaussianBlur(contact, (0, 0), 0.006 * width).astype(np.float32)
    w = light.weather
    strength = 0.62 * w.sun / (w.sun + 0.75 * w.ambient)
    return np.asarray(1 - (1 - soft / 255 * strength) * (1 - dark / 255 * 0.55), dtype=np.float32)


def _corners(entity: Entity, pose: Pose) -> F64:
    half = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [entity.size[0] / 2, entity.size[1] / 2]
    if entity.kind in (SceneClass.BUILDING,):
        half = np.array([[0.5, 0], [-0.5, 0], [-0.5, -1], [0.5, -1]]) * [entity.size[0], entity.size[1]]
    c, s = np.cos(pose.yaw), np.sin(pose.yaw)
    return np.asarray(half @ np.array([[c, s], [-s, c]]) + [pose.x, pose.y])


def _hull(points: F64) -> F64:
    return np.asarray(cv2.convexHull(points.astype(np.float32))[:, 0], dtype=np.float64)


def _project(mask: U8, outline: F64, light: Light, matrix: F64) -> None:
    """Fill a ground outline f64[N,2] into a mask u8[H,W]."""
    points = (
        np.column_stack([outline, np.zeros(len(outline))]) @ light.to_camera.rotation.T + light.to_camera.translation
    )
    if points[:, 2].max() < NEAR_M:
        return
    if points[:, 2].min() < NEAR_M:
        points = clip_near(points)
    pixels = np.stack(
        [
            matrix[0, 0] * points[:, 0] / points[:, 2] + matrix[0, 2],
            matrix[1, 1] * points[:, 1] / points[:, 2] + matrix[1, 2],
        ],
        axis=1,
    )
    cv2.fillConvexPoly(mask, (np.clip(pixels, -30000, 30000) * 8).astype(np.int32), 255, cv2.LINE_AA, 3)
