# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes of street furniture: trees, bushes, lamp posts, signs, traffic lights, fences and bins."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from ris_scene.meshes.mesh import EVERYWHERE, MID, NEAR, Colour, Mesh, MeshBuilder, scaled

STEEL: Colour = (92, 96, 98)


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
