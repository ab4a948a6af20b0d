# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Faces in the camera's frame: clipping, culling, back-to-front order and filling at twice the image's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np

from ris_node.geometry.transform import Transform
from ris_node.types import F32, F64, I32, I64, U8, Bool
from ris_scene.ground import Patches
from ris_scene.meshes.mesh import Mesh, MeshBuilder

NEAR_M = 0.25
_SHIFT = 4
_NOTHING = MeshBuilder().build()


@dataclass(frozen=True)
class MeshPose:
    """Pose of a mesh in `base_link`: metres, and heading in radians."""

    x: float
    y: float
    z: float
    yaw: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Faces:
    """Polygons in the optical frame, one row per face.

    `points` f32[V,3]; `start` i64[F+1]; `normal` f32[F,3] of length 1; `offset` f32[F] = normal . point;
    `centre` f32[F,3]; `owner` i32[F] is the index of the mesh; the rest as in `Mesh`.
    """

    points: F32
    start: I64
    normal: F32
    offset: F32
    centre: F32
    owner: I32
    colour: F32
    rank: I32
    group: I64
    layer: I32
    gloss: F32
    glow: F32
    facing: I32


def pack(meshes: list[Mesh], poses: list[MeshPose], to_camera: Transform) -> Faces:
    """Move meshes into the optical frame; `to_camera` maps `base_link` to it."""
    counts = np.array([len(mesh.points) for mesh in meshes], dtype=np.int64)
    placed = np.array([(np.cos(p.yaw), np.sin(p.yaw), p.x, p.y, p.z) for p in poses], dtype=np.float32)
    cos, sin, x, y, z = np.repeat(placed.reshape(-1, 5), counts, axis=0).T
    owner = np.repeat(np.arange(len(meshes), dtype=np.int32), [mesh.faces for mesh in meshes])
    # A mesh of nothing gives the columns their shape and type where no mesh is in view.
    rows = {
        item.name: np.concatenate([getattr(mesh, item.name) for mesh in (_NOTHING, *meshes)]) for item in fields(Mesh)
    }
    local = rows["points"]
    world = np.stack(
        [local[:, 0] * cos - local[:, 1] * sin + x, local[:, 0] * sin + local[:, 1] * cos + y, local[:, 2] + z], axis=1
    )
    points = world @ to_camera.rotation.T.astype(np.float32) + to_camera.translation.astype(np.float32)
    points[:, 0] += rows["spread"][:, 0]
    points[:, 1] -= rows["spread"][:, 1]
    bases = np.concatenate([[0], np.cumsum(counts)])
    start = np.concatenate(
        [mesh.start[:-1] + base for mesh, base in zip(meshes, bases, strict=False)] + [bases[-1:]]
    ).astype(np.int64)
    normal, offset, centre = planes_of(points, start)
    return Faces(
        points=points,
        start=start,
        normal=normal,
        offset=offset,
        centre=centre,
        owner=owner,
        group=rows["group"].astype(np.int64) + owner.astype(np.int64) * 1024,
        **{name: rows[name] for name in ("colour", "rank", "layer", "gloss", "glow", "facing")},
    )


def planes_of(points: F32 | F64, start: I64) -> tuple[F32, F32, F32]:
    """Return unit normals f32[F,3], plane offsets f32[F] and centroids f32[F,3] of polygons."""
    size = np.diff(start)
    following = np.arange(1, len(points) + 1)
    following[start[1:] - 1] = start[:-1]
    first = points[np.repeat(start[:-1], size)]
    # Relative to the first corner: products of large coordinates would eat the precision of small faces.
    a, b = points - first, points[following] - first
    cross = np.stack(
        [
            a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
            a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
            a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
        ],
        axis=1,
    )
    normal = np.add.reduceat(cross, start[:-1], axis=0)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    centre = np.add.reduceat(points, start[:-1], axis=0) / size[:, None]
    offset = np.einsum("ij,ij->i", normal, centre)
    return normal.astype(np.float32), offset.astype(np.float32), centre.astype(np.float32)


def pixels_of(points: F32, matrix: F64) -> I32:
    """Project points in front of the camera to the doubled canvas, in 1/16 pixels, i32[N,2]."""
    z = np.maximum(points[:, 2], NEAR_M * 0.5)
    x = (matrix[0, 0] * points[:, 0] / z + matrix[0, 2]) * 2 + 0.5
    y = (matrix[1, 1] * points[:, 1] / z + matrix[1, 2]) * 2 + 0.5
    return np.asarray((np.clip(np.stack([x, y], axis=1), -60000, 60000) * (1 << _SHIFT)).round(), dtype=np.int32)


def clip_near(polygon: F32 | F64) -> F64:
    """Cut a polygon f64[N,3] of the optical frame at the near plane; may come back empty."""
    points = np.asarray(polygon, dtype=np.float64)
    inside = points[:, 2] >= NEAR_M
    kept = []
    for i in range(len(points)):
        j = (i + 1) % len(points)
        if inside[i]:
            kept.append(points[i])
        if inside[i] != inside[j]:
            share = (NEAR_M - points[i, 2]) / (points[j, 2] - points[i, 2])
            kept.append(points[i] + share * (points[j] - points[i]))
    return np.array(kept).reshape(-1, 3)


def painter_order(boxes: F64, distance: F64) -> I64:
    """Return the rank of each upright box when drawn far to near.

    `boxes` f64[N,4] are (x0, x1, y0, y1) on the ground in `base_link`. Two boxes with a gap along x are ordered by it;
    side by side, the one farther from the vehicle's axis comes first; else, distance decides.
    """
    count = len(boxes)
    x0, x1, y0, y1 = boxes.T
    beyond = x0[:, None] >= x1[None, :] - 0.05
    side = (y0[:, None] >= y1[None, :] - 0.05) & (y0[None, :] >= -0.3)
    side |= (y1[:, None] <= y0[None, :] + 0.05) & (y1[None, :] <= 0.3)
    apart_x = beyond | beyond.T
    tangled = ~apart_x & ~(side | side.T)
    before = np.where(apart_x, beyond, np.where(tangled, distance[:, None] > distance[None, :], side))
    np.fill_diagonal(before, False)
    waiting = before.sum(axis=0)
    rank = np.zeros(count, dtype=np.int64)
    left = np.ones(count, dtype=bool)
    for place in range(count):
        ready = np.where(left, waiting * 1e6 - distance, np.inf)
        chosen = int(ready.argmin())
        rank[chosen] = place
        left[chosen] = False
        waiting = waiting - before[chosen]
    return rank


@dataclass(frozen=True, eq=False)
class Canvas:
    """The doubled picture: colours u8[2H,2W,3] and the face drawn last at each pixel, i32[2H,2W] (0: none)."""

    colour: U8
    face: I32

    @staticmethod
    def on(sky: U8) -> Canvas:
        """Start a canvas over a sky u8[H,W,3]."""
        height, width = sky.shape[:2]
        big = cv2.resize(sky, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
        return Canvas(np.asarray(big, np.uint8), np.zeros((2 * height, 2 * width), np.int32))

    def patches(self, patches: Patches, colours: list[tuple[int, int, int]], to_camera: Transform, matrix: F64) -> F32:
        """Fill flat patches in their order, recorded as 1, 2, ...; returns their planes f32[N,4] (normal, offset)."""
        planes = np.zeros((len(patches.points), 4), np.float32)
        sizes = np.array([len(points) for points in patches.points])
        moved = to_camera.apply(np.concatenate(patches.points))
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        normal, offset, _ = planes_of(moved, start)
        planes[:, :3], planes[:, 3] = normal, offset
        for i in range(len(sizes)):
            polygon = moved[start[i] : start[i + 1]]
            if polygon[:, 2].min() < NEAR_M:
                polygon = clip_near(polygon)
            if len(polygon) >= 3:
                self._fill(pixels_of(polygon.astype(np.float32), matrix), colours[i], 1 + i, len(polygon) > 4)
        return planes

    def faces(self, faces: Faces, pixels: I32, order: I64, colours: list[list[int]], first: int, matrix: F64) -> None:
        """Fill faces in an order, in the colours of that order; face i is recorded as first + i."""
        shallow = np.minimum.reduceat(faces.points[:, 2], faces.start[:-1]) < NEAR_M
        size = np.diff(faces.start)
        convex = (faces.facing[order] == 1) | (size[order] <= 6)
        rows = zip(
            order.tolist(), faces.start[order].tolist(), faces.start[order + 1].tolist(), colours, convex.tolist(),
            shallow[order].tolist(), strict=True,
        )  # fmt: skip
        fill, picture, record = cv2.fillConvexPoly, self.colour, self.face
        for i, begin, end, colour, simple, cut in rows:
            polygon = pixels[begin:end]
            if cut:
                clipped = clip_near(faces.points[begin:end])
                if len(clipped) < 3:
                    continue
                polygon = pixels_of(clipped.astype(np.float32), matrix)
            if simple:
                fill(picture, polygon, colour, 8, _SHIFT)
                fill(record, polygon, first + i, 8, _SHIFT)
            else:
                self._fill(polygon, colour, first + i, True)

    def _fill(self, polygon: I32, colour: Sequence[float], face: int, bent: bool) -> None:
        if bent:
            cv2.fillPoly(self.colour, [polygon], colour, cv2.LINE_8, _SHIFT)
            cv2.fillPoly(self.face, [polygon], face, cv2.LINE_8, _SHIFT)
        else:
            cv2.fillConvexPoly(self.colour, polygon, colour, cv2.LINE_8, _SHIFT)
            cv2.fillConvexPoly(self.face, polygon, face, cv2.LINE_8, _SHIFT)


def visible_order(faces: Faces, flat: I32, owner_rank: I64, width: int, height: int) -> I64:
    """Return the faces worth drawing, far to near: no backs, nothing off the canvas or too small to see.

    `flat` i32[V,2] are the points on the doubled canvas, as `pixels_of` gives them.
    """
    keep: Bool = ~((faces.facing == 1) & (faces.offset >= 0))
    deepest = np.maximum.reduceat(faces.points[:, 2], faces.start[:-1])
    keep &= deepest > NEAR_M
    pixels = flat / np.float32(1 << _SHIFT)
    low = np.minimum.reduceat(pixels, faces.start[:-1], axis=0)
    high = np.maximum.reduceat(pixels, faces.start[:-1], axis=0)
    keep &= (high[:, 0] > 0) & (high[:, 1] > 0) & (low[:, 0] < 2 * width) & (low[:, 1] < 2 * height)
    size = high - low
    keep &= (size.max(axis=1) > 1.0) & ((faces.layer == 0) | (size.min(axis=1) > 0.6))
    chosen = np.flatnonzero(keep)
    distance = np.linalg.norm(faces.centre[chosen], axis=1)
    _, inverse = np.unique(faces.group[chosen], return_inverse=True)
    mean = np.bincount(inverse, distance) / np.bincount(inverse)
    keys = (faces.layer[chosen], inverse, -mean[inverse], faces.rank[chosen], owner_rank[faces.owner[chosen]])
    return np.asarray(chosen[np.lexsort(keys)], dtype=np.int64)


def majority(face: I32, owner_of_face: I32) -> I32:
    """Reduce the doubled face map to i32[H,W]: of each 2x2, a face of the owner that has most of the four."""
    quads = [face[0::2, 0::2], face[0::2, 1::2], face[1::2, 0::2], face[1::2, 1::2]]
    a, b, c, d = (owner_of_face[quad] for quad in quads)
    first = (a == b) | (a == c) | (a == d)
    second = ~first & ((b == c) | (b == d))
    third = ~first & ~second & (c == d)
    return np.where(second, quads[1], np.where(third, quads[2], quads[0]))
