# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Per-pixel shading of the ground: surface texture, shadows and haze."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ris_node.types import F32, F64, I64, U8
from ris_scene.domains import Layout
from ris_scene.light import Light
from ris_scene.raster import NEAR_M, MeshPose, clip_near
from ris_scene.sky import TILE, surfaces
from ris_scene.spec import CameraSpec, SceneClass
from ris_scene.street import KERB, Street
from ris_scene.world import Entity, World

# Texture pixels per metre of asphalt, slabs and grass, and of the broad stains over all.
_SCALES = (64, 106, 80)
_BROAD = 9


@dataclass(frozen=True, eq=False, kw_only=True)
class _Ground:
    """Constants of the ground while driving, for the rows below the horizon.

    `fine`, `broad` are fixed-point maps into the texture atlas; `distance` f32[h,W] in metres; `strength` f32[h,W] is
    how much of the fine texture survives the distance; `wear` f32[h,W] the tracks that wheels leave.
    """

    first_row: int
    fine: tuple[U8, U8]
    broad: tuple[U8, U8]
    distance: F32
    strength: F32
    wear: F32


@lru_cache(maxsize=4)
def _ground(camera: CameraSpec, layout: Layout, ego_d: float) -> _Ground:
    model, mount = camera.camera(), camera.mount()
    street = Street(layout, 0.0, ego_d)
    horizon = model.matrix[1, 2] - np.tan(np.radians(camera.pitch_deg)) * model.matrix[1, 1]
    first = int(np.clip(np.ceil(horizon) + 1, 0, camera.height - 1))
    u = (np.arange(camera.width) - model.matrix[0, 2]) / model.matrix[0, 0]
    v = (np.arange(first, camera.height) - model.matrix[1, 2]) / model.matrix[1, 1]
    rays = np.stack([*np.meshgrid(u, v), np.ones((len(v), len(u)))], axis=-1) @ mount.rotation.T
    reach = -mount.translation[2] / np.minimum(rays[..., 2], -1e-3)
    along, across = np.moveaxis(street.from_base(rays[..., :2] * reach[..., None] + mount.translation[:2]), -1, 0)
    distance = np.linalg.norm(rays * reach[..., None], axis=-1)
    kind = _surface_kind(layout, street, across)
    scale = np.array(_SCALES)[kind]
    fine = _fixed_map(along * scale % TILE, across * scale % TILE + kind * (TILE + 1))
    broad = _fixed_map(along * _BROAD % TILE, across * _BROAD % TILE)
    strength = np.clip(14.0 / np.maximum(distance, 1.0), 0.0, 1.0) ** 0.8
    wear = _wear(layout, street, across)
    return _Ground(
        first_row=first,
        fine=fine,
        broad=broad,
        distance=distance.astype(np.float32),
        strength=strength.astype(np.float32),
        wear=wear,
    )


def _surface_kind(layout: Layout, street: Street, across: F64) -> I64:
    """Which texture lies at each offset from the centre line: 0 asphalt, 1 slabs, 2 grass."""
    kind = np.zeros(across.shape, dtype=np.int64)
    for beyond in (street.right_kerb - across, across - street.left_kerb):
        kind[beyond > 0] = 1
        kind[(beyond > KERB) & (beyond < KERB + layout.verge)] = 2
        garden = KERB + layout.verge + layout.pavement + (0.0 if layout.setback > 1.5 else layout.setback)
        kind[beyond > garden] = 2
    return kind


def _wear(layout: Layout, street: Street, across: F64) -> F32:
    in_lane = (across % layout.lane) / layout.lane - 0.5
    driven = (across > street.right_lane_edge) & (across < street.left_lane_edge)
    tracks = -0.05 * np.exp(-(((np.abs(in_lane) - 0.24) / 0.09) ** 2)) - 0.03 * np.exp(-((in_lane / 0.06) ** 2))
    return np.where(driven, 1.0 + tracks, 1.0).astype(np.float32)


def _fixed_map(x: F64, y: F64) -> tuple[U8, U8]:
    fixed = cv2.convertMaps(x.astype(np.float32), y.astype(np.float32), cv2.CV_16SC2)
    return fixed[0], fixed[1]  # type: ignore[return-value]


def ground_light(
    image: U8, covered: U8, world: World, street: Street, light: Light, things: list[tuple[Entity, MeshPose]]
) -> U8:
    """Shade the ground with texture, shadows and haze.

    `covered` u8[H,W] is how much of each pixel is ground (0..255). Changes and returns the image u8[H,W,3].
    """
    ground = _ground(world.spec.camera, world.layout, world.ego_d)
    top = ground.first_row
    tiles = surfaces(world.palette.texture_seed)
    # Driving forward moves the tiles, not the maps: whole texture pixels, so that the maps stay fixed.
    atlas = np.concatenate([_rolled(tile, street.ego_s * scale) for tile, scale in zip(tiles, _SCALES, strict=True)])
    fine = cv2.remap(atlas, *ground.fine, cv2.INTER_LINEAR)
    broad = cv2.remap(_rolled(tiles[0], street.ego_s * _BROAD), *ground.broad, cv2.INTER_LINEAR)
    factor = (1 + (fine - 1) * ground.strength) * (1 + (broad - 1) * 0.6) * ground.wear
    factor *= _shadows(world, light, things, top)
    weight = covered[top:].astype(np.float32) * np.float32(1 / 255)
    factor = 1 + (factor - 1) * weight
    haze = light.haze(ground.distance) * weight
    factor *= 1 - haze
    part = image[top:].astype(np.float32)
    horizon = light.air
    for channel in range(3):
        part[..., channel] *= factor
        part[..., channel] += haze * horizon[channel]
    image[top:] = cv2.convertScaleAbs(part)
    return image


def _rolled(tile: F32, pixels: float) -> F32:
    """Shift a tile to the left, with one row and column repeated for interpolation across its edge."""
    rolled = np.roll(tile, -round(pixels) % TILE, axis=1)
    return np.asarray(cv2.copyMakeBorder(rolled, 0, 1, 0, 1, cv2.BORDER_WRAP), dtype=np.float32)


def _shadows(world: World, light: Light, things: list[tuple[Entity, MeshPose]], top: int) -> F32:
    """Return the share of light that is left f32[h,W] in the rows from `top`: sun shadows and the dark under things."""
    camera = world.spec.camera
    matrix = camera.camera().matrix
    sun = np.zeros((camera.height, camera.width), np.uint8)
    contact = sun.copy()
    cast = -light.sun_base[:2] / max(float(light.sun_base[2]), 0.25)
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for entity, pose in things:
        if pose.x > 90:
            continue
        base, tall = _corners(entity, pose), entity.size[2]
        if entity.kind == SceneClass.TREE and tall > 4:
            middle = np.array([pose.x, pose.y]) + cast * tall * 0.62
            _project(sun, middle + tall * 0.27 * circle, light, matrix)
            _project(sun, _hull(base, cast * tall * 0.5), light, matrix)
        else:
            _project(sun, _hull(base, cast * tall * 0.92), light, matrix)
        if entity.countable and entity.size[0] > 0.3:
            _project(contact, base, light, matrix)
    soft = cv2.GaussianBlur(sun[top:], (0, 0), 0.0025 * camera.width)
    dark = cv2.GaussianBlur(contact[top:], (0, 0), 0.006 * camera.width)
    w = light.weather
    strength = 0.62 * w.sun / (w.sun + 0.9 * w.ambient)
    level = np.arange(256, dtype=np.float32) / 255
    return np.asarray(cv2.LUT(soft, 1 - level * np.float32(strength)) * cv2.LUT(dark, 1 - level * np.float32(0.55)))


def _corners(entity: Entity, pose: MeshPose) -> F64:
    """Footprint f64[4,2] in `base_link`; a house hangs behind its front."""
    half = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [entity.size[0] / 2, entity.size[1] / 2]
    if entity.kind == SceneClass.BUILDING:
        half = half - [0.0, entity.size[1] / 2]
    c, s = np.cos(pose.yaw), np.sin(pose.yaw)
    return np.asarray(half @ np.array([[c, s], [-s, c]]) + [pose.x, pose.y])


def _hull(base: F64, shift: F64) -> F64:
    points = np.concatenate([base, base + shift]).astype(np.float32)
    return np.asarray(cv2.convexHull(points)[:, 0], dtype=np.float64)


def _project(mask: U8, outline: F64, light: Light, matrix: F64) -> None:
    """Fill a ground outline f64[N,2] into a mask u8[H,W]."""
    points = np.column_stack([outline, np.zeros(len(outline))]) @ light.to_camera.rotation.T
    points += light.to_camera.translation
    if points[:, 2].max() < NEAR_M:
        return
    if points[:, 2].min() < NEAR_M:
        points = clip_near(points)
    pixels = points[:, :2] / points[:, 2:] * [matrix[0, 0], matrix[1, 1]] + matrix[:2, 2]
    cv2.fillConvexPoly(mask, (np.clip(pixels, -30000, 30000) * 8).astype(np.int32), 255, cv2.LINE_AA, 3)
