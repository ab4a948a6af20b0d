# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Sky, clouds and tileable surface textures, all from noise."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.random import Generator

from ris_node.types import F32, U8
from ris_scene.palette import Weather
from ris_scene.spec import CameraSpec

TILE = 512


def tile_noise(rng: Generator, size: int, scales: tuple[tuple[int, float], ...]) -> F32:
    """Return tileable noise f32[size,size] of mean 0: a sum of (feature size in pixels, amplitude)."""
    total = np.zeros((size, size), np.float32)
    for feature, amplitude in scales:
        coarse = rng.normal(size=(size // feature, size // feature)).astype(np.float32)
        wrapped = np.pad(coarse, 2, mode="wrap")
        big = cv2.resize(wrapped, None, fx=feature, fy=feature, interpolation=cv2.INTER_CUBIC)
        total += amplitude * big[2 * feature : 2 * feature + size, 2 * feature : 2 * feature + size]
    return total


@lru_cache(maxsize=8)
def surfaces(seed: int) -> tuple[F32, F32, F32]:
    """Return tiles f32[TILE,TILE] of brightness about 1: asphalt, paving slabs of 64 pixels, grass."""
    rng = np.random.default_rng([seed, 5])
    asphalt = 1.0 + tile_noise(rng, TILE, ((1, 0.05), (4, 0.035), (32, 0.03), (128, 0.035)))
    slabs = 1.0 + tile_noise(rng, TILE, ((1, 0.03), (8, 0.02), (64, 0.02)))
    grass = 1.0 + tile_noise(rng, TILE, ((1, 0.09), (2, 0.09), (8, 0.06), (64, 0.06)))
    for row in range(8):
        for column in range(8):
            x = (column * 64 + 32 * (row % 2)) % TILE
            # The slab that starts in the middle of the last column wraps round the tile's edge.
            columns = np.arange(x, x + 64) % TILE
            slabs[row * 64 : row * 64 + 64, columns] *= float(rng.normal(1.0, 0.035))
            slabs[row * 64 : row * 64 + 64, x : x + 3] *= 0.84
        slabs[row * 64 : row * 64 + 3] *= 0.84
    return asphalt.astype(np.float32), slabs.astype(np.float32), grass.astype(np.float32)


@lru_cache(maxsize=16)
def paint_sky(weather: Weather, camera: CameraSpec, seed: int) -> U8:
    """Paint the sky as the camera sees it, u8[H,W,3] RGB: gradient, sun glow and flat-bottomed clouds."""
    rng = np.random.default_rng([seed, 7])
    width, height = camera.width, camera.height
    model, mount = camera.camera(), camera.mount()
    k = model.matrix
    u, v = np.meshgrid((np.arange(width) - k[0, 2]) / k[0, 0], (np.arange(height) - k[1, 2]) / k[1, 1])
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ mount.rotation.T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    up = np.clip(rays[..., 2], 0.0, 1.0)
    zenith, horizon = np.array(weather.zenith, np.float32), np.array(weather.horizon, np.float32)
    blend = np.clip(up * 2.2, 0, 1)[..., None] ** 0.6
    sky = horizon * (1 - blend) + zenith * blend
    azimuth, elevation = np.radians(weather.sun_azimuth_deg), np.radians(weather.sun_elevation_deg)
    sun = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    glow = np.clip(rays @ sun, 0, 1)[..., None]
    sky += (np.array(weather.sun_tint) - sky) * (0.5 * weather.sun * glow**8)
    cover = _clouds(rng, rays, weather.clouds)
    lit = np.array(weather.sun_tint, np.float32) * (0.92 + 0.08 * weather.sun) * 0.5 + horizon * 0.5
    dark = lit * 0.84
    body = dark + (lit - dark) * np.clip(1.6 - cover, 0, 1)[..., None]
    fade = np.clip(up * 9, 0, 1)[..., None] * 0.9
    share = np.clip(cover, 0, 1)[..., None] * fade
    sky = sky * (1 - share) + body * share
    return np.asarray(np.clip(sky, 0, 255), dtype=np.uint8)


def _clouds(rng: Generator, rays: F32, amount: float) -> F32:
    """Return cloud cover f32[H,W] (0 none, above 1 thick) on a high flat layer."""
    tile = tile_noise(rng, 1024, ((256, 0.7), (128, 0.5), (64, 0.32), (32, 0.2), (16, 0.11), (8, 0.06)))
    reach = 1.0 / np.maximum(rays[..., 2] + 0.07, 0.03)
    x = (rays[..., 0] * reach * 120 + float(rng.uniform(0, 1024))) % 1024
    y = (rays[..., 1] * reach * 120 + float(rng.uniform(0, 1024))) % 1024
    noise = cv2.remap(tile, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(np.clip((noise - (0.9 - 1.8 * amount)) * 1.1, 0, 2), dtype=np.float32)
