# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes of cars, vans, lorries and buses, lofted from side profiles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ris_node.types import F64
from ris_scene.meshes.mesh import EVERYWHERE, NEAR, Colour, Mesh, MeshBuilder, Point, scaled

GLASS: Colour = (38, 46, 54)
TYRE: Colour = (24, 24, 26)
DARK: Colour = (30, 31, 33)
HUB: Colour = (150, 153, 156)
LAMP: Colour = (236, 238, 232)
TAIL: Colour = (168, 20, 22)
PLATE: Colour = (232, 226, 190)
_MIDDLE = (0.0, 0.0, 0.52)
_CREASE_M = 0.62


@dataclass(frozen=True, kw_only=True)
class CarShape:
    """A car's shape in metres.

    `hood` are (x, z, half width) stations of the lower body from the tail to the nose; `cabin` is
    (x of the rear foot, rear roof edge, front roof edge, front foot), `belt` and `roof` its heights.
    """

    length: float
    width: float
    height: float
    stations: tuple[tuple[float, float, float], ...]
    cabin: tuple[float, float, float, float]
    belt: float
    wheels: tuple[float, float]
    radius: float = 0.33
    panes: tuple[float, ...] = (0.5,)


def _stations(
    length: float, width: float, nose: float, deck: float, belt: float, cowl: float, tail: float
) -> tuple[tuple[float, float, float], ...]:
    """Describe a lower body: rounded tail, deck, belt line, bonnet falling to a rounded nose."""
    h, w = length / 2, width / 2
    return (
        (-h, deck - 0.22, w * 0.80),
        (-h + 0.06, deck - 0.06, w * 0.90),
        (-h + 0.22, deck, w * 0.965),
        (tail, belt, w),
        (cowl, belt, w),
        (h - 0.75, nose + 0.07, w * 0.985),
        (h - 0.28, nose, w * 0.94),
        (h - 0.08, nose - 0.12, w * 0.86),
        (h, nose - 0.26, w * 0.76),
    )


SEDAN = CarShape(
    length=4.55,
    width=1.80,
    height=1.45,
    stations=_stations(4.55, 1.80, 0.80, 0.96, 0.94, 0.85, -1.35),
    cabin=(-1.75, -0.95, 0.22, 1.05),
    belt=0.94,
    wheels=(-1.35, 1.36),
    panes=(0.48, 0.86),
)
HATCH = CarShape(
    length=4.05,
    width=1.76,
    height=1.50,
    stations=_stations(4.05, 1.76, 0.84, 0.98, 0.96, 0.78, -1.4),
    cabin=(-1.92, -1.55, 0.12, 0.98),
    belt=0.96,
    wheels=(-1.22, 1.28),
    panes=(0.55,),
)
ESTATE = CarShape(
    length=4.70,
    width=1.82,
    height=1.48,
    stations=_stations(4.70, 1.82, 0.82, 0.98, 0.95, 0.90, -1.6),
    cabin=(-2.24, -1.95, 0.22, 1.10),
    belt=0.95,
    wheels=(-1.40, 1.42),
    panes=(0.36, 0.68),
)
SUV = CarShape(
    length=4.60,
    width=1.90,
    height=1.72,
    stations=_stations(4.60, 1.90, 1.02, 1.12, 1.10, 1.00, -1.5),
    cabin=(-2.15, -1.86, 0.20, 1.10),
    belt=1.10,
    wheels=(-1.36, 1.42),
    radius=0.38,
    panes=(0.38, 0.70),
)
CARS: dict[str, CarShape] = {"sedan": SEDAN, "hatchback": HATCH, "estate": ESTATE, "suv": SUV}


def car(body: CarShape, paint: Colour) -> Mesh:
    """Build a car of the given paint (RGB 0..255)."""
    b = MeshBuilder()
    wheels(b, body.wheels, body.width, body.radius, rank=-2)
    _lower_body(b, body, paint)
    _front_and_tail(b, body, paint)
    arches(b, body.wheels, body.width, body.radius)
    _cabin(b, body, paint)
    return b.build()


def wheels(b: MeshBuilder, axles: tuple[float, ...], width: float, radius: float, rank: int) -> None:
    """Add tyres under the body, seen from the front and the back."""
    for x in axles:
        for side in (-1, 1):
            b.part(rank=rank)
            y = side * (width / 2 - 0.13)
            b.box((x - radius * 0.85, y - 0.1, 0.0), (x + radius * 0.85, y + 0.1, 2 * radius * 0.9), TYRE)


def arches(b: MeshBuilder, axles: tuple[float, ...], width: float, radius: float, rank: int = 1) -> None:
    """Add wheel arches, tyres and hubs as discs on the flanks."""
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    for x in axles:
        for side in (-1, 1):
            b.part(rank=rank)
            y = side * (width / 2 + 0.004)
            for layer, (scale, colour) in enumerate(
                ((1.17, (16, 16, 17)), (1.0, TYRE), (0.66, HUB), (0.56, (96, 98, 101)), (0.16, HUB))
            ):
                b.bands = EVERYWHERE if layer in (1, 2) else NEAR
                z = radius + np.sin(angle) * radius * scale
                if layer == 0:
                    z = np.maximum(z, 0.22)
                ring = np.stack([x + np.cos(angle) * radius * scale, np.full(14, y), z], axis=1)
                b.poly(ring, colour, (x, 0.0, radius), layer=layer)


def _lower_body(b: MeshBuilder, body: CarShape, paint: Colour) -> None:
    """Loft the body below the belt line: flanks in two bands, the top, nose and tail."""
    st, low = body.stations, 0.2
    b.part(rank=0, gloss=0.55)
    for (x0, z0, w0), (x1, z1, w1) in pairwise(st):
        b.poly([(x0, w0, z0), (x1, w1, z1), (x1, -w1, z1), (x0, -w0, z0)], paint, _MIDDLE)
        c0, c1 = min(_CREASE_M, z0 - 0.05), min(_CREASE_M, z1 - 0.05)
        top = [(x0, w0, c0), (x1, w1, c1), (x1, w1 * 0.985, z1), (x0, w0 * 0.985, z0)]
        under = [(x0, w0 * 0.95, low), (x1, w1 * 0.95, low), (x1, w1, c1), (x0, w0, c0)]
        sill = [
            (x, w * k, z)
            for x, w, k, z in ((x0, w0, 0.952, low), (x1, w1, 0.952, low), (x1, w1, 0.965, 0.29), (x0, w0, 0.965, 0.29))
        ]
        _both(b, top, paint)
        _both(b, under, scaled(paint, 0.92))
        b.bands = NEAR
        _both(b, sill, DARK, layer=1)
        b.bands = EVERYWHERE
    for (x, z, w), sign in ((st[0], -1.0), (st[-1], 1.0)):
        out, tuck = x + sign * 0.02, x - sign * 0.1
        b.poly([(x, w, z), (x, -w, z), (out, -w, 0.3), (out, w, 0.3)], paint, _MIDDLE)
        b.poly([(x, w, 0.32), (x, -w, 0.32), (tuck, -w, low), (tuck, w, low)], DARK, _MIDDLE, layer=1)
    b.bands = NEAR
    y = body.width / 2 + 0.002
    for x in np.linspace(body.cabin[0] + 0.75, body.cabin[3] + 0.1, len(body.panes) + 2):
        seam = [
            (x - 0.012, y, 0.34),
            (x + 0.012, y, 0.34),
            (x + 0.012, y * 0.99, body.belt),
            (x - 0.012, y * 0.99, body.belt),
        ]
        _both(b, seam, scaled(paint, 0.45), layer=2)


def _both(b: MeshBuilder, corners: list[Point], colour: Colour, layer: int = 0) -> None:
    """Add a polygon of the left flank, and its mirror image on the right."""
    b.poly(corners, colour, _MIDDLE, layer)
    b.poly([(x, -y, z) for x, y, z in corners], colour, _MIDDLE, layer)


def _front_and_tail(b: MeshBuilder, body: CarShape, paint: Colour) -> None:
    """Add lamps, grille, bumpers and number plates."""
    b.part(rank=1, gloss=0.3)
    x, w, z = body.length / 2 + 0.012, body.stations[-1][2], body.stations[-1][1] - 0.03
    corner = [(x - 0.05, w * 1.04, z + 0.05), (x - 0.05, w * 1.04, z - 0.09)]
    _both(b, [(x, w * 0.58, z), corner[0], corner[1], (x, w * 0.6, z - 0.12)], LAMP, 1)
    _both(b, [corner[0], (x - 0.3, w * 1.21, z + 0.12), (x - 0.3, w * 1.21, z + 0.02), corner[1]], LAMP, 1)
    _across(b, x + 0.013, (w * 0.5, w * 0.55), (z + 0.01, z - 0.17), DARK, 0)
    _across(b, x + 0.013, (0.26, 0.26), (z - 0.09, z - 0.19), PLATE, 2)
    x, w, z = -body.length / 2 - 0.012, body.stations[0][2], body.stations[0][1]
    corner = [(x + 0.03, w * 1.06, z + 0.02), (x + 0.03, w * 1.06, z - 0.2)]
    _both(b, [(x, w * 0.62, z - 0.02), corner[0], corner[1], (x, w * 0.66, z - 0.17)], TAIL, 1)
    _both(b, [corner[0], (x + 0.24, w * 1.19, z + 0.06), (x + 0.24, w * 1.19, z - 0.1), corner[1]], TAIL, 1)
    _across(b, x - 0.018, (0.27, 0.27), (z - 0.06, z - 0.17), PLATE, 2)
    _across(b, x - 0.018, (0.7, 0.7), (0.52, 0.5), scaled(paint, 0.7), 1)


def _across(
    b: MeshBuilder, x: float, half: tuple[float, float], z: tuple[float, float], colour: Colour, layer: int
) -> None:
    """Add an upright trapezium across the car: half widths and heights at its top and bottom."""
    corners = [(x, half[0], z[0]), (x, -half[0], z[0]), (x, -half[1], z[1]), (x, half[1], z[1])]
    b.poly(corners, colour, _MIDDLE, layer)


def _cabin(b: MeshBuilder, body: CarShape, paint: Colour) -> None:
    """Add the greenhouse: pillars in body paint, panes set into them, a gently domed roof, mirrors."""
    rear_foot, rear_top, front_top, front_foot = body.cabin
    belt, roof, wb, wr = body.belt - 0.01, body.height, body.width / 2 * 0.975, body.width / 2 * 0.76
    centre = ((rear_foot + front_foot) / 2, 0.0, (belt + roof) / 2)
    b.part(rank=2, gloss=0.5)
    ridge = ((rear_top, roof - 0.07), (rear_top + 0.28, roof), (front_top - 0.3, roof), (front_top, roof - 0.06))
    for (x0, z0), (x1, z1) in pairwise(ridge):
        b.poly([(x0, wr, z0), (x1, wr, z1), (x1, -wr, z1), (x0, -wr, z0)], paint, centre)
    ends = (((rear_foot, belt), (rear_top, roof - 0.07)), ((front_foot, belt), (front_top, roof - 0.06)))
    for (xf, zf), (xt, zt) in ends:
        frame = np.array([(xf, wb, zf), (xf, -wb, zf), (xt, -wr, zt), (xt, wr, zt)])
        b.poly(frame, paint, centre)
        b.gloss = 0.9
        b.poly(_inset(frame, 0.07, 0.10), GLASS, centre, layer=1)
        b.gloss = 0.5
    for side in (-1, 1):
        foot_r, foot_f = np.array([rear_foot, side * wb, belt]), np.array([front_foot, side * wb, belt])
        top_r, top_f = np.array([rear_top, side * wr, roof - 0.07]), np.array([front_top, side * wr, roof - 0.06])
        crown = [(x, side * wr, z) for x, z in ridge]
        b.poly(np.array([foot_f, *crown[::-1], foot_r]), paint, centre)
        cuts = (0.03, *body.panes, 0.97)
        b.gloss = 0.75
        for c0, c1 in pairwise(cuts):
            low0, low1 = foot_r + (foot_f - foot_r) * (c0 + 0.015), foot_r + (foot_f - foot_r) * (c1 - 0.015)
            up0, up1 = top_r + (top_f - top_r) * (c0 + 0.015), top_r + (top_f - top_r) * (c1 - 0.015)
            pane = np.stack(
                [
                    low0 + (up0 - low0) * 0.08,
                    low1 + (up1 - low1) * 0.08,
                    low1 + (up1 - low1) * 0.9,
                    low0 + (up0 - low0) * 0.9,
                ]
            )
            b.poly(pane, GLASS, centre, layer=1)
        b.gloss = 0.5
    for side in (-1, 1):
        b.part(rank=2, gloss=0.4, bands=NEAR)
        y = side * (wb + 0.11)
        b.box((front_foot - 0.42, y - 0.09, belt - 0.0), (front_foot - 0.3, y + 0.09, belt + 0.15), paint)


def _inset(quad: F64, across: float, up: float) -> F64:
    """Shrink a quad (foot left, foot right, top right, top left) towards its middle."""
    fl, fr, tr, tl = quad
    low_l, low_r = fl + (tl - fl) * up * 0.6, fr + (tr - fr) * up * 0.6
    top_l, top_r = tl + (fl - tl) * up, tr + (fr - tr) * up
    return np.stack(
        [
            low_l + (low_r - low_l) * across,
            low_r + (low_l - low_r) * across,
            top_r + (top_l - top_r) * across,
            top_l + (top_r - top_l) * across,
        ]
    )
