# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes of what stands still: houses, trees, lamp posts, signs, traffic lights, hedges and fences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ris_node.scene.mesh import EVERYWHERE, MID, NEAR, Colour, Mesh, MeshBuilder

STEEL: Colour = (92, 96, 98)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Blend two colours; share 0 gives a, 1 gives b."""
    return tuple(p + (q - p) * share for p, q in zip(a, b))  # type: ignore[return-value]


def scaled(a: Colour, by: float) -> Colour:
    """Multiply a colour, kept within 0..255."""
    return tuple(min(255.0, p * by) for p in a)  # type: ignore[return-value]


@dataclass(frozen=True)
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
            b.poly(
                [(x - 0.72, 0.1, z), (x + 0.72, 0.1, z), (x + 0.72, 0.1, z + 0.09), (x - 0.72, 0.1, z + 0.09)],
                trim,
                centre,
                4,
            )
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


def tree(leaf: Colour, height: float, rng: Generator) -> Mesh:
    """Build a broad-leaved tree: a forked trunk and a crown of rough discs, dark below and light above."""
    b = MeshBuilder()
    bark: Colour = (86, 72, 58)
    fork = height * 0.36
    b.part(rank=0)
    b.limb((0, 0, 0), (0, 0, fork), 0.17, 0.12, bark, 7)
    for angle in rng.uniform(0, 2 * np.pi, 4):
        tip = (0.9 * float(np.cos(angle)), 0.9 * float(np.sin(angle)), height * 0.62)
        b.part(rank=0)
        b.limb((0, 0, fork * 0.95), tip, 0.09, 0.04, bark, 5)
    crown, middle = height * 0.31, height * 0.66
    for count, low, high, bands in ((18, 0.36, 0.5, EVERYWHERE), (46, 0.17, 0.3, NEAR | MID), (130, 0.09, 0.16, NEAR)):
        for _ in range(count):
            _leaves(b, leaf, middle, crown, crown * float(rng.uniform(low, high)), bands, rng)
    return b.build()


def _leaves(b: MeshBuilder, leaf: Colour, middle: float, crown: float, size: float, bands: int, rng: Generator) -> None:
    """Add one clump of leaves to a crown: lighter above, darker below and inside."""
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    out = float(rng.uniform(0.2, 1.0)) ** 0.45
    x, y, z = (direction * max(crown - size * 0.7, 0.1) * out).tolist()
    light = 0.80 + 0.34 * z / crown + 0.12 * out + float(rng.normal(0, 0.09))
    b.part(rank=1, glow=0.6, bands=bands)
    warm = float(rng.normal(1.0, 0.05))
    tone = (leaf[0] * light * warm, leaf[1] * light, leaf[2] * light / warm)
    b.blob((x, y, middle + z * 0.92), size, scaled(tone, 1.0), rng.uniform(0.6, 1.15, 9).astype(np.float32))


def bush(leaf: Colour, radius: float, rng: Generator) -> Mesh:
    """Build a bush of rough discs standing on the ground."""
    b = MeshBuilder()
    for i in range(34):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        z = abs(float(direction[2])) * radius * 0.85
        b.part(rank=0, glow=0.5, bands=EVERYWHERE if i < 10 else NEAR)
        rough = rng.uniform(0.75, 1.1, 10).astype(np.float32)
        light = 0.62 + 0.4 * z / radius + float(rng.normal(0, 0.06))
        at = (float(direction[0]) * radius * 0.6, float(direction[1]) * radius * 0.6, 0.25 * radius + z * 0.7)
        b.blob(at, radius * float(rng.uniform(0.25, 0.4)), scaled(leaf, light), rough)
    return b.build()


def lamp_post(height: float = 6.5) -> Mesh:
    """Build a street lamp whose arm reaches towards +y."""
    b = MeshBuilder()
    b.part(rank=0)
    b.limb((0, 0, 0), (0, 0, 1.1), 0.1, 0.09, STEEL, 8)
    b.limb((0, 0, 1.1), (0, 0, height), 0.06, 0.045, STEEL, 8)
    b.part(rank=0)
    b.limb((0, 0, height), (0, 1.3, height + 0.35), 0.04, 0.035, STEEL, 6)
    b.part(rank=1)
    b.box((-0.14, 1.1, height + 0.27), (0.14, 1.75, height + 0.4), (118, 122, 124))
    return b.build()


def sign(kind: str) -> Mesh:
    """Build a traffic sign that faces -x: "stop", "limit", "yield", "parking" or "crossing"."""
    b = MeshBuilder()
    b.part(rank=0)
    b.limb((0, 0, 0), (0, 0, 2.7), 0.035, 0.035, (140, 143, 145), 6)
    sides, turn = {
        "stop": (8, np.pi / 8),
        "limit": (24, 0.0),
        "yield": (3, -np.pi / 2),
        "parking": (4, np.pi / 4),
        "crossing": (4, np.pi / 4),
    }[kind]
    rim: Colour = {
        "stop": (186, 24, 30),
        "limit": (196, 28, 32),
        "yield": (196, 28, 32),
        "parking": (30, 84, 170),
        "crossing": (30, 84, 170),
    }[kind]
    face: Colour = {
        "stop": (190, 26, 32),
        "limit": (244, 244, 240),
        "yield": (244, 244, 240),
        "parking": (34, 92, 184),
        "crossing": (34, 92, 184),
    }[kind]
    b.part(rank=1, glow=0.35)
    for layer, (radius, colour) in enumerate(((0.40, rim), (0.31, face))):
        angle = np.arange(sides) * (2 * np.pi / sides) + turn
        disc = np.stack(
            [np.full(sides, -0.05 - 0.005 * layer), radius * np.cos(angle), 2.4 + radius * np.sin(angle)], axis=1
        )
        b.poly(disc, colour, (0, 0, 2.4), layer)
        b.poly(disc * [-1, 1, 1], (128, 130, 132), (0, 0, 2.4), layer)
    _sign_mark(b, kind)
    return b.build()


def _sign_mark(b: MeshBuilder, kind: str) -> None:
    """Paint what the sign shows, seen from -x (image right is -y)."""
    x, centre = -0.06, (0.0, 0.0, 2.4)

    def bar(y0: float, y1: float, z0: float, z1: float, colour: Colour) -> None:
        b.poly([(x, y0, 2.4 + z0), (x, y1, 2.4 + z0), (x, y1, 2.4 + z1), (x, y0, 2.4 + z1)], colour, centre, 3)

    white: Colour = (246, 246, 242)
    if kind == "stop":
        for y in (-0.21, -0.08, 0.05, 0.18):
            bar(y - 0.035, y + 0.035, -0.09, 0.09, white)
    elif kind == "limit":
        for y in (-0.12, 0.06):
            bar(y, y + 0.09, -0.14, 0.14, (24, 24, 26))
    elif kind == "parking":
        bar(0.07, 0.14, -0.2, 0.2, white)
        bar(-0.12, 0.14, 0.13, 0.2, white)
        bar(-0.12, 0.14, -0.02, 0.05, white)
        bar(-0.14, -0.07, 0.0, 0.18, white)
    elif kind == "crossing":
        b.poly([(x, 0.22, 2.18), (x, -0.22, 2.18), (x, 0.0, 2.62)], white, centre, 3)


def traffic_light(lit: str) -> Mesh:
    """Build a traffic light that faces -x with one lamp lit: "red", "yellow" or "green"."""
    b = MeshBuilder()
    b.part(rank=0)
    b.limb((0, 0, 0), (0, 0, 2.5), 0.06, 0.055, (60, 62, 64), 8)
    b.part(rank=1)
    b.box((-0.14, -0.17, 2.4), (0.12, 0.17, 3.4), (26, 28, 28), bottom=True)
    for i, (name, on) in enumerate((("green", (60, 230, 120)), ("yellow", (255, 200, 60)), ("red", (250, 50, 44)))):
        z = 2.57 + i * 0.31
        angle = np.arange(12) * (2 * np.pi / 12)
        disc = np.stack([np.full(12, -0.15), 0.115 * np.cos(angle), z + 0.115 * np.sin(angle)], axis=1)
        b.part(rank=2, glow=1.0 if name == lit else 0.0)
        b.poly(disc, on if name == lit else scaled(on, 0.16), (0, 0, z))
    return b.build()


def fence(length: float, colour: Colour) -> Mesh:
    """Build a low picket fence along x, centred on the origin."""
    b = MeshBuilder()
    h = length / 2
    b.part(rank=0)
    for z in (0.35, 0.8):
        b.box((-h, -0.02, z), (h, 0.02, z + 0.08), colour, bottom=True)
    for x in np.arange(-h, h + 0.01, 0.3):
        b.poly(
            [
                (x - 0.05, 0.03, 0.08),
                (x + 0.05, 0.03, 0.08),
                (x + 0.05, 0.03, 1.0),
                (x, 0.03, 1.08),
                (x - 0.05, 0.03, 1.0),
            ],
            colour,
        )
    return b.build()


def bin_box(colour: Colour) -> Mesh:
    """Build a wheeled bin."""
    b = MeshBuilder()
    b.part(rank=0)
    b.box((-0.28, -0.26, 0.06), (0.28, 0.26, 1.0), colour)
    b.part(rank=1)
    b.box((-0.32, -0.28, 1.0), (0.30, 0.28, 1.08), scaled(colour, 1.15))
    return b.build()
