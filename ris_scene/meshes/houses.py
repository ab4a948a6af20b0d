# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes of houses: walls, roofs, windows, doors and shop fronts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ris_scene.meshes.mesh import EVERYWHERE, MID, NEAR, Colour, Mesh, MeshBuilder, mix, scaled


@dataclass(frozen=True, kw_only=True)
class House:
    """A house front: width along the street, depth, storeys, colours, and whether the ground floor is a shop."""

    width: float
    depth: float
    storeys: int
    wall: Colour
    roof: Colour
    accent: Colour
    shop: bool
    gable: bool


def house(plan: House, rng: Generator) -> Mesh:
    """Build a house whose front lies on y = 0 facing +y, centred on x = 0."""
    b = MeshBuilder()
    w, top = plan.width / 2, plan.storeys * 3.0 + 0.5
    b.part(rank=0)
    b.box((-w, -plan.depth, 0.0), (w, 0.0, top), plan.wall)
    _roof(b, plan, top)
    b.part(rank=1)
    centre = (0.0, -plan.depth / 2, top / 2)
    trim = mix(plan.wall, (244, 240, 232), 0.6)
    _strip(b, w, 0.0, 0.55, scaled(plan.wall, 0.72), centre)
    for floor in range(1, plan.storeys):
        _strip(b, w, floor * 3.0 + 0.32, floor * 3.0 + 0.44, trim, centre)
    _strip(b, w + 0.1, top - 0.28, top, trim, centre)
    if plan.shop:
        _shop(b, plan, rng)
    _windows(b, plan, trim, rng)
    return b.build()


def _strip(b: MeshBuilder, w: float, low: float, high: float, colour: Colour, centre: Colour) -> None:
    """Add a band across the front."""
    b.poly([(-w, 0.03, low), (w, 0.03, low), (w, 0.03, high), (-w, 0.03, high)], colour, centre, layer=1)


def _roof(b: MeshBuilder, plan: House, top: float) -> None:
    w, d, rise = plan.width / 2, plan.depth, min(3.2, plan.depth * 0.3)
    if not plan.gable:
        b.part(rank=0)
        b.box((-w - 0.1, -d - 0.1, top), (w + 0.1, 0.12, top + 0.35), scaled(plan.wall, 0.9))
        return
    b.part(rank=0)
    centre = (0.0, -d / 2, top)
    b.poly(
        [(-w - 0.2, 0.3, top), (w + 0.2, 0.3, top), (w + 0.2, -d / 2, top + rise), (-w - 0.2, -d / 2, top + rise)],
        plan.roof,
        centre,
    )
    for side in (-1, 1):
        b.poly([(side * w, 0.0, top), (side * w, -d, top), (side * w, -d / 2, top + rise)], plan.wall, centre)
    b.part(rank=0)
    b.box(
        (w * 0.55, -d / 2 - 0.4, top + rise - 0.9),
        (w * 0.55 + 0.7, -d / 2 + 0.4, top + rise + 0.8),
        scaled(plan.wall, 0.8),
    )


def _windows(b: MeshBuilder, plan: House, trim: Colour, rng: Generator) -> None:
    """Add rows of windows and a door on the front, plain windows on both ends."""
    centre = (0.0, -plan.depth / 2, plan.storeys * 1.5)
    columns = max(2, round(plan.width / 2.4))
    pitch = plan.width / columns
    door = int(rng.integers(columns))
    for floor in range(plan.storeys):
        if floor == 0 and plan.shop:
            continue
        for i in range(columns):
            x = -plan.width / 2 + (i + 0.5) * pitch
            if floor == 0 and i == door:
                _pane(b, x, 0.55, 0.1, 2.35, plan.accent, trim, centre, 0.1)
                continue
            tone = float(rng.uniform(0.7, 1.35))
            glass: Colour = (52 * tone, 62 * tone, 72 * tone)
            _pane(b, x, 0.55, floor * 3.0 + 1.25, floor * 3.0 + 2.75, glass, trim, centre, 0.7)
            b.gloss = 0.0
            z = floor * 3.0 + 1.18
            b.bands = NEAR
            if tone > 1.12:
                _curtains(b, x, z + 0.09, centre)
            sill = [(x - 0.72, 0.1, z), (x + 0.72, 0.1, z), (x + 0.72, 0.1, z + 0.09), (x - 0.72, 0.1, z + 0.09)]
            b.poly(sill, trim, centre, 4)
    for side in (-1, 1):
        for floor in range(plan.storeys):
            b.bands = EVERYWHERE
            for y in np.arange(-plan.depth + 2.0, -1.4, 3.2):
                x, z = side * (plan.width / 2 + 0.03), floor * 3.0 + 1.3
                b.gloss = 0.6
                b.poly(
                    [(x, y - 0.5, z), (x, y + 0.5, z), (x, y + 0.5, z + 1.4), (x, y - 0.5, z + 1.4)],
                    (60, 68, 76),
                    centre,
                    2,
                )
    b.gloss = 0.0


def _pane(
    b: MeshBuilder,
    x: float,
    half: float,
    low: float,
    high: float,
    fill: Colour,
    trim: Colour,
    centre: Colour,
    gloss: float,
) -> None:
    """Add a framed opening with a cross bar."""
    b.gloss, b.bands = 0.0, NEAR | MID
    f = 0.09
    b.poly(
        [
            (x - half - f, 0.04, low - f),
            (x + half + f, 0.04, low - f),
            (x + half + f, 0.04, high + f),
            (x - half - f, 0.04, high + f),
        ],
        trim,
        centre,
        2,
    )
    b.gloss, b.bands = gloss, EVERYWHERE
    for sign in (-1, 1):
        near, far = x + sign * 0.03, x + sign * half
        b.poly([(near, 0.05, low), (far, 0.05, low), (far, 0.05, high), (near, 0.05, high)], fill, centre, 3)


def _curtains(b: MeshBuilder, x: float, low: float, centre: Colour) -> None:
    """Add drawn-back curtains behind a window whose sill is at `low`."""
    for sign in (-1, 1):
        top, foot = sorted((x + sign * 0.2, x + sign * 0.53)), sorted((x + sign * 0.36, x + sign * 0.53))
        corners = [(foot[0], 0.06, low), (foot[1], 0.06, low), (top[1], 0.06, low + 1.5), (top[0], 0.06, low + 1.5)]
        b.poly(corners, (196, 190, 178), centre, 4)


def _shop(b: MeshBuilder, plan: House, rng: Generator) -> None:
    """Add a shop front: glazing, a fascia board in the accent colour and an awning."""
    centre, w = (0.0, -plan.depth / 2, 2.0), plan.width / 2 - 0.35
    lit = float(rng.uniform(0.9, 1.5))
    b.gloss = 0.5
    for x0, x1 in ((-w, -0.6), (0.6, w)):
        b.poly(
            [(x0, 0.05, 0.5), (x1, 0.05, 0.5), (x1, 0.05, 2.45), (x0, 0.05, 2.45)],
            (78 * lit, 74 * lit, 64 * lit),
            centre,
            2,
        )
    b.poly([(-0.5, 0.05, 0.05), (0.5, 0.05, 0.05), (0.5, 0.05, 2.35), (-0.5, 0.05, 2.35)], (44, 46, 48), centre, 2)
    b.gloss = 0.0
    b.poly([(-w, 0.08, 2.55), (w, 0.08, 2.55), (w, 0.08, 3.15), (-w, 0.08, 3.15)], plan.accent, centre, 3)
    letters = int(rng.integers(5, 10))
    for i in range(letters):
        x = (i - (letters - 1) / 2) * 0.42
        h = float(rng.choice([0.26, 0.32, 0.32]))
        b.poly(
            [(x - 0.12, 0.1, 2.7), (x + 0.12, 0.1, 2.7), (x + 0.12, 0.1, 2.7 + h), (x - 0.12, 0.1, 2.7 + h)],
            (240, 236, 224),
            centre,
            4,
        )
    if rng.random() < 0.5:
        b.part(rank=2)
        stripes = max(6, int(2 * w / 0.6))
        for i in range(stripes):
            x0, x1 = -w + i * 2 * w / stripes, -w + (i + 1) * 2 * w / stripes
            tone = plan.accent if i % 2 else (238, 234, 226)
            b.poly([(x0, 0.1, 2.55), (x1, 0.1, 2.55), (x1, 1.1, 2.15), (x0, 1.1, 2.15)], tone)
            b.poly([(x0, 1.1, 2.15), (x1, 1.1, 2.15), (x1, 1.1, 1.98), (x0, 1.1, 1.98)], scaled(tone, 0.9))
