# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes of pedestrians and cyclists, jointed so that they walk and ride."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ris_scene.meshes.mesh import FAR, MID, NEAR, Colour, Mesh, MeshBuilder, Point

PHASES = 12
PERSON_SIZE = (0.5, 0.55, 1.75)
CYCLIST_SIZE = (1.75, 0.6, 1.75)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Clothing and build of a person: RGB colours 0..255, height in metres, skirt or coat length 0..1."""

    top: Colour
    legs: Colour
    hair: Colour
    skin: Colour
    height: float = 1.75
    coat: float = 0.0
    bag: Colour | None = None


def pedestrian(figure: Figure, phase: int) -> Mesh:
    """Build a walking person at a step phase 0..PHASES-1; phase -1 stands still."""
    b = MeshBuilder()
    swing = 0.0 if phase < 0 else float(np.sin(2 * np.pi * phase / PHASES))
    k = figure.height / 1.75
    for side, s in ((1, swing), (-1, -swing)):
        _leg(b, side, s, k, figure)
        _arm(b, side, -s, k, figure)
    b.part(bands=NEAR)
    _torso(b, k, figure)
    b.part(bands=MID | FAR)
    b.limb((0.0, 0.0, (0.86 - 0.36 * figure.coat) * k), (0.0, 0.0, 1.46 * k), 0.15 * k, 0.18 * k, figure.top, 4)
    _head(b, (0.02, 0.0, 1.60 * k), k, figure)
    if figure.bag is not None:
        b.part()
        b.box((-0.26 * k, -0.15 * k, 1.02 * k), (-0.11 * k, 0.15 * k, 1.42 * k), figure.bag)
    return b.build()


def _leg(b: MeshBuilder, side: int, swing: float, k: float, figure: Figure) -> None:
    hip: Point = (0.0, side * 0.09 * k, 0.88 * k)
    knee: Point = (0.26 * swing * k, side * 0.095 * k, 0.47 * k)
    lift = max(0.0, -swing) * 0.07
    foot: Point = (knee[0] + (0.16 * swing - 0.12 * max(0.0, -swing)) * k, side * 0.1 * k, (0.07 + lift) * k)
    b.part(bands=MID | FAR)
    b.limb(hip, foot, 0.08 * k, 0.05 * k, figure.legs, 3)
    b.part(bands=NEAR)
    b.limb(hip, knee, 0.085 * k, 0.062 * k, figure.legs)
    b.limb(knee, foot, 0.062 * k, 0.045 * k, figure.legs)
    b.limb(
        (foot[0] - 0.07, foot[1], foot[2] - 0.02),
        (foot[0] + 0.15, foot[1], foot[2] - 0.04),
        0.048,
        0.035,
        (32, 28, 26),
        5,
    )


def _arm(b: MeshBuilder, side: int, swing: float, k: float, figure: Figure) -> None:
    shoulder: Point = (0.0, side * 0.20 * k, 1.40 * k)
    elbow: Point = (0.14 * swing * k, side * 0.25 * k, 1.12 * k)
    hand: Point = (elbow[0] + (0.1 + 0.12 * swing) * k, side * 0.24 * k, 0.90 * k)
    b.part(bands=MID | FAR)
    b.limb(shoulder, hand, 0.06 * k, 0.04 * k, figure.top, 3)
    b.part(bands=NEAR)
    b.limb(shoulder, elbow, 0.058 * k, 0.047 * k, figure.top)
    b.limb(elbow, hand, 0.047 * k, 0.036 * k, figure.top)
    b.blob(hand, 0.045 * k, figure.skin)


def _torso(b: MeshBuilder, k: float, figure: Figure) -> None:
    """Add an elliptic trunk from hips to neck in rings, with a coat below when worn."""
    angle = np.arange(8) * (2 * np.pi / 8)
    rings = [(0.86, 0.155, 0.11), (1.06, 0.15, 0.105), (1.28, 0.19, 0.125), (1.43, 0.205, 0.11), (1.49, 0.08, 0.07)]
    if figure.coat > 0:
        rings.insert(0, (0.86 - 0.36 * figure.coat, 0.19, 0.15))
    shape = [
        np.stack([np.cos(angle) * dx * k, np.sin(angle) * dy * k, np.full(8, z * k)], axis=1) for z, dy, dx in rings
    ]
    b.loft(shape, figure.top)


def _head(b: MeshBuilder, at: Point, k: float, figure: Figure) -> None:
    """Add neck, face and hair; hair lies behind, so it is seen from the back and as a cap from the front."""
    x, y, z = at
    b.part(bands=NEAR)
    b.limb((x, y, z - 0.15 * k), (x, y, z - 0.05 * k), 0.05 * k, 0.05 * k, figure.skin)
    b.part()
    b.blob((x - 0.035 * k, y, z + 0.025 * k), 0.112 * k, figure.hair, squash=1.15)
    b.part()
    b.blob((x + 0.03 * k, y, z - 0.015 * k), 0.098 * k, figure.skin, squash=1.18)
    b.part(bands=NEAR | MID)
    b.blob((x + 0.01 * k, y, z + 0.085 * k), 0.088 * k, figure.hair, squash=0.55)


def cyclist(figure: Figure, frame: Colour, phase: int) -> Mesh:
    """Build a person on a bicycle at a pedal phase 0..PHASES-1."""
    b = MeshBuilder()
    _bicycle(b, frame)
    turn = 2 * np.pi * phase / PHASES
    for side in (1, -1):
        a = turn + (0.0 if side > 0 else np.pi)
        pedal = (0.02 + 0.17 * float(np.cos(a)), side * 0.13, 0.32 + 0.17 * float(np.sin(a)))
        knee = (0.22 + 0.06 * float(np.cos(a)), side * 0.12, 0.78 + 0.12 * float(np.sin(a)))
        b.part(rank=1)
        b.limb((-0.22, side * 0.09, 0.98), knee, 0.085, 0.062, figure.legs)
        b.limb(knee, pedal, 0.062, 0.04, figure.legs)
        b.limb(pedal, (pedal[0] + 0.14, pedal[1], pedal[2] - 0.01), 0.04, 0.03, (32, 28, 26), 5)
        b.part(rank=1)
        b.limb((0.14, side * 0.19, 1.42), (0.36, side * 0.25, 1.18), 0.055, 0.045, figure.top)
        b.limb((0.36, side * 0.25, 1.18), (0.5, side * 0.22, 1.06), 0.045, 0.036, figure.top)
        b.blob((0.51, side * 0.22, 1.06), 0.045, figure.skin)
    b.part(rank=1)
    b.limb((-0.24, 0.0, 0.92), (0.0, 0.0, 1.22), 0.145, 0.165, figure.top, 8)
    b.limb((0.0, 0.0, 1.22), (0.14, 0.0, 1.46), 0.165, 0.13, figure.top, 8)
    _head(b, (0.22, 0.0, 1.60), 1.0, figure)
    b.part(rank=2)
    b.blob((0.22, 0.0, 1.69), 0.118, frame, squash=0.55)
    return b.build()


def _bicycle(b: MeshBuilder, frame: Colour) -> None:
    """Add wheels as thin rings of spokes-coloured discs and a diamond frame."""
    angle = np.arange(14) * (2 * np.pi / 14)
    half = np.array([0.0, 0.022, 0.0])
    for x in (-0.52, 0.54):
        b.part(rank=0)
        rim = np.stack([x + 0.34 * np.cos(angle), np.zeros(14), 0.34 + 0.34 * np.sin(angle)], axis=1)
        hub = np.array([x, 0.0, 0.34])
        for i in range(14):
            p, q = rim[i], rim[(i + 1) % 14]
            b.poly([p, q, hub + (q - hub) * 0.87, hub + (p - hub) * 0.87], (26, 26, 28))
            if i % 2:
                continue
            q = rim[(i + 2) % 14]
            b.poly([p + half, q + half, q - half, p - half], (26, 26, 28), hub)
    joints: dict[str, Point] = {
        "crank": (0.02, 0.0, 0.32),
        "seat": (-0.2, 0.0, 0.86),
        "head": (0.4, 0.0, 0.86),
        "rear": (-0.52, 0.0, 0.34),
        "front": (0.54, 0.0, 0.34),
        "bar": (0.42, 0.0, 1.02),
    }
    for a, c in (
        ("crank", "seat"),
        ("crank", "head"),
        ("seat", "head"),
        ("crank", "rear"),
        ("seat", "rear"),
        ("head", "front"),
        ("head", "bar"),
    ):
        b.part(rank=0)
        b.limb(joints[a], joints[c], 0.024, 0.02, frame, 5)
    b.part(rank=0)
    b.limb((0.46, -0.26, 1.04), (0.46, 0.26, 1.04), 0.018, 0.018, (40, 40, 42), 4)
    b.box((-0.34, -0.07, 0.9), (-0.08, 0.07, 0.95), (30, 28, 28))
