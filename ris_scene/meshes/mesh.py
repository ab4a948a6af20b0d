# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Flat-faced meshes: polygons with colour, drawing rank and gloss, and the builder that makes them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ris_node.types import F32, F64, I32, Bool

Point = tuple[float, float, float]
Points = npt.ArrayLike
Colour = tuple[float, float, float]


NEAR, MID, FAR = 1, 2, 4
EVERYWHERE = NEAR | MID | FAR
_BAND_M = (38.0, 80.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Mesh:
    """Polygons in an object's own frame (x forward, y left, z up, origin on the ground below its centre).

    `points` f32[V,3] in metres; `spread` f32[V,2] is added along the camera's right and up (billboards);
    face i owns the points start[i]:start[i+1]; `colour` f32[F,3] is 0..255; `rank` orders the parts of an object,
    `group` gathers faces that are sorted by distance together, `layer` orders faces within a group; `gloss` 0..1;
    `glow` 1: not shaded; `facing` 1: culled when seen from behind; `bands` says at which distances (NEAR, MID, FAR)
    a face is worth drawing.
    """

    points: F32
    spread: F32
    start: I32
    colour: F32
    rank: I32
    group: I32
    layer: I32
    gloss: F32
    glow: F32
    facing: I32
    bands: I32

    @property
    def faces(self) -> int:
        """Number of polygons."""
        return len(self.start) - 1

    def at_distance(self, distance: float) -> Mesh:
        """Return what of it is worth drawing at a distance in metres."""
        return self._by_band[int(distance > _BAND_M[0]) + int(distance > _BAND_M[1])]

    @cached_property
    def _by_band(self) -> tuple[Mesh, ...]:
        return tuple(self._only((self.bands & band) > 0) for band in (NEAR, MID, FAR))

    def _only(self, kept: Bool) -> Mesh:
        """Return the mesh of some of its faces, bool[F]."""
        if kept.all():
            return self
        size = np.diff(self.start)
        corners = np.repeat(kept, size)
        start = np.concatenate([[0], np.cumsum(size[kept])]).astype(np.int32)
        rows = {item.name: getattr(self, item.name)[kept] for item in fields(self)[3:]}
        return Mesh(points=self.points[corners], spread=self.spread[corners], start=start, **rows)


@dataclass(kw_only=True)
class MeshBuilder:
    """Collects polygons; the first five fields apply to what is added next."""

    rank: int = 0
    group: int = 0
    gloss: float = 0.0
    glow: float = 0.0
    bands: int = EVERYWHERE
    _points: list[F32] = field(default_factory=list)
    _spread: list[F32] = field(default_factory=list)
    _sizes: list[int] = field(default_factory=list)
    _rows: list[tuple[float, ...]] = field(default_factory=list)

    def part(
        self, *, rank: int | None = None, gloss: float = 0.0, glow: float = 0.0, bands: int = EVERYWHERE
    ) -> MeshBuilder:
        """Begin a new part (a new group); returns the builder."""
        self.rank = self.rank if rank is None else rank
        self.group += 1
        self.gloss, self.glow, self.bands = gloss, glow, bands
        return self

    def poly(self, points: Points, colour: Colour, centre: Points | None = None, layer: int = 0) -> None:
        """Add a polygon; with `centre` it faces away from that point and is culled from behind."""
        corners = np.asarray(points, dtype=np.float32)
        if centre is not None:
            out = corners[0] + corners[len(corners) // 2] - 2.0 * np.asarray(centre, dtype=np.float32)
            nx, ny, nz = _normal(corners)
            if nx * out[0] + ny * out[1] + nz * out[2] < 0:
                corners = corners[::-1].copy()
        self._add(corners, np.zeros((len(corners), 2), np.float32), colour, layer, centre is not None)

    def blob(self, centre: Point, radius: float, colour: Colour, rough: F32 | None = None, squash: float = 1.0) -> None:
        """Add a disc that always faces the camera; `rough` f32[N] scales the radius of each of its N corners."""
        scale = np.ones(12, np.float32) if rough is None else rough
        angle = np.linspace(0.0, 2 * np.pi, len(scale), endpoint=False)
        spread = np.stack([np.cos(angle), np.sin(angle) * squash], axis=1) * (radius * scale)[:, None]
        self._add(np.tile(np.asarray(centre, np.float32), (len(scale), 1)), spread.astype(np.float32), colour, 0, False)

    def box(self, low: Point, high: Point, colour: Colour, bottom: bool = False) -> None:
        """Add an axis-aligned box between two corners."""
        corners = np.array([low, high], dtype=np.float32)
        centre = corners.mean(axis=0)
        for axis in range(3):
            across, up = (axis + 1) % 3, (axis + 2) % 3
            for end in range(2) if bottom or axis != 2 else (1,):
                face = np.empty((4, 3), np.float32)
                face[:, axis] = corners[end, axis]
                face[:, across] = corners[[0, 1, 1, 0], across]
                face[:, up] = corners[[0, 0, 1, 1], up]
                self.poly(face, colour, centre)

    def limb(self, a: Point, b: Point, radius_a: float, radius_b: float, colour: Colour, sides: int = 6) -> None:
        """Add a tapered prism from `a` to `b`, closed at `b`: an arm, a trunk, a pole."""
        along = np.subtract(b, a)
        along = along / max(float(np.linalg.norm(along)), 1e-6)
        x, y, z = along.tolist()
        u = np.array([0.0, z, -y] if abs(x) < 0.8 else [-z, 0.0, x])
        u /= float(np.linalg.norm(u))
        v = np.array([y * u[2] - z * u[1], z * u[0] - x * u[2], x * u[1] - y * u[0]])
        angle = np.arange(sides) * (2 * np.pi / sides)
        ring = np.cos(angle)[:, None] * u + np.sin(angle)[:, None] * v
        self.loft([np.asarray(a) + ring * radius_a, np.asarray(b) + ring * radius_b], colour)

    def loft(self, rings: list[F64], colour: Colour) -> None:
        """Add quads between rings of corners f64[S,3], counter-clockwise seen from the last ring, and close that."""
        for low, top in pairwise(rings):
            sides = len(low)
            following = np.arange(1, sides + 1) % sides
            quads = np.empty((sides, 4, 3), np.float32)
            quads[:, 0], quads[:, 1], quads[:, 2], quads[:, 3] = low, low[following], top[following], top
            self._points.append(quads.reshape(-1, 3))
            self._spread.append(np.zeros((4 * sides, 2), np.float32))
            self._sizes += [4] * sides
            self._rows += [(*colour, self.rank, self.group, 0, self.gloss, self.glow, 1.0, self.bands)] * sides
        self._add(rings[-1].astype(np.float32), np.zeros((len(rings[-1]), 2), np.float32), colour, 0, True)

    def build(self) -> Mesh:
        """Return the mesh of all that was added; of nothing, it has no faces."""
        rows = np.asarray(self._rows, dtype=np.float32).reshape(len(self._sizes), 10)
        return Mesh(
            points=np.concatenate([np.zeros((0, 3), np.float32), *self._points]),
            spread=np.concatenate([np.zeros((0, 2), np.float32), *self._spread]),
            start=np.concatenate([[0], np.cumsum(self._sizes)]).astype(np.int32),
            colour=np.ascontiguousarray(rows[:, :3]),
            rank=rows[:, 3].astype(np.int32),
            group=rows[:, 4].astype(np.int32),
            layer=rows[:, 5].astype(np.int32),
            gloss=rows[:, 6].copy(),
            glow=rows[:, 7].copy(),
            facing=rows[:, 8].astype(np.int32),
            bands=rows[:, 9].astype(np.int32),
        )

    def _add(self, points: F32, spread: F32, colour: Colour, layer: int, facing: bool) -> None:
        self._points.append(points)
        self._spread.append(spread)
        self._sizes.append(len(points))
        self._rows.append((*colour, self.rank, self.group, layer, self.gloss, self.glow, float(facing), self.bands))


def _normal(corners: F32) -> tuple[float, float, float]:
    """Return the area-weighted normal of a polygon f32[N,3] (Newell's method, plain floats: corners are few)."""
    points = corners.tolist()
    nx = ny = nz = 0.0
    x0, y0, z0 = points[-1]
    for x1, y1, z1 in points:
        nx += (y0 - y1) * (z0 + z1)
        ny += (z0 - z1) * (x0 + x1)
        nz += (x0 - x1) * (y0 + y1)
        x0, y0, z0 = x1, y1, z1
    return nx, ny, nz


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Blend two colours; share 0 gives a, 1 gives b."""
    return tuple(p + (q - p) * share for p, q in zip(a, b, strict=True))  # type: ignore[return-value]


def scaled(a: Colour, by: float) -> Colour:
    """Multiply a colour, kept within 0..255."""
    return tuple(min(255.0, p * by) for p in a)  # type: ignore[return-value]
