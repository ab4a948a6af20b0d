# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes of vans, lorries and buses: boxes with panels."""

from __future__ import annotations

import numpy as np

from ris_scene.meshes.mesh import Colour, Mesh, MeshBuilder, scaled
from ris_scene.meshes.vehicles import DARK, GLASS, LAMP, PLATE, TAIL, arches, wheels


def box_vehicle(kind: str, paint: Colour) -> tuple[Mesh, tuple[float, float, float]]:
    """Build a van, lorry or bus; returns the mesh and (length, width, height) in metres."""
    return {"van": _van, "truck": _truck, "bus": _bus}[kind](paint)


def _shell(
    b: MeshBuilder, x: tuple[float, float], width: float, z: tuple[float, float], paint: Colour, slope: float
) -> None:
    """Add a box body whose front leans back by `slope` metres at the top."""
    w, wt = width / 2, width / 2 * 0.95
    low, top = z
    centre = ((x[0] + x[1]) / 2, 0.0, (low + top) / 2)
    mid = low + (top - low) * 0.45
    for side in (-1, 1):
        b.poly(
            [(x[0], side * w, low), (x[1], side * w, low), (x[1], side * w, mid), (x[0], side * w, mid)],
            scaled(paint, 0.95),
            centre,
        )
        b.poly(
            [
                (x[0], side * w, mid),
                (x[1], side * w, mid),
                (x[1] - slope, side * wt, top),
                (x[0] + 0.04, side * wt, top),
            ],
            paint,
            centre,
        )
    b.poly([(x[0], w, low), (x[0], -w, low), (x[0] + 0.04, -wt, top), (x[0] + 0.04, wt, top)], paint, centre)
    b.poly([(x[1], w, low), (x[1], -w, low), (x[1], -w, mid), (x[1], w, mid)], paint, centre)
    b.poly([(x[1], w, mid), (x[1], -w, mid), (x[1] - slope, -wt, top), (x[1] - slope, wt, top)], paint, centre)
    b.poly(
        [(x[0] + 0.04, wt, top), (x[0] + 0.04, -wt, top), (x[1] - slope, -wt, top), (x[1] - slope, wt, top)],
        paint,
        centre,
    )


def _panel(
    b: MeshBuilder, x: float, ys: tuple[float, float], zs: tuple[float, float], colour: Colour, lean: float = 0.0
) -> None:
    """Add an upright panel across the vehicle at x, its top moved by `lean`; seen from the outside."""
    centre = (0.0, 0.0, (zs[0] + zs[1]) / 2)
    b.poly(
        [(x, ys[0], zs[0]), (x, ys[1], zs[0]), (x + lean, ys[1], zs[1]), (x + lean, ys[0], zs[1])],
        colour,
        centre,
        layer=1,
    )


def _flank(
    b: MeshBuilder, y: float, xs: tuple[float, float], zs: tuple[float, float], colour: Colour, tuck: float = 0.0
) -> None:
    """Add panels on both flanks, tops tucked in by `tuck`."""
    for side in (-1, 1):
        low, top = side * (y + 0.006), side * (y + 0.006 - tuck)
        b.poly(
            [(xs[0], low, zs[0]), (xs[1], low, zs[0]), (xs[1], top, zs[1]), (xs[0], top, zs[1])],
            colour,
            ((xs[0] + xs[1]) / 2, 0.0, zs[0]),
            layer=1,
        )


def _lights(b: MeshBuilder, rear: float, front: float, width: float, z: float) -> None:
    """Add lamps and plates at both ends."""
    b.part(gloss=0.3)
    for side in (-1, 1):
        a, c = side * width * 0.32, side * width * 0.46
        _panel(b, front + 0.02, (a, c), (z, z + 0.16), LAMP)
        _panel(b, rear - 0.02, (side * width * 0.40, side * width * 0.47), (z, z + 0.34), TAIL)
    _panel(b, rear - 0.02, (-0.26, 0.26), (z - 0.2, z - 0.09), PLATE)
    _panel(b, front + 0.02, (-0.26, 0.26), (z - 0.22, z - 0.11), PLATE)


def _van(paint: Colour) -> tuple[Mesh, tuple[float, float, float]]:
    length, width, height = 5.3, 2.0, 2.4
    b = MeshBuilder()
    wheels(b, (-1.6, 1.65), width, 0.35, rank=-2)
    b.part(rank=0, gloss=0.4)
    _shell(b, (-2.65, 2.1), width, (0.26, height), paint, 0.75)
    b.part(rank=1, gloss=0.45)
    _shell(b, (1.6, 2.65), width * 0.97, (0.26, 1.2), paint, 0.35)
    b.part(rank=2, gloss=0.9)
    _panel(b, 2.1 - 0.01, (0.86, -0.86), (1.28, 2.18), GLASS, -0.62)
    b.part(rank=2, gloss=0.75)
    _flank(b, width / 2 * 0.985, (0.55, 1.6), (1.28, 2.0), GLASS, 0.03)
    _panel(b, -2.66, (0.82, 0.06), (1.3, 2.1), GLASS, 0.03)
    _panel(b, -2.66, (-0.06, -0.82), (1.3, 2.1), GLASS, 0.03)
    b.part(rank=2)
    _flank(b, width / 2, (0.42, 0.45), (0.4, 2.2), (40, 40, 42), 0.02)
    _flank(b, width / 2, (-1.0, -0.97), (0.4, 2.2), (70, 70, 72), 0.02)
    _panel(b, 2.66, (0.6, -0.6), (0.66, 0.95), DARK)
    b.rank = 2
    _lights(b, -2.65, 2.65, width, 0.8)
    arches(b, (-1.6, 1.65), width, 0.35, rank=2)
    return b.build(), (length, width, height)


def _truck(paint: Colour) -> tuple[Mesh, tuple[float, float, float]]:
    length, width, height = 7.8, 2.4, 3.3
    b = MeshBuilder()
    wheels(b, (-2.4, 2.6), width, 0.45, rank=-2)
    b.part(rank=-1)
    b.box((-3.8, -0.9, 0.5), (3.6, 0.9, 0.9), DARK)
    b.part(rank=0, gloss=0.1)
    _shell(b, (-3.9, 1.9), width, (0.85, height), (222, 222, 218), 0.02)
    b.part(rank=0, gloss=0.45)
    _shell(b, (2.05, 3.9), width * 0.96, (0.5, 2.75), paint, 0.3)
    b.part(rank=1, gloss=0.9)
    _panel(b, 3.91 - 0.08, (1.02, -1.02), (1.7, 2.5), GLASS, -0.16)
    _flank(b, width / 2 * 0.955, (2.6, 3.55), (1.7, 2.45), GLASS, 0.03)
    b.part(rank=1)
    _flank(b, width / 2 * 0.985, (-3.6, 1.6), (1.5, 2.3), paint, 0.02)
    _panel(b, 3.92, (0.8, -0.8), (0.7, 1.35), DARK)
    _panel(b, -3.92, (0.02, -0.02), (0.9, 3.2), (120, 120, 118))
    b.rank = 2
    _lights(b, -3.9, 3.9, width, 0.75)
    arches(b, (-2.4, 2.6), width * 0.97, 0.45, rank=2)
    return b.build(), (length, width, height)


def _bus(paint: Colour) -> tuple[Mesh, tuple[float, float, float]]:
    length, width, height = 10.6, 2.5, 3.05
    b = MeshBuilder()
    wheels(b, (-2.9, 2.7), width, 0.48, rank=-2)
    b.part(rank=0, gloss=0.4)
    _shell(b, (-5.3, 5.3), width, (0.3, height), paint, 0.12)
    b.part(rank=1, gloss=0.8)
    for x in np.arange(-5.0, 4.6, 1.36):
        _flank(b, width / 2, (x, x + 1.26), (1.3, 2.5), GLASS, 0.035)
    _panel(b, 5.31, (1.12, -1.12), (1.15, 2.55), GLASS, -0.08)
    _panel(b, -5.31, (1.0, -1.0), (1.6, 2.5), GLASS, 0.02)
    b.part(rank=1, glow=0.6)
    _panel(b, 5.28, (0.9, -0.9), (2.66, 2.9), (40, 36, 26), -0.01)
    _panel(b, 5.31, (0.5, -0.6), (2.71, 2.85), (250, 170, 50), -0.01)
    b.part(rank=1)
    _flank(b, width / 2, (-5.2, 5.2), (0.5, 0.62), (228, 228, 224))
    b.rank = 2
    _lights(b, -5.3, 5.3, width, 0.75)
    arches(b, (-2.9, 2.7), width, 0.48, rank=2)
    return b.build(), (length, width, height)
